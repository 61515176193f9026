//! Reads one run of parts of an object that several machines read together.

use std::iter;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::stopped::why_stopped;
use crate::audit::{PartsRun, RunDigests, SplitPlan};
use crate::commands::Discovery;
use crate::fetch::{Job, Stop, fetch};
use crate::plan::{Budget, ReadPlan};
use crate::report::Exit;
use crate::source::Session;
use crate::verdict::{Coverage, Reason};

/// Why a run was not read completely.
pub(in crate::commands) struct RunUnread {
    /// The reason, for the report.
    pub reason: Reason,
    /// The exit code of the run.
    pub exit: Exit,
}

/// Reads a run of the discovered object once, and returns its digests.
///
/// # Errors
///
/// The run was not read completely.
pub(in crate::commands) async fn run_digests(
    session: &Session,
    found: &Discovery,
    (plan, run): (&SplitPlan, &PartsRun),
    budget: Budget,
    cancel: &CancellationToken,
) -> Result<RunDigests, RunUnread> {
    let size = found.facts.size;
    let read = Arc::new(ReadPlan::of_runs(size, &plan.wanted(), plan.finest(), budget));
    if let Err(error) = read.fits(budget) {
        return Err(RunUnread { reason: Reason::ReadFailed { detail: error.to_string() }, exit: Exit::CouldNot });
    }
    let job = Job {
        chosen: Some(iter::once(read.ranges_touching(run.range)).collect()),
        ..Job::new(found.facts.id.clone(), Arc::clone(&read), budget, cancel.clone())
    };
    let reading = fetch(session, job).await;
    let coverage = Coverage { bytes: reading.coverage().bytes, of: run.range.len() };
    match (&reading.stopped, plan.digests_of(run, &reading.digests())) {
        (None, Some(digests)) => Ok(digests),
        (None, None) => Err(RunUnread { reason: Reason::NotRead, exit: Exit::Unknown }),
        (Some(stop), _) => {
            let reason = why_stopped(stop, coverage);
            let exit = match (stop, &reason) {
                (Stop::Cancelled, _) => Exit::Interrupted,
                (_, Reason::ReadFailed { .. }) => Exit::CouldNot,
                _ => Exit::Unknown,
            };
            Err(RunUnread { reason, exit })
        }
    }
}
