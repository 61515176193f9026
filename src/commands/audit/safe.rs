use futures_util::StreamExt;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::AuditError;
use super::bucket::bucket;
use super::described::{Described, Source, describe};
use super::examine::examine;
use super::list::{Candidate, Listed, candidates};
use super::look::{NOTHING, histories};
use super::request::{AuditRequest, AuditServices};
use crate::account::AccountService;
use crate::audit::{Histories, History, Level, OriginSurvey, judge_origin};
use crate::commands::ask::{asked, tags};
use crate::facts::{ObjectFacts, Readability, readability};
use crate::ident::{AmiId, ObjectUri, Target};
use crate::image::TaskFilter;
use crate::ledger::SharedLedger;
use crate::record::Record;
use crate::report::{DeletionSafetyReport, Exit, FindingReport, IdentityReport};
use crate::source::Session;
use crate::units::ByteRange;

/// A copy stands in for nothing if a lifecycle rule removes it sooner, unless the policy says how soon is too soon.
const STAYS: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Which AMI might be deleted, and by what a copy of it is known.
#[derive(Debug, Clone)]
pub struct DeletionSafetyRequest {
    pub image: AmiId,
    /// How old the proof of a copy may be.
    pub max_age: SignedDuration,
    /// What `store --record` wrote, with the name of the file.
    pub record: Option<(String, Record)>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    /// The copy that stands in.
    copy: Option<String>,
    because: Vec<String>,
    notes: Vec<String>,
    /// A copy may be there that was not seen, or not known to stand in.
    open: bool,
}

/// Whether an AMI may be deleted, for a stored copy under one of the prefixes stands in for it: one that a store of this
/// very AMI wrote, that can be read, is the same as when every byte of it was proved, not too long ago, stays, and has
/// what the policy demands; and no store of the AMI reads its snapshots just now.
pub async fn safe_to_delete(
    services: &AuditServices,
    request: &AuditRequest,
    wish: &DeletionSafetyRequest,
    ledger: &SharedLedger,
    account: Option<&dyn AccountService>,
) -> Result<DeletionSafetyReport, AuditError> {
    let mut request = AuditRequest { level: Level::Facts, ..request.clone() };
    let policy = &mut request.policy.object;
    // No pass without a proof, whatever the policy asks.
    policy.proof_age = Some(policy.proof_age.map_or(wish.max_age, |age| age.min(wish.max_age)));
    policy.stays.get_or_insert(STAYS);
    let (histories, _) = histories(ledger, &request.chosen).await?;
    let mut found = Found::default();
    // What keeps the answer from being yes, whatever the copies are.
    let mut withheld = Vec::new();
    if std::mem::take(&mut request.policy.object.other_region) {
        withheld.push("other-region is judged by `audit`, over all objects, and is not known here".to_owned());
    }
    let source = match describe(services.images.as_deref(), &wish.image).await {
        Described::There(source) => Some(source),
        Described::None => {
            let why = format!("there is no AMI {} that this account can see", wish.image);
            return Ok(report(wish, "cannot_tell", Exit::Unknown, Found { because: vec![why], ..found }));
        }
        Described::NotKnown(why) => {
            withheld.push(format!("the AMI could not be described: {why}"));
            None
        }
    };
    let caller = match account.filter(|_| source.is_some()) {
        Some(account) => account.caller().await.ok().map(|caller| caller.account),
        None => None,
    };
    found.look_for(services, &request, &wish.image, &histories).await;
    for candidate in std::mem::take(&mut found.candidates) {
        let history = histories.get(&candidate.uri.to_string()).unwrap_or(&NOTHING);
        let (request, source, account) = (&request, source.as_deref(), caller.as_deref());
        let copy = Copy { services, request, wish, source, account, candidate: &candidate };
        let (exit, lacks) = copy.stands_in(history, &mut found.notes).await;
        match exit {
            Exit::Passed => found.copy = found.copy.or(Some(candidate.uri.to_string())),
            other => {
                found.open |= other != Exit::Failed;
                found.because.push(format!("{}: {}", candidate.uri, lacks.join("; ")));
            }
        }
    }
    let storing = in_progress(services, &wish.image).await;
    let (answer, exit) = match (&found.copy, &storing) {
        (_, Ok(true)) => ("must_stay", Exit::Failed),
        (Some(_), Ok(false)) if withheld.is_empty() => ("may_go", Exit::Passed),
        (None, _) if !found.open => ("must_stay", Exit::Failed),
        _ => ("cannot_tell", Exit::Unknown),
    };
    found.because.extend(withheld);
    match storing {
        Ok(false) => {}
        Ok(true) => found.because.push("a store of it is in progress, and reads its snapshots".to_owned()),
        Err(why) => found.because.push(format!("whether a store of it is in progress is not known: {why}")),
    }
    if answer == "may_go" {
        // What others lack is no reason for this answer.
        let lacks = found.because.drain(..).map(|lack| format!("another copy does not stand in for it: {lack}"));
        found.notes.extend(lacks);
    }
    Ok(report(wish, answer, exit, found))
}

fn report(wish: &DeletionSafetyRequest, answer: &str, exit: Exit, mut found: Found) -> DeletionSafetyReport {
    found.notes.push(
        "what else needs the AMI (launch templates, instances that must be replaced, shares) was not asked".to_owned(),
    );
    DeletionSafetyReport {
        image: wish.image.to_string(),
        answer: answer.to_owned(),
        copy: found.copy.filter(|_| answer == "may_go"),
        because: found.because,
        notes: found.notes,
        requests: 0,
        exit_code: exit.code(),
    }
}

