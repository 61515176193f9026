use std::io::{self, Write};

use super::args::{PolicyArgs, PreflightCommand, PreflightRestoreArgs, PreflightStoreArgs, StoredArgs};
use super::open::{connect, open};
use super::restore::{journal, known, wish};
use crate::cli::resolve::UsageError;
use crate::cli::run::{Results, cancel_on_signal, complain, until};
use crate::commands::iam_policy::{PolicyScope, REMARKS, policy};
use crate::commands::preflight::{StorePreflightRequest, survey_restore, survey_store};
use crate::commands::stored::stored;
use crate::render::escaped;
use crate::report::{Exit, Report};

pub(in crate::cli) async fn run_preflight(command: PreflightCommand) -> Result<Exit, UsageError> {
    match command {
        PreflightCommand::Store(args) => run_store(*args).await,
        PreflightCommand::Restore(args) => run_restore(*args).await,
    }
}

async fn run_store(args: PreflightStoreArgs) -> Result<Exit, UsageError> {
    let object = args.into.bucket.object(&args.image);
    let opened = open(connect(&args.connection).await?, &object);
    let wish = StorePreflightRequest {
        image: args.image.clone(),
        into: args.into.bucket,
        limits: args.judging.limits(),
        accept: args.judging.accept,
        tags: !args.no_tags,
    };
    let mut results = Results::new(args.output.json);
    let work = survey_store(&opened.services, &wish);
    match until(&cancel_on_signal(), work).await {
        None => results.interrupted(),
        Some(Ok((mut report, _))) => {
            report.requests = opened.counting.counts().requests;
            opened.progress.clear();
            results.add(Report::Preflight(Box::new(report)));
        }
        Some(Err(error)) => {
            opened.progress.clear();
            results.error(&args.image.to_string(), &error);
        }
    }
    Ok(results.finish())
}

async fn run_restore(args: PreflightRestoreArgs) -> Result<Exit, UsageError> {
    let known = known(&args.source)?;
    let opened = open(connect(&args.connection).await?, &args.target);
    let mut results = Results::new(args.output.json);
    let cancel = cancel_on_signal();
    // It only tells how long earlier restores took, so a preflight does without.
    let journal = journal(None).ok();
    let work = async {
        let wish = wish(&opened, &args.target, &args.source, known, &args.judging, journal.as_ref(), &cancel).await;
        survey_restore(&opened.services, &wish).await
    };
    match until(&cancel, work).await {
        None => results.interrupted(),
        Some(Ok(surveyed)) => {
            let mut report = surveyed.report;
            report.requests = opened.counting.counts().requests;
            opened.progress.clear();
            results.add(Report::Preflight(Box::new(report)));
        }
        Some(Err(error)) => {
            opened.progress.clear();
            results.error(&args.target.to_string(), &error);
        }
    }
    Ok(results.finish())
}

pub(in crate::cli) async fn run_stored(args: StoredArgs) -> Result<Exit, UsageError> {
    let into = args.into.bucket;
    let opened = open(connect(&args.connection).await?, &into.object(&args.image));
    let mut results = Results::new(args.output.json);
    let work = stored(&opened.services, &args.image, &into);
    match until(&cancel_on_signal(), work).await {
        None => results.interrupted(),
        Some(Ok(mut report)) => {
            report.requests = opened.counting.counts().requests;
            opened.progress.clear();
            results.add(Report::Stored(report));
        }
        Some(Err(error)) => {
            opened.progress.clear();
            results.error(&format!("{} in {into}", args.image), &error);
        }
    }
    Ok(results.finish())
}

pub(in crate::cli) fn run_policy(args: &PolicyArgs) -> Result<Exit, UsageError> {
    let path = &args.bucket.path;
    let scope = PolicyScope {
        partition: args.partition.clone(),
        region: args.region.clone(),
        account: args.account.clone(),
        bucket: args.bucket.bucket.clone(),
        prefix: if path.is_empty() { String::new() } else { format!("{path}/") },
        alias: args.alias.clone(),
    };
    let document = format!("{:#}", policy(&args.commands, &scope).map_err(UsageError)?);
    for remark in REMARKS {
        complain(remark);
    }
    let text: String = document.lines().map(|line| escaped(line) + "\n").collect();
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Ok(Exit::CouldNot),
        _ => Ok(Exit::Passed),
    }
}
