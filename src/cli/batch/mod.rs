//! `batch`.

pub(super) mod args;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::args::{BatchCommand, JobsArgs, PlanArgs, ReconcileArgs, ReportFrom, SubmitArgs};
use super::args::ConnectionArgs;
use super::audit::{files, open as open_ledger};
use super::connect::{connect, options};
use super::cost::{price_files, price_table};
use super::output::keep_output;
use super::runner::{Failure, Runner, Stop};
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::starting::{Costly, agreed, can_ask};
use super::usage::{UsageError, load, read_given};
use crate::account::AccountService as _;
use crate::account::aws::Account;
use crate::batch::BatchPlan;
use crate::commands::audit::{AuditServices, Scope};
use crate::commands::batch::{
    BatchPlanRequest, BatchResult, BatchServices, BatchSubmission, describe_job, follow_job, plan_batch, plan_report,
    reconcile_folder, reconcile_job, submit_job,
};
use crate::files::{InputKind, OutputKind};
use crate::jobs::S3Control;
use crate::ledger::{Ledger, SharedLedger};
use crate::manifest::Manifest;
use crate::price::Amount;
use crate::report::{BatchPlanReport, Exit, FileKind, Report};
use crate::source::s3::{Buckets, Connection, S3Options};
use crate::source::{BucketResolver, Context, SourceError};
use crate::units::{ByteSize, noun};

pub(super) async fn run(command: BatchCommand, settings: &Settings) -> Result<Exit, UsageError> {
    match command {
        BatchCommand::Plan(args) => plan(*args, settings).await,
        BatchCommand::Submit(args) => submit(*args, settings).await,
        BatchCommand::Status(args) => status(args, settings, Wait::No).await,
        BatchCommand::Follow(args) => status(args, settings, Wait::Yes).await,
        BatchCommand::Reconcile(args) => reconcile(*args, settings).await,
    }
}

async fn plan(args: PlanArgs, settings: &Settings) -> Result<Exit, UsageError> {
    check_plan(&args.plan, args.force.force)?;
    let scope = match &args.list {
        Some(path) => {
            let (name, path) = (path.display().to_string(), path.clone());
            load(name, None, move || files::list(&path)).await?
        }
        None => Scope::Listed(args.prefixes.clone()),
    };
    let manifests = args.manifest.iter().map(|path| manifest(path)).collect::<Result<Vec<_>, _>>()?;
    let prices = price_files(&args.prices).await?;
    let ledger = known(args.ledger.as_deref()).await?;
    let mut runner = Runner::new(&args.output, settings);
    let (context, counting) = runner.context().counted();
    let home = connect(options(&args.connection, settings)?).await?;
    let names = scope.buckets();
    let buckets = Buckets::locate(home, &names, &context).await;
    let region = region_of(&buckets, &names)?;
    let request = BatchPlanRequest {
        scope,
        max_age: args.max_age,
        manifests,
        table: price_table(&prices, Some(&region))?,
        region,
        file: args.plan.display().to_string(),
    };
    let services = AuditServices::new(Arc::new(buckets), (context, counting));
    let work = plan_batch(&services, &request, ledger.as_ref());
    let Some(planned) = runner.run(&request.file, Stop::AtOnce, work).await else { return Ok(runner.finish()) };
    // A plan without objects is of no use, and may be of a misspelt prefix.
    let is_empty = planned.plan.jobs.is_empty();
    let text = planned.plan.to_json().map_err(|error| UsageError(error.to_string()))?;
    // Another run may have written there since the first check.
    let still_free = check_plan(&args.plan, args.force.force);
    if let Err(UsageError(problem)) = &still_free {
        runner.could_not_write(problem);
    }
    if !is_empty
        && still_free.is_ok()
        && let Err(error) = keep_output(&settings.written, &args.plan, OutputKind::BatchPlan, text.as_bytes())
    {
        runner.could_not_write(&format!("{}: the plan could not be written: {error}", request.file));
    }
    runner.add(Report::BatchPlan(Box::new(planned.report)));
    Ok(runner.finish())
}

/// Refuses to replace a plan with jobs, unless `force` is given: they may have been submitted and paid for, and without
/// the plan their reports cannot be reconciled.
fn check_plan(path: &Path, force: bool) -> Result<(), UsageError> {
    let is_there = std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0);
    if !is_there || force {
        return Ok(());
    }
    let plan = BatchPlan::from_json(&read_given("--plan", path, InputKind::BatchPlan)?);
    let what = match plan.map(|plan| plan.jobs.len() as u64) {
        Ok(0) => return Ok(()),
        Ok(jobs) => {
            format!("a plan of {} {}, which may have been submitted", ByteSize(jobs).grouped(), noun(jobs, "job"))
        }
        Err(error) => format!("a plan that cannot be read ({error}) and may have been submitted"),
    };
    Err(UsageError(format!(
        "--plan {}: holds {what}; name another file, or give --force to replace it",
        path.display()
    )))
}

