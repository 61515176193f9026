use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::absent::not_there;
use super::judged;
use super::list::Candidate;
use super::state::{Asker, moves, object_state, wants_head};
use super::{AuditRequest, AuditServices};
use crate::audit::{Change, ContentFingerprint, Entry, History, Level, LookResult, Proof, Seen, part_runs};
use crate::checks::wrong_size;
use crate::checksum::ChecksumKind;
use crate::commands::discover::look;
use crate::commands::verify::{ETagParts, Verified, VerifyError, VerifyRequest, verify};
use crate::facts::{ListedObject, ObjectFacts};
use crate::ident::{ETagForm, ObjectUri, Target};
use crate::plan::PartLayout;
use crate::progress::{Call, Counting, Monitor};
use crate::report::{AuditedReport, Exit, FindingReport, IdentityReport, ProvedReport, TOOL, VerifyReport};
use crate::source::{Context, ErrorKind, Session, SourceError};
use crate::verdict::{CheckId, Doubt, Evidence, Failure, Finding, Outcome, PolicyCheck, Reason, Verdict};

/// What looking at an object came to: the report, what is to be kept of it, and what must be asked of all objects
/// together.
pub(super) struct AuditedObject {
    pub report: AuditedReport,
    pub entry: Option<Entry>,
    pub content: Vec<ContentFingerprint>,
    /// Every byte of this very state is proved, not too long ago.
    pub proved: bool,
}

impl AuditedObject {
    /// Whether it was stopped before it told anything that is worth keeping.
    pub fn is_cut_off(&self) -> bool {
        self.entry.is_none() && self.report.exit_code == Exit::Interrupted.code()
    }
}

/// What is known of an object from the requests of a level.
struct ObjectInspection {
    facts: ObjectFacts,
    seen: Seen,
    content: Vec<ContentFingerprint>,
    findings: Vec<FindingReport>,
    notes: Vec<String>,
    proved_by: Vec<String>,
    covered: u64,
    /// What speaks against the bytes without refuting them.
    doubt: Option<Doubt>,
    /// The parts under which the ETag matched.
    etag_parts: Option<PartLayout>,
    /// The work could not be done, in a way that no finding tells.
    exit: Exit,
}

/// Looks at an object.
pub(super) async fn examine(
    services: &AuditServices,
    request: &AuditRequest,
    candidate: &Candidate,
    history: Option<&History>,
    cancel: &CancellationToken,
) -> AuditedObject {
    let clock = Arc::clone(&services.context.clock);
    let started = clock.monotonic();
    let (session, counting) = one_of_many(services, candidate);
    let known = match (facts(&session, candidate).await, request.level) {
        (Ok(known), Level::Sample | Level::Bytes) => bytes(&session, request, known, history, cancel).await,
        (known, _) => known,
    };
    let now = clock.now();
    let mut examined = match known {
        Ok(known) => judge(Asker { services, session: &session, request }, candidate, history, known, now).await,
        Err(error) => not_there(request, candidate, history, &error, now),
    };
    let counts = counting.counts();
    examined.report.requests = counts.requests;
    examined.report.received_bytes = counts.received;
    examined.report.elapsed_seconds = clock.monotonic().duration_since(started).as_secs_f64();
    examined
}

/// What S3 tells of it.
async fn facts(session: &Session, candidate: &Candidate) -> Result<ObjectInspection, SourceError> {
    let found = look(session).await?;
    let mut notes = found.notes;
    let facts = found.facts;
    let seen = Seen::facts(&facts);
    let moved = |listed: &ListedObject| Seen::listed(listed) != seen && seen.listed_as(listed).is_none();
    if let Some(listed) = candidate.listed.as_ref().filter(|listed| moved(listed)) {
        notes.push(match listed.size.filter(|size| *size != facts.size) {
            Some(size) => {
                format!("the listing says that it has {size} bytes, and HEAD {}: what HEAD says counts", facts.size)
            }
            None => "it is another one than was listed a moment ago".to_owned(),
        });
    }
    if let Some(odd) = &candidate.odd {
        notes.push(format!("{odd}: what HEAD says counts, {} bytes", facts.size));
    }
    notes.extend(facts.expiration.iter().flatten().map(|text| format!("a lifecycle rule will remove it: {text}")));
    let findings = [
        Finding { check: CheckId::Size, required: true, outcome: size(&candidate.uri, facts.size) },
        Finding { check: CheckId::Proof, required: false, outcome: Outcome::Unknown(Reason::NotRead) },
    ];
    Ok(ObjectInspection {
        seen,
        content: stated(&facts),
        findings: findings.iter().map(FindingReport::from).collect(),
        notes,
        proved_by: Vec::new(),
        covered: 0,
        doubt: None,
        etag_parts: None,
        exit: Exit::Passed,
        facts,
    })
}

