//! What the runs of huge objects show, as entries of ledgers.

use jiff::Timestamp;

use crate::audit::{Entry, History, Level, Proof, Trouble, ValidityWindow, Word, part_runs};
use crate::commands::audit::inspection::proved_of;
use crate::commands::known::{KnownObject, known_objects};
use crate::ledger::{LedgerError, SharedLedger};
use crate::plan::PartLayout;
use crate::report::{AuditNote, AuditedReport, TOOL};
use crate::verdict::{CheckId, Doubt, Origin, ProofKind, Subject, Verdict};

/// What a ledger should have of an object that the shards read together.
#[derive(Debug, Clone)]
pub(super) struct JoinedEntry {
    /// The examination.
    pub look: Proof,
    /// The runs decide every reference of the object, so that a proof ends known damage or doubt.
    decides_all: bool,
}

impl JoinedEntry {
    /// A proof of every byte, by the references that passed in the line of the object. `layout` is its parts.
    /// `from_elsewhere` is that of [`Proof`], if a value of a manifest matched.
    pub(super) fn proof(
        one: &AuditedReport,
        at: Timestamp,
        layout: &PartLayout,
        (decides_all, from_elsewhere): (bool, bool),
    ) -> Option<Self> {
        let passed = one.findings.iter().filter(|finding| finding.verdict == Verdict::Pass);
        let references = passed.map(|finding| finding.check).filter(|check| matches!(check, CheckId::Reference(..)));
        let proved_by: Vec<Word<CheckId>> = references.map(Word::Known).collect();
        let etag = CheckId::Reference(Origin::Stored, Subject::ETag);
        let is_by_etag = layout.count() > 1 && proved_by.iter().any(|by| by.known() == Some(&etag));
        let is_of_manifest = |by: &Word<CheckId>| matches!(by.known(), Some(CheckId::Reference(Origin::Manifest, _)));
        let look = Proof {
            verdict: Verdict::Pass.into(),
            settled: true,
            from_elsewhere: from_elsewhere && proved_by.iter().any(is_of_manifest),
            etag_parts: if is_by_etag { part_runs(layout) } else { Vec::new() },
            content: proved_of(one.content.clone(), &proved_by),
            proved_by,
            proof_kind: Some(ProofKind::Read.into()),
            ..read(one, at)?
        };
        look.proves().then_some(JoinedEntry { look, decides_all })
    }

    /// A doubt about the bytes: they were read, and are neither proved nor refuted.
    pub(super) fn doubt(one: &AuditedReport, at: Timestamp, doubt: Doubt) -> Option<Self> {
        let look = Proof { doubt: Some(doubt), content: one.content.clone(), ..read(one, at)? };
        Some(JoinedEntry { look, decides_all: false })
    }

    /// Why a ledger with this history must not get the entry, which would count as the newest of it.
    fn objection(&self, history: &History, now: Timestamp) -> Option<String> {
        if let Some(later) = history.superseding(&self.look, &self.look.at) {
            return Some(format!("by the ledger {later}"));
        }
        // Later than the runs, and not of a clock that was wrong.
        let since = self.look.at.parse::<Timestamp>().ok();
        let later = ValidityWindow { since, ..ValidityWindow::back_to(None, now) };
        if let Some(proof) = history.proof_of(&self.look.object).filter(|proof| proof.is_in(later)) {
            return Some(format!("the ledger has a proof of {}, after the runs were read", proof.at));
        }
        let (look, what) = match history.trouble_of(&self.look.object)? {
            Trouble::Damage(look) => (look, "damage"),
            Trouble::Doubt(look, _) => (look, "a doubt"),
        };
        let time = |look: &Proof| look.at.parse::<Timestamp>().ok();
        let is_later = time(look).is_none_or(|at| time(&self.look).is_none_or(|own| at >= own));
        match (is_later, self.decides_all) {
            (false, _) if !self.look.proves() => None,
            (true, _) => Some(format!("the ledger has {what} of {}, after the runs were read", look.at)),
            // It may be by a reference that the runs do not decide.
            (false, false) => Some(format!("the ledger has {what} of {}, and the runs do not decide all", look.at)),
            (false, true) => None,
        }
    }
}

/// An examination that read every byte.
fn read(one: &AuditedReport, at: Timestamp) -> Option<Proof> {
    let identity = one.identity.as_ref()?;
    Some(Proof {
        version_id: identity.version_id.clone(),
        storage_class: one.storage_class.clone(),
        covered_bytes: identity.object_bytes,
        ..Proof::new(at, TOOL, one.target.to_string(), Level::Bytes, identity.listed_identity())
    })
}

/// Appends the entries that a ledger named `name` lacks, unless it knows better at this time. Returns notes on both.
///
/// # Errors
///
/// The ledger cannot be read or written.
pub(super) async fn record(
    entries: &[JoinedEntry],
    (name, ledger): (&str, &SharedLedger),
    now: Timestamp,
) -> Result<Vec<AuditNote>, LedgerError> {
    let known = known_objects(ledger, entries.iter().map(|entry| entry.look.target.clone())).await?;
    let (mut notes, mut new) = (Vec::new(), Vec::new());
    for entry in entries {
        let Some(KnownObject { history, looks }) = known.get(&entry.look.target) else { continue };
        let is_recorded = looks.contains(&entry.look);
        match entry.objection(history, now) {
            // A second merge of the same results.
            None if is_recorded => {}
            None => new.push(Entry::Proof(Box::new(entry.look.clone()))),
            // The proof that it names may be this one.
            Some(_) if is_recorded && history.trouble_of(&entry.look.object).is_none() => {}
            Some(why) => {
                notes.push(AuditNote::NotRecorded { target: entry.look.target.clone(), ledger: name.to_owned(), why })
            }
        }
    }
    if !new.is_empty() {
        let objects = new.len() as u64;
        ledger.append(new).await?;
        notes.push(AuditNote::Recorded { objects, ledger: name.to_owned() });
    }
    Ok(notes)
}
