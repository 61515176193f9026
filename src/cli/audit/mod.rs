//! `audit`, `ledger` and `safe-to-delete`.

mod accounts;
pub(super) mod args;
pub(super) mod files;
mod ledger;
mod merge;
pub(super) mod results;
mod safe;
mod shard;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use args::{AuditArgs, SafeArgs};
pub(super) use ledger::LedgerCommand;
pub(super) use ledger::run_ledger;
pub(super) use safe::run_safe;

use self::args::{AuditReadingArgs, AuditWork};
use self::files::Files;
use self::shard::ShardResult;
use super::args::MEMORY;
use super::connect::{connect, options};
use super::output::complain;
use super::progress::Progress;
use super::results::Results;
use super::settings::Settings;
use super::signals::{cancel_on_signal, until};
use super::usage::{UsageError, before_work, load, read_given};
use crate::audit::{Level, Policy};
use crate::clock::{Clock, SystemClock};
use crate::commands::audit::{AuditLimits, AuditRequest, AuditServices, Scope, audit};
use crate::files::InputKind;
use crate::ident::{AmiId, Prefix};
use crate::ledger::{Ledger, LedgerError, SharedLedger};
use crate::plan::{Budget, Concurrency, Limits};
use crate::price::PriceTable;
use crate::progress::Monitor;
use crate::report::{AuditReport, Exit, FileKind, Report, Severity};
use crate::source::Context;
use crate::source::s3::Buckets;
use crate::verdict::CheckName;

/// Default numbers of objects examined at the same time, without and with reading, and of connections. HEAD requests
/// are short, whereas few reads fill the connection.
const QUESTIONS: usize = 32;
const READINGS: usize = 4;
const CONNECTIONS: usize = 64;

pub(super) async fn run(args: AuditArgs, settings: &Settings) -> Result<Exit, UsageError> {
    if let Some(AuditWork::Merge(merge)) = &args.work {
        return merge::run(merge, settings).await;
    }
    let mut results = Results::new(args.output.json, settings).with_page(&args.page);
    let mut files = Files::new(&args.files, &settings.written);
    let mut request = request(&args).await?;
    let ledger = match &args.ledger {
        Some(path) => match open(path, args.turn.max_time).await? {
            Ok(ledger) => Some(ledger),
            Err(problem) => return Ok(could_not(results, &problem)),
        },
        None => None,
    };
    let progress = Progress::new(settings);
    let (context, counting) = settings.context(progress.clone()).counted();
    let cancel = cancel_on_signal();
    if let Scope::Listed(prefixes) = &request.chosen {
        // With a ledger, the audit records what it finds, which `verify` does not.
        prefixes.iter().filter(|_| args.ledger.is_none()).for_each(hint_at_verify);
    }
    let limit = request.due.until;
    let begun = begin(&args, &mut request, settings, &context);
    let Some(begun) = until(&cancel, before_work(limit, begun)).await else {
        progress.finish();
        results.interrupted();
        return Ok(results.finish());
    };
    let (buckets, mut shard) = match begun? {
        Ok(begun) => begun,
        Err(problem) => return Ok(could_not(results, &problem)),
    };
    let images = images(&args, &buckets, &context)?;
    let services = AuditServices::new(Arc::new(buckets), (context.clone(), counting)).with_images(images);
    if let Some(path) = &args.ledger {
        settings.written.add(path, FileKind::Ledger);
    }
    let mut show = |report: Report| {
        files.add(&report);
        shard.iter_mut().for_each(|shard| shard.add(&report));
        progress.aside(|| results.add(report));
    };
    let done = audit(&services, &request, ledger, &cancel, |report| {
        announce(&report, &*progress);
        show(report);
    });
    let done = done.await;
    progress.finish();
    let end = done.map_err(|error| UsageError(error.to_string()))?;
    let end = AuditReport { ledger: args.ledger.as_ref().map(|path| path.display().to_string()), ..end };
    show(Report::Audit(Box::new(end.clone())));
    if cancel.is_cancelled() {
        results.interrupted_with_report();
    }
    if let Some(shard) = shard {
        shard.finish(&end, &mut results, &settings.written, &context).await;
    }
    if let Err(problem) = files.write() {
        results.could_not_write(&problem);
    }
    Ok(results.finish())
}