/// The Region of all buckets. A job reads buckets of its own Region.
fn region_of(buckets: &Buckets, names: &BTreeSet<String>) -> Result<String, UsageError> {
    let of = |name: &String| buckets.region(name).unwrap_or_else(|| buckets.home().region().to_owned());
    let regions: BTreeSet<String> = names.iter().map(of).collect();
    let mut regions = regions.into_iter();
    match (regions.next(), regions.next()) {
        (Some(region), None) => Ok(region),
        (Some(one), Some(other)) => Err(UsageError(format!(
            "the buckets are in several Regions, such as {one} and {other}: make a plan for each"
        ))),
        (None, _) => Err(UsageError("name the objects: a prefix or --list".to_owned())),
    }
}

fn manifest(path: &Path) -> Result<Manifest, UsageError> {
    let text = read_given("--manifest", path, InputKind::Manifest)?;
    Manifest::from_json(&text).map_err(|error| UsageError(format!("--manifest {}: {error}", path.display())))
}

/// Opens an existing ledger for reading.
async fn known(path: Option<&Path>) -> Result<Option<SharedLedger>, UsageError> {
    let Some(path) = path else { return Ok(None) };
    let (name, path) = (format!("--ledger {}", path.display()), path.to_owned());
    let said = name.clone();
    let open = move || Ledger::open_existing(&path).map_err(|error| UsageError(format!("{said}: {error}")));
    Ok(Some(SharedLedger::new(load(name, None, open).await?)))
}

async fn read_plan(path: &Path) -> Result<(BatchPlan, String), UsageError> {
    let (name, path) = (path.display().to_string(), path.to_owned());
    load(name, None, move || {
        let wrong = |problem: String| UsageError(format!("--plan {}: {problem}", path.display()));
        let text = read_given("--plan", &path, InputKind::BatchPlan)?;
        let plan = BatchPlan::from_json(&text).map_err(|error| wrong(error.to_string()))?;
        let id = plan.id().map_err(|error| wrong(error.to_string()))?;
        Ok((plan, id))
    })
    .await
}

/// A connection in the Region of a plan, unless the arguments name another.
async fn connected(args: &ConnectionArgs, settings: &Settings, region: Option<&str>) -> Result<Connection, UsageError> {
    if args.no_sign_request {
        return Err(UsageError("--no-sign-request: S3 Batch Operations takes signed requests only".to_owned()));
    }
    let options = options(args, settings)?;
    let region = options.region.clone().or_else(|| region.map(str::to_owned));
    connect(S3Options { region, ..options }).await
}

/// What a job reads and writes is in buckets of the caller's account, and each request on them demands it.
async fn services(connection: Connection, buckets: &[&str], context: &Context) -> BatchServices {
    let (context, counting) = context.counted();
    let account = Account::new(&connection, context.clone());
    let connection = match account.caller().await {
        Ok(caller) => connection.with_expected_owner(&caller.account),
        // The command asks again, and reports it.
        Err(_) => connection,
    };
    let names = buckets.iter().map(|name| (*name).to_owned()).collect();
    let uploads = connection.clone();
    BatchServices {
        jobs: Arc::new(S3Control::new(&connection, context.clone())),
        account: Arc::new(account),
        archive: Arc::new(Buckets::locate(connection, &names, &context).await),
        uploads: Arc::new(move |uri| Arc::new(uploads.upload(uri))),
        context,
        counting,
    }
}

