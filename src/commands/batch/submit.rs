use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::manifest::is_planned;
use crate::account::AccountService;
use crate::batch::{BatchPlace, BatchPlan, JobFacts, JobState, ManifestPlace, NewJob, PlannedJob, token};
use crate::checksum::{Algorithm, Hasher};
use crate::commands::follow::Follow;
use crate::facts::Caller;
use crate::ident::{ObjectUri, Prefix};
use crate::jobs::JobService;
use crate::progress::{Call, Counting, TaskProgress};
use crate::report::{BatchJobReport, BatchStep, Exit, TaskKind};
use crate::source::{
    BucketResolver, Context, ErrorKind, NewObject, PartBody, PutConditions, Session, SourceError, UploadService,
    write_absent,
};

/// Opens an object that is written.
type OpenUpload = dyn Fn(&ObjectUri) -> Arc<dyn UploadService> + Send + Sync;

/// The services of the Region in which jobs run.
pub struct BatchServices {
    /// Reads manifests and reports.
    pub archive: Arc<dyn BucketResolver>,
    /// Opens an object that is written.
    pub uploads: Arc<OpenUpload>,
    /// S3 Batch Operations.
    pub jobs: Arc<dyn JobService>,
    /// STS.
    pub account: Arc<dyn AccountService>,
    /// Clock, monitor and settings of the requests, which `counting` counts.
    pub context: Context,
    /// The counts of the requests.
    pub counting: Arc<Counting>,
}

/// How the jobs of a plan are submitted.
#[derive(Debug, Clone)]
pub struct BatchSubmission<'a> {
    /// The plan.
    pub plan: &'a BatchPlan,
    /// Its id.
    pub plan_id: &'a str,
    /// Where manifests and reports are written.
    pub to: Prefix,
    /// ARN of the role that the jobs assume.
    pub role: String,
}

/// Writes the manifest of a job, and creates the job. Repeated, it finds both. `None` if it was cancelled before the job
/// was asked for.
///
/// # Errors
///
/// The manifest cannot be written, or S3 refuses the job.
pub async fn submit_job(
    services: &BatchServices,
    submission: &BatchSubmission<'_>,
    (number, job): (u64, &PlannedJob),
    cancel: &CancellationToken,
) -> Result<Option<BatchJobReport>, SourceError> {
    let Caller { account, arn } = services.account.caller().await?;
    let place = BatchPlace::new(&submission.to, submission.plan_id);
    let uri = place.manifest(number);
    let manifest = write_manifest(services, &uri, job).await?;
    let partition = Caller { account: account.clone(), arn }.partition().to_owned();
    let new = NewJob {
        token: token(submission.plan_id, &uri, &submission.role, &account),
        role: submission.role.clone(),
        description: format!("stored-ami, plan {}, job {number}", submission.plan_id),
        partition,
        algorithm: job.algorithm,
        scope: job.scope,
        versions: job.versions,
        manifest,
        report: place.report(number, &account),
    };
    if cancel.is_cancelled() {
        return Ok(None);
    }
    let id = services.jobs.create(&account, &new).await?;
    let report = match services.jobs.describe(&account, &id).await {
        Ok(facts) => submitted(&facts),
        Err(error) => not_described(&new, id, &error),
    };
    Ok(Some(BatchJobReport { number: Some(number), submitted: true, ..report }))
}

/// A job that S3 created now, or at an earlier submission of the same plan.
fn submitted(facts: &JobFacts) -> BatchJobReport {
    let (exit_code, step) = match facts.state.known() {
        Some(JobState::Failed | JobState::Cancelled) => (Exit::Failed, BatchStep::SubmitElsewhere),
        Some(JobState::Failing | JobState::Cancelling) => (Exit::Unknown, follow(&facts.id)),
        _ => (Exit::Passed, follow(&facts.id)),
    };
    BatchJobReport { exit_code, steps: vec![step], ..job_report(facts) }
}

/// A job that S3 created and did not describe. Its id must not be lost.
fn not_described(new: &NewJob, id: String, error: &SourceError) -> BatchJobReport {
    BatchJobReport {
        reasons: vec![error.explain()],
        manifest: Some(new.manifest.uri.to_string()),
        report: Some(new.report.folder_of(&id).to_string()),
        steps: vec![follow(&id)],
        ..BatchJobReport::of(id)
    }
}

