use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::args::{JudgingArgs, RestoreArgs, SourceArgs};
use super::open::{Opened, connect, open};
use super::{agreed, ask, can_ask};
use crate::checks::preflight::RestorePace;
use crate::cli::resolve::{UsageError, read, record, usual_budget};
use crate::cli::run::{Results, cancel_on_signal, until};
use crate::commands::preflight::{RestorePreflightRequest, VerifiedNow};
use crate::commands::restore::{
    FollowRequest, Origin, Prepared, follow_restore, hold_to, point_alias, prepare_restore, start_restore,
};
use crate::commands::verify::{VerifyRequest, verify};
use crate::files::InputKind;
use crate::ident::{ImageName, ObjectUri};
use crate::journal::{Entry, Journal};
use crate::manifest::Manifest;
use crate::record::Record;
use crate::report::{Exit, Report, TaskReport};
use crate::units::ByteSize;
use crate::verdict::{Finding, Verdict};

/// The folder that was named, else `$XDG_STATE_HOME` (XDG Base Directory Specification) or its default. Where none of
/// them is there, there is no safe place: a world-creatable directory is not safe.
pub(super) fn journal(folder: Option<&Path>) -> Result<Journal, UsageError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = || absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let folder = folder.map(Path::to_owned).or_else(|| state().map(|state| state.join("stored-ami")));
    let nowhere = || {
        let why = "neither XDG_STATE_HOME nor HOME names an absolute path, so there is no place for the journal";
        UsageError(format!("{why}; name a folder with --journal"))
    };
    let journal = Journal::new(folder.ok_or_else(nowhere)?);
    journal.check().map_err(|problem| UsageError(format!("the journal: {problem}; --journal names another folder")))?;
    Ok(journal)
}

/// What the caller's own earlier restores took, together.
fn pace(journal: &Journal) -> Option<RestorePace> {
    let timed = |entry: &Entry| Some((entry.volume_bytes? as f64, entry.seconds().filter(|seconds| *seconds > 0.0)?));
    let ended: Vec<(f64, f64)> = journal.entries().entries.iter().filter_map(timed).collect();
    let (bytes, seconds) = ended.iter().fold((0.0, 0.0), |(b, s), (bytes, seconds)| (b + bytes, s + seconds));
    (!ended.is_empty()).then(|| RestorePace { bytes_per_second: bytes / seconds, restores: ended.len() })
}

/// What earlier runs wrote of the object, with the names of the files.
pub(super) struct GivenFiles {
    record: Option<(String, Record)>,
    manifest: Option<(String, Manifest)>,
}

/// Read before anything is asked: a file that is wrong needs no network to be found.
pub(super) fn known(source: &SourceArgs) -> Result<GivenFiles, UsageError> {
    let record = record(source.record.as_deref())?;
    let manifest = match &source.manifest {
        None => None,
        Some(path) => {
            let file = path.display().to_string();
            let manifest = Manifest::from_json(&read(path, InputKind::Manifest)?)
                .map_err(|problem| UsageError(format!("{file}: {problem}")))?;
            Some((file, manifest))
        }
    };
    Ok(GivenFiles { record, manifest })
}

/// Verifies the object first if that is wished.
pub(super) async fn wish(
    opened: &Opened,
    target: &ObjectUri,
    source: &SourceArgs,
    known: GivenFiles,
    judging: &JudgingArgs,
    journal: Option<&Journal>,
    cancel: &CancellationToken,
) -> RestorePreflightRequest {
    let mut wish = RestorePreflightRequest {
        target: target.clone(),
        name: source.name.as_ref().map(ToString::to_string),
        record: known.record,
        manifest: known.manifest,
        logical_size: source.logical_size.map(|size| size.0),
        verified: None,
        pace: journal.and_then(pace),
        limits: judging.limits(),
        accept: judging.accept.clone(),
    };
    if source.verify {
        wish.verified = Some(verify_now(opened, &wish, cancel).await);
    }
    wish
}

async fn verify_now(opened: &Opened, wish: &RestorePreflightRequest, cancel: &CancellationToken) -> VerifiedNow {
    let budget = match usual_budget() {
        Ok(budget) => budget,
        Err(error) => return VerifiedNow { verdict: Verdict::Unknown, detail: error.to_string(), etag: None },
    };
    let object = std::sync::Arc::new(opened.connection.object(wish.target.at_version(None)));
    let request = VerifyRequest { manifest: wish.manifest.clone(), ..VerifyRequest::new(object, budget) };
    match verify(&opened.services.object, &request, cancel).await {
        Ok(verified) => {
            let report = verified.report;
            let verdict = report.verdict;
            let detail = match verdict {
                Verdict::Pass => {
                    format!(
                        "just now, all {} bytes by {}",
                        ByteSize(report.identity.object_bytes).grouped(),
                        crate::render::joined(&report.proved_by)
                    )
                }
                _ => {
                    let open = report.findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
                    let names: Vec<String> = open.map(|finding| finding.check.to_string()).collect();
                    format!("just now: {} is {}; `stored-ami verify` shows it all", names.join(", "), report.verdict)
                }
            };
            VerifiedNow { verdict, detail, etag: report.identity.etag }
        }
        Err(error) => VerifiedNow { verdict: Verdict::Unknown, detail: error.to_string(), etag: None },
    }
}

