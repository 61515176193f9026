//! What a copy adds to a ledger: the read of the source, the copy as it was written, and its read with
//! `--verify-destination`.

use std::collections::HashMap;

use jiff::Timestamp;

use super::CopyRequest;
use crate::audit::{ContentFingerprint, CopiedFrom, Entry, History, Level, Proof, Word, part_runs};
use crate::commands::audit::{proved_of, stated};
use crate::commands::known::{KnownObject, known_objects};
use crate::commands::verify::Verified;
use crate::copy::CopyCheck;
use crate::facts::ObjectFacts;
use crate::ident::Target;
use crate::ledger::{LedgerError, SharedLedger};
use crate::report::{CopyReport, DamageSummary, Exit, Note, RecordedReport, TOOL};
use crate::source::Session;
use crate::verdict::{CheckId, Doubt, Origin, ProofKind, Subject, Verdict};

/// The entries of one copy. An attempt that is begun anew replaces them.
#[derive(Default)]
pub(super) struct CopyEntries {
    source: Option<Proof>,
    written: Option<Proof>,
    read_back: Option<Proof>,
}

impl CopyEntries {
    /// Keeps the read of the source.
    pub(super) fn source(
        &mut self,
        session: &Session,
        facts: &ObjectFacts,
        verified: &Verified,
        request: &CopyRequest,
    ) {
        let given =
            !request.verify.expect.is_empty() || request.verify.manifest.is_some() || !request.verify.using.is_empty();
        let from_elsewhere = is_from_elsewhere(session, verified, request);
        self.source = of_read(session, facts, verified, given)
            .map(|look| Proof { from_elsewhere: from_elsewhere && look.proves(), ..look });
    }

    /// Keeps the read of the copy.
    pub(super) fn read_back(&mut self, session: &Session, facts: &ObjectFacts, verified: &Verified) {
        self.read_back = of_read(session, facts, verified, false);
    }

    /// Keeps the copy as it was written. `source` is the state that was copied.
    pub(super) fn written(
        &mut self,
        session: &Session,
        facts: &ObjectFacts,
        report: &CopyReport,
        (source, is_unproved): (&ObjectFacts, bool),
    ) {
        self.written = of_copy(facts, report, now(session)).map(|look| {
            let proved = match report.by_server {
                true => passed(report, CopyCheck::Parts) && !is_unproved,
                false => {
                    let by = report.proved_by.iter();
                    passed(report, CopyCheck::Source) && by.copied().any(CheckId::proves_without_others)
                }
            };
            let from = CopiedFrom { target: report.source.clone(), object: source.identity(), proved: Some(proved) };
            Proof { copied_from: Some(from), ..look }
        });
    }

    /// Appends the entries to the ledger, and names them in the report.
    pub(super) async fn append(self, ledger: Option<&SharedLedger>, report: &mut CopyReport) {
        let Some(ledger) = ledger else { return };
        // The values of a copy of unproved bytes prove nothing about its source. Damage is kept.
        let is_unproved = self.written.as_ref().is_some_and(Proof::is_unproved_copy);
        let read_back = self.read_back.filter(|read| !(is_unproved && read.proves()));
        let looks: Vec<Proof> = [self.source, self.written, read_back].into_iter().flatten().collect();
        if looks.is_empty() {
            return;
        }
        let recorded = looks.iter().map(|look| RecordedReport { target: look.target.clone(), proof_kind: look.kind() });
        let recorded = recorded.collect();
        let entries = looks.into_iter().map(|look| Entry::Proof(Box::new(look))).collect();
        match ledger.append(entries).await {
            Ok(head) => {
                report.recorded = recorded;
                report.ledger_head = Some(head.to_string());
            }
            Err(error) => {
                report.notes.push(Note::Source(format!("nothing is recorded in the ledger, which {error}")));
                report.exit_code = report.exit_code.and(Exit::CouldNot);
            }
        }
    }
}

