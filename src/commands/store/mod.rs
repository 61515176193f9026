//! `store`: runs the preflight, starts the store, and follows it until it ends.

mod queue;

pub use queue::{QueuedStore, RecordKeeper, StoreQueue};

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::follow::Follow;
use super::preflight::StorePreflightRequest;
use super::{ObjectServices, RegionServices, before_signal};
use crate::audit::{Word, may_be_output};
use crate::facts::{ObjectFacts, StoreTask, TaskState};
use crate::ident::{AmiId, ObjectUri};
use crate::image::{StoreRequest, TaskFilter};
use crate::progress::TaskProgress;
use crate::report::{Exit, FindingReport, PreflightReport, TaskKind, TaskNote, TaskReport};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::ByteSize;
use crate::verdict::{CheckId, Condition, Evidence, Failure, Finding, Outcome, Reason, overall};

/// Number of attempts to find a task that was just started and may not be listed yet.
const LOOKS_WITHOUT_A_TASK: u32 = 12;

/// A store that this run called. Its task is known by the tasks that EC2 listed before the call: EC2 states the times of
/// all of them, so that the clock of this machine does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalledStore {
    /// Start of the newest earlier task of the AMI into the bucket.
    earlier: Option<Timestamp>,
}

impl CalledStore {
    /// A call that is about to be made.
    async fn next(services: &ObjectServices, wish: &StorePreflightRequest) -> Result<Self, SourceError> {
        let tasks = tasks_into(services, wish).await?;
        Ok(CalledStore { earlier: tasks.iter().filter_map(|task| task.started).max() })
    }

    /// Whether a task of the AMI into the bucket may be of this call.
    fn is(self, task: &StoreTask) -> bool {
        task.started.is_none_or(|at| self.earlier.is_none_or(|earlier| at > earlier))
    }
}

/// All tasks of the AMI into the bucket that EC2 lists.
async fn tasks_into(services: &ObjectServices, wish: &StorePreflightRequest) -> Result<Vec<StoreTask>, SourceError> {
    let mut tasks = services.region.images.store_tasks(&TaskFilter::Bucket(wish.into.bucket.clone())).await?;
    tasks.retain(|task| task.image == wish.image.as_str() && task.is_into(&wish.into.bucket));
    Ok(tasks)
}

/// The error of a call whose response was lost. `looking` is the error of the search for its task, if that failed too.
fn outcome_unknown(error: SourceError, looking: Option<&SourceError>) -> SourceError {
    let looking = looking.map(|failed| format!(", and looking for its task failed: {}", failed.explain()));
    let detail = format!(
        "{}; whether the store was started is not known{}: ask again with `stored-ami is-stored`",
        error.detail,
        looking.unwrap_or_default()
    );
    SourceError { kind: ErrorKind::OutcomeUnknown, detail, ..error }
}

/// Starts the store. The request is never repeated; if the response is lost, the tasks show whether it succeeded. The
/// record is written before, and is what it was before if the store was certainly not started.
///
/// # Errors
///
/// The record cannot be written, the object already exists, EC2 rejected the request, its outcome is unknown
/// ([`ErrorKind::OutcomeUnknown`]), or `cancel` came before it ([`ErrorKind::Interrupted`]).
pub async fn start_store(
    services: &ObjectServices,
    wish: &StorePreflightRequest,
    preflight: &PreflightReport,
    record: Option<&dyn RecordKeeper>,
    cancel: &CancellationToken,
) -> Result<CalledStore, SourceError> {
    if let Some(record) = record {
        let not_written = |problem| SourceError::new(ErrorKind::Io, &wish.image, problem);
        record.before_start(services.region.context().clock.now()).map_err(not_written)?;
    }
    let called = call_store(services, wish, preflight, cancel).await;
    match (called, record) {
        (Err(error), Some(record)) if error.kind != ErrorKind::OutcomeUnknown => match record.not_started() {
            Ok(()) => Err(error),
            Err(problem) => Err(SourceError { detail: format!("{}; {problem}", error.detail), ..error }),
        },
        (called, _) => called,
    }
}

