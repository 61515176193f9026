use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::again::{NEVER_KEPT, kept_in, not_kept};
use super::args::{InspectArgs, ManArgs, VerifyArgs};
use super::command::{Cli, Command};
use super::completion;
use super::connect::SourceFactory;
#[cfg(feature = "s3")]
use super::facts_file;
use super::generate::{page, write_pages};
use super::global::Verbosity;
#[cfg(feature = "ec2")]
use super::images::StoredCommand;
use super::listed::selected;
use super::output::{complain, is_log_open, keep_output, log, open_log, print, print_error_line};
use super::parse::log_mistake;
use super::paths::Paths;
use super::replaced::{check_manifest, check_worth};
use super::resolve::{logical, verify_requests};
use super::runner::{Runner, Schedule, Stop};
use super::settings::Settings;
use super::signals::{asked, asked_before_work, cancel_on_signal};
use super::targets;
use super::usage::{UsageError, before_work};
use super::written::WrittenFiles;
use crate::commands::inspect::{InspectOptions, Inspected, inspect_publicly};
use crate::commands::verify::{Verified, VerifyOptions, verify};
use crate::files::OutputKind;
use crate::ident::Target;
use crate::manifest::Manifest;
use crate::plan::Budget;
use crate::progress::ObjectsWork;
use crate::render::printable;
use crate::report::{Exit, FileKind, Report, VerifyReport, WrittenFile};
use crate::source::Session;
use crate::units::ByteSize;
use crate::verdict::ReasonCode;

/// Runs a command and returns its exit code.
pub async fn run(cli: Cli) -> Exit {
    crate::machine::keep_freed_memory();
    #[cfg(feature = "s3")]
    crate::ledger::hurry_when(asked);
    let outcome = tokio::select! {
        biased;
        () = asked_before_work() => {
            complain("interrupted");
            return Exit::Interrupted;
        }
        outcome = dispatch(cli) => outcome,
    };
    outcome.unwrap_or_else(|UsageError(problem)| {
        complain(&problem);
        if !is_log_open() {
            log_mistake(&std::env::args_os().collect::<Vec<_>>(), &format!("stored-ami: {problem}"));
        }
        // A signal may be the reason why the command could not start.
        if asked() { Exit::Interrupted } else { Exit::Usage }
    })
}

/// Checks all files, opens the log, and reports what environment and configuration file set.
fn prepare(cli: &mut Cli) -> Result<Settings, UsageError> {
    let policy = cli.command.policy();
    let settings = Settings { policy, ..Settings::of(&cli.global, cli.command.adjustable())? };
    Paths::of(&cli.command).with_settings(&settings).check()?;
    if let Some(path) = &settings.log_file {
        open_log(path).map_err(|error| UsageError(format!("--log-file {}: {error}", path.display())))?;
        settings.written.add(path, FileKind::Log);
    }
    super::trace::start(settings.display.verbosity);
    settings.warnings.iter().for_each(|warning| complain(warning));
    if let Some(summary) = settings.summary() {
        let shown = io::stderr().is_terminal() && settings.display.verbosity > Verbosity::Quiet;
        if shown { print_error_line(&summary) } else { log(&summary) }
    }
    Ok(settings)
}

async fn dispatch(mut cli: Cli) -> Result<Exit, UsageError> {
    targets::read(&mut cli.command).await?;
    let settings = prepare(&mut cli)?;
    let (display, written) = (settings.display, settings.written.clone());
    let done = carry_out(cli.command, settings).await;
    if display.verbosity > Verbosity::Quiet {
        written.take().iter().for_each(|file| print_error_line(&named(file)));
    }
    done
}

/// A written file, for people.
fn named(file: &WrittenFile) -> String {
    format!("wrote {} {}", file.kind.description(), printable(&file.path))
}