fn now(session: &Session) -> Timestamp {
    session.context().clock.now()
}

/// What the ledger has of both ends.
pub(super) struct KnownEnds(Result<HashMap<String, KnownObject>, LedgerError>);

impl KnownEnds {
    /// Reads the ledger, if there is one.
    pub(super) async fn of(ledger: Option<&SharedLedger>, ends: &[&Session]) -> Self {
        let Some(ledger) = ledger else { return KnownEnds(Ok(HashMap::new())) };
        KnownEnds(known_objects(ledger, ends.iter().filter_map(|session| in_ledger(session))).await)
    }

    /// The history of an end; `None` if the ledger has none.
    pub(super) fn history_of(&self, session: &Session) -> Result<Option<&History>, &LedgerError> {
        let known = self.0.as_ref()?;
        Ok(in_ledger(session).and_then(|target| known.get(&target)).map(|known| &known.history))
    }

    /// Whether the source is a copy of bytes that nothing proved: by its metadata, and by the ledger, which may know
    /// better.
    pub(super) fn is_unproved(&self, source: &Session, facts: &ObjectFacts) -> bool {
        let is_marked = facts.is_unproved_copy();
        // An error is reported when the entries of the copy are appended.
        let history = self.history_of(source).ok().flatten();
        history.map_or(is_marked, |history| history.unproved_copy_of(&facts.identity(), is_marked).is_some())
    }
}

/// The name of an object in a ledger; `None` for a file or a presigned URL.
fn in_ledger(session: &Session) -> Option<String> {
    match session.target() {
        Target::Object(uri) => Some(uri.at_version(None).to_string()),
        Target::File(_) | Target::Presigned(_) => None,
    }
}

/// Whether a value proved the bytes that was neither computed when the source was written nor over the source since.
pub(super) fn is_from_elsewhere(source: &Session, verified: &Verified, request: &CopyRequest) -> bool {
    let target = source.target().to_string();
    let manifest = request.verify.manifest.as_ref();
    let says_more = manifest.is_some_and(|(_, manifest)| manifest.is_from_elsewhere(&target));
    verified.report.proved_by.iter().any(|by| match by {
        CheckId::Reference(Origin::Manifest, _) => says_more,
        by => !by.is_since_written(),
    })
}

/// A read as an entry; `None` for a file, and for a read that shows nothing about the object. A value that the user
/// gave may be of another object, so that a mismatch with it alone is no damage.
fn of_read(session: &Session, facts: &ObjectFacts, verified: &Verified, given: bool) -> Option<Proof> {
    let Target::Object(uri) = session.target() else { return None };
    let report = &verified.report;
    let fails = |finding: &&crate::report::FindingReport| finding.verdict == Verdict::Fail;
    let failed: Vec<CheckId> = report.findings.iter().filter(fails).map(|finding| finding.check).collect();
    let is_own = |check: &CheckId| matches!(check, CheckId::Size | CheckId::Reference(Origin::Stored, _));
    let is_doubted = match verified.doubt {
        None | Some(Doubt::Unproved) => false,
        Some(Doubt::Unstable | Doubt::Unreadable) => true,
        Some(Doubt::Contradiction | Doubt::Mismatch) => !given,
    };
    let is_recorded = match report.verdict {
        Verdict::Pass => true,
        Verdict::Fail => !given || failed.iter().any(is_own),
        Verdict::Unknown => is_doubted,
    };
    if !is_recorded || !report.identity.identity().same_as(&facts.identity()).agrees() {
        return None;
    }
    let passes = report.verdict == Verdict::Pass;
    let proved_by: Vec<Word<CheckId>> = report.proved_by.iter().copied().map(Word::Known).collect();
    let content = stated(facts);
    Some(Proof {
        verdict: report.verdict.into(),
        settled: passes,
        version_id: facts.version.clone(),
        storage_class: facts.storage_class.clone(),
        covered_bytes: report.stats.covered_bytes,
        doubt: verified.doubt.filter(|_| !passes),
        failed: failed.into_iter().map(Word::Known).collect(),
        damage: DamageSummary::of(&report.findings).and_then(|damage| damage.located(report.parts_count())),
        content: if passes { proved_of(content, &proved_by) } else { content },
        proved_by,
        etag_parts: verified.etag_parts.as_ref().map(part_runs).unwrap_or_default(),
        proof_kind: passes.then_some(ProofKind::Read.into()),
        ..Proof::new(now(session), TOOL, uri.to_string(), Level::Bytes, facts.listed_identity())
    })
}

