use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::alias::point_alias;
use super::origin::{Traced, trace};
use super::request::FollowRequest;
use super::start::close;
use crate::audit::Word;
use crate::checks::preflight::{DRILL_TAG, HeldAgainst, Ownership, OwnershipClaim, judge_restored};
use crate::commands::RegionServices;
use crate::commands::follow::Follow;
use crate::facts::{ImageFacts, ImageState, SnapshotFacts};
use crate::ident::{AmiId, is_snapshot_id};
use crate::journal::{Journal, RestoreIdentity, Step};
use crate::progress::TaskProgress;
use crate::report::{Exit, FindingReport, LeftReport, Note, TaskKind, TaskNote, TaskReport};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::{CheckId, CheckName, Condition, Finding, Outcome, Reason, Verdict, overall};

/// Number of attempts to describe a new AMI, which EC2 may not list yet.
const LOOKS_WITHOUT_AN_IMAGE: u32 = 12;

/// Follows a restore until its AMI is available or failed, holds the AMI against its source, and points the alias at
/// it.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such AMI, and the errors of requests to EC2.
pub async fn follow_restore(
    services: &RegionServices,
    wish: &FollowRequest<'_>,
    journal: &Journal,
    cancel: &CancellationToken,
) -> Result<TaskReport, SourceError> {
    let mut report = follow_to_end(services, wish, journal, cancel).await?;
    if let Some(finding) = wish.verified {
        hold_to(&mut report, finding, wish.accept);
    }
    if let Some(alias) = wish.alias.filter(|_| report.state == "available" && report.verdict.is_some()) {
        point_alias(services, alias, &mut report).await;
    }
    report.requests = services.requests();
    Ok(report)
}

async fn follow_to_end(
    services: &RegionServices,
    wish: &FollowRequest<'_>,
    journal: &Journal,
    cancel: &CancellationToken,
) -> Result<TaskReport, SourceError> {
    let mut follow = Follow::new(services.context(), cancel);
    let Watched { image: last, snapshots, settled } = watch(services, wish, &mut follow).await?;
    if !settled {
        let mut report = report(services, &last, wish, &follow, Exit::Interrupted);
        report
            .notes
            .push(TaskNote::RestoreGoesOn { image: wish.image.to_owned(), options: wish.options.to_owned() }.into());
        return Ok(report);
    }
    let traced = trace(services, wish, journal, &last).await;
    let ours = |identity: &RestoreIdentity, claim: &OwnershipClaim| {
        matches!(claim.classify(&last), Ownership::Ours(_)).then(|| identity.clone())
    };
    let identity = traced.restore.as_ref().and_then(|(identity, claim)| ours(identity, claim));
    let state = ImageState::of(&last.state);
    if state != ImageState::Available {
        if let Some(identity) = identity.as_ref().filter(|_| state.is_known()) {
            close(services, journal, identity, wish.image, Step::Failed).await;
        }
        let exit = if state.is_known() { Exit::CouldNot } else { Exit::Unknown };
        let mut report = report(services, &last, wish, &follow, exit);
        let named = if state.is_known() { "its state is" } else { "its state is not a known one:" };
        report.failure = last.state_reason.clone().or_else(|| Some(format!("{named} {state}")));
        (report.left_behind, report.notes) = left_behind(services, &last, &snapshots);
        report.notes.extend(traced.notes);
        return Ok(report);
    }
    if let Some(identity) = &identity {
        close(services, journal, identity, wish.image, Step::Available).await;
    }
    let against = held_against(wish, traced.key.as_deref(), &last);
    let Traced { made, tags, notes, .. } = traced;
    let findings = judge_restored(made, &last, &snapshots, &against, &tags);
    let mut report = report(services, &last, wish, &follow, Exit::Passed);
    report.notes = notes;
    judge(&mut report, &findings, wish.accept);
    if wish.alias.is_some() && last.tags.contains_key(DRILL_TAG) {
        let detail = "the AMI is that of a drill, which removes it again: no alias is pointed at it".to_owned();
        let check = CheckId::Condition(Condition::Alias);
        let finding = Finding { check, required: true, outcome: Outcome::Unknown(Reason::Ambiguous { detail }) };
        hold_to(&mut report, &finding, &[]);
    }
    Ok(report)
}

