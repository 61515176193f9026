use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BlockEstimateReport, Exit, Note, PriceSourceReport, TaskKind};
use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// State of a task of a list.
    pub enum TaskRowState {
        /// Its conditions are met; nothing was started.
        Ready = "ready",
        /// It was started by this or an earlier run, and its end was not seen.
        Running = "running",
        /// A condition is not met, so it was not started.
        Refused = "refused",
        /// Its conditions could not be checked, or it could not be started or followed.
        Error = "error",
        /// The run ended before it was started.
        NotStarted = "not_started",
        /// It ended.
        Ended = "ended",
    }
}

/// Several stores or restores of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskListReport {
    /// `store` or `restore`.
    pub operation: TaskKind,
    /// Region of the tasks.
    pub region: String,
    /// Whether tasks were started or followed; otherwise the rows are the plan.
    pub started: bool,
    /// A task is started only while less than this is in progress, in bytes (10⁹ per GB).
    pub limit_bytes: u64,
    /// Sum of the volumes of the rows whose size is known.
    pub volume_bytes: u64,
    /// In a plan: price, requests and time of the tasks that are not started yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<TaskListEstimate>,
    /// The tasks: those with trouble first, otherwise in the order of the file.
    pub rows: Vec<TaskRowReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Time since this run began.
    pub elapsed_seconds: f64,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// What the tasks of a list cost, for those whose size is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskListEstimate {
    /// Number of tasks to start.
    pub tasks: u64,
    /// Number of tasks among them of unknown size, which the other fields leave out.
    pub unsized_tasks: u64,
    /// Sum of the volumes in bytes.
    pub volume_bytes: u64,
    /// Lower bound of the price of the snapshot blocks in US dollars; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_least: Option<f64>,
    /// Upper bound of the price of the snapshot blocks in US dollars; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_most: Option<f64>,
    /// The source of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceSourceReport>,
    /// Time of all one after the other at the rate of earlier restores; absent if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_most: Option<f64>,
    /// What the comparison of all blocks takes, also those of restores that were started before; absent unless the
    /// restores are proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<BlockEstimateReport>,
}

/// One task of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRowReport {
    /// Line of the file, from 1.
    pub line: u64,
    /// The object to restore, or the AMI to store.
    pub target: String,
    /// Name of the restored AMI, or the place of the store.
    pub name: String,
    /// How far it is.
    pub state: TaskRowState,
    /// The AMI that is stored or restored, if the task was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The verdict over the findings; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The verdict of the comparison of its blocks with the record, `unknown` if they were not compared; absent unless the
    /// restores are proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Verdict>,
    /// Size of all volumes in bytes, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
    /// The result, for the user.
    pub detail: String,
    /// Exit code of the task.
    pub exit_code: Exit,
}

impl TaskListReport {
    /// Puts the rows with trouble first, and the others in the order of the file.
    pub fn sort(&mut self) {
        self.rows.sort_by_key(|row| {
            let trouble = match row.exit_code {
                Exit::Failed => 0,
                Exit::Usage | Exit::CouldNot => 1,
                Exit::Unknown => 2,
                Exit::Interrupted => 3,
                Exit::Passed => 4,
            };
            (trouble, row.line)
        });
    }

    /// The exit code over all rows.
    pub fn exit_of_rows(&self) -> Exit {
        self.rows.iter().fold(Exit::Passed, |exit, row| exit.and(row.exit_code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_comes_first() {
        let row = |line, exit_code| TaskRowReport {
            line,
            target: String::new(),
            name: String::new(),
            state: TaskRowState::Ended,
            image: None,
            verdict: None,
            proof: None,
            volume_bytes: None,
            detail: String::new(),
            exit_code,
        };
        let exits = [Exit::Passed, Exit::Unknown, Exit::Failed, Exit::Passed, Exit::CouldNot];
        let mut list = TaskListReport {
            operation: TaskKind::Restore,
            region: String::new(),
            started: true,
            limit_bytes: 0,
            volume_bytes: 0,
            estimate: None,
            rows: exits.into_iter().zip(1..).map(|(exit, line)| row(line, exit)).collect(),
            notes: Vec::new(),
            elapsed_seconds: 0.0,
            requests: 0,
            exit_code: Exit::Passed,
        };
        list.sort();
        assert_eq!(list.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 5, 2, 1, 4]);
        assert_eq!(list.exit_of_rows(), Exit::Failed);
    }
}
