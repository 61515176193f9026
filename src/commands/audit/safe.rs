use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use futures_util::StreamExt;

use super::AuditError;
use super::bucket::bucket;
use super::examine::examine;
use super::list::{Candidate, Listed, candidates};
use super::request::{AuditRequest, AuditServices};
use super::run::{NOTHING, histories};
use crate::facts::{Readability, readability};
use crate::fleet::{History, Level};
use crate::ident::{AmiId, Target};
use crate::image::TaskFilter;
use crate::ledger::Ledger;
use crate::report::{Exit, FindingReport, SafeReport};
use crate::source::Session;
use crate::units::ByteRange;

/// A copy stands in for nothing if a lifecycle rule removes it sooner, unless the policy says how soon is too soon.
const STAYS: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Whether an AMI may be deleted, for a stored copy under one of the prefixes stands in for it: one that can be read, is
/// the same as when every byte of it was proved, not too long ago, stays, and has what the policy demands; and no store
/// of the AMI reads its snapshots just now.
pub async fn safe_to_delete(
    services: &AuditServices,
    request: &AuditRequest,
    image: &AmiId,
    max_age: SignedDuration,
    ledger: &Ledger,
) -> Result<SafeReport, AuditError> {
    let mut request = AuditRequest { level: Level::Facts, ..request.clone() };
    let mut notes = Vec::new();
    let policy = &mut request.policy.object;
    // No pass without a proof, whatever the policy asks.
    policy.proof_age = Some(policy.proof_age.map_or(max_age, |age| age.min(max_age)));
    policy.stays.get_or_insert(STAYS);
    if std::mem::take(&mut policy.other_region) {
        notes.push("other-region is judged by `audit`, over all objects, and was not asked here".to_owned());
    }
    let (histories, _) = histories(ledger, &request.chosen)?;
    let (mut found, mut because) = (Vec::new(), Vec::new());
    let mut open = false;
    let mut pages = std::pin::pin!(candidates(services, &request.chosen));
    while let Some(listed) = pages.next().await {
        match listed {
            Listed::Page { candidates, .. } => {
                found.extend(candidates.into_iter().filter(|candidate| is_of(candidate, image)));
            }
            Listed::Problem(prefix, error) => {
                open = true;
                because.push(format!("{prefix} could not be listed: {}", error.explain()));
            }
        }
    }
    if found.is_empty() && !open {
        because.push(format!("no object {image}.bin is there"));
    }
    let mut copy = None;
    for candidate in &found {
        let history = histories.get(&candidate.uri.to_string()).unwrap_or(&NOTHING);
        let (exit, lacks) = copy_stands_in(services, &request, candidate, history, &mut notes).await;
        match exit {
            Exit::Passed => copy = copy.or(Some(candidate.uri.to_string())),
            other => {
                open |= other != Exit::Failed;
                because.push(format!("{}: {}", candidate.uri, lacks.join("; ")));
            }
        }
    }
    let storing = in_progress(services, image).await;
    let (answer, exit) = match (&copy, &storing) {
        (_, Ok(true)) => ("must_stay", Exit::Failed),
        (Some(_), Ok(false)) => ("may_go", Exit::Passed),
        (None, _) if !open => ("must_stay", Exit::Failed),
        _ => ("cannot_tell", Exit::Unknown),
    };
    match storing {
        Ok(false) => {}
        Ok(true) => because.push("a store of it is in progress, and reads its snapshots".to_owned()),
        Err(why) => because.push(format!("whether a store of it is in progress is not known: {why}")),
    }
    if answer == "may_go" {
        // What others lack is no reason for this answer.
        notes.extend(because.drain(..).map(|lack| format!("another copy does not stand in for it: {lack}")));
    }
    notes.push(
        "what else needs the AMI (launch templates, instances that must be replaced, shares) was not asked".to_owned(),
    );
    Ok(SafeReport {
        image: image.to_string(),
        answer: answer.to_owned(),
        copy: copy.filter(|_| answer == "may_go"),
        because,
        notes,
        requests: 0,
        exit_code: exit.code(),
    })
}

/// Whether a copy stands in for its AMI, and what it lacks.
async fn copy_stands_in(
    services: &AuditServices,
    request: &AuditRequest,
    candidate: &Candidate,
    history: &History,
    notes: &mut Vec<String>,
) -> (Exit, Vec<String>) {
    let looked = examine(services, request, candidate, Some(history), &CancellationToken::new()).await.report;
    let mut exit = Exit::of(looked.exit_code);
    let mut lacks = told(&looked.findings);
    notes.extend(looked.notes.iter().map(|note| format!("{}: {note}", candidate.uri)));
    if let Some(settings) = bucket(services, request, &candidate.uri.bucket).await {
        exit = exit.and(Exit::of(settings.exit_code));
        lacks.extend(told(&settings.findings));
    }
    if exit == Exit::Passed {
        match can_be_read(services, candidate).await {
            Ok(Readability::Archived(state)) => {
                notes.push(format!("{}: {state}; it must be brought back before it can be restored", candidate.uri));
            }
            Ok(_) => {}
            Err(why) => {
                exit = Exit::Unknown;
                lacks.push(format!("one byte of it could not be read: {why}"));
            }
        }
    }
    (exit, lacks)
}

/// Whether a restore could read it, by reading one byte. What is archived must be brought back first.
async fn can_be_read(services: &AuditServices, candidate: &Candidate) -> Result<Readability, String> {
    let session = Session::new(services.archive.object(&candidate.uri), services.context.clone());
    let facts = session.head().await.map_err(|error| error.explain())?;
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    let state = readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore);
    if !matches!(state, Readability::Archived(_)) {
        let first = ByteRange::whole(1);
        session.read_small(&facts.id, facts.size, first).await.map_err(|error| error.explain())?;
    }
    Ok(state)
}

fn is_of(candidate: &Candidate, image: &AmiId) -> bool {
    Target::Object(candidate.uri.clone()).ami_id().as_ref() == Some(image)
}

fn told(findings: &[FindingReport]) -> Vec<String> {
    let words = |finding: &FindingReport| {
        let said = finding.reason.as_ref().map(|reason| reason.detail.clone()).or_else(|| finding.observed.clone());
        format!("{}: {}", finding.check, said.unwrap_or_default())
    };
    findings.iter().filter(|finding| finding.blocks_pass()).map(words).collect()
}

/// Whether a store of the AMI goes on, into whatever bucket; in words why that is not known.
async fn in_progress(services: &AuditServices, image: &AmiId) -> Result<bool, String> {
    let Some(images) = &services.images else {
        return Err("EC2 was not asked, for it takes signed requests".to_owned());
    };
    let running = images.store_tasks(&TaskFilter::Running).await.map_err(|error| error.explain())?;
    Ok(running.iter().any(|task| task.image == image.as_str() && task.in_progress()))
}
