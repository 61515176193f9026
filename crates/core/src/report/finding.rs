use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::{CheckId, Damage, Evidence, Finding, Outcome, Reads, Reason, ReasonCode, Verdict};

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingReport {
    /// Name of the check, as accepted by `--using`, `--require` and `--accept`.
    pub check: CheckId,
    /// `pass`, `fail` or `unknown`.
    pub verdict: Verdict,
    /// Whether `unknown` here makes the overall verdict unknown.
    pub required: bool,
    /// Kind and origin of the expected value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The expected value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The value found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// Number of bytes that the evidence covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_bytes: Option<u64>,
    /// For a failure: how often the bytes were read and gave the same wrong value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u8>,
    /// The damaged parts, if they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<DamageReport>,
    /// Why the check is unknown; always present for `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonReport>,
    /// For damage or doubt that a ledger has: time of the examination that found it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// A part whose digest differs from the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamageReport {
    /// Number of the part, from 1.
    pub part: u64,
    /// Offset of its first byte.
    pub offset_bytes: u64,
    /// Length in bytes.
    pub length_bytes: u64,
    /// The expected digest.
    pub expected: String,
    /// The digest of the first read.
    pub observed: String,
    /// The digest of the second read; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_read: Option<String>,
}

/// Why a check is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonReport {
    /// Stable code for programs.
    pub code: ReasonCode,
    /// The reason, for the user.
    pub detail: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl FindingReport {
    /// Whether it prevents a pass: it fails, or it is required and unknown.
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
            since: None,
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