async fn call_store(
    services: &ObjectServices,
    wish: &StorePreflightRequest,
    preflight: &PreflightReport,
    cancel: &CancellationToken,
) -> Result<CalledStore, SourceError> {
    let last_look = async { Ok((CalledStore::next(services, wish).await?, services.object.head().await)) };
    let (store, object) = before_signal(cancel, &wish.image, last_look).await?;
    match object {
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {}
        Err(error) => return Err(error),
        Ok(facts) => {
            let subject = facts.id.target.to_string();
            return Err(SourceError::new(ErrorKind::Changed, subject, "an object appeared there since the preflight"));
        }
    }
    let request =
        StoreRequest { image: wish.image.clone(), bucket: wish.into.to_string(), tags: preflight.tags.clone() };
    match services.region.images.store(&request, false).await {
        Ok(_) => Ok(store),
        Err(error) if error.may_be_done() => {
            let context = services.object.context();
            let is_ours =
                |task: &StoreTask| store.is(task) && (task.started.is_some() || task.in_progress() != Some(false));
            for _ in 0..LOOKS_WITHOUT_A_TASK {
                match tasks_into(services, wish).await {
                    Err(failed) => return Err(outcome_unknown(error, Some(&failed))),
                    Ok(tasks) if tasks.iter().any(is_ours) => {
                        context.monitor.note("the response was lost; the store was started");
                        return Ok(store);
                    }
                    Ok(_) => context.clock.sleep(Duration::from_secs(5)).await,
                }
            }
            Err(outcome_unknown(error, None))
        }
        Err(error) if error.kind == ErrorKind::Denied => {
            let detail = services.region.decoded(&error).await;
            Err(SourceError { detail, request_id: None, ..error })
        }
        Err(error) => Err(error),
    }
}

/// Parameters for following a store.
#[derive(Debug, Clone, Copy)]
pub struct StoreFollowRequest<'a> {
    /// The AMI.
    pub image: &'a AmiId,
    /// Name of the bucket; without it, the newest store of the AMI is followed.
    pub bucket: Option<&'a str>,
    /// Key of the object; without it, the newest store into the bucket is followed.
    pub key: Option<&'a str>,
    /// The call of this run, whose task may not be listed yet; `None` if another run started the store.
    pub called: Option<CalledStore>,
    /// Options that a later run needs to end what this one began, for the note on a store that is not followed to its end.
    /// Each is preceded by a space.
    pub options: &'a str,
}

/// Result of following a store.
#[derive(Debug, Clone)]
pub struct FollowedStore {
    /// The report.
    pub report: TaskReport,
    /// The object that the store wrote, if it was found.
    pub object: Option<ObjectFacts>,
}

/// Follows the store of an AMI until it ends, and checks the object that a completed task names.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if no such store is listed, and the errors of requests to EC2.
pub async fn follow_store(
    services: &RegionServices,
    wish: &StoreFollowRequest<'_>,
    cancel: &CancellationToken,
) -> Result<FollowedStore, SourceError> {
    let (mut report, started) = watch(services, wish, cancel).await?;
    let mut object = None;
    if report.state == "Completed"
        && let Some(uri) = report.object.as_ref().and_then(Word::known).cloned()
    {
        // This run saw the store that it called end. Another one may have ended long ago.
        let started = if wish.called.is_some() { Began::SeenToItsEnd } else { Began::At(started) };
        object = check_stored(&services.at(&uri).object, &mut report, started).await;
    }
    report.requests = services.requests();
    Ok(FollowedStore { report, object })
}