/// What the AMI is compared with. `key` is the key of the object it was restored from, if known. Facts about another
/// AMI than the stored one are not used.
fn held_against<'a>(wish: &FollowRequest<'a>, key: Option<&str>, image: &ImageFacts) -> HeldAgainst<'a> {
    let Some(source) = wish.source else { return HeldAgainst::Nothing };
    let Some(told) = &source.image else { return HeldAgainst::Source(source) };
    let stored = key.and_then(AmiId::from_key).map(|id| id.to_string());
    let other = image.source_image.iter().chain(&stored).find(|id| *id != told);
    match other {
        Some(other) => {
            HeldAgainst::Other(format!("{} describes {told}, and {} was made from {other}", source.from, image.id))
        }
        None => HeldAgainst::Source(source),
    }
}

/// Adds a finding about the object to a report about the AMI.
fn hold_to(report: &mut TaskReport, finding: &Finding, accept: &[CheckName]) {
    report.findings.push(FindingReport::from(finding));
    let Some(before) = report.verdict else { return };
    let (worse, exit) = match finding.verdict() {
        Verdict::Pass => return,
        Verdict::Fail => (Verdict::Fail, Exit::Failed),
        Verdict::Unknown if before == Verdict::Fail => return,
        Verdict::Unknown if accept.iter().any(|name| name.matches(finding.check)) => {
            report.accepted.push(finding.check);
            (Verdict::Unknown, report.exit_code)
        }
        Verdict::Unknown => (Verdict::Unknown, Exit::Unknown),
    };
    report.verdict = Some(worse);
    report.exit_code = exit;
}

/// The AMI at the last request.
struct Watched {
    image: ImageFacts,
    snapshots: Vec<SnapshotFacts>,
    /// `false` if watching was cancelled.
    settled: bool,
}

/// Describes the AMI repeatedly until its state is final.
async fn watch(
    services: &RegionServices,
    wish: &FollowRequest<'_>,
    follow: &mut Follow<'_>,
) -> Result<Watched, SourceError> {
    let ids = [wish.image.to_owned()];
    let mut unseen = 0;
    let image = ImageFacts { id: wish.image.to_owned(), state: "pending".into(), ..ImageFacts::default() };
    let mut last = Watched { image, snapshots: Vec::new(), settled: false };
    loop {
        let found = services.images.images(&ids).await?.into_iter().find(|found| found.id == wish.image);
        match found {
            None if !wish.origin.started_here() || unseen >= LOOKS_WITHOUT_AN_IMAGE => {
                return Err(SourceError::new(ErrorKind::NotFound, wish.image, "there is no such AMI in this Region"));
            }
            None => {
                unseen += 1;
                follow.tell(progress(wish.image, "not listed yet".to_owned(), None, String::new()));
            }
            Some(found) => {
                let snapshots = snapshots_of(services, &found).await?;
                tell(follow, &found, &snapshots);
                let settled = snapshots.iter().all(|snapshot| snapshot.state != "pending");
                let ended = match ImageState::of(&found.state) {
                    ImageState::Available => settled,
                    ImageState::Pending | ImageState::Transient => false,
                    _ => true,
                };
                last = Watched { image: found, snapshots, settled: ended };
            }
        }
        if last.settled || !follow.wait().await {
            return Ok(last);
        }
    }
}

/// Sets verdict, exit code and findings. Accepting a check changes the exit code, not the verdict.
fn judge(report: &mut TaskReport, findings: &[Finding], accept: &[CheckName]) {
    let open = || findings.iter().filter(|finding| finding.required && finding.verdict() == Verdict::Unknown);
    let accepted = open().filter(|finding| accept.iter().any(|name| name.matches(finding.check)));
    report.accepted = accepted.map(|finding| finding.check).collect();
    let verdict = overall(findings);
    let exit = match verdict {
        Verdict::Unknown if open().count() == report.accepted.len() => Exit::Passed,
        verdict => Exit::from(verdict),
    };
    report.verdict = Some(verdict);
    report.exit_code = exit;
    report.findings = findings.iter().map(FindingReport::from).collect();
}

