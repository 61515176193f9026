use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport, Note, ObjectProofReport};
use crate::audit::Word;
use crate::ident::ObjectUri;
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

words! {
    /// What a task does.
    pub enum TaskKind {
        Store = "store",
        Restore = "restore",
        /// A readable copy of an archived object; only in progress events.
        Thaw = "thaw",
        /// A job of S3 Batch Operations; only in progress events.
        Batch = "batch",
    }
}

/// Result of a store or a restore task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReport {
    /// `store` or `restore`.
    pub operation: TaskKind,
    /// The AMI that is stored, or the restored AMI.
    pub image: String,
    /// Region of the task.
    pub region: String,
    /// `s3://bucket/key`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Word<ObjectUri>>,
    /// Name of the restored AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// State in EC2's spelling, of the task or the restored AMI. `DryRun` if nothing was to be started.
    pub state: String,
    /// Whether this run started it, or continued to follow it.
    pub started_here: bool,
    /// The reason that the service states for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// `pass`, `fail` or `unknown`, over all findings; absent if there was nothing to check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Required checks whose `unknown` was accepted with `--accept`. This changes the exit code, not the
    /// verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    /// Checks of the result.
    pub findings: Vec<FindingReport>,
    /// Of a restore: whether the bytes of its object were proved before. Absent in lines of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_proof: Option<ObjectProofReport>,
    /// Resources that a failed restore left behind, with the commands that remove them.
    pub left_behind: Vec<LeftReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Time since this run started or took over the task.
    pub elapsed_seconds: f64,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// A resource that a failed restore left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftReport {
    /// Id of the resource.
    pub id: String,
    /// State in EC2's spelling.
    pub state: String,
    /// The command that removes it.
    pub remove_with: String,
}