/// Requests the task until it ends. Also returns when it started.
async fn watch(
    services: &RegionServices,
    wish: &StoreFollowRequest<'_>,
    cancel: &CancellationToken,
) -> Result<(TaskReport, Option<Timestamp>), SourceError> {
    let StoreFollowRequest { image, bucket, key, called, .. } = *wish;
    let filter = match bucket {
        Some(bucket) => TaskFilter::Bucket(bucket.to_owned()),
        None => TaskFilter::Image(image.clone()),
    };
    let mut follow = Follow::new(services.context(), cancel);
    let mut unseen = 0;
    let is_asked = |task: &StoreTask| {
        (task.image == image.as_str() && bucket.is_none_or(|bucket| task.is_into(bucket)))
            && key.is_none_or(|key| task.key.is_empty() || task.key == key)
            && called.is_none_or(|called| called.is(task))
    };
    let mut last = StoreTask { image: image.to_string(), state: "InProgress".into(), ..StoreTask::default() };
    loop {
        let tasks = services.images.store_tasks(&filter).await?;
        let newest = tasks.into_iter().filter(is_asked).max_by_key(|task| task.started);
        match newest {
            None if called.is_none() || unseen >= LOOKS_WITHOUT_A_TASK => {
                let detail = "no store of it is listed; EC2 keeps store tasks for 31 days";
                return Err(SourceError::new(ErrorKind::NotFound, image, detail));
            }
            None => {
                unseen += 1;
                follow.tell(progress(image, "not listed yet".to_owned(), None));
            }
            Some(task) => {
                // A task in an unknown state may never change.
                let done = task.in_progress() != Some(true);
                follow.tell(progress(image, task.state.clone(), task.progress));
                last = task;
                if done {
                    break;
                }
            }
        }
        if !follow.wait().await {
            return Ok((report(services, &last, wish, &follow, Exit::Interrupted), last.started));
        }
    }
    Ok((ended(report(services, &last, wish, &follow, Exit::Unknown), &last), last.started))
}

/// When a store began, as far as that shows which object it wrote.
#[derive(Debug, Clone, Copy)]
enum Began {
    /// This run called it and saw it end.
    SeenToItsEnd,
    /// At this time, as EC2 states.
    At(Option<Timestamp>),
}

fn progress(image: &AmiId, state: String, percent: Option<u8>) -> TaskProgress {
    TaskProgress {
        kind: TaskKind::Store,
        image: image.to_string(),
        state,
        percent: percent.map(f64::from),
        elapsed: Duration::ZERO,
        left: None,
        detail: String::new(),
    }
}

/// The exit code of a finished task. [`check_stored`] then checks whether a completed one wrote its object.
fn ended(report: TaskReport, task: &StoreTask) -> TaskReport {
    match TaskState::of(&task.state) {
        TaskState::Failed => TaskReport { exit_code: Exit::CouldNot, ..report },
        TaskState::Completed if report.object.is_none() => {
            let detail = "the task is completed, and does not name the object that it wrote".to_owned();
            judged(report, Outcome::Unknown(Reason::NotStated { detail }))
        }
        TaskState::Completed if task.failure.is_some() => report,
        TaskState::Completed => TaskReport { exit_code: Exit::Passed, ..report },
        TaskState::InProgress | TaskState::Other(_) => {
            let detail = format!("the state of the task is `{}`, which is not known", task.state);
            judged(report, Outcome::Unknown(Reason::NotStated { detail }))
        }
    }
}

/// Adds the finding about the object to the report.
fn judged(mut report: TaskReport, outcome: Outcome) -> TaskReport {
    let findings = [Finding { check: CheckId::Condition(Condition::Object), required: true, outcome }];
    let verdict = overall(&findings);
    report.verdict = Some(verdict);
    report.findings = findings.iter().map(FindingReport::from).collect();
    report.exit_code = Exit::from(verdict);
    report
}