async fn carry_out(command: Command, settings: Settings) -> Result<Exit, UsageError> {
    match command {
        Command::Inspect(args) => Box::pin(run_inspect(*args, &settings)).await,
        Command::Verify(args) => Box::pin(run_verify(*args, &settings)).await,
        Command::Bench(args) => Box::pin(super::bench::run(*args, &settings)).await,
        Command::Cost(args) => Box::pin(super::cost::run(*args, &settings)).await,
        #[cfg(feature = "s3")]
        Command::Audit(args) => Box::pin(super::audit::run(*args, &settings)).await,
        #[cfg(feature = "s3")]
        // In a separate thread, because another process may hold the lock of the ledger, and a long ledger takes time.
        Command::Ledger(command) => {
            let name = command.ledger().display().to_string();
            super::usage::load(name, None, move || super::audit::run_ledger(command, &settings)).await
        }
        #[cfg(feature = "s3")]
        Command::SafeToDelete(args) => Box::pin(super::audit::run_safe(*args, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::Preflight(command) => Box::pin(super::images::run_preflight(command, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::IsStored(args) => Box::pin(super::images::run_stored(*args, StoredCommand::IsStored, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::Stored(args) => Box::pin(super::images::run_stored(*args, StoredCommand::Stored, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::Store(args) => match args.from.clone() {
            Some(list) => Box::pin(super::images::run_store_list(*args, &list, &settings)).await,
            None => Box::pin(super::images::run_store(*args, &settings)).await,
        },
        #[cfg(feature = "ec2")]
        Command::Restore(args) => match args.from.clone() {
            Some(list) => Box::pin(super::images::run_restore_list(*args, &list, &settings)).await,
            None => Box::pin(super::images::run_restore(*args, &settings)).await,
        },
        #[cfg(feature = "ec2")]
        Command::Copy(args) => Box::pin(super::copy::run(*args, &settings)).await,
        #[cfg(feature = "s3")]
        Command::Compare(args) => Box::pin(super::compare::run(*args, &settings)).await,
        #[cfg(feature = "s3")]
        Command::Thaw(args) => Box::pin(super::thaw::run(*args, &settings)).await,
        #[cfg(feature = "ebs")]
        Command::Fingerprint(args) => Box::pin(super::blocks::run_fingerprint(*args, &settings)).await,
        #[cfg(feature = "ebs")]
        Command::Drill(args) => Box::pin(super::drill::run(*args, &settings)).await,
        #[cfg(feature = "ebs")]
        Command::Prove(args) => Box::pin(super::blocks::run_prove(*args, &settings)).await,
        #[cfg(feature = "batch")]
        Command::Batch(command) => Box::pin(super::batch::run(command, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::Doctor(args) => Box::pin(super::doctor::run(*args, &settings)).await,
        #[cfg(feature = "ec2")]
        Command::Policy(args) => super::images::run_policy(&args),
        #[cfg(feature = "lab")]
        Command::Lab(args) => super::lab::run(args).await,
        #[cfg(all(feature = "s3", feature = "lab"))]
        Command::Demo(args) => super::demo::run(args).await,
        Command::Completions { shell } => Ok(print(completion::script(shell).as_bytes())),
        Command::Man(args) => run_man(&args, &settings.written),
    }
}

fn run_man(args: &ManArgs, written: &WrittenFiles) -> Result<Exit, UsageError> {
    let Some(folder) = &args.out else { return Ok(print(&page(args)?)) };
    if let Err(error) = write_pages(folder, written) {
        complain(&format!("{}: the manual pages could not be written: {error}", folder.display()));
        return Ok(Exit::CouldNot);
    }
    Ok(Exit::Passed)
}

async fn run_inspect(mut args: InspectArgs, settings: &Settings) -> Result<Exit, UsageError> {
    #[cfg(feature = "s3")]
    facts_file::can_publish(&args.facts, &args.targets)?;
    let mut runner = Runner::new(&args.common.output, settings).with_page(&args.common.page);
    let sources = SourceFactory::new((&args.common.connection, settings), &args.targets).await?;
    args.targets.extend(selected(&args.selection, &sources, &mut runner).await?);
    let request = InspectOptions {
        budget: Budget::default(),
        logical: logical(&args.logical)?,
        probe: args.probe.map(usize::from),
    };
    let mut works = Vec::new();
    for target in &args.targets {
        works.push((target.to_string(), sources.open(target).await?));
    }
    let mut facts = Vec::new();
    let start = async |source, context| inspect_publicly(&Session::new(source, context), &request).await;
    let show = |runner: &mut Runner, Inspected { report, public }| {
        runner.add(Report::Inspect(Box::new(report)));
        facts.extend(public);
    };
    let schedule = Schedule { work: ObjectsWork::Inspect, at_once: args.at_once.objects, stop: Stop::AtOnce };
    runner.each(schedule, works, start, show).await;
    #[cfg(feature = "s3")]
    facts_file::publish(&mut runner, &args.facts, facts).await;
    Ok(runner.finish())
}

/// How long the requests before and after the read may take after a signal; the read stops by itself.
const VERIFY_GRACE: Duration = Duration::from_secs(5);

async fn run_verify(mut args: VerifyArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.common.output, settings).with_page(&args.common.page);
    let until = args.reading.max_time.and_then(|time| Instant::now().checked_add(time));
    let connection = (&args.common.connection, settings);
    let sources = SourceFactory::new(connection, args.targets.iter().chain(&args.references.like));
    let sources = before_work(until, sources).await?;
    let found = before_work(until, selected(&args.selection, &sources, &mut runner)).await?;
    args.targets.extend(found);
    let requests = verify_requests(&args, &sources, until).await?;
    let cancel = cancel_on_signal();
    let works = args.targets.iter().map(Target::to_string).zip(requests);
    let start = async |(source, request): (_, VerifyOptions), context| {
        let verified = verify(&Session::new(source, context), &request, &cancel).await;
        verified.map(|verified| (verified, request))
    };
    let manifest = args.references.write_manifest.as_deref();
    let manifest = manifest.map(|path| (path, args.common.page.force.force));
    let show = |runner: &mut Runner, (verified, request)| show_verified(runner, verified, &request, manifest);
    let stop = Stop::Within(VERIFY_GRACE);
    let schedule = Schedule { work: ObjectsWork::Verify, at_once: args.at_once.objects, stop };
    runner.each(schedule, works, start, show).await;
    Ok(runner.finish())
}

/// Shows the report, then writes the manifest, and removes the checkpoint last, so that nothing is lost if the process
/// ends in between.
fn show_verified(
    runner: &mut Runner,
    verified: Verified,
    request: &VerifyOptions,
    manifest_file: Option<(&Path, bool)>,
) {
    let Verified { report, manifest, finished, .. } = verified;
    let stopped = stopped(&report);
    let kept = kept_ranges(&report);
    runner.add(Report::Verify(Box::new(report)));
    if stopped {
        runner.remark(&going_on(request, &kept));
    }
    let mut is_kept = true;
    if let (Some(manifest), Some((path, force))) = (manifest, manifest_file)
        && let Err(problem) = write_manifest((&manifest, path, force), &runner.settings().written)
    {
        is_kept = false;
        runner.could_not_write(&format!("{}: {problem}", path.display()));
    }
    // Without the manifest, the same command is run again.
    if let Some(file) = request.resume.as_ref().filter(|_| finished && is_kept)
        && let Err(error) = file.remove()
    {
        runner.remark(&format!("{}: is no longer needed, and could not be removed: {error}", file.path().display()));
    }
}

/// Whether a limit or a signal ended the read.
fn stopped(report: &VerifyReport) -> bool {
    let codes = report.findings.iter().filter_map(|finding| finding.reason.as_ref().map(|reason| reason.code));
    codes.into_iter().any(|code| matches!(code, ReasonCode::Limited | ReasonCode::Interrupted))
}

/// Whether what was read is kept, and the command that goes on.
fn going_on(request: &VerifyOptions, kept: &str) -> String {
    match &request.resume {
        Some(file) => kept_in(kept, file.path()),
        None if request.sample.is_some() => NEVER_KEPT.to_owned(),
        None => not_kept("--resume FILE"),
    }
}

/// What a checkpoint keeps: a range that was not read to its end is read again.
fn kept_ranges(report: &VerifyReport) -> String {
    let (kept, of) = (ByteSize(report.stats.covered_bytes), ByteSize(report.identity.object_bytes));
    format!("{kept} of {of}, in complete ranges (unfinished ranges are read again)")
}

fn write_manifest((manifest, path, force): (&Manifest, &Path, bool), written: &WrittenFiles) -> Result<(), String> {
    // Another run may have written there since the first check.
    if let Ok(target) = manifest.target.parse::<Target>() {
        check_manifest(path, &target, force).map_err(|UsageError(problem)| problem)?;
    }
    check_worth(path, manifest, force)?;
    let failed = |error: io::Error| format!("the manifest could not be written: {error}");
    let text = manifest.to_json().map_err(|error| failed(error.into()))?;
    keep_output(written, path, OutputKind::Manifest, text.as_bytes()).map_err(failed)
}