/// Values of its content, as S3 states them.
fn stated(facts: &ObjectFacts) -> Vec<ContentFingerprint> {
    let checksums = facts.checksums.value().into_iter().flatten();
    let mut content: Vec<ContentFingerprint> = checksums
        .map(|checksum| {
            let value = checksum.to_string();
            // What may go over parts must not be taken for a value of the whole.
            let open = !matches!(checksum.kind, ChecksumKind::FullObject) && !value.contains('-');
            let value = if open { format!("{value}-?") } else { value };
            ContentFingerprint::new(&checksum.algorithm().to_string(), &value)
        })
        .collect();
    if let Some(etag) = &facts.id.etag
        && facts.encryption.hides_md5().is_none()
        && !matches!(etag.form(), ETagForm::Opaque)
    {
        content.push(ContentFingerprint::new("etag", &etag.to_string()));
    }
    content.sort();
    content
}

/// Its bytes, all of them or a sample, held against what S3 stores of it.
async fn bytes(
    session: &Session,
    request: &AuditRequest,
    facts: ObjectInspection,
    history: Option<&History>,
    cancel: &CancellationToken,
) -> Result<ObjectInspection, SourceError> {
    let sample = (request.level == Level::Sample).then_some(request.sample);
    let known = history.and_then(|history| history.parts_of(&facts.seen));
    let etag_parts = known.map(|(etag, layout)| ETagParts { etag, layout });
    let wish = VerifyRequest { sample, etag_parts, ..VerifyRequest::new(session.source(), request.budget) };
    let Verified { report, doubt, etag_parts, .. } = match verify(session, &wish, cancel).await {
        Ok(verified) => verified,
        Err(VerifyError::Source(error)) => return Err(error),
        Err(error @ (VerifyError::Request(_) | VerifyError::OutOfTime)) => {
            return Err(SourceError::new(ErrorKind::Internal, session.target(), error.to_string()).caused_by(error));
        }
    };
    let VerifyReport { mut findings, identity, proved_by, stats, exit_code, .. } = report;
    if identity != IdentityReport::from(&facts.facts) {
        let detail = "it was another one when its facts were asked for".to_owned();
        let outcome = Outcome::Unknown(Reason::Changed { detail });
        let finding = Finding { check: CheckId::Identity, required: true, outcome };
        return Ok(ObjectInspection { findings: vec![FindingReport::from(&finding)], content: Vec::new(), ..facts });
    }
    if request.level == Level::Sample {
        // A sample proves nothing, and is what was asked for.
        let sampled = |finding: &FindingReport| finding.reason.as_ref().is_some_and(|r| r.code == "sampled");
        findings.iter_mut().filter(|finding| sampled(finding)).for_each(|finding| finding.required = false);
    }
    // Values that were proved, or all that are stated where none was. Beside damage or doubt all are kept: those that did
    // not match must be known.
    let mut content = facts.content;
    let fails = findings.iter().any(|finding| finding.verdict == Verdict::Fail.name());
    if request.level == Level::Bytes && !proved_by.is_empty() && doubt.is_none() && !fails {
        content.retain(|content| proved_by.iter().any(|by| by == content.name()));
    }
    let mut notes = facts.notes;
    notes.extend(report.notes);
    let exit = match Exit::of(exit_code) {
        exit @ (Exit::Interrupted | Exit::CouldNot) => exit,
        _ => Exit::Passed,
    };
    Ok(ObjectInspection {
        content,
        findings,
        notes,
        proved_by,
        covered: stats.covered_bytes,
        doubt,
        etag_parts,
        exit,
        ..facts
    })
}

