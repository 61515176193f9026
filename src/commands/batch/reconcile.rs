use std::path::PathBuf;

use super::entries::{Appended, append, entry};
use super::history::JobHistories;
use super::manifest;
use super::report_files::{BucketFiles, FolderFiles, ReadReport, ReportPlaceFiles, read_report};
use super::submit::BatchServices;
use crate::batch::{
    BatchPlan, JobFacts, JobOfPlan, Judged, PlannedJob, PlannedObject, Reconciled, job_of_plan, matches_of, reconcile,
};
use crate::ledger::{LedgerError, SharedLedger};
use crate::report::{BatchBasis, BatchCounts, BatchObjectReport, BatchReport, Exit};
use crate::source::{ErrorKind, Session, SourceError};

/// What a completion report shows: of each object, and as a whole.
#[derive(Debug, Clone)]
pub struct BatchResult {
    /// One report for each object, in the order of the plan, and then one for each row that was not asked for.
    pub objects: Vec<BatchObjectReport>,
    /// The summary.
    pub report: BatchReport,
}

fn failed(subject: &str, detail: impl Into<String>) -> SourceError {
    SourceError::new(ErrorKind::Ambiguous, subject, detail.into())
}

/// Holds a report in a folder against a plan. Nothing shows that S3 wrote it, so it proves nothing.
///
/// # Errors
///
/// `manifest.json` cannot be read, or the plan has no job.
pub async fn reconcile_folder(folder: PathBuf, plan: &BatchPlan, plan_id: &str) -> Result<BatchResult, SourceError> {
    let from = folder.display().to_string();
    let report = read_report(&FolderFiles(folder)).await.map_err(|problem| failed(&from, problem))?;
    // A folder does not say which job it is of.
    let matched = |(_, job): &(u64, &PlannedJob)| matches_of(job, &report.rows);
    let jobs: Vec<(u64, &PlannedJob)> = (1..).zip(&plan.jobs).collect();
    let most = jobs.iter().map(matched).max();
    let found = jobs.into_iter().find(|job| Some(matched(job)) == most);
    let (number, job) = found.ok_or_else(|| failed(&from, "the plan has no job"))?;
    let basis = (BatchBasis::Report, &JobHistories::default());
    let (objects, report, _) = judge(job, report, (from, plan_id, (number, plan.jobs.len() as u64)), basis);
    Ok(BatchResult { objects, report })
}

/// Holds the report of a job against a plan, and records what it proves.
///
/// # Errors
///
/// The job is not of the plan, is not complete, or its report cannot be read.
pub async fn reconcile_job(
    services: &BatchServices,
    id: &str,
    (plan, plan_id): (&BatchPlan, &str),
    ledger: Option<&SharedLedger>,
) -> Result<BatchResult, SourceError> {
    let before = services.counting.counts().requests;
    let account = services.account.caller().await?.account;
    let facts = services.jobs.describe(&account, id).await?;
    let of_plan = job_of_plan(&facts, (plan, plan_id), &account)
        .map_err(|mismatch| failed(id, format!("{mismatch}; nothing is recorded")))?;
    check_manifest(services, id, &of_plan).await?;
    let folder = of_plan.report.folder_of(id);
    let files = BucketFiles { archive: services.archive.clone(), context: services.context.clone(), folder };
    let report = read(&files, id).await?;
    let from = (id.to_owned(), plan_id, (of_plan.number, plan.jobs.len() as u64));
    let known = match ledger {
        Some(ledger) => JobHistories::read(ledger, of_plan.job).await,
        None => Ok(JobHistories::default()),
    };
    let nothing = JobHistories::default();
    let basis = (BatchBasis::Job, known.as_ref().unwrap_or(&nothing));
    let (objects, mut summary, judged) = judge(of_plan.job, report, from, basis);
    match (ledger, known) {
        (Some(ledger), Ok(known)) => record((ledger, &known), &facts, (plan, of_plan.job, &judged), &mut summary).await,
        (_, Err(error)) => not_recorded(&error, &mut summary),
        (None, Ok(_)) => {}
    }
    summary.requests = services.counting.counts().requests - before;
    Ok(BatchResult { objects, report: summary })
}

