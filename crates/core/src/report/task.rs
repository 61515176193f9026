use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport};
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

words! {
    /// What a task does.
    pub enum TaskKind {
        Store = "store",
        Restore = "restore",
    }
}

/// What became of a store or a restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReport {
    pub operation: TaskKind,
    /// The AMI that is stored, or the new one that is restored.
    pub image: String,
    pub region: String,
    /// `s3://bucket/key`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// EC2's word for the state: of the task, or of the new AMI. `DryRun` where nothing was to be started.
    pub state: String,
    /// Whether this run started it; otherwise it was taken up.
    pub started_here: bool,
    /// The service's own reason, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Of the findings; absent where there was nothing to check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Required checks whose `unknown` was accepted with `--accept`; the verdict does not change by it,
    /// the exit code does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    /// What could be checked of the outcome.
    pub findings: Vec<FindingReport>,
    /// What a failed restore left behind, and the command that removes it.
    pub left_behind: Vec<LeftReport>,
    pub notes: Vec<String>,
    /// Since this run took it up.
    pub elapsed_seconds: f64,
    pub requests: u64,
    pub exit_code: Exit,
}

/// A resource that a failed restore left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftReport {
    pub id: String,
    pub state: String,
    pub remove_with: String,
}