fn report(
    services: &RegionServices,
    task: &StoreTask,
    wish: &StoreFollowRequest<'_>,
    follow: &Follow<'_>,
    exit: Exit,
) -> TaskReport {
    let bucket = task.bucket.split('/').next().unwrap_or_default();
    let goes_on = (exit == Exit::Interrupted)
        .then(|| TaskNote::StoreGoesOn { image: task.image.clone(), options: wish.options.to_owned() }.into());
    TaskReport {
        operation: TaskKind::Store,
        image: task.image.clone(),
        region: services.images.region().to_owned(),
        object: task_object(bucket, &task.key).map(Word::Known),
        name: None,
        state: task.state.clone(),
        started_here: wish.called.is_some(),
        failure: task.failure.clone(),
        verdict: None,
        accepted: Vec::new(),
        findings: Vec::new(),
        object_proof: None,
        left_behind: Vec::new(),
        notes: goes_on.into_iter().collect(),
        elapsed_seconds: follow.elapsed().as_secs_f64(),
        requests: 0,
        exit_code: exit,
    }
}

/// `None` where the task does not name it whole.
fn task_object(bucket: &str, key: &str) -> Option<ObjectUri> {
    let uri: ObjectUri = format!("s3://{bucket}/{key}").parse().ok()?;
    (uri.bucket == bucket && uri.key == key).then_some(uri)
}

/// Checks that a completed store wrote the object, that the object has the name of the AMI, and that the task reports
/// no failure. Also returns the facts of the object.
async fn check_stored(object: &Session, report: &mut TaskReport, began: Began) -> Option<ObjectFacts> {
    let rule = "a completed store leaves its object in the bucket";
    let (outcome, facts) = match object.head().await {
        Ok(_) if report.failure.is_some() => {
            let why = report.failure.as_deref().unwrap_or_default();
            let detail = format!("the task is completed, and gives a reason why it failed: {why}");
            (Outcome::Unknown(Reason::Ambiguous { detail }), None)
        }
        Ok(facts) if facts.id.target.ami_id().is_none_or(|id| id.as_str() != report.image) => {
            let detail = format!("the task names {}, which is not the name of a copy of it", facts.id.target);
            (Outcome::Unknown(Reason::Ambiguous { detail }), None)
        }
        Ok(facts) if !is_of_store(&facts, began) => {
            let etag = facts.id.etag.as_ref().map_or("without an ETag".to_owned(), |etag| format!("ETag {etag}"));
            let when = facts.last_modified.map_or("at a time not stated".to_owned(), |at| format!("of {at}"));
            let detail = format!(
                "the object that is there ({etag}, {when}) need not be the one that the store wrote: that is a multipart \
                 upload, which began when the store did{}",
                match began {
                    Began::At(Some(at)) => format!(", {at}"),
                    Began::At(None) | Began::SeenToItsEnd => String::new(),
                }
            );
            (Outcome::Unknown(Reason::Ambiguous { detail }), None)
        }
        Ok(facts) => {
            let etag = facts.id.etag.as_ref().map_or("no ETag".to_owned(), |etag| format!("ETag {etag}"));
            let evidence =
                Evidence::of_rule("HeadObject", rule, format!("{} bytes, {etag}", ByteSize(facts.size).grouped()));
            (Outcome::Pass(evidence), Some(facts))
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            let evidence = Evidence::of_rule("HeadObject", rule, "there is no such object");
            (Outcome::Fail(Failure::of_rule(evidence)), None)
        }
        Err(error) => (Outcome::Unknown(Reason::Unanswered { detail: error.explain() }), None),
    };
    *report = judged(report.clone(), outcome);
    facts
}

fn is_of_store(facts: &ObjectFacts, began: Began) -> bool {
    match began {
        Began::SeenToItsEnd => true,
        Began::At(started) => may_be_output(facts.id.etag.as_ref(), facts.last_modified, started),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_what_was_listed_before() {
        let task = |second: Option<i64>| StoreTask {
            started: second.map(|second| Timestamp::from_second(second).unwrap()),
            ..StoreTask::default()
        };
        let after = |second: i64| CalledStore { earlier: task(Some(second)).started };
        // Whatever the clock of this machine says.
        assert!(CalledStore { earlier: None }.is(&task(Some(-1_000_000))));
        assert!(after(100).is(&task(Some(101))) && after(100).is(&task(None)));
        assert!(!after(100).is(&task(Some(100))), "a store that failed a moment ago");
    }
}
