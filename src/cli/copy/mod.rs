//! `copy`.

pub(super) mod args;
mod open;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::args::{CopyArgs, LockModeWord, MetadataChoice, NewObjectArgs, TagWord, Via};
use self::open::{open, open_destination, open_source};
use super::args::MEMORY;
use super::audit::open as open_ledger;
use super::cost::{price_files, price_table};
use super::ends::{check_bucket_options, check_is_no_file, like_a_bucket};
use super::images::{Costly, agreed, can_ask};
use super::output::complain;
use super::resolve::read_manifest;
use super::runner::{Runner, Stop};
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::usage::{UsageError, load};
use crate::commands::copy::{
    CopyEnds, CopyRequest, CopyStateFile, FileCopyRequest, TagChoice, carry_out, copy_to_file, prepare_copy,
};
use crate::commands::verify::VerifyOptions;
use crate::copy::{LockRequest, RetentionRequest};
use crate::facts::LockMode;
use crate::ident::{ETag, ObjectUri, Target};
use crate::ledger::{Ledger, SharedLedger};
use crate::plan::Limits;
use crate::price::{BulkPrices, CopyPrices, PriceTable};
use crate::report::{CopyReport, Exit, FileKind, Report};
use crate::source::{Context, Session, UploadService as _};
use crate::verdict::CheckName;

pub(in crate::cli) async fn run(args: CopyArgs, settings: &Settings) -> Result<Exit, UsageError> {
    if let Some(path) = &args.abort {
        return abort((&args, settings), &CopyStateFile::new(path)).await;
    }
    let missing = || UsageError("name a source and a destination".to_owned());
    let source = args.source.clone().ok_or_else(missing)?;
    let destination = args.destination.as_ref().ok_or_else(missing)?.target(&source)?;
    check_is_no_file!(&args.from, "--from-", unsigned: args.from.no_sign_request, &source)?;
    check_is_no_file!(&args.to, "--to-", unsigned: false, &destination)?;
    check_bucket_options(&of_object(&args.object), &destination)?;
    match destination {
        Target::Object(destination) => to_object((&args, settings), &source, &destination).await,
        Target::File(path) => to_file((&args, settings), &source, path).await,
        Target::Presigned(_) => Err(UsageError("a presigned URL is no destination".to_owned())),
    }
}

async fn to_object(
    (args, settings): (&CopyArgs, &Settings),
    source: &Target,
    destination: &ObjectUri,
) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Copy)?;
    if args.via == Via::Server && (!args.expect.is_empty() || args.manifest.is_some() || !args.using.is_empty()) {
        let text = "--via server: reads no byte of the source, and compares it with no --expect, --manifest or --using; \
                    verify the source, or the copy, with these";
        return Err(UsageError(text.to_owned()));
    }
    let files = price_files(&args.prices).await?;
    let request = CopyRequest { ledger: ledger(args).await?, ..request(args)? };
    let mut runner = Runner::new(&args.output, settings);
    let cancel = cancel_on_signal();
    let ends = open((args, settings), source, destination, runner.context()).await?;
    let request = CopyRequest { prices: prices(&files, &ends)?, ..request };
    let target = destination.to_string();
    let Some(prepared) = runner.run(&target, Stop::AtOnce, prepare_copy(&ends, &request)).await else {
        return Ok(runner.finish());
    };
    if !args.starting.dry_run {
        prepared.forget_finished();
    }
    if !prepared.is_ready() || args.starting.dry_run {
        runner.add(Report::Copy(Box::new(prepared.report)));
        return Ok(runner.finish());
    }
    runner.show(&Report::Copy(Box::new(CopyReport { goes_on: true, ..prepared.report.clone() })));
    let question = format!("Copy {source} to {destination}?");
    if agreed(&args.starting, &question, &cancel).await {
        let target = prepared.report.destination.clone();
        let work = carry_out(&ends, &request, prepared, &cancel);
        if let Some(report) = runner.run(&target, Stop::ByItself, work).await {
            add(&mut runner, args, report);
        }
    } else {
        runner.declined(Costly::Copy);
    }
    Ok(runner.finish())
}