/// The verdict of a check. Checks of the preparation may have the same names; the last one is of the copy.
fn last(report: &CopyReport, check: CopyCheck) -> Option<Verdict> {
    report.findings.iter().rfind(|finding| finding.check == check).map(|finding| finding.verdict)
}

fn passed(report: &CopyReport, check: CopyCheck) -> bool {
    last(report, check) == Some(Verdict::Pass)
}

/// Checks of a copy that are about its bytes.
const OF_BYTES: [CopyCheck; 5] =
    [CopyCheck::Size, CopyCheck::ETag, CopyCheck::Checksum, CopyCheck::Parts, CopyCheck::ReadBack];

/// A copy as an entry; `None` if the object at the destination is another one.
fn of_copy(facts: &ObjectFacts, report: &CopyReport, now: Timestamp) -> Option<Proof> {
    let verdict = |check| last(report, check);
    let passes = |check| passed(report, check);
    if verdict(CopyCheck::Absent) == Some(Verdict::Fail) {
        return None;
    }
    let of_check = |content: &ContentFingerprint| match content.check().known() {
        Some(CheckId::Reference(_, Subject::ETag)) => passes(CopyCheck::ETag),
        _ => passes(CopyCheck::Checksum),
    };
    let content: Vec<_> = stated(facts).into_iter().filter(of_check).collect();
    let failed = OF_BYTES.into_iter().filter(|check| verdict(*check) == Some(Verdict::Fail));
    let failed: Vec<Word<CheckId>> = failed.map(|check| Word::Known(failed_as(check))).collect();
    let is_same = [CopyCheck::ETag, CopyCheck::Checksum, CopyCheck::ReadBack].into_iter().any(passes);
    let is_confirmed = passes(CopyCheck::Size) && is_same;
    let kind = match report.by_server {
        true if passes(CopyCheck::Parts) => Some(ProofKind::StatedByS3),
        false if passes(CopyCheck::Source) => Some(ProofKind::Written),
        _ => None,
    };
    let kind = kind.filter(|_| is_confirmed && failed.is_empty());
    // No reference matched bytes where the server copied them; its own values make up those of the source.
    let proved_by: Vec<Word<CheckId>> = match kind {
        Some(ProofKind::StatedByS3) => content.iter().map(ContentFingerprint::check).collect(),
        _ => report.proved_by.iter().copied().map(Word::Known).collect(),
    };
    Some(Proof {
        verdict: match failed.is_empty() {
            true if kind.is_some() => Verdict::Pass.into(),
            true => Verdict::Unknown.into(),
            false => Verdict::Fail.into(),
        },
        settled: kind.is_some(),
        version_id: facts.version.clone(),
        storage_class: facts.storage_class.clone(),
        failed,
        proved_by,
        content,
        proof_kind: kind.map(Word::Known),
        ..Proof::new(now, TOOL, report.destination.clone(), Level::Facts, facts.listed_identity())
    })
}

/// The check of an object that a check of a copy answers.
fn failed_as(check: CopyCheck) -> CheckId {
    match check {
        CopyCheck::Size => CheckId::Size,
        CopyCheck::ETag => CheckId::Reference(Origin::Stored, Subject::ETag),
        _ => CheckId::Reference(Origin::Stored, Subject::Value),
    }
}