async fn check_manifest(services: &BatchServices, id: &str, of_plan: &JobOfPlan<'_>) -> Result<(), SourceError> {
    if of_plan.etag_is_planned {
        return Ok(());
    }
    let session = Session::new(services.archive.object(&of_plan.manifest.uri), services.context.clone());
    match manifest::check(&session, &of_plan.manifest, of_plan.job).await? {
        true => Ok(()),
        false => Err(failed(id, format!("its manifest {} does not have the planned bytes", of_plan.manifest.uri))),
    }
}

async fn read(files: &dyn ReportPlaceFiles, id: &str) -> Result<ReadReport, SourceError> {
    let later = "S3 may write the report some minutes after the job is complete";
    read_report(files).await.map_err(|problem| failed(id, format!("its report: {problem}; {later}")))
}

/// The results for all objects, the summary, and the judgements in the order of the job, which is `number` of `jobs`.
fn judge(
    job: &PlannedJob,
    report: ReadReport,
    (from, plan_id, (number, jobs)): (String, &str, (u64, u64)),
    (basis, known): (BatchBasis, &JobHistories),
) -> (Vec<BatchObjectReport>, BatchReport, Vec<Judged>) {
    let ReadReport { rows, problems } = report;
    let Reconciled { objects: judged, not_requested } = reconcile(job, rows);
    let planned = job.objects.iter().zip(&judged);
    let report = |(object, judged): (&PlannedObject, &Judged)| {
        BatchObjectReport::planned(job, object, judged, basis).with_trouble(known.trouble(object, judged))
    };
    let mut objects: Vec<BatchObjectReport> = planned.map(report).collect();
    objects.extend(not_requested.iter().map(|row| BatchObjectReport::not_requested(job, row, basis)));
    let mut counts = BatchCounts::default();
    objects.iter().for_each(|object| counts.add(object.outcome));
    let mut exit = objects.iter().fold(Exit::Passed, |exit, object| exit.and(object.exit_code));
    if basis == BatchBasis::Report || !problems.is_empty() {
        exit = exit.and(Exit::Unknown);
    }
    let summary = BatchReport {
        from,
        plan_id: plan_id.to_owned(),
        number,
        jobs,
        basis,
        objects: job.objects.len() as u64,
        counts,
        problems,
        troubled: objects.iter().filter(|object| object.trouble.is_some()).count() as u64,
        recorded: 0,
        not_recorded: Vec::new(),
        ledger_head: None,
        requests: 0,
        exit_code: exit,
    };
    (objects, summary, judged)
}

/// Appends what the report shows to the ledger.
async fn record(
    (ledger, known): (&SharedLedger, &JobHistories),
    facts: &JobFacts,
    (plan, job, judged): (&BatchPlan, &PlannedJob, &[Judged]),
    summary: &mut BatchReport,
) {
    let Some(at) = facts.created else {
        summary.problems.push("S3 does not state when the job was created, so nothing is recorded".to_owned());
        summary.exit_code = summary.exit_code.and(Exit::Unknown);
        return;
    };
    let objects = job.objects.iter().zip(judged);
    let looks = objects.filter_map(|(object, judged)| {
        let look = entry(job, object, judged, at)?;
        // A statement beside known damage or doubt proves nothing.
        (look.kind().is_none() || known.trouble(object, judged).is_none()).then_some(look)
    });
    match append(ledger, known, (looks.collect(), &plan.made)).await {
        Ok(Appended { recorded, superseded, head }) => {
            if !superseded.is_empty() {
                summary.exit_code = summary.exit_code.and(Exit::Unknown);
            }
            (summary.recorded, summary.not_recorded) = (recorded, superseded);
            summary.ledger_head = Some(head.to_string());
        }
        Err(error) => not_recorded(&error, summary),
    }
}

fn not_recorded(error: &LedgerError, summary: &mut BatchReport) {
    summary.problems.push(format!("nothing is recorded: the ledger {error}"));
    summary.exit_code = summary.exit_code.and(Exit::CouldNot);
}
