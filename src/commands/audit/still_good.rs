use super::findings::{self, known_trouble, unchanged};
use super::inspection::stated;
use super::judged;
use super::object::AuditedObject;
use super::state::{object_state, remarks, wants_head};
use super::subject::Subject;
use crate::audit::{Change, History, Proof};
use crate::facts::ObjectFacts;
use crate::ident::{ObjectIdentity, Target};
use crate::report::{AuditedReport, FindingReport, IdentityReport, ProvedReport};
use crate::source::SourceError;
use crate::verdict::Finding;

/// The result for an object whose earlier proof still holds; `None` if HEAD shows another object. Policy rules that
/// need more than the listing are still checked.
pub(super) async fn still_good(subject: &Subject<'_>, history: &History, good: &Proof) -> Option<AuditedObject> {
    let (request, now) = (subject.request, subject.now());
    let class = subject.listed_class();
    let facts = if wants_head(request, class.as_deref()) { Some(subject.head().await) } else { None };
    if facts.as_ref().and_then(|facts| facts.ok()).is_some_and(|facts| shows_another(facts, history, good)) {
        return None;
    }
    let change = history.change(&good.object, good.listed.as_ref(), &good.content);
    let mut findings: Vec<Finding> = unchanged(&change).into_iter().collect();
    let facts = facts.map(|facts| facts.map_err(SourceError::explain));
    let state = object_state(subject, facts, class, (history, &good.object)).await;
    findings.extend(request.policy.judge_object(&state, now));
    // Ledgers of older versions may hold proofs of empty objects.
    findings.extend((good.object.object_bytes == Some(0)).then(|| findings::size(&subject.candidate.uri, 0)));
    let mut findings: Vec<FindingReport> = findings.iter().map(FindingReport::from).collect();
    findings.extend(known_trouble(history, &good.object));
    let proof = history.proof_of(&good.object);
    let holds = proof.is_some_and(|proof| proof.is_in(request.term(now)));
    let mut report = AuditedReport {
        target: subject.candidate.uri.clone(),
        verdict: judged::verdict(&findings, holds),
        examined: None,
        identity: Some(identity(subject, good)),
        notes: remarks(request, &state, now),
        storage_class: state.storage_class,
        parts: None,
        change: Some(Change::kind(&change)),
        proof: proof.map(ProvedReport::from),
        unread_proof: history.unread_proof_of(&good.object).map(ProvedReport::from),
        content: good.content.clone(),
        exit_code: judged::exit(&findings),
        findings,
        requests: 0,
        received_bytes: 0,
        elapsed_seconds: 0.0,
    };
    subject.count(&mut report);
    Some(AuditedObject { report, entry: None, content: good.content.clone(), proved: holds })
}

/// Whether a proof of the present state of an object makes it unnecessary to read it in runs. All shards decide by the
/// same listing and HEAD; `audit merge` writes the proof into the ledger of each.
pub(super) async fn has_proof(subject: &Subject<'_>) -> bool {
    let (Some(history), Some(listed)) = (subject.history, subject.listed()) else { return false };
    let request = subject.request;
    let Some(good) = history.still_good(&listed, request.level, request.term(subject.now())) else { return false };
    subject.head().await.is_ok_and(|facts| !shows_another(facts, history, good))
}

/// Whether HEAD shows another object than an earlier proof is of.
fn shows_another(facts: &ObjectFacts, history: &History, good: &Proof) -> bool {
    !facts.listed_identity().same_as(&good.object).agrees() || history.restated(&good.object, &stated(facts)).is_some()
}

fn identity(subject: &Subject<'_>, good: &Proof) -> IdentityReport {
    let identity = ObjectIdentity { version_id: good.version_id.clone(), ..good.object.clone() };
    IdentityReport::new(&identity, &Target::Object(subject.candidate.uri.clone()))
}
