use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::AuditError;
use super::bucket::bucket;
use super::described::{Described, Source, describe};
use super::examine::examine;
use super::list::{Candidate, Listed, candidates};
use super::look::{NOTHING, histories};
use super::request::{AuditRequest, AuditServices, Scope};
use super::subject::Subject;
use super::tally::step_after;
use crate::account::AccountService;
use crate::audit::{Histories, History, Level, OriginSurvey, judge_origin};
use crate::commands::ask::{asked, tags};
use crate::commands::exit_of;
use crate::facts::{ObjectFacts, Readability, readability};
use crate::ident::{AmiId, ObjectUri, Target};
use crate::image::TaskFilter;
use crate::ledger::SharedLedger;
use crate::record::Record;
use crate::report::{
    CopyProofReport, DeletionAnswer, DeletionNote, DeletionSafetyReport, DeletionStep, Exit, FindingReport, Note,
    ProvedReport,
};
use crate::source::Session;
use crate::units::ByteRange;
use crate::verdict::{CheckId, PolicyCheck, ReasonCode};

/// A copy does not replace the AMI if a lifecycle rule removes it within this time, unless the policy sets another one.
const STAYS: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Parameters of the question whether an AMI may be deleted.
#[derive(Debug, Clone)]
pub struct DeletionSafetyRequest {
    /// The AMI.
    pub image: AmiId,
    /// Maximum age of the proof of a copy.
    pub max_age: SignedDuration,
    /// The record that `store --record` wrote, with the name of the file.
    pub record: Option<(String, Record)>,
    /// Path of the ledger, for the commands that are proposed.
    pub ledger: String,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    /// The copy that replaces the AMI.
    copy: Option<(String, Option<CopyProofReport>)>,
    because: Vec<String>,
    notes: Vec<Note>,
    /// A copy may exist that was not seen or could not be judged.
    open: bool,
    /// Exit code of the listings: 4 if a bucket is not there, may not be listed or does not answer.
    listed: Exit,
    /// A copy lacks nothing but a recent proof.
    lacks_proof: bool,
    /// No copy was found.
    is_missing: bool,
    /// What can be done about prefixes that could not be listed.
    listing: Vec<DeletionStep>,
}

/// Decides whether an AMI may be deleted because a stored copy replaces it. The copy must be under one of the prefixes,
/// written by a store of this AMI, readable, unchanged since a recent proof of every byte, not removed soon by a
/// lifecycle rule, and must satisfy the policy. No store of the AMI may be in progress.
///
/// # Errors
///
/// The ledger cannot be read.
pub async fn safe_to_delete(
    services: &AuditServices,
    request: &AuditRequest,
    wish: &DeletionSafetyRequest,
    ledger: &SharedLedger,
    account: Option<&dyn AccountService>,
) -> Result<DeletionSafetyReport, AuditError> {
    let report = decide(services, request, wish, ledger, account).await?;
    Ok(DeletionSafetyReport { requests: services.counts().requests, ..report })
}