/// Adds what was known before, what is to be kept, and what the policy says.
async fn judge(
    asker: Asker<'_>,
    candidate: &Candidate,
    history: Option<&History>,
    mut known: ObjectInspection,
    now: Timestamp,
) -> AuditedObject {
    let request = asker.request;
    let mut look = look_of(request, candidate, &known, now);
    let restated = history.is_some_and(|history| history.restated(&known.seen, &known.content).is_some());
    if restated && !look.proves() {
        look.doubt = look.doubt.max(Some(Doubt::Contradiction));
    }
    let standing = look.standing();
    // Every output shows what is known after this look: an earlier proof that it takes back is shown nowhere.
    let after = history.unwrap_or(&History::NOTHING).weighed(&look);
    let troubled = matches!(standing, LookResult::Damaged | LookResult::Doubted(_));
    let change = history.map(|history| history.change_by(&look));
    if let Some(change) = &change {
        known.findings.extend(unchanged(change).iter().map(FindingReport::from));
        if let Change::SameContent { by } = change {
            known.notes.push(format!("written again since it was first seen, with the same content by {by}"));
        }
    }
    if troubled {
        known.content = matched(&known);
    }
    known.findings.extend(unsaid_trouble(&after, &known.seen, standing, request.level));
    let proof = after.proof_of(&known.seen);
    let holds = standing == LookResult::Proved || proof.is_some_and(|proof| proof.is_in(request.term(now)));
    let storage_class = known.facts.storage_class.clone();
    let mut state = object_state(asker, Some(Ok(&known.facts)), storage_class.clone(), (&after, &known.seen)).await;
    // What nothing identifies is proved in this run all the same.
    state.proof = state.proof.or((standing == LookResult::Proved).then_some(&look));
    known.findings.extend(request.policy.judge_object(&state, now).iter().map(FindingReport::from));
    known.notes.extend(moves(request, &state, now));
    let report = AuditedReport {
        target: candidate.uri.to_string(),
        verdict: judged::verdict(&known.findings, holds && known.exit == Exit::Passed).name().to_owned(),
        examined: Some(request.level.name().to_owned()),
        identity: Some(IdentityReport::from(&known.facts)),
        storage_class,
        change: change.map(|change| change.name().to_owned()),
        proof: proof.map(ProvedReport::from),
        content: known.content.iter().map(ToString::to_string).collect(),
        exit_code: judged::exit(&known.findings).and(known.exit).code(),
        findings: known.findings,
        notes: known.notes,
        requests: 0,
        received_bytes: 0,
        elapsed_seconds: 0.0,
    };
    // What was stopped says nothing of the object, unless it spoke against it by then.
    let keep = known.exit != Exit::Interrupted || troubled;
    AuditedObject { report, entry: keep.then(|| Entry::Proof(Box::new(look))), content: known.content, proved: holds }
}

/// What speaks against this state of the object, unless the findings of this look say as much. A sample demands less than
/// a proof, and a doubt that it finds bears on the object all the same.
fn unsaid_trouble(after: &History, seen: &Seen, standing: LookResult, level: Level) -> Option<FindingReport> {
    let said = match standing {
        LookResult::Damaged => true,
        LookResult::Doubted(_) => level == Level::Bytes && after.damage_of(seen).is_none(),
        LookResult::Proved | LookResult::InOrder | LookResult::Open => false,
    };
    if said { None } else { known_trouble(after, seen) }
}