/// A file needs no consent: it costs what reading costs, and nothing is overwritten.
async fn to_file((args, settings): (&CopyArgs, &Settings), source: &Target, path: PathBuf) -> Result<Exit, UsageError> {
    if args.resume.is_some() {
        return Err(UsageError("--resume: a copy to a file cannot be resumed".to_owned()));
    }
    if args.via == Via::Server {
        return Err(UsageError("--via server: no server writes a file here".to_owned()));
    }
    if args.replace_if.is_some() {
        return Err(UsageError("--replace-if: a file has no ETag, and is not replaced".to_owned()));
    }
    if !args.prices.is_empty() {
        return Err(UsageError("--prices: a copy to a file has no estimate of its cost".to_owned()));
    }
    let request = CopyRequest { ledger: ledger(args).await?, ..request(args)? };
    let mut runner = Runner::new(&args.output, settings);
    if let Some(name) = like_a_bucket(&path) {
        runner.remark(&format!("{name}: is taken for a file in the current folder; for a bucket write s3://{name}/"));
    }
    let cancel = cancel_on_signal();
    let context = runner.context();
    let (object, from, _) = open_source((args, settings), source, &context).await?;
    let session = Session::new(object, context);
    let target = path.display().to_string();
    let file = FileCopyRequest { from, path, request: &request, dry_run: args.starting.dry_run };
    let work = copy_to_file(&session, file, &cancel);
    if let Some(report) = runner.run(&target, Stop::ByItself, work).await {
        add(&mut runner, args, report);
    }
    Ok(runner.finish())
}

