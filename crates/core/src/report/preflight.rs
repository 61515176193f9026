use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport, Note, ObjectProofReport, TaskKind};
use crate::checks::preflight::{FoundCopy, LogicalSize, Preflight, Presence, Stored, StoredAnswer};
use crate::text::words;
use crate::verdict::{CheckId, CheckName, Finding, Verdict, overall};

/// The conditions of a store or a restore before it is started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreflightReport {
    /// `store` or `restore`.
    pub operation: TaskKind,
    /// The AMI to store, or the object to restore.
    pub target: String,
    /// Region of the call.
    pub region: String,
    /// Account of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Where a store will put the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Name of the restored AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `pass`, `fail` or `unknown`, over all findings.
    pub verdict: Verdict,
    /// Required checks whose `unknown` was accepted with `--accept`. This changes the exit code, not the
    /// verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    /// The findings: failed, required and unknown, other unknown, passed.
    pub findings: Vec<FindingReport>,
    /// Size of the AMI before compression.
    pub size: SizeReport,
    /// Before a restore: whether the bytes of the object were proved. Absent in lines of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_proof: Option<ObjectProofReport>,
    /// Before a store: whether the bucket contains the AMI, with the sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredReport>,
    /// Tags that will be set: on the object for a store, on the AMI and its snapshots for a restore.
    pub tags: BTreeMap<String, String>,
    /// Remarks that do not affect the verdict.
    pub notes: Vec<Note>,
    /// Further requirements of AWS that cannot be tested before the call.
    pub untested: Vec<String>,
    /// What the user can do about the findings that stop the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<String>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// The object, if it was verified in this run and is damaged. Not in JSON.
    #[serde(skip)]
    pub damaged: Option<DamagedObject>,
}

/// A damaged object that was to be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedObject {
    /// Its version id.
    pub version_id: Option<String>,
    /// Its ETag.
    pub etag: Option<String>,
}

/// The size of an AMI before compression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeReport {
    /// Sum of the sizes of all volumes in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
    /// Bytes of the blocks written to the snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// Source of the sizes, or why there are none.
    pub source: String,
}

/// Whether a bucket contains an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredReport {
    /// Id of the AMI.
    pub image: String,
    /// Name of the bucket.
    pub bucket: String,
    /// The key that a store uses.
    pub key: String,
    /// `not_stored`, `stored`, `in_flight`, `completed_but_object_gone`, `failed` or `cannot_tell`.
    pub answer: StoredState,
    /// Whether the object is there and its store is complete; missing if that is not known. Says nothing about
    /// the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_stored: Option<bool>,
    /// The evidence for `is_stored`, or why it is not known: `task_completed`, `no_task`, `no_object`,
    /// `store_failed`, `object_gone`, `in_flight`, `other_path`, `last_store_failed`, `empty_object`,
    /// `unknown_task_state`, `contradiction` or `not_answered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Presence>,
    /// The object that holds the AMI; absent if none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FoundCopyReport>,
    /// What each source answered.
    pub sources: Vec<SaidReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
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

/// A stored copy of an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundCopyReport {
    /// Its key.
    pub key: String,
    /// Its size in bytes; absent if it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_bytes: Option<u64>,
    /// When it was written, RFC 3339; absent if it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl From<&FoundCopy> for FoundCopyReport {
    fn from(found: &FoundCopy) -> Self {
        let last_modified = found.modified.map(|time| time.to_string());
        FoundCopyReport { key: found.key.clone(), object_bytes: found.bytes, last_modified }
    }
}

/// The answer of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SaidReport {
    /// The API call.
    pub source: String,
    /// The answer, for the user.
    pub said: String,
}

impl From<&LogicalSize> for SizeReport {
    fn from(size: &LogicalSize) -> Self {
        SizeReport { volume_bytes: size.volumes, written_bytes: size.written, source: size.source.clone() }
    }
}

impl StoredReport {
    /// A report of an answer, without requests and notes, and with the exit code of the deprecated command `stored`.
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
            is_stored: answer.presence.is_stored(),
            reason: Some(answer.presence),
            found: answer.found.as_ref().map(FoundCopyReport::from),
            sources: answer.said.iter().map(said).collect(),
            notes: Vec::new(),
            requests: 0,
            exit_code: exit,
        }
    }

    /// The same report with the exit code of `is-stored`.
    #[must_use]
    pub fn with_exit_of_presence(self) -> Self {
        let exit_code = match self.is_stored {
            Some(true) => Exit::Passed,
            Some(false) => Exit::Failed,
            None => Exit::Unknown,
        };
        StoredReport { exit_code, ..self }
    }
}

/// Order of the findings in a report: failed, required and unknown, other unknown, passed.
fn rank(finding: &Finding) -> u8 {
    match (finding.verdict(), finding.required) {
        (Verdict::Fail, _) => 0,
        (Verdict::Unknown, true) => 1,
        (Verdict::Unknown, false) => 2,
        (Verdict::Pass, _) => 3,
    }
}

impl PreflightReport {
    /// A report of a preflight; the other fields are set by the command.
    pub fn new(operation: TaskKind, target: String, region: &str, preflight: Preflight, accept: &[CheckName]) -> Self {
        let Preflight { mut findings, notes, untested, next_steps } = preflight;
        let notes = notes.into_iter().map(Note::from).collect();
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
            object_proof: None,
            stored: None,
            tags: BTreeMap::new(),
            notes,
            untested,
            next_steps,
            requests: 0,
            exit_code: exit,
            damaged: None,
        }
    }
}
