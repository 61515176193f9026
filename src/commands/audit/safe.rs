use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use futures_util::StreamExt;

use super::AuditError;
use super::bucket::bucket;
use super::examine::examine;
use super::list::{Candidate, Listed, candidates};
use super::request::{AuditRequest, AuditServices, Chosen};
use super::run::{NOTHING, histories};
use crate::fleet::Level;
use crate::ident::{AmiId, Target};
use crate::image::TaskFilter;
use crate::ledger::Ledger;
use crate::report::{Exit, FindingReport, SafeReport};

/// Whether an AMI may be deleted, for a stored copy under one of the prefixes stands in for it: one that is the same as
/// when every byte of it was proved, not too long ago, and that has what the policy demands.
pub async fn safe_to_delete(
    services: &AuditServices,
    request: &AuditRequest,
    image: &AmiId,
    max_age: SignedDuration,
    ledger: &Ledger,
) -> Result<SafeReport, AuditError> {
    let mut request = AuditRequest { level: Level::Facts, ..request.clone() };
    // No pass without a proof, whatever the policy asks.
    let age = request.policy.object.proof_age.map_or(max_age, |age| age.min(max_age));
    request.policy.object.proof_age = Some(age);
    // And none for a copy that is gone before its proof is too old.
    request.policy.object.stays.get_or_insert(age);
    let (histories, _) = histories(ledger, &request.chosen)?;
    let mut because = Vec::new();
    let mut notes = Vec::new();
    let (mut found, mut listed_all) = (Vec::new(), true);
    let mut pages = std::pin::pin!(candidates(services, &request.chosen));
    while let Some(listed) = pages.next().await {
        match listed {
            Listed::Page(page, _) => found.extend(page.into_iter().filter(|candidate| is_of(candidate, image))),
            Listed::Problem(prefix, error) => {
                listed_all = false;
                because.push(format!("{prefix} could not be listed: {}", error.explain()));
            }
        }
    }
    let (mut copy, mut open) = (None, !listed_all);
    let cancel = CancellationToken::new();
    for candidate in &found {
        let target = candidate.uri.to_string();
        let history = histories.get(&target).unwrap_or(&NOTHING);
        let looked = examine(services, &request, candidate, Some(history), &cancel).await.report;
        let mut exit = Exit::of(looked.exit_code);
        let mut lacks = told(&looked.findings);
        if let Some(settings) = bucket(services, &request, &candidate.uri.bucket).await {
            exit = exit.and(Exit::of(settings.exit_code));
            lacks.extend(told(&settings.findings));
        }
        match exit {
            Exit::Passed => copy = copy.or(Some(target)),
            other => {
                open |= other != Exit::Failed;
                because.push(format!("{target}: {}", lacks.join("; ")));
            }
        }
    }
    if found.is_empty() && listed_all {
        because.push(format!("no object {image}.bin is there"));
    }
    let storing = in_progress(services, image, &request.chosen, &mut notes).await;
    if storing {
        because.push("a store of it is in progress, and reads its snapshots".to_owned());
    }
    let (answer, exit) = match (&copy, storing, open) {
        (_, true, _) => ("must_stay", Exit::Failed),
        (Some(_), ..) => ("may_go", Exit::Passed),
        (None, _, true) => ("cannot_tell", Exit::Unknown),
        (None, ..) => ("must_stay", Exit::Failed),
    };
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

/// Whether a store of the AMI goes on; a note where that could not be asked.
async fn in_progress(services: &AuditServices, image: &AmiId, chosen: &Chosen, notes: &mut Vec<String>) -> bool {
    let Some(images) = &services.images else {
        notes.push("stores in progress were not asked for".to_owned());
        return false;
    };
    let mut any = false;
    for bucket in chosen.buckets() {
        match images.store_tasks(&TaskFilter::Bucket(bucket.clone())).await {
            Ok(tasks) => any |= tasks.iter().any(|task| task.image == image.as_str() && task.in_progress()),
            Err(error) => notes.push(format!("store tasks into {bucket} could not be asked for: {}", error.explain())),
        }
    }
    any
}