/// The look as the ledger keeps it: what the object itself came to, apart from what it was before and what is demanded
/// of it.
fn look_of(request: &AuditRequest, candidate: &Candidate, known: &ObjectInspection, now: Timestamp) -> Proof {
    let proved = request.level == Level::Bytes && !known.proved_by.is_empty();
    let exit = judged::exit(&known.findings).and(known.exit);
    let verdict = judged::verdict(&known.findings, proved && known.exit == Exit::Passed);
    let fails = |finding: &&FindingReport| finding.verdict == Verdict::Fail.name();
    Proof {
        at: now.to_string(),
        tool: TOOL.to_owned(),
        target: candidate.uri.to_string(),
        level: request.level.name().to_owned(),
        verdict: verdict.name().to_owned(),
        settled: exit == Exit::Passed,
        object: known.seen.clone(),
        listed: candidate.listed.as_ref().and_then(|listed| known.seen.listed_as(listed)),
        version_id: known.facts.version.clone(),
        storage_class: known.facts.storage_class.clone(),
        covered_bytes: known.covered,
        doubt: known.doubt,
        failed: known.findings.iter().filter(fails).map(|finding| finding.check.clone()).collect(),
        proved_by: known.proved_by.clone(),
        etag_parts: known.etag_parts.as_ref().map(part_runs).unwrap_or_default(),
        content: known.content.clone(),
    }
}

/// Values of the content that every byte was held against, and that matched. No other value makes the content of an
/// object the same as before while its bytes are wrong or in doubt.
fn matched(known: &ObjectInspection) -> Vec<ContentFingerprint> {
    let holds = |content: &&ContentFingerprint| known.proved_by.iter().any(|by| by == content.name());
    known.content.iter().filter(holds).cloned().collect()
}

/// An object of which an earlier proof still holds; `None` where it is another by now. What the policy asks beyond the
/// listing is asked all the same.
pub(super) async fn still_good(
    services: &AuditServices,
    request: &AuditRequest,
    candidate: &Candidate,
    history: &History,
    good: &Proof,
) -> Option<AuditedObject> {
    let now = services.context.clock.now();
    let (session, counting) = one_of_many(services, candidate);
    let proof = history.proof_of(&good.object);
    let holds = proof.is_some_and(|proof| proof.is_in(request.term(now)));
    let change = history.change(&good.object, good.listed.as_ref(), &good.content);
    let mut findings: Vec<Finding> = unchanged(&change).into_iter().collect();
    let class = candidate.listed.as_ref().and_then(|listed| listed.storage_class.clone());
    let facts = if wants_head(request, class.as_deref()) { Some(session.head().await) } else { None };
    let other = |facts: &ObjectFacts| {
        Seen::facts(facts) != good.object || history.restated(&good.object, &stated(facts)).is_some()
    };
    if facts.as_ref().and_then(|facts| facts.as_ref().ok()).is_some_and(other) {
        return None;
    }
    let facts = facts.as_ref().map(|facts| facts.as_ref().map_err(SourceError::explain));
    let asker = Asker { services, session: &session, request };
    let state = object_state(asker, facts, class, (history, &good.object)).await;
    findings.extend(request.policy.judge_object(&state, now));
    let notes = moves(request, &state, now);
    let mut findings: Vec<FindingReport> = findings.iter().map(FindingReport::from).collect();
    // A ledger may hold a proof of nothing from before there was this rule.
    let empty = Finding { check: CheckId::Size, required: true, outcome: size(&candidate.uri, 0) };
    findings.extend((good.object.object_bytes == 0).then(|| FindingReport::from(&empty)));
    findings.extend(known_trouble(history, &good.object));
    let counts = counting.counts();
    let report = AuditedReport {
        target: candidate.uri.to_string(),
        verdict: judged::verdict(&findings, holds).name().to_owned(),
        examined: None,
        identity: Some(IdentityReport {
            object_bytes: good.object.object_bytes,
            etag: good.object.etag.clone(),
            version_id: good.version_id.clone(),
            last_modified: good.object.last_modified.clone(),
            ami_id: crate::ident::Target::Object(candidate.uri.clone()).ami_id().map(|id| id.to_string()),
        }),
        storage_class: state.storage_class,
        change: Some(change.name().to_owned()),
        proof: proof.map(ProvedReport::from),
        content: good.content.iter().map(ToString::to_string).collect(),
        exit_code: judged::exit(&findings).code(),
        findings,
        notes,
        requests: counts.requests,
        received_bytes: counts.received,
        elapsed_seconds: 0.0,
    };
    Some(AuditedObject { report, entry: None, content: good.content.clone(), proved: holds })
}