async fn snapshots_of(services: &RegionServices, image: &ImageFacts) -> Result<Vec<SnapshotFacts>, SourceError> {
    let ids = image.volumes.iter().filter_map(|volume| volume.snapshot.clone());
    // EC2 rejects the request if one of the ids is malformed.
    let ids: Vec<String> = ids.filter(|id| is_snapshot_id(id)).collect();
    services.images.snapshots(&ids).await
}

fn tell(follow: &mut Follow<'_>, image: &ImageFacts, snapshots: &[SnapshotFacts]) {
    let percent = |snapshot: &SnapshotFacts| match snapshot.state.as_str() {
        "completed" => 100.0,
        _ => f64::from(snapshot.progress.unwrap_or(0)),
    };
    // The progress of each snapshot is weighted by its size.
    let weight = |snapshot: &SnapshotFacts| snapshot.gib.unwrap_or(1).max(1) as f64;
    let whole: f64 = snapshots.iter().map(weight).sum();
    let done: f64 = snapshots.iter().map(|snapshot| weight(snapshot) * percent(snapshot)).sum();
    let overall = done / whole.max(1.0);
    let each: Vec<String> =
        snapshots.iter().map(|snapshot| format!("{} {:.0} %", snapshot.id, percent(snapshot))).collect();
    let detail = if each.len() > 1 { each.join(", ") } else { String::new() };
    follow.tell(progress(&image.id, image.state.to_string(), (!snapshots.is_empty()).then_some(overall), detail));
}

fn progress(image: &str, state: String, percent: Option<f64>, detail: String) -> TaskProgress {
    let (image, elapsed) = (image.to_owned(), Duration::ZERO);
    TaskProgress { kind: TaskKind::Restore, image, state, percent, elapsed, left: None, detail }
}

/// What a failed restore left, with the commands that remove it, and notes on what can be put in no command: people
/// paste those into a shell. The snapshots are those of the AMI.
fn left_behind(
    services: &RegionServices,
    image: &ImageFacts,
    snapshots: &[SnapshotFacts],
) -> (Vec<LeftReport>, Vec<Note>) {
    let mut left = Vec::new();
    let odd = image.volumes.iter().filter_map(|volume| volume.snapshot.as_deref()).filter(|id| !is_snapshot_id(id));
    let mut notes: Vec<Note> = odd.map(|id| TaskNote::OddSnapshot { id: id.to_owned() }.into()).collect();
    match services.remove_with(&image.id) {
        None => notes.push(TaskNote::OddImage { id: image.id.clone() }.into()),
        Some(_) if image.state == "deregistered" => {}
        Some(remove_with) => {
            left.push(LeftReport { id: image.id.clone(), state: image.state.clone(), remove_with });
        }
    }
    left.extend(snapshots.iter().filter_map(|snapshot| {
        let remove_with = services.remove_with(&snapshot.id)?;
        Some(LeftReport { id: snapshot.id.clone(), state: snapshot.state.clone(), remove_with })
    }));
    (left, notes)
}

fn report(
    services: &RegionServices,
    image: &ImageFacts,
    wish: &FollowRequest<'_>,
    follow: &Follow<'_>,
    exit: Exit,
) -> TaskReport {
    TaskReport {
        operation: TaskKind::Restore,
        image: image.id.clone(),
        region: services.images.region().to_owned(),
        object: image.tags.get("stored-ami:source").cloned().map(Word::of),
        name: image.name.clone(),
        state: image.state.clone(),
        started_here: wish.origin.started_here(),
        failure: None,
        verdict: None,
        accepted: Vec::new(),
        findings: Vec::new(),
        object_proof: wish.object_proof.cloned(),
        left_behind: Vec::new(),
        notes: Vec::new(),
        elapsed_seconds: follow.elapsed().as_secs_f64(),
        requests: 0,
        exit_code: exit,
    }
}
