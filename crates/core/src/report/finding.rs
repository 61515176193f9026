use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::{CheckId, Damage, Evidence, Finding, Outcome, Reads, Reason, ReasonCode, Verdict};

/// The answer to one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingReport {
    /// Name of the check, as `--using`, `--require` and `--accept` take it.
    pub check: CheckId,
    pub verdict: Verdict,
    pub required: bool,
    /// What the bytes were held against, and who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// How many bytes the evidence speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_bytes: Option<u64>,
    /// For a fail: how often the bytes were read and gave the same wrong value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<DamageReport>,
    /// Always there for `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonReport>,
}

/// A part whose bytes are not those of its reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamageReport {
    /// Counted from 1.
    pub part: u64,
    pub offset_bytes: u64,
    pub length_bytes: u64,
    pub expected: String,
    pub observed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_read: Option<String>,
}

/// Why something is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonReport {
    /// Stable, for programs.
    pub code: ReasonCode,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl FindingReport {
    /// Whether it keeps what it is about from passing: it is wrong, or it is required and open.
    pub fn blocks_pass(&self) -> bool {
        self.verdict == Verdict::Fail || self.required && self.verdict == Verdict::Unknown
    }
}

impl From<&Reason> for ReasonReport {
    fn from(reason: &Reason) -> Self {
        ReasonReport { code: reason.code(), detail: reason.to_string(), advice: reason.advice().map(str::to_owned) }
    }
}

impl From<&Damage> for DamageReport {
    fn from(damage: &Damage) -> Self {
        DamageReport {
            part: damage.part,
            offset_bytes: damage.range.start(),
            length_bytes: damage.range.len(),
            expected: damage.expected.clone(),
            observed: damage.observed.clone(),
            second_read: damage.second_read.clone(),
        }
    }
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        let mut report = FindingReport {
            check: finding.check,
            verdict: finding.verdict(),
            required: finding.required,
            source: None,
            expected: None,
            observed: None,
            covered_bytes: None,
            reads: None,
            damage: Vec::new(),
            reason: None,
        };
        let mut tell = |evidence: &Evidence| {
            report.source = Some(evidence.source.clone());
            report.expected = Some(evidence.expected.clone());
            report.observed = Some(evidence.observed.clone());
            report.covered_bytes = evidence.coverage.map(|coverage| coverage.bytes);
        };
        match &finding.outcome {
            Outcome::Pass(evidence) => tell(evidence),
            Outcome::Fail(failure) => {
                tell(&failure.evidence);
                report.reads = failure.reads.map(|reads| match reads {
                    Reads::One => 1,
                    Reads::Reproduced => 2,
                });
                report.damage = failure.damage.iter().map(DamageReport::from).collect();
            }
            Outcome::Unknown(reason) => report.reason = Some(reason.into()),
        }
        report
    }
}
