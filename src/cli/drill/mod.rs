//! `drill`.

pub(super) mod args;

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::args::DrillArgs;
use super::audit::open as open_ledger;
use super::blocks::{self, is_of_object, recorded};
use super::connect::{connect, options};
use super::images::{drill_preflight, verified_first};
use super::journal::journal;
use super::output::keep_output;
use super::runner::{Runner, Stop};
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::starting::{Costly, agreed, can_ask, says_yes};
use super::usage::UsageError;
use crate::commands::RegionServices;
use crate::commands::blocks::{BlockServices, ExpectedContent, Prove, ProveRequest};
use crate::commands::drill::{Drill, DrillRequest, DrillServices, EarlierDrills, drill_name};
use crate::commands::preflight::RestorePreflightRequest;
use crate::facts::ImageState;
use crate::files::OutputKind;
use crate::ident::AmiId;
use crate::image::ec2::Ec2;
use crate::journal::Journal;
use crate::ledger::SharedLedger;
use crate::render::drill_junit;
use crate::report::{DrillReport, DrillResourceState, Exit, FileKind, Report};
use crate::snapshot::Ebs;
use crate::source::SourceError;

pub(super) async fn run(args: DrillArgs, settings: &Settings) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Drill)?;
    let journal = journal(args.journal.as_deref())?;
    let expected = expected(&args).await?;
    let restore = restore_request(&args, &expected, &journal)?;
    let mut request = DrillRequest {
        restore,
        verify_seconds: None,
        expected,
        keep: args.keep,
        ledger: ledger(&args, settings).await?,
    };
    let mut runner = Runner::new(&args.output, settings).with_page(&args.page);
    let services = services(&args, &mut runner).await?;
    let (cancel, target) = (cancel_on_signal(), args.target.to_string());
    let work = async {
        let earlier = EarlierDrills::find(&services, &request, &journal).await?;
        if !args.starting.dry_run && !earlier.is_unfinished() {
            verify_first(&services, &mut request, &cancel).await;
        }
        Ok::<_, SourceError>(earlier)
    };
    let Some(earlier) = runner.run(&target, Stop::AtOnce, work).await else {
        return Ok(runner.finish());
    };
    let work = Drill::prepare(&services, &request, &journal, earlier);
    let Some(drill) = runner.run(&target, Stop::AtOnce, work).await else {
        return Ok(runner.finish());
    };
    if drill.is_refused() || args.starting.dry_run {
        end(&mut runner, drill.report().clone(), &args);
        return Ok(runner.finish());
    }
    if let Some(report) = carry_out(&mut runner, drill, (&services.blocks, &request), (&args, &cancel)).await {
        end(&mut runner, report, &args);
    }
    Ok(runner.finish())
}

/// Opens the ledger before any request, so that nothing is restored whose proof could not be recorded.
async fn ledger(args: &DrillArgs, settings: &Settings) -> Result<Option<SharedLedger>, UsageError> {
    let Some(path) = args.ledger.as_deref().filter(|_| !args.starting.dry_run) else { return Ok(None) };
    let ledger = open_ledger(path, None).await?.map_err(UsageError)?;
    settings.written.add(path, FileKind::Ledger);
    Ok(Some(ledger))
}

/// The content that the restored AMI should have: that of the AMI in the object.
async fn expected(args: &DrillArgs) -> Result<ExpectedContent, UsageError> {
    let (expected, option) = match (&args.record, &args.source) {
        (Some(path), _) => (recorded(path.clone()).await?, format!("--record {}", path.display())),
        (None, Some(source)) => (ExpectedContent::Image(source.clone()), format!("--source {source}")),
        (None, None) => return Err(UsageError("name --record or --source".to_owned())),
    };
    is_of_object(&expected, &args.target, &option)?;
    Ok(expected)
}

/// The restore of the drill. A record of the content also states the sizes of the volumes.
fn restore_request(
    args: &DrillArgs,
    expected: &ExpectedContent,
    journal: &Journal,
) -> Result<RestorePreflightRequest, UsageError> {
    let of_record = match expected {
        ExpectedContent::Record { record, .. } => Some(record.volume_bytes()),
        ExpectedContent::Image(_) => None,
    };
    let name = args.name.as_ref().map_or_else(|| drill_name(&args.target), ToString::to_string);
    Ok(RestorePreflightRequest {
        name: Some(name),
        logical_size: args.logical_size.map(|size| size.0).or(of_record),
        ..drill_preflight(&args.target, args.manifest.as_deref(), &args.judging, journal)?
    })
}

async fn services(args: &DrillArgs, runner: &mut Runner) -> Result<DrillServices, UsageError> {
    if args.connection.no_sign_request {
        return Err(UsageError("--no-sign-request: EC2 and EBS take signed requests only".to_owned()));
    }
    let connection = connect(options(&args.connection, runner.settings())?).await?;
    let region =
        RegionServices::new(Arc::new(connection.clone()), &runner.context()).reached_by(&runner.settings().reach);
    let snapshots = Arc::new(Ebs::new(&connection, region.context().clone()));
    let removal = Arc::new(Ec2::new(&connection, region.context().clone()));
    let object = region.at(&args.target);
    Ok(DrillServices { object, blocks: BlockServices { region, snapshots, rate: args.rate.block_rate }, removal })
}