/// The options that ask for properties which only an object has, and whether each is given.
fn of_object(args: &NewObjectArgs) -> [(&'static str, bool); 6] {
    let NewObjectArgs {
        storage_class,
        sse_kms_key,
        object_lock_mode,
        object_lock_retain_until: _,
        object_lock_legal_hold,
        metadata,
        tags,
    } = args;
    [
        ("--storage-class", storage_class.is_some()),
        ("--sse-kms-key", sse_kms_key.is_some()),
        ("--object-lock-mode", object_lock_mode.is_some()),
        ("--object-lock-legal-hold", *object_lock_legal_hold),
        ("--metadata", *metadata != MetadataChoice::Copy),
        ("--tags", *tags != [TagWord::Copy]),
    ]
}

/// Removes the upload of an unfinished copy, and its state.
async fn abort((args, settings): (&CopyArgs, &Settings), file: &CopyStateFile) -> Result<Exit, UsageError> {
    let missing = || {
        let path = file.path().display();
        UsageError(format!("--abort {path}: there is no such file; name the one that `copy --resume` wrote"))
    };
    if !file.path().exists() {
        return Err(missing());
    }
    let _lock = file.lock().map_err(|problem| UsageError(format!("--abort {problem}")))?;
    let state = file.read().map_err(UsageError)?.ok_or_else(missing)?;
    let (connection, _) = open_destination((args, settings), &Context::default()).await?;
    if connection.endpoint_url() != state.endpoint {
        let of = |endpoint: Option<String>| endpoint.unwrap_or_else(|| "that of AWS".to_owned());
        let (then, now) = (of(state.endpoint), of(connection.endpoint_url()));
        return Err(UsageError(format!(
            "--abort: the upload is at the endpoint {then}, and the options name {now}; give the --to-… options of the \
             copy"
        )));
    }
    let aborted = connection.upload(&state.destination).abort(&state.upload_id).await;
    let text = match aborted {
        Ok(()) => format!("the upload {} of {} is removed", state.upload_id, state.destination),
        Err(error) if error.code.as_deref() == Some("NoSuchUpload") => {
            format!("the upload {} of {} was not there any more", state.upload_id, state.destination)
        }
        Err(error) => {
            complain(&error.to_string());
            return Ok(crate::commands::exit_of(&error));
        }
    };
    file.remove().map_err(|error| UsageError(format!("{}: {error}", file.path().display())))?;
    complain(&text);
    Ok(Exit::Passed)
}

/// Opens the ledger before any request, so that no copy is made that could not be recorded. A new one is created by its
/// first entry.
async fn ledger(args: &CopyArgs) -> Result<Option<SharedLedger>, UsageError> {
    let Some(path) = args.ledger.as_deref() else { return Ok(None) };
    if args.starting.dry_run {
        return ledger_of_rehearsal(path).await;
    }
    Ok(Some(open_ledger(path, None).await?.map_err(UsageError)?))
}

/// Adds the report of a copy, and names the ledger if something was recorded.
fn add(runner: &mut Runner, args: &CopyArgs, report: CopyReport) {
    if let (Some(path), Some(_)) = (&args.ledger, &report.ledger_head) {
        runner.settings().written.add(path, FileKind::Ledger);
    }
    runner.add(Report::Copy(Box::new(report)));
}

/// Opens the ledger for reading, if there is one.
async fn ledger_of_rehearsal(path: &Path) -> Result<Option<SharedLedger>, UsageError> {
    let is_begun = path.metadata().map(|file| file.len() > 0);
    if is_begun.is_ok_and(|is_begun| !is_begun) || path.try_exists().is_ok_and(|is_there| !is_there) {
        return Ok(None);
    }
    let (name, path) = (format!("--ledger {}", path.display()), path.to_owned());
    let said = name.clone();
    let open = move || match Ledger::open_existing(&path) {
        Ok(ledger) => Ok(Some(SharedLedger::new(ledger))),
        Err(error) => Err(UsageError(format!("{said}: {error}"))),
    };
    load(name, None, open).await
}

fn request(args: &CopyArgs) -> Result<CopyRequest, UsageError> {
    let archived = args.object.storage_class.as_deref().filter(|class| matches!(*class, "GLACIER" | "DEEP_ARCHIVE"));
    if let Some(class) = archived.filter(|_| args.proof.verify_destination) {
        return Err(UsageError(format!(
            "--verify-destination: an object of class {class} cannot be read before it is restored from the archive"
        )));
    }
    // One half for reading and hashing, the other for parts that wait for the destination. Buffers of received frames
    // take up to a third more than the frames.
    let memory = args.proof.max_memory.unwrap_or(MEMORY).0;
    let half = memory / 2;
    let limits = Limits {
        concurrency: args.proof.concurrency.unwrap_or_default(),
        range_bytes: None,
        max_memory: memory - half,
    };
    let manifest = match &args.manifest {
        None => None,
        Some(path) => Some((path.display().to_string(), read_manifest(path, None)?.0)),
    };
    let verify = VerifyOptions {
        expect: args.expect.clone(),
        manifest,
        using: args.using.iter().copied().map(CheckName::from).collect(),
        budget: limits.budget().map_err(|error| UsageError(error.to_string()))?,
        ..VerifyOptions::default()
    };
    Ok(CopyRequest {
        verify,
        part_room: half / 4 * 3,
        metadata: args.object.metadata == MetadataChoice::Copy,
        tags: tags(&args.object.tags)?,
        storage_class: args.object.storage_class.clone(),
        kms_key: args.object.sse_kms_key.clone(),
        lock: lock(&args.object)?,
        by_server: args.via == Via::Server,
        replace_if: replace_if(args.replace_if.as_deref())?,
        unproved: args.proof.unproved,
        verify_destination: args.proof.verify_destination,
        resume: args.resume.as_deref().map(CopyStateFile::new),
        ledger: None,
        prices: CopyPrices { from: PriceTable::built_in(), to: PriceTable::built_in() },
        accept: args.proof.accept.clone(),
    })
}

/// The prices of the files in the Region of each end. A source whose Region is not known gets those of the destination.
fn prices(files: &[BulkPrices], ends: &CopyEnds) -> Result<CopyPrices, UsageError> {
    let to = price_table(files, ends.to.region.as_deref())?;
    let from = match &ends.from.region {
        Some(region) => price_table(files, Some(region))?,
        None => to.clone(),
    };
    Ok(CopyPrices { from, to })
}

/// The lock of the copy. S3 takes an end in the future only.
fn lock(args: &NewObjectArgs) -> Result<LockRequest, UsageError> {
    let mode = args.object_lock_mode.map(|mode| match mode {
        LockModeWord::Governance => LockMode::Governance,
        LockModeWord::Compliance => LockMode::Compliance,
    });
    let retention = mode.zip(args.object_lock_retain_until).map(|(mode, until)| RetentionRequest { mode, until });
    if let Some(retention) = retention.as_ref().filter(|retention| retention.until <= Timestamp::now()) {
        return Err(UsageError(format!("--object-lock-retain-until {}: is in the past", retention.until)));
    }
    Ok(LockRequest { retention, legal_hold: args.object_lock_legal_hold })
}

/// The ETag that the object at the destination must have. A weak one cannot be a condition.
fn replace_if(text: Option<&str>) -> Result<Option<ETag>, UsageError> {
    let Some(text) = text else { return Ok(None) };
    match ETag::told(text).filter(ETag::is_strong) {
        Some(etag) => Ok(Some(etag)),
        None => Err(UsageError(format!(
            "--replace-if: {text} is no ETag that can be a condition; `stored-ami inspect` shows that of the object"
        ))),
    }
}

fn tags(words: &[TagWord]) -> Result<TagChoice, UsageError> {
    let mut pairs = BTreeMap::new();
    for word in words {
        if let TagWord::Pair(key, value) = word {
            pairs.insert(key.clone(), value.clone());
        }
    }
    match (words.contains(&TagWord::None), pairs.is_empty()) {
        (true, true) => Ok(TagChoice::None),
        (true, false) => Err(UsageError("--tags none cannot be combined with KEY=VALUE".to_owned())),
        (false, true) => Ok(TagChoice::Copy),
        (false, false) => Ok(TagChoice::With(pairs)),
    }
}