fn from_now(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// Connects to the buckets, and to the place of the results. The inner error is a message for a place that cannot be
/// written.
async fn begin(
    args: &AuditArgs,
    request: &mut AuditRequest,
    settings: &Settings,
    context: &Context,
) -> Result<Result<(Buckets, Option<ShardResult>), String>, UsageError> {
    let mut names = request.chosen.buckets();
    names.extend(args.results.iter().filter_map(|place| place.bucket()).map(str::to_owned));
    let options = options(&args.connection, settings)?;
    let buckets = match &args.buckets {
        Some(file) => accounts::connect_each((args, &accounts::read(file)?), options, &names, context).await?,
        None => Buckets::locate(connect(options).await?, &names, context).await,
    };
    let shard = ShardResult::begin(args, request, &buckets, context).await?;
    Ok(shard.map(|shard| (buckets, shard)))
}

/// Names a damaged object as soon as it is found, because the lines of objects are written at the end.
fn announce(report: &Report, monitor: &dyn Monitor) {
    if let Report::Audited(one) = report
        && one.severity() == Severity::Damaged
    {
        monitor.note(&format!("damaged: {}", one.target));
    }
}

/// Names the command that reads one object, where a prefix is the key of a stored AMI object.
fn hint_at_verify(prefix: &Prefix) {
    if AmiId::from_key(&prefix.prefix).is_some() {
        complain(&format!("{prefix} is one object: `stored-ami verify {prefix}` checks its bytes"));
    }
}

/// Opens a ledger and writes to it, so that no byte is read whose proof could not be recorded. A new one is created when
/// there is something to record. The inner error is a message for a valid ledger that cannot be written.
///
/// Runs in a separate thread, because another process may hold the lock.
pub(super) async fn open(path: &Path, within: Option<Duration>) -> Result<Result<SharedLedger, String>, UsageError> {
    if path.try_exists().is_ok_and(|is_there| !is_there) {
        return Ok(Ok(SharedLedger::created_later(path)));
    }
    let (name, path) = (format!("--ledger {}", path.display()), path.to_owned());
    let said = name.clone();
    let open = move || match Ledger::open(&path) {
        Ok(ledger) => Ok(Ok(SharedLedger::new(ledger))),
        Err(error @ (LedgerError::Full(_) | LedgerError::ReadOnly(_))) => Ok(Err(format!("{said}: {error}"))),
        Err(error) => Err(UsageError(format!("{said}: {error}"))),
    };
    load(name, within, open).await
}

fn could_not(mut results: Results, problem: &str) -> Exit {
    results.could_not_write(problem);
    results.finish()
}

async fn request(args: &AuditArgs) -> Result<AuditRequest, UsageError> {
    let chosen = match (&args.list, &args.inventory) {
        (Some(path), _) => {
            let (name, path) = (path.display().to_string(), path.clone());
            load(name, args.turn.max_time, move || files::list(&path)).await?
        }
        (None, Some(path)) => {
            let (name, path) = (path.display().to_string(), path.clone());
            load(name, args.turn.max_time, move || files::inventory(&path)).await?
        }
        (None, None) => match &args.buckets {
            Some(file) => Scope::Listed(accounts::read(file)?.buckets.into_iter().map(|entry| entry.prefix).collect()),
            None => Scope::Listed(args.prefixes.clone()),
        },
    };
    let objects_at_once =
        args.reading.objects.map_or(if args.level == Level::Facts { QUESTIONS } else { READINGS }, usize::from);
    let day = SystemClock.now().as_second().div_euclid(24 * 60 * 60);
    let dollars = match args.turn.max_cost {
        Some(most) if !most.is_finite() || most < 0.0 => {
            return Err(UsageError(format!("--max-cost {most}: an amount of US dollars is needed")));
        }
        most => most.map(|most| (most, PriceTable::built_in())),
    };
    if !args.using.is_empty() && args.level == Level::Facts {
        return Err(UsageError("--using: the level `facts` reads no bytes that could be compared".to_owned()));
    }
    if args.turn.split.is_some() && args.level != Level::Bytes {
        return Err(UsageError("--split: only the level `bytes` reads objects; add --level bytes".to_owned()));
    }
    check_result_is_kept(args)?;
    let policy = policy(args.policy.as_deref())?;
    if let Some(place) = &args.results {
        place.check_outside(&chosen)?;
    }
    let (shard, shard_from) = shard::share(args.turn.shard)?;
    // Proofs that the policy considers too old are due.
    let demanded = policy.object.proof_age.filter(|_| args.level == Level::Bytes);
    let max_age = demanded.map_or(args.max_age, |age| age.min(args.max_age));
    Ok(AuditRequest {
        chosen,
        level: args.level,
        sample: args.reading.sample,
        using: args.using.iter().copied().map(CheckName::from).collect(),
        max_age: args.ledger.is_some().then_some(max_age),
        slice: args.turn.slice.map(|turn| turn.on(day)),
        shard,
        shard_from,
        split_bytes: args.turn.split.map(|size| size.0),
        plan_sha256: None,
        due: AuditLimits {
            until: args.turn.max_time.and_then(from_now),
            bytes: args.turn.max_bytes.map(|size| size.0),
            dollars,
        },
        policy,
        objects_at_once,
        budget: budget(&args.reading, objects_at_once)?,
    })
}

/// Refuses to read runs of parts whose digests would be lost: only `audit merge` can compare them. Other results of a
/// share are shown, and a remark says that they cannot be merged.
fn check_result_is_kept(args: &AuditArgs) -> Result<(), UsageError> {
    if args.turn.shard.is_none() || args.results.is_some() || args.output.json {
        return Ok(());
    }
    if args.turn.split.is_some() {
        let problem = "`audit merge` needs what each shard read of the large objects";
        return Err(UsageError(format!("--split: {problem}; add --results PLACE, or --json and keep the lines")));
    }
    if args.ledger.is_none() {
        complain("--shard: nothing of this share is kept for `audit merge`; --results PLACE keeps it, or --json");
    }
    Ok(())
}

fn policy(path: Option<&Path>) -> Result<Policy, UsageError> {
    let Some(path) = path else { return Ok(Policy::default()) };
    Policy::from_toml(&read_given("--policy", path, InputKind::Policy)?)
        .map_err(|problem| UsageError(format!("{}: {problem}", path.display())))
}

/// The limits of each object: its share of connections and memory.
fn budget(args: &AuditReadingArgs, objects: usize) -> Result<Budget, UsageError> {
    let limits = Limits {
        concurrency: match args.concurrency.unwrap_or_default() {
            Concurrency::Adaptive => Concurrency::Fixed(CONNECTIONS),
            fixed => fixed,
        },
        range_bytes: args.range_size.map(|size| size.0),
        max_memory: args.max_memory.unwrap_or(MEMORY).0,
    };
    limits
        .shared_among(objects)
        .budget()
        .map_err(|error| UsageError(format!("{error}, for each of {objects} objects at once; see --objects")))
}

#[cfg(feature = "ec2")]
fn images(
    args: &AuditArgs,
    buckets: &Buckets,
    context: &Context,
) -> Result<Option<Arc<dyn crate::image::ImageService>>, UsageError> {
    if args.images && args.connection.no_sign_request {
        return Err(UsageError(
            "--images: EC2 accepts only signed requests, and --no-sign-request sends none".to_owned(),
        ));
    }
    let service = || crate::image::ec2::Ec2::new(buckets.home(), context.clone());
    Ok(args.images.then(|| Arc::new(service()) as Arc<dyn crate::image::ImageService>))
}

#[cfg(not(feature = "ec2"))]
fn images(
    args: &AuditArgs,
    _: &Buckets,
    _: &Context,
) -> Result<Option<Arc<dyn crate::image::ImageService>>, UsageError> {
    match args.images {
        true => Err(UsageError("--images: this build has no EC2; build it with the feature `ec2`".to_owned())),
        false => Ok(None),
    }
}
