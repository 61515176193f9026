//! Batch engines that start many tasks of one job, and how they number the tasks.

use std::fmt;
use std::str::FromStr;

use super::{ParseShareError, Partition};
use crate::text::words;

words! {
    /// An engine that starts the tasks of one job side by side.
    pub enum BatchEngine {
        /// An array job of AWS Batch.
        AwsBatch = "aws-batch",
        /// A job array of Slurm.
        Slurm = "slurm",
        /// An indexed Job of Kubernetes.
        Kubernetes = "kubernetes",
        /// GNU parallel.
        GnuParallel = "gnu-parallel",
    }
}

impl BatchEngine {
    /// The environment variable that holds the number of the task.
    pub fn variable(self) -> &'static str {
        match self {
            BatchEngine::AwsBatch => "AWS_BATCH_JOB_ARRAY_INDEX",
            BatchEngine::Slurm => "SLURM_ARRAY_TASK_ID",
            BatchEngine::Kubernetes => "JOB_COMPLETION_INDEX",
            BatchEngine::GnuParallel => "PARALLEL_SEQ",
        }
    }

    fn description(self) -> &'static str {
        match self {
            BatchEngine::AwsBatch => "an array job of AWS Batch",
            BatchEngine::Slurm => "a job array of Slurm",
            BatchEngine::Kubernetes => "an indexed Job of Kubernetes",
            BatchEngine::GnuParallel => "GNU parallel",
        }
    }
}

/// The share of this run: a fixed one, or the one that a batch engine assigns: `3/8`, `auto/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardSpec {
    /// This share.
    Fixed(Partition),
    /// The share with the number of the engine's task.
    Auto {
        /// Number of shares.
        of: u32,
    },
}

impl FromStr for ShardSpec {
    type Err = ParseShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("auto/") {
            None => text.parse().map(ShardSpec::Fixed),
            Some(of) => match of.parse() {
                Ok(of) if of > 0 => Ok(ShardSpec::Auto { of }),
                _ => Err(ParseShareError { input: text.to_owned(), problem: "write auto/N, for example auto/8" }),
            },
        }
    }
}

/// The share of a task, and the engine that numbered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineShare {
    /// The share. A task that is started again has the same one.
    pub share: Partition,
    /// The engine.
    pub engine: BatchEngine,
    /// The number that the engine gave to the task.
    pub task: u32,
}

impl fmt::Display for EngineShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EngineShare { share, engine, task } = self;
        write!(f, "shard {share}: {}={task}, {}", engine.variable(), engine.description())
    }
}

/// Why the environment does not determine the share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No engine has set its variable.
    #[error("no batch engine is found: none of {} is set", variables(BatchEngine::ALL))]
    None,
    /// More than one engine has set its variable.
    #[error("more than one batch engine is found: {} are set; write --shard I/N", variables(.0))]
    Several(Vec<BatchEngine>),
    /// A variable that the engine sets is missing.
    #[error("{0} is not set, so the share is not known; write --shard I/N")]
    Missing(&'static str),
    /// A variable is no number.
    #[error("{variable} is `{value}`, which is no number")]
    NotANumber {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The engine has started another number of tasks.
    #[error("{variable} is {says}, and auto/{of} needs {of} tasks; to run one share again, write --shard I/{of}")]
    OtherCount {
        /// The variable.
        variable: &'static str,
        /// Number of tasks by the engine.
        says: u64,
        /// Number of shares.
        of: u32,
    },
    /// The numbers of the tasks are not consecutive.
    #[error(
        "the array goes from {first} to {last} and has {count} tasks: an array with a step or with gaps has no shares"
    )]
    Gaps {
        /// Smallest number of a task.
        first: u64,
        /// Largest number of a task.
        last: u64,
        /// Number of tasks.
        count: u64,
    },
    /// The number of the task is not in the range.
    #[error("{variable} is {task}, and the tasks of auto/{of} go from {first} to {last}")]
    OutOfRange {
        /// The variable.
        variable: &'static str,
        /// Number of the task.
        task: u64,
        /// Smallest number.
        first: u64,
        /// Largest number.
        last: u64,
        /// Number of shares.
        of: u32,
    },
}

fn variables(engines: &[BatchEngine]) -> String {
    engines.iter().map(|engine| engine.variable()).collect::<Vec<_>>().join(", ")
}

