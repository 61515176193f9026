use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BlockEstimateReport, Exit, Note, PreflightReport, ProofSource, ProveReport, TaskReport};
use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// How far a drill came.
    pub enum DrillOutcome {
        /// Nothing was started; this is what it would do.
        Planned = "planned",
        /// A condition is not met, so nothing was started.
        Refused = "refused",
        /// A signal ended it; the same command goes on.
        Interrupted = "interrupted",
        /// It ended.
        Ended = "ended",
    }
}

words! {
    /// A step of a drill.
    pub enum DrillPhase {
        /// Every byte of the object is read.
        Verify = "verify",
        /// The conditions of the restore are checked.
        Preflight = "preflight",
        /// From the call until the AMI is available.
        Restore = "restore",
        /// Every block of the restored AMI is compared.
        Prove = "prove",
        /// What the drill made is removed.
        Remove = "remove",
    }
}

words! {
    /// Result of a step of a drill.
    pub enum DrillState {
        Passed = "passed",
        Failed = "failed",
        /// Its result is not known.
        Unknown = "unknown",
        /// It was not done in this run.
        Skipped = "skipped",
    }
}

/// The words of AWS Backup for the validation of a restore (AWS Backup API, *PutRestoreValidationResult*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum BackupValidation {
    /// The validation is not at its end.
    Validating,
    /// Only for a drill that passed.
    Successful,
    /// For a drill that failed, and for one whose result is unknown: AWS Backup has no word for that.
    Failed,
}

words! {
    /// What happened to an AMI or a snapshot of a drill.
    pub enum DrillResourceState {
        Removed = "removed",
        /// It did not exist any more.
        Gone = "gone",
        /// It stays, as the user wished.
        Kept = "kept",
        /// It stays, because removing it is not safe or did not succeed.
        Left = "left",
    }
}

/// Result of `drill`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DrillReport {
    /// `s3://bucket/key` of the object.
    pub target: String,
    /// Region of the restore.
    pub region: String,
    /// Name of the restored AMI.
    pub name: String,
    /// Id of the restored AMI, if it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What its blocks are compared with.
    pub against: ProofSource,
    /// The AMI with the expected content.
    pub expected_image: String,
    /// How far it came.
    pub outcome: DrillOutcome,
    /// `pass` if the object was verified, the restored AMI has the properties of its source as far as they are known, and
    /// every block is the same; `fail` if one of these is refuted; otherwise `unknown`.
    pub verdict: Verdict,
    /// The verdict in the words of AWS Backup. `SUCCESSFUL` only for `pass`.
    pub backup_validation: BackupValidation,
    /// When the earlier drill was called that left an AMI or snapshots (RFC 3339). The run then removes only those, and
    /// drills nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removes_only: Option<String>,
    /// The steps, in order.
    pub phases: Vec<DrillPhaseReport>,
    /// When the restore of the AMI was called (RFC 3339), by this run or by an earlier one whose AMI was taken up. If a run
    /// with another journal called it, the time that EC2 states for the AMI. Absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<String>,
    /// Time from the call of the restore until the AMI was available: the recovery time. Absent unless it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_seconds: Option<f64>,
    /// The limit of restores in progress, and what this restore leaves of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<DrillQuotaReport>,
    /// Price, requests and time of the comparison, as far as the expected content shows them before the restore. Absent if
    /// it could not be described, or nothing is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<BlockEstimateReport>,
    /// Result of the preflight, with that of the verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preflight: Option<PreflightReport>,
    /// Result of the restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<TaskReport>,
    /// Result of the comparison of the blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProveReport>,
    /// The AMI and its snapshots, and what happened to them.
    pub resources: Vec<DrillResourceReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests of all kinds, without the reads of the verification.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// One step of a drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DrillPhaseReport {
    /// The step.
    pub phase: DrillPhase,
    /// Its result.
    pub state: DrillState,
    /// Time that it took; absent if it was not done in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The result in one sentence, for people.
    pub detail: String,
}

/// The limit of restores in progress, in bytes of the stricter reading (10⁹ per GB).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillQuotaReport {
    /// The limit.
    pub limit_bytes: u64,
    /// Estimate of the restores in progress before this one.
    pub in_progress_bytes: u64,
    /// Size of this restore; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill_bytes: Option<u64>,
    /// What is left for other restores while this one runs; absent if its size is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_bytes: Option<u64>,
}

/// An AMI or a snapshot that a drill made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillResourceReport {
    /// Its id.
    pub id: String,
    /// What happened to it.
    pub state: DrillResourceState,
    /// Why it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The command that removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_with: Option<String>,
    /// A rule of the Recycle Bin keeps it after its removal. Absent if it is not listed there, or if that could not be
    /// asked; a note says so then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recycle_bin: Option<RecycleBinReport>,
}

/// What the Recycle Bin states of something that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecycleBinReport {
    /// When it is permanently deleted (RFC 3339). Absent if EC2 does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl From<Verdict> for DrillState {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => DrillState::Passed,
            Verdict::Fail => DrillState::Failed,
            Verdict::Unknown => DrillState::Unknown,
        }
    }
}

impl BackupValidation {
    /// The word as AWS Backup writes it.
    pub fn name(self) -> &'static str {
        match self {
            BackupValidation::Validating => "VALIDATING",
            BackupValidation::Successful => "SUCCESSFUL",
            BackupValidation::Failed => "FAILED",
        }
    }

    /// The word for a drill.
    pub fn of(outcome: DrillOutcome, verdict: Verdict) -> Self {
        match (outcome, verdict) {
            (DrillOutcome::Planned | DrillOutcome::Interrupted, _) => BackupValidation::Validating,
            (DrillOutcome::Ended, Verdict::Pass) => BackupValidation::Successful,
            _ => BackupValidation::Failed,
        }
    }
}

impl RecycleBinReport {
    /// Until when it is kept, as words.
    pub fn clause(&self) -> String {
        match &self.until {
            Some(until) => format!("until {until}"),
            None => "until a time that EC2 does not state".to_owned(),
        }
    }
}

impl DrillReport {
    /// Resources that stay although they were to be removed.
    pub fn left(&self) -> impl Iterator<Item = &DrillResourceReport> {
        self.resources.iter().filter(|resource| resource.state == DrillResourceState::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_at_the_end_is_successful() {
        for outcome in DrillOutcome::ALL {
            for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Unknown] {
                let is_pass = (*outcome, verdict) == (DrillOutcome::Ended, Verdict::Pass);
                let word = BackupValidation::of(*outcome, verdict);
                assert_eq!(word == BackupValidation::Successful, is_pass, "{outcome} {verdict}");
            }
        }
        assert_eq!(BackupValidation::of(DrillOutcome::Ended, Verdict::Unknown), BackupValidation::Failed);
        for word in [BackupValidation::Validating, BackupValidation::Successful, BackupValidation::Failed] {
            assert_eq!(serde_json::to_value(word).unwrap(), word.name());
        }
    }
}