impl Found {
    /// Lists what may be a copy. What the ledger knows is asked for although no listing holds it.
    async fn look_for(
        &mut self,
        services: &AuditServices,
        request: &AuditRequest,
        image: &AmiId,
        histories: &Histories,
    ) {
        let is_of = |uri: &ObjectUri| Target::Object(uri.clone()).ami_id().as_ref() == Some(image);
        let mut pages = std::pin::pin!(candidates(services, &request.chosen));
        while let Some(listed) = pages.next().await {
            match listed {
                Listed::Page { candidates, notes, .. } => {
                    self.candidates.extend(candidates.into_iter().filter(|candidate| is_of(&candidate.uri)));
                    self.notes.extend(notes);
                }
                Listed::Problem(prefix, error) => {
                    self.open = true;
                    self.because.push(format!("{prefix} could not be listed: {}", error.explain()));
                }
            }
        }
        let known = histories.keys().filter_map(|target| target.parse::<ObjectUri>().ok());
        let unlisted = known.filter(|uri| is_of(uri) && !self.candidates.iter().any(|found| found.uri == *uri));
        let unlisted: Vec<Candidate> = unlisted.map(Candidate::named).collect();
        self.candidates.extend(unlisted);
        if self.candidates.is_empty() && !self.open {
            self.because.push(format!("no object {image}.bin is there"));
        }
    }
}

/// An object that may stand in for the AMI.
struct Copy<'a> {
    services: &'a AuditServices,
    request: &'a AuditRequest,
    wish: &'a DeletionSafetyRequest,
    /// The AMI, where it could be described.
    source: Option<&'a Source>,
    /// Of the caller, where it is known.
    account: Option<&'a str>,
    candidate: &'a Candidate,
}

impl Copy<'_> {
    /// Whether it stands in, and what it lacks.
    async fn stands_in(&self, history: &History, notes: &mut Vec<String>) -> (Exit, Vec<String>) {
        let (services, uri) = (self.services, &self.candidate.uri);
        let cancel = CancellationToken::new();
        let looked = examine(services, self.request, self.candidate, Some(history), &cancel).await.report;
        let mut exit = Exit::of(looked.exit_code);
        let mut lacks = told(&looked.findings);
        notes.extend(looked.notes.iter().map(|note| format!("{uri}: {note}")));
        if let Some(settings) = bucket(services, self.request, &uri.bucket).await {
            exit = exit.and(Exit::of(settings.exit_code));
            lacks.extend(told(&settings.findings));
        }
        let Some(identity) = looked.identity.filter(|_| exit != Exit::Failed) else { return (exit, lacks) };
        let session = Session::new(services.archive.object(uri), services.context.clone());
        let facts = match session.head().await {
            Ok(facts) if IdentityReport::from(&facts) == identity => facts,
            Ok(_) => {
                lacks.push("it was replaced while it was looked at".to_owned());
                return (exit.and(Exit::Unknown), lacks);
            }
            Err(error) => {
                lacks.push(format!("it could not be looked at again: {}", error.explain()));
                return (exit.and(Exit::Unknown), lacks);
            }
        };
        match can_be_read(&session, &facts).await {
            Ok(Readability::Archived(state)) => {
                notes.push(format!(
                    "{uri}: {state}; it must be restored from the archive tier before EC2 can restore the AMI"
                ));
            }
            Ok(_) => {}
            Err(why) => {
                exit = exit.and(Exit::Unknown);
                lacks.push(format!("one byte of it could not be read: {why}"));
            }
        }
        (exit.and(self.is_of_the_ami(&session, &facts, &mut lacks).await), lacks)
    }

    /// Whether a store of this very AMI wrote it.
    async fn is_of_the_ami(&self, session: &Session, facts: &ObjectFacts, lacks: &mut Vec<String>) -> Exit {
        // Without the AMI there is nothing to hold it against, and that is said once.
        let (Some(source), Some(images)) = (self.source, &self.services.images) else { return Exit::Passed };
        let uri = &self.candidate.uri;
        let tags = tags(session, facts).await;
        let tasks = images.store_tasks(&TaskFilter::Bucket(uri.bucket.clone())).await;
        let tasks = asked(tasks, "DescribeStoreImageTasks", "ec2:DescribeStoreImageTasks");
        let origin = judge_origin(&OriginSurvey {
            image: &source.image,
            account: self.account,
            size: &source.size,
            region: &source.region,
            bucket: &uri.bucket,
            key: &uri.key,
            object_bytes: facts.size,
            etag: facts.id.etag.as_ref().map(crate::ident::ETag::as_str),
            modified: facts.last_modified,
            tags: &tags,
            tasks: &tasks,
            record: self.wish.record.as_ref(),
        });
        let exit = match (origin.refuted.is_empty(), origin.open.is_empty()) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::Unknown,
            (true, true) => Exit::Passed,
        };
        lacks.extend(origin.refuted);
        lacks.extend(origin.open);
        exit
    }
}

/// Whether a restore could read it, by reading one byte of the very state that was looked at. What is archived must be
/// brought back first.
async fn can_be_read(session: &Session, facts: &ObjectFacts) -> Result<Readability, String> {
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    let state = readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore);
    if !matches!(state, Readability::Archived(_)) {
        let first = ByteRange::whole(1);
        session.read_small(&facts.id, facts.size, first).await.map_err(|error| error.explain())?;
    }
    Ok(state)
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
    let mine = || running.iter().filter(|task| task.image == image.as_str());
    if mine().any(|task| task.in_progress() == Some(true)) {
        return Ok(true);
    }
    match mine().find(|task| task.in_progress().is_none()) {
        Some(odd) => Err(format!("a store task of it is in the state `{}`, which is not known", odd.state)),
        None => Ok(false),
    }
}
