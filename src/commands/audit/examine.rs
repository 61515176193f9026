use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::absent::not_there;
use super::findings::{known_trouble, unchanged};
use super::inspection::{Inspection, inspect};
use super::judged;
use super::object::AuditedObject;
use super::state::{object_state, remarks};
use super::subject::Subject;
use crate::audit::{Change, Entry, History, Level, LookResult, Proof, ValidityWindow, Word, listed_apart, part_runs};
use crate::report::{
    AuditedNote, AuditedReport, DamageSummary, Exit, FindingReport, IdentityReport, Note, ProvedReport, TOOL,
};
use crate::verdict::{Doubt, ProofKind, Verdict};

/// Examines one object: inspects it at the level of the run and judges the result.
pub(super) async fn examine(subject: &Subject<'_>, cancel: &CancellationToken) -> AuditedObject {
    let mut examined = match inspect(subject, cancel).await {
        Ok(known) => judge(subject, known).await,
        Err(error) => not_there(subject, &error),
    };
    subject.count(&mut examined.report);
    examined.report.elapsed_seconds = subject.elapsed().as_secs_f64();
    examined
}

/// Adds the ledger's findings and the policy's findings, and builds the ledger entry.
async fn judge(subject: &Subject<'_>, mut known: Inspection) -> AuditedObject {
    let (request, now) = (subject.request, subject.now());
    let weighed = Weighed::of(look_of(subject, &known, now), subject.history);
    weighed.tell(&mut known, request.level);
    let holds = weighed.holds(request.term(now));
    let storage_class = known.facts.storage_class.clone();
    let facts = Some(Ok(&known.facts));
    let mut state = object_state(subject, facts, storage_class, (&weighed.after, &known.seen)).await;
    // The proof of a state without an identity counts in this run only.
    state.proof = state.proof.or((weighed.result == LookResult::Proved).then_some(&weighed.look));
    known.findings.extend(request.policy.judge_object(&state, now).iter().map(FindingReport::from));
    // The verification remarks on a mark, too.
    let new: Vec<Note> = remarks(request, &state, now).into_iter().filter(|it| !known.notes.contains(it)).collect();
    known.notes.extend(new);
    // An interrupted examination is recorded only if it found evidence against the object.
    let keep = known.exit != Exit::Interrupted || weighed.is_trouble();
    let report = report(subject, known, &weighed, holds);
    let entry = keep.then(|| Entry::Proof(Box::new(weighed.look)));
    AuditedObject { content: report.content.clone(), report, entry, proved: holds }
}

fn report(subject: &Subject<'_>, known: Inspection, weighed: &Weighed, holds: bool) -> AuditedReport {
    AuditedReport {
        target: subject.candidate.uri.clone(),
        verdict: judged::verdict(&known.findings, holds && known.exit == Exit::Passed),
        examined: Some(subject.request.level),
        identity: Some(IdentityReport::from(&known.facts)),
        storage_class: known.facts.storage_class,
        parts: known.parts,
        change: weighed.change.as_ref().map(Change::kind),
        proof: weighed.after.proof_of(&known.seen).map(ProvedReport::from),
        unread_proof: weighed.after.unread_proof_of(&known.seen).map(ProvedReport::from),
        content: known.content,
        exit_code: judged::exit(&known.findings).and(known.exit),
        findings: known.findings,
        notes: known.notes,
        requests: 0,
        received_bytes: 0,
        elapsed_seconds: 0.0,
    }
}

/// The result of an examination, combined with the history of the object.
struct Weighed {
    look: Proof,
    result: LookResult,
    /// The history including this examination. All outputs use it, so that an earlier proof that the examination
    /// revokes is never shown.
    after: History,
    change: Option<Change>,
}

impl Weighed {
    fn of(mut look: Proof, history: Option<&History>) -> Self {
        let restated = history.is_some_and(|history| history.restated(&look.object, &look.content).is_some());
        if restated && !look.proves() {
            look.doubt = look.doubt.max(Some(Doubt::Contradiction));
        }
        Weighed {
            result: look.standing(),
            after: history.unwrap_or(&History::NOTHING).weighed(&look),
            change: history.map(|history| history.change_by(&look)),
            look,
        }
    }

    /// Whether the examination found evidence against the bytes.
    fn is_trouble(&self) -> bool {
        matches!(self.result, LookResult::Damaged | LookResult::Doubted(_))
    }

    /// Whether every byte of this state is proved, in this run or within the validity window.
    fn holds(&self, term: ValidityWindow) -> bool {
        let proof = self.after.proof_of(&self.look.object);
        self.result == LookResult::Proved || proof.is_some_and(|proof| proof.is_in(term))
    }

    /// Adds the findings and notes from the history to those of the examination.
    fn tell(&self, known: &mut Inspection, level: Level) {
        if let Some(change) = &self.change {
            known.findings.extend(unchanged(change).iter().map(FindingReport::from));
            if let Change::SameContent { by } = change {
                known.notes.push(AuditedNote::SameContent { by: by.clone() }.into());
            }
        }
        if self.is_trouble() {
            known.content = known.matched();
        }
        known.findings.extend(self.unsaid_trouble(level));
    }

    /// The finding for known damage or doubt of this state, unless this examination already reports it. A sample
    /// requires less than a proof, so a doubt that it finds is added even then.
    fn unsaid_trouble(&self, level: Level) -> Option<FindingReport> {
        let seen = &self.look.object;
        let said = match self.result {
            LookResult::Damaged => true,
            LookResult::Doubted(_) => level == Level::Bytes && self.after.damage_of(seen).is_none(),
            LookResult::Proved | LookResult::Attested(_) | LookResult::InOrder | LookResult::Open => false,
        };
        if said { None } else { known_trouble(&self.after, seen) }
    }
}

/// The examination as a ledger entry. Its verdict covers the object itself, without changes and policy.
fn look_of(subject: &Subject<'_>, known: &Inspection, now: Timestamp) -> Proof {
    let level = subject.request.level;
    let proved = level == Level::Bytes && !known.proved_by.is_empty();
    let exit = judged::exit(&known.findings).and(known.exit);
    let verdict = judged::verdict(&known.findings, proved && known.exit == Exit::Passed);
    let listed = subject.candidate.listed.as_ref();
    let failed = known.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    Proof {
        verdict: verdict.into(),
        settled: exit == Exit::Passed,
        listed: listed.and_then(|listed| listed_apart(&known.seen, listed)),
        version_id: known.facts.version.clone(),
        storage_class: known.facts.storage_class.clone(),
        covered_bytes: known.covered,
        doubt: known.doubt,
        failed: failed.map(|finding| Word::Known(finding.check)).collect(),
        damage: DamageSummary::of(&known.findings).and_then(|damage| damage.located(known.parts)),
        proved_by: known.proved_by.clone(),
        etag_parts: known.etag_parts.as_ref().map(part_runs).unwrap_or_default(),
        content: known.content.clone(),
        proof_kind: (verdict == Verdict::Pass).then_some(ProofKind::Read.into()),
        ..Proof::new(now, TOOL, subject.candidate.uri.to_string(), level, known.seen.clone())
    }
}