fn follow(id: &str) -> BatchStep {
    BatchStep::Follow { job: id.to_owned() }
}

/// Writes the manifest, unless it is there already.
async fn write_manifest(
    services: &BatchServices,
    uri: &ObjectUri,
    job: &PlannedJob,
) -> Result<ManifestPlace, SourceError> {
    let text = job.manifest();
    let digest = Hasher::digest(Algorithm::Sha256, text.as_bytes());
    let body = PartBody::new(vec![Bytes::from(text)]);
    let upload = (services.uploads)(uri);
    let new = NewObject { content_type: Some("text/csv".to_owned()), ..NewObject::default() };
    let send = || upload.put(&new, &body, Some(&digest), &PutConditions::Absent);
    let write = || async { services.context.retry(Call::Write, send).await.map(drop) };
    let session = Session::new(services.archive.object(uri), services.context.clone());
    let existed = !write_absent(&session, write).await?;
    let facts = session.head().await?;
    if existed && !is_planned(&session, &facts, job).await? {
        let detail = "another object is in the place of the manifest; name another place with --to";
        return Err(SourceError::new(ErrorKind::Changed, uri, detail));
    }
    let etag = facts.id.etag.clone().filter(crate::ident::ETag::is_strong);
    let missing = || SourceError::new(ErrorKind::Protocol, uri, "the server states no strong ETag of the manifest");
    Ok(ManifestPlace { uri: uri.at_version(facts.version.clone()), etag: etag.ok_or_else(missing)? })
}

/// A job as it is now.
///
/// # Errors
///
/// The job cannot be described.
pub async fn describe_job(services: &BatchServices, id: &str) -> Result<BatchJobReport, SourceError> {
    let account = services.account.caller().await?.account;
    Ok(job_report(&services.jobs.describe(&account, id).await?))
}

/// Waits until a job is over, or goes on only after somebody acts. Ends early if it is cancelled.
///
/// # Errors
///
/// The job cannot be described.
pub async fn follow_job(
    services: &BatchServices,
    id: &str,
    cancel: &CancellationToken,
) -> Result<BatchJobReport, SourceError> {
    let account = services.account.caller().await?.account;
    let mut follow = Follow::new(&services.context, cancel);
    loop {
        let facts = services.jobs.describe(&account, id).await?;
        let is_settled = facts.state.known().is_none_or(|state| state.is_over() || state.is_waiting());
        if is_settled {
            return Ok(job_report(&facts));
        }
        follow.tell(progress(&facts));
        if !follow.wait().await {
            return Ok(BatchJobReport { exit_code: Exit::Interrupted, ..job_report(&facts) });
        }
    }
}

fn progress(facts: &JobFacts) -> TaskProgress {
    let done = facts.succeeded.unwrap_or_default() + facts.failed.unwrap_or_default();
    let tasks = facts.tasks.filter(|tasks| *tasks > 0);
    TaskProgress {
        kind: TaskKind::Batch,
        image: facts.id.clone(),
        state: facts.state.to_string(),
        percent: tasks.map(|tasks| 100.0 * done as f64 / tasks as f64),
        elapsed: std::time::Duration::ZERO,
        left: None,
        detail: tasks.map(|tasks| format!("{done} of {tasks} objects")).unwrap_or_default(),
    }
}

fn job_report(facts: &JobFacts) -> BatchJobReport {
    let (exit_code, steps) = match facts.state.known() {
        Some(JobState::Complete) => (Exit::Passed, vec![BatchStep::Reconcile { job: facts.id.clone() }]),
        Some(JobState::Failed | JobState::Cancelled) => (Exit::Failed, Vec::new()),
        _ => (Exit::Unknown, Vec::new()),
    };
    BatchJobReport {
        state: facts.state.to_string(),
        tasks: facts.tasks,
        succeeded: facts.succeeded,
        failed: facts.failed,
        reasons: facts.reasons.clone(),
        manifest: facts.manifest.as_ref().map(|manifest| manifest.uri.to_string()),
        report: facts.report.as_ref().map(|report| report.folder_of(&facts.id).to_string()),
        exit_code,
        steps,
        ..BatchJobReport::of(facts.id.clone())
    }
}