/// Whether a stored AMI object can have this size.
fn size(uri: &ObjectUri, bytes: u64) -> Outcome {
    match wrong_size(&Target::Object(uri.clone()), bytes) {
        Some(failure) => Outcome::Fail(failure),
        None => Outcome::Pass(Evidence::of_rule("HeadObject", "an object with bytes", format!("{bytes} bytes"))),
    }
}

/// What an earlier look found in the same state, and this one did not look for.
pub(super) fn known_trouble(history: &History, seen: &Seen) -> Option<FindingReport> {
    let outcome = if let Some(damage) = history.damage_of(seen) {
        let observed = format!("{} failed {}", damage.failed.join(", "), damage.at);
        let evidence = Evidence::of_rule("ledger", "no damage was found in it as it is now", observed);
        Outcome::Fail(Failure::of_rule(evidence))
    } else {
        let doubtful = history.doubt_of(seen)?;
        let LookResult::Doubted(doubt) = doubtful.standing() else { return None };
        Outcome::Unknown(Reason::InDoubt { doubt, since: doubtful.at.clone() })
    };
    Some(FindingReport::from(&Finding { check: CheckId::PolicyCheck(PolicyCheck::Sound), required: true, outcome }))
}

/// Nothing to say of what is new, or of what there is no history of.
pub(super) fn unchanged(change: &Change) -> Option<Finding> {
    let evidence = |observed: &str| Evidence::of_rule("ledger", "what it was when first seen, or accepted", observed);
    let outcome = match change {
        Change::New => return None,
        Change::Same => Outcome::Pass(evidence("the same object")),
        Change::SameContent { by } => Outcome::Pass(evidence(&format!("written again with the same {by}"))),
        Change::Restated { detail } => Outcome::Unknown(Reason::Contradiction { detail: detail.clone() }),
        Change::Replaced { detail } => {
            Outcome::Fail(Failure::of_rule(evidence(&format!("replaced by other content: {detail}"))))
        }
        Change::Unclear => Outcome::Unknown(Reason::NotStated {
            detail: "it was written again, and nothing that is known of both tells whether with the same content"
                .to_owned(),
        }),
    };
    Some(Finding { check: CheckId::PolicyCheck(PolicyCheck::Unchanged), required: true, outcome })
}

/// A session with one object among others, and what is counted of it.
fn one_of_many(services: &AuditServices, candidate: &Candidate) -> (Session, Arc<Counting>) {
    let counting = Arc::new(Counting::new(
        Arc::new(Beside(Arc::clone(&services.context.monitor))),
        Arc::clone(&services.context.clock),
    ));
    let monitor: Arc<dyn Monitor> = counting.clone();
    let context = Context { monitor, ..services.context.clone() };
    (Session::new(services.archive.object(&candidate.uri), context), counting)
}

/// Of many objects at once no single one shows its progress.
struct Beside(Arc<dyn Monitor>);

impl Monitor for Beside {
    fn request(&self, call: Call) {
        self.0.request(call);
    }

    fn received(&self, bytes: u64) {
        self.0.received(bytes);
    }

    fn retrying(&self, error: &dyn std::error::Error, wait: std::time::Duration) {
        self.0.retrying(error, wait);
    }
}

/// Adds what only all objects together can answer.
pub(super) fn add_finding(report: &mut AuditedReport, proved: bool, finding: &Finding) {
    let proved = proved && Exit::of(report.exit_code) == Exit::Passed;
    report.findings.push(FindingReport::from(finding));
    report.verdict = judged::verdict(&report.findings, proved).name().to_owned();
    report.exit_code = Exit::of(report.exit_code).and(judged::exit(&report.findings)).code();
}