async fn decide(
    services: &AuditServices,
    request: &AuditRequest,
    wish: &DeletionSafetyRequest,
    ledger: &SharedLedger,
    account: Option<&dyn AccountService>,
) -> Result<DeletionSafetyReport, AuditError> {
    let (histories, _) = histories(ledger, &request.chosen).await?;
    // Reasons that prevent the answer yes, whatever the copies are.
    let mut withheld = Vec::new();
    let request = of_copies(request, wish, &mut withheld);
    let source = match describe(services.images.as_deref(), &wish.image).await {
        Described::There(source) => Some(source),
        Described::None => {
            let why = format!("there is no AMI {} that this account can see", wish.image);
            let found = Found { because: vec![why], ..Found::default() };
            let report = found.report(wish, DeletionAnswer::CannotTell);
            return Ok(DeletionSafetyReport { steps: vec![DeletionStep::CheckImage], ..report });
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
    let search = Search { services, request: &request, wish, source: source.as_deref(), account: caller.as_deref() };
    let mut found = Found::default();
    found.look_for(&search, &histories).await;
    found.judge(&search, &histories).await;
    let storing = in_progress(services, &wish.image).await;
    Ok(found.answer(&search, withheld, storing))
}

/// The audit request for copies at level `facts`. A copy without a proof, one that only values of other programs prove,
/// or one that is removed soon, never replaces the AMI.
fn of_copies(request: &AuditRequest, wish: &DeletionSafetyRequest, withheld: &mut Vec<String>) -> AuditRequest {
    let mut request = AuditRequest { level: Level::Facts, ..request.clone() };
    let policy = &mut request.policy.object;
    policy.proof_age = Some(policy.proof_age.map_or(wish.max_age, |age| age.min(wish.max_age)));
    policy.stays.get_or_insert(STAYS);
    policy.stands_in = true;
    if std::mem::take(&mut policy.other_region) {
        withheld.push("other-region is judged by `audit`, over all objects, and is not known here".to_owned());
    }
    request
}

/// Parameters of the search for copies of an AMI.
#[derive(Clone, Copy)]
struct Search<'a> {
    services: &'a AuditServices,
    request: &'a AuditRequest,
    wish: &'a DeletionSafetyRequest,
    /// The AMI; `None` if it could not be described.
    source: Option<&'a Source>,
    /// The account id of the caller, if known.
    account: Option<&'a str>,
}

impl Found {
    /// Lists the candidates. Also adds objects of the ledger that no listing contains.
    async fn look_for(&mut self, search: &Search<'_>, histories: &Histories) {
        let image = &search.wish.image;
        let is_of = |uri: &ObjectUri| Target::Object(uri.clone()).ami_id().as_ref() == Some(image);
        let mut pages = std::pin::pin!(candidates(search.services, &search.request.chosen));
        while let Some(listed) = pages.next().await {
            match listed {
                Listed::Page { candidates, notes, .. } => {
                    self.candidates.extend(candidates.into_iter().filter(|candidate| is_of(&candidate.uri)));
                    self.notes.extend(notes.into_iter().map(Note::from));
                }
                Listed::Problem(prefix, error) => {
                    self.open = true;
                    self.listed = self.listed.and(exit_of(&error));
                    self.because.push(format!("{prefix} could not be listed: {}", error.explain()));
                    self.listing.extend(step_after(&prefix, &error).map(DeletionStep::Listing));
                }
            }
        }
        let known = histories.keys().filter_map(|target| target.parse::<ObjectUri>().ok());
        let unlisted = known.filter(|uri| is_of(uri) && !self.candidates.iter().any(|found| found.uri == *uri));
        let unlisted: Vec<Candidate> = unlisted.map(Candidate::named).collect();
        self.candidates.extend(unlisted);
        if self.candidates.is_empty() && !self.open {
            self.is_missing = true;
            self.because.push(format!("there is no object {image}.bin under these prefixes"));
        }
    }

    /// Judges each candidate.
    async fn judge(&mut self, search: &Search<'_>, histories: &Histories) {
        for candidate in std::mem::take(&mut self.candidates) {
            let history = histories.get(&candidate.uri.to_string()).unwrap_or(&NOTHING);
            let copy = Copy { search: *search, subject: search.subject(candidate, history) };
            let Judged { exit, lacks, lacks_proof, proof } = copy.stands_in(&mut self.notes).await;
            self.lacks_proof |= lacks_proof && lacks.len() == 1;
            let uri = &copy.subject.candidate.uri;
            match exit {
                Exit::Passed => self.copy = self.copy.take().or(Some((uri.to_string(), proof))),
                other => {
                    self.open |= other != Exit::Failed;
                    self.because.push(format!("{uri}: {}", lacks.join("; ")));
                }
            }
        }
    }

    /// What can be done so that a copy replaces the AMI.
    fn steps(&self, search: &Search<'_>, is_storing: bool) -> Vec<DeletionStep> {
        let Scope::Listed(prefixes) = &search.request.chosen else { return Vec::new() };
        let listing = self.listing.iter().cloned();
        listing
            .chain(match prefixes.first() {
                _ if is_storing => vec![DeletionStep::Wait],
                Some(prefix) if self.is_missing => vec![DeletionStep::Store { bucket: prefix.bucket.clone() }],
                Some(_) if self.lacks_proof => vec![DeletionStep::Prove {
                    prefixes: prefixes.iter().map(ToString::to_string).collect(),
                    ledger: search.wish.ledger.clone(),
                }],
                _ => Vec::new(),
            })
            .collect()
    }

    /// The answer, from the copies found and from whether a store of the AMI is in progress.
    fn answer(
        mut self,
        search: &Search<'_>,
        withheld: Vec<String>,
        storing: Result<bool, String>,
    ) -> DeletionSafetyReport {
        let storing_now = storing == Ok(true);
        let answer = match (&self.copy, &storing) {
            (_, Ok(true)) => DeletionAnswer::MustStay,
            (Some(_), Ok(false)) if withheld.is_empty() => DeletionAnswer::MayGo,
            (None, _) if !self.open => DeletionAnswer::MustStay,
            _ => DeletionAnswer::CannotTell,
        };
        self.because.extend(withheld);
        match storing {
            Ok(false) => {}
            Ok(true) => self.because.push("a store of it is in progress, and reads its snapshots".to_owned()),
            Err(why) => self.because.push(format!("whether a store of it is in progress is not known: {why}")),
        }
        let steps = self.steps(search, storing_now);
        if answer == DeletionAnswer::MayGo {
            // What others lack is no reason for this answer.
            let others = self.because.drain(..).map(|lacks| DeletionNote::OtherCopy { lacks });
            self.notes.extend(others.map(Note::from));
        }
        let steps = if answer == DeletionAnswer::MayGo { Vec::new() } else { steps };
        DeletionSafetyReport { steps, ..self.report(search.wish, answer) }
    }

    fn report(mut self, wish: &DeletionSafetyRequest, answer: DeletionAnswer) -> DeletionSafetyReport {
        self.notes.push(DeletionNote::OtherUses.into());
        let (copy, proof) = self.copy.filter(|_| answer == DeletionAnswer::MayGo).unzip();
        DeletionSafetyReport {
            image: wish.image.to_string(),
            answer,
            copy,
            proof: proof.flatten(),
            because: self.because,
            notes: self.notes,
            requests: 0,
            exit_code: match Exit::from(answer.verdict()) {
                Exit::Unknown => Exit::Unknown.and(self.listed),
                known => known,
            },
            steps: Vec::new(),
        }
    }
}

impl<'a> Search<'a> {
    fn subject(&self, candidate: Candidate, history: &'a History) -> Subject<'a> {
        Subject::new(self.services, self.request, candidate, Some(history))
    }
}

/// Whether a copy can replace the AMI, and why not.
struct Judged {
    exit: Exit,
    lacks: Vec<String>,
    /// It has no proof that is recent enough.
    lacks_proof: bool,
    /// The proof of its state.
    proof: Option<CopyProofReport>,
}

/// An object that may replace the AMI.
struct Copy<'a> {
    search: Search<'a>,
    subject: Subject<'a>,
}

impl Copy<'_> {
    /// Whether the copy can replace the AMI, and why not.
    async fn stands_in(&self, notes: &mut Vec<Note>) -> Judged {
        let Search { services, request, .. } = self.search;
        let uri = &self.subject.candidate.uri;
        let looked = examine(&self.subject, &CancellationToken::new()).await.report;
        let mut exit = looked.exit_code;
        let mut lacks = told(&looked.findings);
        let is_of_proof = |finding: &&FindingReport| finding.check == CheckId::PolicyCheck(PolicyCheck::ProofAge);
        // A read of a copy of unproved bytes proves nothing about the AMI.
        let is_copy = |finding: &FindingReport| {
            finding.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::CopiedUnproved)
        };
        let of_proof = looked.findings.iter().filter(is_of_proof);
        let lacks_proof = of_proof.filter(|finding| !is_copy(finding)).any(FindingReport::blocks_pass);
        // A policy may accept a proof that did not read the object.
        let proofs = [looked.proof, looked.unread_proof].into_iter().flatten().filter_map(|proof| self.dated(proof));
        let proof = proofs.min_by_key(|proof| proof.age_seconds);
        let judged = |exit, lacks| Judged { exit, lacks, lacks_proof, proof };
        notes.extend(looked.notes.into_iter().map(|note| note.of(uri)));
        if let Some(settings) = bucket(services, request, &uri.bucket).await {
            exit = exit.and(settings.exit_code);
            lacks.extend(told(&settings.findings));
        }
        let Some(identity) = looked.identity.filter(|_| exit != Exit::Failed) else { return judged(exit, lacks) };
        // The requests for tags, lock and bucket were sent after the first HEAD, so the object may have been replaced
        // since.
        let session = Session::new(services.archive.object(uri), services.context.clone());
        let facts = match session.head().await {
            Ok(facts) if identity.identity().same_as(&facts.identity()).agrees() => facts,
            Ok(_) => {
                lacks.push("it was replaced during this check".to_owned());
                return judged(exit.and(Exit::Unknown), lacks);
            }
            Err(error) => {
                lacks.push(format!("it could not be checked again: {}", error.explain()));
                return judged(exit.and(Exit::Unknown), lacks);
            }
        };
        match can_be_read(&session, &facts).await {
            Ok(Readability::Archived(state)) => {
                notes.push(DeletionNote::Archived { copy: uri.clone(), state }.into());
            }
            Ok(_) => {}
            Err(why) => {
                exit = exit.and(Exit::Unknown);
                lacks.push(format!("one byte of it could not be read: {why}"));
            }
        }
        let exit = exit.and(self.is_of_the_ami(&session, &facts, &mut lacks).await);
        judged(exit, lacks)
    }

    /// The proof with its age now.
    fn dated(&self, proved: ProvedReport) -> Option<CopyProofReport> {
        let at: Timestamp = proved.at.parse().ok()?;
        let most = self.search.request.policy.object.proof_age.unwrap_or(self.search.wish.max_age);
        let age_seconds = self.subject.now().duration_since(at).as_secs();
        Some(CopyProofReport { proved, age_seconds, max_age_seconds: most.as_secs() })
    }

    /// Whether a store of this AMI wrote the object.
    async fn is_of_the_ami(&self, session: &Session, facts: &ObjectFacts, lacks: &mut Vec<String>) -> Exit {
        // Without the AMI there is nothing to compare with; the report states that once.
        let (Some(source), Some(images)) = (self.search.source, &self.search.services.images) else {
            return Exit::Passed;
        };
        let uri = &self.subject.candidate.uri;
        let tags = tags(session, facts).await;
        let tasks = images.store_tasks(&TaskFilter::Bucket(uri.bucket.clone())).await;
        let tasks = asked(tasks, "DescribeStoreImageTasks", "ec2:DescribeStoreImageTasks");
        let origin = judge_origin(&OriginSurvey {
            image: &source.image,
            account: self.search.account,
            size: &source.size,
            region: &source.region,
            bucket: &uri.bucket,
            key: &uri.key,
            object_bytes: facts.size,
            etag: facts.id.etag.as_ref().map(crate::ident::ETag::as_str),
            modified: facts.last_modified,
            tags: &tags,
            tasks: &tasks,
            record: self.search.wish.record.as_ref(),
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

/// Whether a restore can read the object; reads one byte of the examined state. An archived object must be restored
/// from its archive tier first.
///
/// # Errors
///
/// The error of the read, as text.
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

/// Whether a store of the AMI is in progress, into any bucket.
///
/// # Errors
///
/// The reason why that is not known, as text.
async fn in_progress(services: &AuditServices, image: &AmiId) -> Result<bool, String> {
    let Some(images) = &services.images else {
        return Err("EC2 was not asked, because it accepts only signed requests".to_owned());
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