async fn submit(args: SubmitArgs, settings: &Settings) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::BatchJobs)?;
    let (plan, plan_id) = read_plan(&args.plan).await?;
    let file = args.plan.display().to_string();
    if plan.jobs.is_empty() {
        return Err(UsageError(format!("--plan {file}: has no objects")));
    }
    let table = price_table(&price_files(&args.prices).await?, Some(&plan.region))?;
    let mut runner = Runner::new(&args.output, settings);
    let context = runner.context();
    let connection = connected(&args.connection, settings, Some(&plan.region)).await?;
    if connection.region() != plan.region {
        let problem = format!("the plan is of {}, where its jobs run", plan.region);
        return Err(UsageError(format!("--region {}: {problem}", connection.region())));
    }
    let about = plan_report(&plan, &file, &table).map_err(|error| UsageError(error.explain()))?;
    let question = question(&about);
    if args.starting.dry_run {
        runner.add(Report::BatchPlan(Box::new(about)));
        return Ok(runner.finish());
    }
    runner.show(&Report::BatchPlan(Box::new(about)));
    let cancel = cancel_on_signal();
    if !agreed(&args.starting, &question, &cancel).await {
        runner.declined(Costly::BatchJobs);
        return Ok(runner.finish());
    }
    let services = services(connection, &[&args.to.bucket], &context).await;
    let submission = BatchSubmission { plan: &plan, plan_id: &plan_id, to: args.to, role: args.role };
    for (number, job) in (1..).zip(&plan.jobs) {
        let target = format!("job {number}");
        if runner.calls_off(&target) {
            continue;
        }
        let work = submit_job(&services, &submission, (number, job), &cancel);
        match runner.run(&target, Stop::ByItself, work).await {
            Some(Some(report)) => runner.add(Report::BatchJob(report)),
            Some(None) => runner.fail(&target, Failure::NotBegun),
            None => {}
        }
    }
    Ok(runner.finish())
}

fn question(plan: &BatchPlanReport) -> String {
    let known: f64 = plan.costs.iter().filter_map(|line| line.dollars_most).sum();
    let is_whole = plan.costs.iter().all(|line| line.reason.is_none());
    let amount = Amount { least: None, most: Some(known) }.describe();
    let fees = if is_whole { "" } else { " and fees whose price is not known" };
    let (jobs, objects) = (plan.jobs.len() as u64, plan.objects);
    let jobs = format!("{} {}", ByteSize(jobs).grouped(), noun(jobs, "job"));
    let objects = format!("{} {}", ByteSize(objects).grouped(), noun(objects, "object"));
    format!("Create {jobs} for {objects}, for {amount}{fees}?")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Yes,
    No,
}

async fn status(args: JobsArgs, settings: &Settings, wait: Wait) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.output, settings);
    let context = runner.context();
    let connection = connected(&args.connection, settings, None).await?;
    let services = services(connection, &[], &context).await;
    let cancel = cancel_on_signal();
    for job in &args.jobs {
        let found = match wait {
            Wait::No => runner.run(job, Stop::AtOnce, describe_job(&services, job)).await,
            Wait::Yes => runner.run(job, Stop::ByItself, follow_job(&services, job, &cancel)).await,
        };
        if let Some(report) = found {
            runner.add(Report::BatchJob(report));
        }
        if runner.is_stopped() || cancel.is_cancelled() {
            break;
        }
    }
    Ok(runner.finish())
}

async fn reconcile(args: ReconcileArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let (plan, plan_id) = read_plan(&args.plan).await?;
    match args.from {
        ReportFrom::Folder(folder) => {
            if args.ledger.is_some() {
                let problem =
                    "nothing is recorded from a folder, because nothing shows that S3 wrote its files; name the job";
                return Err(UsageError(format!("--ledger: {problem}")));
            }
            if !folder.is_dir() {
                let problem =
                    "is neither the folder of a completion report nor the id of a job, which `batch submit` printed";
                return Err(UsageError(format!("{}: {problem}", folder.display())));
            }
            let mut runner = Runner::new(&args.output, settings);
            let target = folder.display().to_string();
            let work = reconcile_folder(folder, &plan, &plan_id);
            show(&mut runner, &target, work).await;
            Ok(runner.finish())
        }
        ReportFrom::Job(job) => {
            let ledger = to_record(args.ledger, settings).await?;
            let mut runner = Runner::new(&args.output, settings);
            let context = runner.context();
            let connection = connected(&args.connection, settings, Some(&plan.region)).await?;
            let services = services(connection, &[], &context).await;
            let work = reconcile_job(&services, &job, (&plan, &plan_id), ledger.as_ref());
            show(&mut runner, &job, work).await;
            Ok(runner.finish())
        }
    }
}

/// Opens the ledger before any request, so that a result that cannot be recorded is known at once.
async fn to_record(path: Option<PathBuf>, settings: &Settings) -> Result<Option<SharedLedger>, UsageError> {
    let Some(path) = path else { return Ok(None) };
    let ledger = open_ledger(&path, None).await?.map_err(UsageError)?;
    settings.written.add(&path, FileKind::Ledger);
    Ok(Some(ledger))
}

async fn show(runner: &mut Runner, target: &str, work: impl Future<Output = Result<BatchResult, SourceError>>) {
    if let Some(BatchResult { objects, report }) = runner.run(target, Stop::AtOnce, work).await {
        objects.into_iter().for_each(|object| runner.add(Report::BatchObject(Box::new(object))));
        runner.add(Report::Batch(Box::new(report)));
    }
}
