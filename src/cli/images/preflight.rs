use std::io::{self, Write};

use super::args::{PolicyArgs, PreflightCommand, PreflightRestoreArgs, PreflightStoreArgs, StoredArgs};
use super::open::services;
use super::restore::{request, verified_first};
use crate::cli::journal::journal;
use crate::cli::output::complain;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::UsageError;
use crate::commands::iam_policy::{PolicyCommand, PolicyPlace, PolicyScope, policy, remarks};
use crate::commands::preflight::{StorePreflightRequest, preflight_restore, preflight_store};
use crate::commands::stored::stored;
use crate::ident::BucketPath;
use crate::render::escaped;
use crate::report::{Exit, Report};
use crate::source::SourceError;

pub(in crate::cli) async fn run_preflight(command: PreflightCommand, settings: &Settings) -> Result<Exit, UsageError> {
    match command {
        PreflightCommand::Store(args) => run_store(*args, settings).await,
        PreflightCommand::Restore(args) => run_restore(*args, settings).await,
    }
}

async fn run_store(args: PreflightStoreArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.task.output, settings);
    let services = services(&args.task.connection, &mut runner).await?.at(&args.into.bucket.object(&args.image));
    let target = args.image.to_string();
    let request = StorePreflightRequest {
        image: args.image,
        into: args.into.bucket,
        limits: args.task.judging.limits(),
        accept: args.task.judging.accept,
        tags: !args.no_tags,
    };
    let work =
        async { preflight_store(&services, &request).await.map(|(report, _)| Report::Preflight(Box::new(report))) };
    runner.report(&target, Stop::AtOnce, work).await;
    Ok(runner.finish())
}

async fn run_restore(args: PreflightRestoreArgs, settings: &Settings) -> Result<Exit, UsageError> {
    // The journal only provides the duration of earlier restores, so a preflight can run without it.
    let journal = journal(None).ok();
    let request = request(&args.target, &args.source, &args.task.judging, journal.as_ref())?;
    let mut runner = Runner::new(&args.task.output, settings);
    let services = services(&args.task.connection, &mut runner).await?.at(&args.target);
    let cancel = cancel_on_signal();
    let work = async {
        let request = verified_first(&services, request, args.source.verify, &cancel).await;
        preflight_restore(&services, &request).await.map(|surveyed| Report::Preflight(Box::new(surveyed.report)))
    };
    runner.report(&args.target.to_string(), Stop::AtOnce, work).await;
    Ok(runner.finish())
}

/// Which command asks whether an AMI is stored. They differ in their exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum StoredCommand {
    IsStored,
    /// The deprecated command `stored`.
    Stored,
}

pub(in crate::cli) async fn run_stored(
    args: StoredArgs,
    command: StoredCommand,
    settings: &Settings,
) -> Result<Exit, UsageError> {
    if command == StoredCommand::Stored {
        complain(
            "`stored` is deprecated and will be removed in version 1.0: use `is-stored`, whose exit codes differ \
             (0 stored, 1 not stored, 3 cannot tell or in flight)",
        );
    }
    let mut runner = Runner::new(&args.output, settings);
    let into = args.bucket;
    let services = services(&args.connection, &mut runner).await?.at(&into.object(&args.image));
    let work = async {
        let report = stored(&services, &args.image, &into).await?;
        Ok::<_, SourceError>(Report::Stored(match command {
            StoredCommand::IsStored => report.with_exit_of_presence(),
            StoredCommand::Stored => report,
        }))
    };
    runner.report(&format!("{} in {into}", args.image), Stop::AtOnce, work).await;
    Ok(runner.finish())
}

pub(in crate::cli) fn run_policy(args: &PolicyArgs) -> Result<Exit, UsageError> {
    let prefix = |path: &str| if path.is_empty() { String::new() } else { format!("{path}/") };
    let place = |from: &BucketPath| PolicyPlace { bucket: from.bucket.clone(), prefix: prefix(&from.path) };
    let commands = args.commands()?;
    if args.source_bucket.is_some() && !commands.contains(&PolicyCommand::CopyDestination) {
        return Err(UsageError("--source-bucket: goes with copy-destination".to_owned()));
    }
    if args.to.is_some()
        && !commands.iter().any(|command| matches!(command, PolicyCommand::Batch | PolicyCommand::BatchRole))
    {
        return Err(UsageError("--to: goes with batch and batch-role".to_owned()));
    }
    if args.results.is_some() && !commands.contains(&PolicyCommand::Audit) {
        return Err(UsageError("--results: goes with audit".to_owned()));
    }
    let scope = PolicyScope {
        partition: args.partition.clone(),
        region: args.region.clone(),
        account: args.account.clone(),
        bucket: args.bucket.as_ref().map(|bucket| bucket.bucket.clone()),
        prefix: args.bucket.as_ref().map_or_else(String::new, |bucket| prefix(&bucket.path)),
        alias: args.alias.clone(),
        copied_from: args.source_bucket.as_ref().map(place),
        job_files: args.to.as_ref().map(place),
        results: args.results.as_ref().map(place),
    };
    let document = format!("{:#}", policy(&commands, &scope).map_err(UsageError)?);
    remarks(&commands).into_iter().for_each(complain);
    let text: String = document.lines().map(|line| escaped(line) + "\n").collect();
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Ok(Exit::CouldNot),
        _ => Ok(Exit::Passed),
    }
}
