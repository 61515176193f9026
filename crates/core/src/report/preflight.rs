use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport, TaskKind};
use crate::checks::preflight::{LogicalSize, Preflight, Stored, StoredAnswer};
use crate::text::words;
use crate::verdict::{CheckId, CheckName, Finding, Verdict, overall};

/// What is known before a store or a restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreflightReport {
    pub operation: TaskKind,
    /// The AMI to store, or the object to restore.
    pub target: String,
    pub region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Where a store would put the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The name that a restored AMI would get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Over all findings.
    pub verdict: Verdict,
    /// Required checks whose `unknown` was accepted with `--accept`; the verdict does not change by it,
    /// the exit code does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    /// Ordered by what stands in the way.
    pub findings: Vec<FindingReport>,
    pub size: SizeReport,
    /// Before a store: whether the bucket holds the AMI, and who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredReport>,
    /// Tags that will be set: of the object for a store, of AMI and snapshots for a restore.
    pub tags: BTreeMap<String, String>,
    pub notes: Vec<String>,
    /// What AWS also needs, and nothing here could test.
    pub untested: Vec<String>,
    pub requests: u64,
    pub exit_code: Exit,
}

/// The size of an AMI before compression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
    /// Bytes of the blocks written to the snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// Where the sizes come from, or why there are none.
    pub source: String,
}

/// Whether a bucket holds an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredReport {
    pub image: String,
    pub bucket: String,
    /// Where a store would put it.
    pub key: String,
    pub answer: StoredState,
    pub sources: Vec<SaidReport>,
    pub notes: Vec<String>,
    pub requests: u64,
    pub exit_code: Exit,
}

words! {
    /// Whether a bucket holds an AMI.
    pub enum StoredState {
        NotStored = "not_stored",
        Stored = "stored",
        /// A store is in progress.
        InFlight = "in_flight",
        CompletedButObjectGone = "completed_but_object_gone",
        /// The last store failed, and no object is there.
        Failed = "failed",
        CannotTell = "cannot_tell",
    }
}

impl From<Stored> for StoredState {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::NotStored => StoredState::NotStored,
            Stored::Stored | Stored::StoredElsewhere => StoredState::Stored,
            Stored::InFlight => StoredState::InFlight,
            Stored::Gone => StoredState::CompletedButObjectGone,
            Stored::Failed => StoredState::Failed,
            Stored::CannotTell => StoredState::CannotTell,
        }
    }
}

/// What one source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SaidReport {
    pub source: String,
    pub said: String,
}

impl From<&LogicalSize> for SizeReport {
    fn from(size: &LogicalSize) -> Self {
        SizeReport { volume_bytes: size.volumes, written_bytes: size.written, source: size.source.clone() }
    }
}

impl StoredReport {
    pub fn new(image: &str, bucket: &str, key: String, answer: &StoredAnswer) -> Self {
        let exit = match answer.stored {
            Stored::NotStored | Stored::Failed => Exit::Passed,
            Stored::Stored | Stored::StoredElsewhere | Stored::InFlight => Exit::Failed,
            Stored::Gone | Stored::CannotTell => Exit::Unknown,
        };
        let said = |(source, said): &(String, String)| SaidReport { source: source.clone(), said: said.clone() };
        StoredReport {
            image: image.to_owned(),
            bucket: bucket.to_owned(),
            key,
            answer: answer.stored.into(),
            sources: answer.said.iter().map(said).collect(),
            notes: Vec::new(),
            requests: 0,
            exit_code: exit,
        }
    }
}

/// Findings in the order in which they stand in the way: fails, required unknowns, other unknowns, passes.
fn rank(finding: &Finding) -> u8 {
    match (finding.verdict(), finding.required) {
        (Verdict::Fail, _) => 0,
        (Verdict::Unknown, true) => 1,
        (Verdict::Unknown, false) => 2,
        (Verdict::Pass, _) => 3,
    }
}

impl PreflightReport {
    pub fn new(operation: TaskKind, target: String, region: &str, preflight: Preflight, accept: &[CheckName]) -> Self {
        let Preflight { mut findings, notes, untested } = preflight;
        findings.sort_by_key(rank);
        let verdict = overall(&findings);
        let accepted = |finding: &&Finding| {
            finding.required
                && finding.verdict() == Verdict::Unknown
                && accept.iter().any(|name| name.matches(finding.check))
        };
        let open = findings.iter().filter(|f| f.required && f.verdict() == Verdict::Unknown).count();
        let accepted: Vec<CheckId> = findings.iter().filter(accepted).map(|finding| finding.check).collect();
        let exit = match verdict {
            Verdict::Fail => Exit::Failed,
            Verdict::Unknown if open > accepted.len() => Exit::Unknown,
            Verdict::Pass | Verdict::Unknown => Exit::Passed,
        };
        PreflightReport {
            operation,
            target,
            region: region.to_owned(),
            account: None,
            destination: None,
            name: None,
            verdict,
            accepted,
            findings: findings.iter().map(FindingReport::from).collect(),
            size: SizeReport { volume_bytes: None, written_bytes: None, source: String::new() },
            stored: None,
            tags: BTreeMap::new(),
            notes,
            untested,
            requests: 0,
            exit_code: exit,
        }
    }
}