pub(in crate::cli) async fn run_restore(mut args: RestoreArgs) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let journal = journal(args.journal.as_deref())?;
    let mut results = Results::new(args.output.json);
    let known = known(&args.source)?;
    if let Some(image) = &args.follow {
        let source = known.record.map(|(file, record)| record.facts(format!("the record {file}")));
        let nowhere = ObjectUri { bucket: "unknown".into(), key: "unknown".into(), version: None };
        let opened = open(connect(&args.connection).await?, &nowhere);
        let accept = &args.judging.accept;
        let wish = FollowRequest { image: image.as_str(), origin: Origin::Named, source: source.as_ref(), accept };
        let task = follow(&opened, &wish, &journal, &mut results, &cancel).await;
        finish(&opened, task, None, &args, &mut results).await;
        return Ok(results.finish());
    }
    let Some(target) = args.target.clone() else { return Err(UsageError("name an object".to_owned())) };
    can_ask(&args.starting)?;
    let recorded = known.record.as_ref().is_some_and(|(_, record)| record.name.is_some());
    if args.source.name.is_none() && !recorded {
        args.source.name = Some(ask_name(&args, &cancel).await?);
    }
    let opened = open(connect(&args.connection).await?, &target);
    let work = async {
        let wish = wish(&opened, &target, &args.source, known, &args.judging, Some(&journal), &cancel).await;
        prepare_restore(&opened.services, &wish, &journal).await
    };
    let prepared = match until(&cancel, work).await {
        None => {
            results.interrupted();
            return Ok(results.finish());
        }
        Some(Err(error)) => {
            opened.progress.clear();
            results.error(&target.to_string(), &error);
            return Ok(results.finish());
        }
        Some(Ok(prepared)) => prepared,
    };
    opened.progress.clear();
    carry_out(&opened, prepared, &journal, &args, &mut results, &cancel).await;
    Ok(results.finish())
}

async fn ask_name(args: &RestoreArgs, cancel: &CancellationToken) -> Result<ImageName, UsageError> {
    let missing = || {
        UsageError(
            "a restore needs a name, the only lock that EC2 has against a second one: give --name or --record"
                .to_owned(),
        )
    };
    if args.starting.yes || args.starting.dry_run {
        return Err(missing());
    }
    let typed = ask("Name of the new AMI:", cancel).await.filter(|name| !name.is_empty()).ok_or_else(missing)?;
    typed.parse().map_err(|error: crate::ident::ParseImageNameError| UsageError(error.to_string()))
}

async fn carry_out(
    opened: &Opened,
    prepared: Prepared,
    journal: &Journal,
    args: &RestoreArgs,
    results: &mut Results,
    cancel: &CancellationToken,
) {
    let Prepared { mut surveyed, existing } = prepared;
    let (source, accept) = (surveyed.source.clone(), args.judging.accept.as_slice());
    let source = source.as_ref();
    if let (Some(image), Some(identity)) = (&existing, &surveyed.identity) {
        let note = format!("{} is of this very restore; nothing is started", image.id);
        opened.services.object.context().monitor.note(&note);
        let wish = FollowRequest { image: &image.id, origin: Origin::TakenUp(identity), source, accept };
        let task = follow(opened, &wish, journal, results, cancel).await;
        return finish(opened, task, surveyed.verified.as_ref(), args, results).await;
    }
    surveyed.report.requests = opened.counting.counts().requests;
    let admitted = surveyed.report.exit_code == Exit::Passed;
    let preflight = Report::Preflight(Box::new(surveyed.report.clone()));
    if !admitted || args.starting.dry_run {
        return results.add(preflight);
    }
    results.show(&preflight);
    let target = opened.services.object.target().to_string();
    let name = surveyed.report.name.clone().unwrap_or_default();
    let question = format!("Restore {target} as `{name}` in {}?", surveyed.report.region);
    if !agreed(&args.starting, &question, cancel).await {
        return results.declined();
    }
    match start_restore(&opened.services, &surveyed, journal).await {
        Err(error) => results.error(&target, &error),
        Ok(begun) => {
            let wish = FollowRequest { image: &begun.image, origin: begun.origin(), source, accept };
            let task = follow(opened, &wish, journal, results, cancel).await;
            // The preflight was shown, and admitted it.
            finish(opened, task, None, args, results).await;
        }
    }
}

async fn follow(
    opened: &Opened,
    wish: &FollowRequest<'_>,
    journal: &Journal,
    results: &mut Results,
    cancel: &CancellationToken,
) -> Option<TaskReport> {
    match follow_restore(&opened.services, wish, journal, cancel).await {
        Err(error) => {
            opened.progress.clear();
            results.error(wish.image, &error);
            None
        }
        Ok(report) => Some(report),
    }
}

/// Points the alias at an AMI that holds, and reports. `verified` is what a verification of its object said, where it
/// was asked for and nothing has shown it yet.
async fn finish(
    opened: &Opened,
    task: Option<TaskReport>,
    verified: Option<&Finding>,
    args: &RestoreArgs,
    results: &mut Results,
) {
    let Some(mut report) = task else { return };
    if let Some(finding) = verified {
        hold_to(&mut report, finding, &args.judging.accept);
    }
    if let Some(alias) = args.alias.as_ref().filter(|_| report.state == "available" && report.verdict.is_some()) {
        point_alias(&opened.services, alias, &mut report).await;
    }
    report.requests = opened.counting.counts().requests;
    opened.progress.clear();
    results.add(Report::Task(Box::new(report)));
}