impl EngineShare {
    /// The share of this task among `of` shares, by the environment. An empty variable counts as not set.
    ///
    /// # Errors
    ///
    /// No engine or more than one is found, or what the engine states does not make up `of` shares.
    pub fn find(of: u32, variable: impl Fn(&str) -> Option<String>) -> Result<Self, EngineError> {
        let read = |name: &'static str| match variable(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(EngineError::NotANumber { variable: name, value }),
            },
        };
        let is_set = |engine: &&BatchEngine| variable(engine.variable()).is_some_and(|value| !value.is_empty());
        let found: Vec<BatchEngine> = BatchEngine::ALL.iter().filter(is_set).copied().collect();
        let engine = match found.as_slice() {
            [] => return Err(EngineError::None),
            [engine] => *engine,
            _ => return Err(EngineError::Several(found)),
        };
        let needed = |name| read(name)?.ok_or(EngineError::Missing(name));
        let task = needed(engine.variable())?;
        let (first, count) = match engine {
            BatchEngine::AwsBatch => {
                const SIZE: &str = "AWS_BATCH_JOB_ARRAY_SIZE";
                (0, read(SIZE)?.map(|size| (SIZE, size)))
            }
            BatchEngine::Slurm => {
                const COUNT: &str = "SLURM_ARRAY_TASK_COUNT";
                let (first, last) = (needed("SLURM_ARRAY_TASK_MIN")?, needed("SLURM_ARRAY_TASK_MAX")?);
                let count = needed(COUNT)?;
                if last.checked_sub(first).and_then(|more| more.checked_add(1)) != Some(count) {
                    return Err(EngineError::Gaps { first, last, count });
                }
                (first, Some((COUNT, count)))
            }
            BatchEngine::Kubernetes => (0, None),
            BatchEngine::GnuParallel => (1, None),
        };
        if let Some((variable, says)) = count.filter(|(_, says)| *says != u64::from(of)) {
            return Err(EngineError::OtherCount { variable, says, of });
        }
        let last = first.saturating_add(u64::from(of) - 1);
        let index = task.checked_sub(first).and_then(|index| u32::try_from(index).ok()?.checked_add(1));
        let share = index.and_then(|index| Partition::new(index, of));
        match (share, u32::try_from(task)) {
            (Some(share), Ok(task)) => Ok(EngineShare { share, engine, task }),
            _ => Err(EngineError::OutOfRange { variable: engine.variable(), task, first, last, of }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(of: u32, set: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        EngineShare::find(of, variable).map(|found| found.to_string()).map_err(|error| error.to_string())
    }

    fn slurm<'a>(id: &'a str, min: &'a str, max: &'a str, count: &'a str) -> [(&'static str, &'a str); 4] {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", min),
            ("SLURM_ARRAY_TASK_MAX", max),
            ("SLURM_ARRAY_TASK_COUNT", count),
        ]
    }

    #[test]
    fn each_engine_numbers_its_tasks_in_its_own_way() {
        for (of, set, found) in [
            (3, &[("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "3")][..], "shard 1/3"),
            (3, &[("AWS_BATCH_JOB_ARRAY_INDEX", "2")], "shard 3/3"),
            (4, &slurm("0", "0", "3", "4"), "shard 1/4"),
            (4, &slurm("4", "1", "4", "4"), "shard 4/4"),
            (2, &[("JOB_COMPLETION_INDEX", "1")], "shard 2/2"),
            (2, &[("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "")], "shard 1/2"),
        ] {
            let text = find(of, set).unwrap();
            assert!(text.starts_with(found) && text.contains(set[0].0), "{text}");
        }
    }

    #[test]
    fn what_does_not_make_up_the_shares_is_refused() {
        for (set, problem) in [
            (&[][..], "no batch engine is found"),
            (&[("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "0")], "JOB_COMPLETION_INDEX, PARALLEL_SEQ are set"),
            (&[("PARALLEL_SEQ", "0")], "go from 1 to 4"),
            (&[("PARALLEL_SEQ", "5")], "PARALLEL_SEQ is 5"),
            (&[("JOB_COMPLETION_INDEX", "4")], "go from 0 to 3"),
            (&[("JOB_COMPLETION_INDEX", "-1")], "`-1`, which is no number"),
            (&[("JOB_COMPLETION_INDEX", "18446744073709551615")], "go from 0 to 3"),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "8")], "ARRAY_SIZE is 8"),
            (&slurm("3", "3", "3", "1"), "COUNT is 1, and auto/4 needs 4 tasks; to run one share again"),
            (&slurm("0", "0", "6", "4"), "a step or with gaps"),
            (&slurm("9", "0", "3", "4"), "SLURM_ARRAY_TASK_ID is 9"),
            (&slurm("0", "3", "0", "4"), "a step or with gaps"),
            (&[("SLURM_ARRAY_TASK_ID", "0")], "SLURM_ARRAY_TASK_MIN is not set"),
        ] {
            let error = find(4, set).unwrap_err();
            assert!(error.contains(problem), "{set:?}: {error}");
        }
    }

    #[test]
    fn a_share_is_written_as_a_number_or_as_auto() {
        assert_eq!("auto/8".parse(), Ok(ShardSpec::Auto { of: 8 }));
        assert_eq!("3/8".parse(), Ok(ShardSpec::Fixed(Partition::new(3, 8).unwrap())));
        for wrong in ["auto", "auto/", "auto/0", "auto/x", "today/8", "9/8"] {
            assert!(wrong.parse::<ShardSpec>().is_err(), "{wrong}");
        }
    }
}