/// Reads every byte of the object.
async fn verify_first(services: &DrillServices, request: &mut DrillRequest, cancel: &CancellationToken) {
    let clock = services.object.object.context().clock.clone();
    let started = clock.monotonic();
    request.restore = verified_first(&services.object, request.restore.clone(), true, cancel).await;
    request.verify_seconds = Some(clock.monotonic().duration_since(started).as_secs_f64());
}

/// Restores, proves and removes. `None` if the user declined, or if an error was shown.
async fn carry_out(
    runner: &mut Runner,
    mut drill: Drill<'_>,
    (services, request): (&BlockServices, &DrillRequest),
    (args, cancel): (&DrillArgs, &CancellationToken),
) -> Option<DrillReport> {
    let target = args.target.to_string();
    if !drill.only_removes() {
        runner.show(&Report::Drill(Box::new(drill.report().clone())));
        if !agreed(&args.starting, &question(drill.report(), args.keep), cancel).await {
            runner.declined(Costly::Drill);
            return None;
        }
        if runner.run(&target, Stop::ByItself, drill.restore(cancel)).await.is_none() {
            runner.remark("what the drill made is in the journal; the same command goes on, or removes it");
            return None;
        }
        if args.starting.yes || reads_as_agreed(services, request, drill.report(), cancel).await {
            let prove = async {
                drill.prove(cancel).await;
                Ok::<_, SourceError>(())
            };
            runner.run(&target, Stop::ByItself, prove).await;
        } else {
            runner.remark("the blocks are not compared");
        }
    }
    if !cancel.is_cancelled() && !drill.is_refused() {
        remove(runner, &mut drill, args, cancel).await;
    }
    Some(drill.finish(cancel).await)
}

/// Whether the comparison of the restored AMI reads no more than was agreed to, or is agreed to now.
async fn reads_as_agreed(
    services: &BlockServices,
    request: &DrillRequest,
    report: &DrillReport,
    cancel: &CancellationToken,
) -> bool {
    let available = report.restore.as_ref().filter(|task| ImageState::of(&task.state) == ImageState::Available);
    // Otherwise nothing is compared.
    let Some(image) = available.and_then(|task| task.image.parse::<AmiId>().ok()) else { return true };
    let agreed_blocks = report.estimate.as_ref().map(|estimate| estimate.blocks_most);
    let request = ProveRequest { expected: request.expected.clone(), sample: None, max_cost: None, agreed_blocks };
    match Prove::prepare(services.clone(), &image, request).await {
        Ok(work) if work.needs_consent() => {
            let more = format!("{image} may have more blocks than was expected");
            says_yes(&blocks::question(&more, &work.report().estimate), cancel).await
        }
        // An error is shown by the comparison itself.
        _ => true,
    }
}

async fn remove(runner: &mut Runner, drill: &mut Drill<'_>, args: &DrillArgs, cancel: &CancellationToken) {
    if args.keep {
        return drill.keep("as --keep asks for").await;
    }
    let image = drill.report().image.clone().unwrap_or_default();
    let question = match drill.only_removes() {
        true => format!("An earlier drill of {} left {image} or its snapshots. Remove them?", args.target),
        false => format!("The drill of {} is a {}. Remove {image} and its snapshots?", args.target, drill.verdict()),
    };
    if !agreed(&args.starting, &question, cancel).await {
        if cancel.is_cancelled() {
            return;
        }
        return drill.keep("removing it was not agreed to").await;
    }
    if runner.run(&args.target.to_string(), Stop::ByItself, drill.remove(cancel)).await.is_none() {
        drill.leave(DrillResourceState::Left, "the journal could not be written").await;
    }
}

fn question(report: &DrillReport, keep: bool) -> String {
    let after = if keep { "keep it" } else { "remove what it made" };
    match &report.image {
        Some(image) => format!("Continue the drill of {}: compare the blocks of {image}, and {after}?", report.target),
        None => format!(
            "Drill {}: restore it as `{}` in {}, compare its blocks, and {after}?",
            report.target, report.name, report.region
        ),
    }
}

/// Shows the report, and writes it as JUnit.
fn end(runner: &mut Runner, report: DrillReport, args: &DrillArgs) {
    let junit = args.junit.as_deref().map(|path| (path, drill_junit(&report)));
    runner.add(Report::Drill(Box::new(report)));
    let Some((path, text)) = junit else { return };
    let written = text.and_then(|text| write_junit(runner, path, &text));
    if let Err(problem) = written {
        runner.could_not_write(&format!("{}: the JUnit report could not be written: {problem}", path.display()));
    }
}

fn write_junit(runner: &Runner, path: &Path, text: &str) -> Result<(), String> {
    keep_output(&runner.settings().written, path, OutputKind::JUnit, text.as_bytes()).map_err(|error| error.to_string())
}
