use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::seen::restated;
use super::{Change, ContentFingerprint, Entry, Level, LookResult, Proof, ValidityWindow};
use crate::ident::{ETag, ObjectIdentity};
use crate::plan::PartLayout;
use crate::verdict::Doubt;

mod copies;
mod distrust;
mod superseding;

use copies::Copies;
pub use copies::UnprovedCopy;
use distrust::Distrust;
pub use superseding::Superseding;

/// What is known about one object from earlier examinations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The state first seen or accepted, which the object should still have.
    first: Option<Arc<Proof>>,
    /// The newest proof of every byte that no later examination of the same state refuted or cast doubt on.
    proof: Option<Arc<Proof>>,
    /// The newest proof that did not read the object, with the same condition.
    unread: Option<Arc<Proof>>,
    /// The newest examination at any level that left nothing unknown, with the same condition.
    settled: Option<Arc<Proof>>,
    /// Examinations that found damage, one per state, unless every byte of that state was proved since.
    /// Usually empty.
    damage: Vec<Arc<Proof>>,
    /// Examinations that cast doubt on the bytes, one per state, with the same condition.
    doubts: Vec<Arc<Proof>>,
    copies: Copies,
    /// Checksums that were stated for damaged or doubtful bytes, until a read proves them.
    distrust: Distrust,
    /// The newest examination that knows the parts under which the ETag matched.
    matched: Option<Arc<Proof>>,
    /// The newest examination.
    latest: Option<Arc<Proof>>,
    /// The newest examination at level `bytes`.
    read: Option<Arc<Proof>>,
    /// Time of the listing that lacked the object, if it no longer existed after the newest examination.
    gone: Option<String>,
}

/// What an earlier examination found wrong with the bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// They are damaged.
    Damage(&'a Proof),
    /// There is evidence against them that does not refute them.
    Doubt(&'a Proof, Doubt),
}

/// The histories of many objects, by target.
pub type Histories = BTreeMap<String, History>;

impl History {
    /// The history of an unknown object.
    pub const NOTHING: History = History {
        first: None,
        proof: None,
        unread: None,
        settled: None,
        damage: Vec::new(),
        doubts: Vec::new(),
        copies: Copies::NONE,
        distrust: Distrust::NONE,
        matched: None,
        latest: None,
        read: None,
        gone: None,
    };

    /// Adds the next entry, in the order of the ledger.
    pub fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Acceptance(acceptance) => self.accept(acceptance.object.as_ref()),
            Entry::Gone(gone) => self.gone = Some(gone.at),
            Entry::Proof(proof) => self.look(proof.into()),
        }
    }

    /// Usually all fields share one entry; an archive may have a hundred thousand objects.
    fn look(&mut self, look: Arc<Proof>) {
        // It neither read nor described the object, so it must not stand for an examination.
        if look.restored.is_some() {
            return;
        }
        self.weigh(&look);
        self.copies.add(&look);
        if look.level == Level::Bytes {
            self.read = Some(Arc::clone(&look));
        }
        if !look.etag_parts.is_empty() {
            self.matched = Some(Arc::clone(&look));
        }
        // An entry without checksums is replaced by one of the same state that has some.
        self.first.take_if(|first| first.content.is_empty() && is(&look, &first.object));
        // So is one that does not know the parts of its ETag by one that knows them, and no less else.
        self.first.take_if(|first| {
            let knows_more = first.etag_parts.is_empty() && !look.etag_parts.is_empty();
            let has_all = first.content.iter().all(|content| look.content.contains(content));
            knows_more && has_all && look.listed == first.listed && is(&look, &first.object)
        });
        self.first.get_or_insert_with(|| Arc::clone(&look));
        self.latest = Some(look);
        self.gone = None;
    }

    /// Updates what is proved, settled, damaged or doubtful. A failure or a doubt revokes earlier proofs of
    /// the same state.
    fn weigh(&mut self, look: &Arc<Proof>) {
        match look.standing() {
            LookResult::Proved => {
                self.forget_trouble(look);
                self.distrust.settle(look);
                self.proof = Some(Arc::clone(look));
                self.settled = Some(Arc::clone(look));
            }
            // It does not outweigh known damage or doubt, because nothing read the object.
            LookResult::Attested(_) if self.trouble().any(|earlier| same_state(earlier, look)) => {}
            LookResult::Attested(_) => self.unread = Some(Arc::clone(look)),
            LookResult::Damaged => {
                self.take_back(look);
                self.forget_trouble(look);
                self.distrust.add(look);
                self.damage.push(Arc::clone(look));
            }
            LookResult::Doubted(_) => {
                self.take_back(look);
                self.distrust.add(look);
                self.doubts.retain(|earlier| !same_state(earlier, look));
                self.doubts.push(Arc::clone(look));
            }
            // An examination of facts does not outweigh known damage or doubt.
            LookResult::InOrder if self.trouble().any(|earlier| same_state(earlier, look)) => {}
            LookResult::InOrder => self.settled = Some(Arc::clone(look)),
            LookResult::Open => {}
        }
    }

    fn take_back(&mut self, look: &Proof) {
        self.proof.take_if(|earlier| same_state(earlier, look));
        self.unread.take_if(|earlier| same_state(earlier, look));
        self.settled.take_if(|earlier| same_state(earlier, look));
    }

    fn forget_trouble(&mut self, look: &Proof) {
        self.damage.retain(|earlier| !same_state(earlier, look));
        self.doubts.retain(|earlier| !same_state(earlier, look));
    }

    fn trouble(&self) -> impl Iterator<Item = &Arc<Proof>> {
        self.damage.iter().chain(&self.doubts)
    }

    /// The history after `look`, without changing the state that the object is compared with.
    #[must_use]
    pub fn weighed(&self, look: &Proof) -> History {
        let mut after = self.clone();
        after.weigh(&Arc::new(look.clone()));
        after
    }

    /// Applies an acceptance. It has no effect if it names another state than the newest, and it proves
    /// nothing.
    fn accept(&mut self, object: Option<&ObjectIdentity>) {
        let is_present = match (object, self.state()) {
            (Some(accepted), Some(present)) => accepted.same_as(present).agrees(),
            (None, None) => true,
            _ => false,
        };
        if !is_present {
            return;
        }
        let known = std::mem::take(self);
        let accepted = known.latest.filter(|_| object.is_some());
        let same = |look: &Arc<Proof>| accepted.as_ref().is_some_and(|accepted| same_state(look, accepted));
        *self = History {
            proof: known.proof.filter(same),
            unread: known.unread.filter(same),
            settled: known.settled.filter(same),
            read: known.read.filter(same),
            // An earlier state may come back, for example when a newer version is deleted.
            damage: known.damage,
            doubts: known.doubts,
            copies: known.copies,
            distrust: known.distrust,
            matched: known.matched.filter(|_| accepted.is_some()),
            first: accepted.clone(),
            gone: known.gone.filter(|_| accepted.is_none()),
            latest: accepted,
        };
    }

    /// The last known state; `None` if the object no longer exists or was never seen.
    pub fn state(&self) -> Option<&ObjectIdentity> {
        self.latest.as_ref().filter(|_| self.gone.is_none()).map(|latest| &latest.object)
    }

    /// Whether the object was never examined.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether the object no longer existed at the last listing.
    pub fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// What an entry since `seen` says about the object, if it is of another state than `look`, which saw its state at
    /// `seen` (RFC 3339): to append that now would undo the later one. A time that cannot be read counts as later.
    pub fn superseding(&self, look: &Proof, seen: &str) -> Option<Superseding> {
        let time = |at: &str| at.parse::<Timestamp>().ok();
        let is_later = |at: &str| time(at).is_none_or(|at| time(seen).is_none_or(|own| at >= own));
        if let Some(at) = self.gone.as_ref().filter(|at| is_later(at)) {
            return Some(Superseding::Gone { at: at.clone() });
        }
        let latest = self.latest.as_ref().filter(|latest| is_later(&latest.at) && !same_state(latest, look))?;
        Some(Superseding::OtherState { at: latest.at.clone() })
    }

    /// What is known to be wrong with the bytes of this state of the object; `None` if nothing is. Damage outweighs doubt.
    pub fn trouble_of(&self, seen: &ObjectIdentity) -> Option<Trouble<'_>> {
        if let Some(damage) = self.damage_of(seen) {
            return Some(Trouble::Damage(damage));
        }
        let look = self.doubt_of(seen)?;
        match look.standing() {
            LookResult::Doubted(doubt) => Some(Trouble::Doubt(look, doubt)),
            _ => None,
        }
    }

    /// The damage found in this state of the object.
    pub fn damage_of(&self, seen: &ObjectIdentity) -> Option<&Proof> {
        self.damage.iter().find(|damage| looks_like(damage, seen)).map(Arc::as_ref)
    }

    /// The examination that cast doubt on this state of the object.
    pub fn doubt_of(&self, seen: &ObjectIdentity) -> Option<&Proof> {
        self.doubts.iter().find(|doubt| looks_like(doubt, seen)).map(Arc::as_ref)
    }

    /// The copy that wrote this state of the object, if nothing proved the bytes of its source. `is_marked` is whether the
    /// object itself states that.
    pub fn unproved_copy_of(&self, seen: &ObjectIdentity, is_marked: bool) -> Option<UnprovedCopy<'_>> {
        self.copies.unproved_of(seen, is_marked)
    }

    fn is_troubled(&self, seen: &ObjectIdentity) -> bool {
        self.trouble().any(|look| looks_like(look, seen))
    }

    /// The parts under which this ETag matched before, for an object of this size.
    pub fn parts_of(&self, seen: &ObjectIdentity) -> Option<(ETag, PartLayout)> {
        let same = |look: &&Arc<Proof>| look.object.has_strong_etag() && look.object.same_bytes_as(seen).is_yes();
        self.matched.as_ref().filter(same)?.matched_parts()
    }

    /// The checksums that an earlier examination recorded for this state.
    pub fn content_of(&self, seen: &ObjectIdentity) -> &[ContentFingerprint] {
        let mut looks = [&self.proof, &self.settled, &self.unread, &self.latest].into_iter().flatten();
        looks.find(|look| is(look, seen)).map_or(&[], |look| &look.content)
    }

    /// The newest proof of every byte, if it is of this state and no damage or doubt is known.
    pub fn proof_of(&self, seen: &ObjectIdentity) -> Option<&Proof> {
        self.proof.as_deref().filter(|proof| is(proof, seen) && !self.is_troubled(seen))
    }

    /// The newest proof that did not read the object, if it is of this state and no damage or doubt is known.
    pub fn unread_proof_of(&self, seen: &ObjectIdentity) -> Option<&Proof> {
        self.unread.as_deref().filter(|proof| is(proof, seen) && !self.is_troubled(seen))
    }

    /// A proof that makes another examination at `level` unnecessary.
    pub fn still_good(&self, seen: &ObjectIdentity, level: Level, term: ValidityWindow) -> Option<&Proof> {
        // Re-examine an object that reappeared, so that the reappearance is recorded.
        if self.is_gone() || self.is_troubled(seen) {
            return None;
        }
        let fits = |proof: &&Proof| is(proof, seen) && proof.satisfies(level) && proof.is_in(term);
        self.proof.as_deref().filter(fits).or_else(|| self.settled.as_deref().filter(fits))
    }

    /// The change since the object was first seen or accepted. `listed` is the state by the listing, if that
    /// states another time.
    pub fn change(
        &self,
        seen: &ObjectIdentity,
        listed: Option<&ObjectIdentity>,
        content: &[ContentFingerprint],
    ) -> Change {
        self.change_with((seen, listed), content, self.parts_of(seen))
    }

    /// [`History::change`], with the parts under which the ETag of the present state matched, if they are known.
    fn change_with(
        &self,
        (seen, listed): (&ObjectIdentity, Option<&ObjectIdentity>),
        content: &[ContentFingerprint],
        parts: Option<(ETag, PartLayout)>,
    ) -> Change {
        let Some(first) = &self.first else { return Change::New };
        if let Some(detail) = self.restated(seen, content) {
            return Change::Restated { detail };
        }
        if is(first, seen) || listed.is_some_and(|listed| is(first, listed)) {
            return Change::Same;
        }
        let best = self.proof.as_deref().filter(|proof| is(proof, &first.object)).unwrap_or(first);
        let between = |content: &[ContentFingerprint]| Change::between((&best.object, &best.content), (seen, content));
        let change = match between(content) {
            Change::SameContent { .. } => between(&self.distrust.without(content)),
            change => change,
        };
        match change {
            // Written again with the same bytes and proved since: it counts as the first state.
            Change::Unclear if self.proof_of(seen).is_some_and(|proof| shares(proof, best)) => Change::Same,
            Change::Unclear => {
                let was = best.matched_parts().or_else(|| first.matched_parts());
                was.zip(parts).and_then(|(was, is)| other_etag(&was, &is)).unwrap_or(Change::Unclear)
            }
            change => change,
        }
    }

    /// The change according to an examination. A checksum that this examination refuted or left in doubt does
    /// not count as evidence of equal content; one that it proved does, even if it was doubtful before.
    pub fn change_by(&self, look: &Proof) -> Change {
        let seen = (&look.object, look.listed.as_ref());
        let parts = look.matched_parts().or_else(|| self.parts_of(&look.object));
        let known = match look.standing() {
            LookResult::Damaged | LookResult::Doubted(_) => self.weighed(look),
            LookResult::Proved => {
                let mut known = self.clone();
                known.distrust.settle(look);
                known
            }
            LookResult::Attested(_) | LookResult::InOrder | LookResult::Open => {
                return self.change_with(seen, &look.content, parts);
            }
        };
        known.change_with(seen, &look.content, parts)
    }

    /// The change of the last known state since the first or accepted one, as the audit that recorded it judged it.
    /// `None` if the object is gone or was never seen.
    pub fn last_change(&self) -> Option<Change> {
        self.latest.as_ref().filter(|_| !self.is_gone()).map(|latest| self.change_by(latest))
    }

    /// A checksum that was recorded for this state and differs now. A state cannot have two values.
    pub fn restated(&self, seen: &ObjectIdentity, content: &[ContentFingerprint]) -> Option<String> {
        let looks = [&self.proof, &self.first].into_iter().flatten().filter(|look| is(look, seen));
        let (was, is) = looks.into_iter().find_map(|look| restated(&look.content, content))?;
        Some(format!("under the same ETag, size and time {was} was stated before, and {is} is now"))
    }

    /// Time of the last examination at this level; empty if there was none, so that such objects come first.
    pub fn turn(&self, level: Level) -> &str {
        let look = if level == Level::Bytes { &self.read } else { &self.latest };
        look.as_ref().map_or("", |look| &look.at)
    }

    /// The last examination without problems, or the last one.
    pub fn last(&self) -> Option<&Proof> {
        self.settled.as_deref().or(self.latest.as_deref())
    }
}

/// Whether an examination was certainly of this state, so that its proof applies to it.
fn is(proof: &Proof, seen: &ObjectIdentity) -> bool {
    states(proof).any(|stated| stated.same_as(seen).is_yes())
}

/// Whether an examination may have been of this state, so that its failure applies to it.
fn looks_like(proof: &Proof, seen: &ObjectIdentity) -> bool {
    states(proof).any(|stated| stated.same_as(seen).agrees())
}

/// How a look saw the object: by HEAD, and by a listing where that told otherwise.
fn states(look: &Proof) -> impl Iterator<Item = &ObjectIdentity> {
    [Some(&look.object), look.listed.as_ref()].into_iter().flatten()
}

/// Whether two examinations may have been of the same state, by HEAD or by a listing.
fn same_state(one: &Proof, other: &Proof) -> bool {
    states(other).any(|seen| looks_like(one, seen))
}

/// The change that two ETags show that matched under the same parts: each is the MD5 of the MD5s of these parts, so the
/// bytes differ if the ETags do. Under other parts, the same bytes have another ETag.
fn other_etag((was, before): &(ETag, PartLayout), (is, now): &(ETag, PartLayout)) -> Option<Change> {
    let differs = before == now && was != is;
    differs.then(|| Change::Replaced { detail: format!("etag:{was} became etag:{is} in the same parts") })
}

fn shares(one: &Proof, other: &Proof) -> bool {
    one.content.iter().any(|content| other.content.contains(content))
}

#[cfg(test)]
#[path = "history/tests.rs"]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Acceptance, Gone, Word};
    use crate::verdict::ProofKind;

    const ALWAYS: ValidityWindow = ValidityWindow { since: None, until: jiff::Timestamp::MAX };

    fn day_of(day: &str) -> Option<jiff::Timestamp> {
        format!("2026-01-{day}T00:00:00Z").parse().ok()
    }

    fn seen(etag: &str) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(5),
            etag: Some(ETag::kept(etag)),
            last_modified: Some("2026-01-01T00:00:00Z".into()),
            version_id: None,
        }
    }

    fn proof(at: &str, level: Level, verdict: &str, etag: &str, content: &str) -> Entry {
        Entry::Proof(Box::new(Proof {
            at: format!("2026-01-{at}T00:00:00Z"),
            tool: "test".into(),
            target: "s3://b/k".into(),
            level: level.into(),
            verdict: Word::of(verdict.into()),
            settled: verdict == "pass" || level < Level::Bytes && verdict == "unknown",
            object: seen(etag),
            listed: None,
            version_id: None,
            storage_class: None,
            covered_bytes: if verdict == "pass" { 5 } else { 0 },
            doubt: None,
            failed: if verdict == "fail" { vec![Word::of("crc32".into())] } else { Vec::new() },
            damage: None,
            proved_by: vec![Word::of("crc32".into())],
            etag_parts: Vec::new(),
            content: vec![ContentFingerprint(content.into())],
            proof_kind: None,
            copied_from: None,
            from_elsewhere: false,
            restored: None,
        }))
    }

    fn history(entries: &[Entry]) -> History {
        let mut history = History::default();
        entries.iter().cloned().for_each(|entry| history.add(entry));
        history
    }

    /// Neither the state of the object nor what is proved or wrong of it changes by a restore of it.
    #[test]
    fn a_restore_is_no_examination_of_the_object() {
        let restored = |verdict: &str| {
            let Entry::Proof(mut entry) = proof("12", Level::Facts, "unknown", "b", "") else { panic!("a proof") };
            entry.restored = Some(Box::new(crate::audit::RestoredContent {
                image: "ami-1".into(),
                region: "us-east-1".into(),
                expected_image: "ami-0".into(),
                verdict: Word::of(verdict.into()),
                same_blocks: 1,
                differing_blocks: 0,
            }));
            Entry::Proof(entry)
        };
        let before = [proof("10", Level::Bytes, "pass", "a", "crc32:x")];
        for verdict in ["pass", "fail", "unknown", "other"] {
            let after = history(&[before[0].clone(), restored(verdict)]);
            assert_eq!(after, history(&before), "{verdict}");
            assert!(history(&[restored(verdict)]).is_empty(), "{verdict}");
        }
    }

    #[test]
    fn a_proof_holds_for_its_state_level_and_time() {
        let known = history(&[proof("10", Level::Bytes, "pass", "a", "crc32:x")]);
        let since = |day: &str| ValidityWindow { since: day_of(day), until: day_of("20").unwrap() };
        assert!(
            known
                .still_good(&seen("a"), Level::Facts, ValidityWindow { since: None, until: day_of("09").unwrap() })
                .is_none()
        );
        for &level in Level::ALL {
            assert!(known.still_good(&seen("a"), level, ALWAYS).is_some());
            assert!(known.still_good(&seen("a"), level, since("09")).is_some());
            assert!(known.still_good(&seen("a"), level, since("10")).is_none(), "it may be older by part of a second");
            assert!(known.still_good(&seen("b"), level, ALWAYS).is_none(), "another state");
        }
        let facts = history(&[proof("10", Level::Facts, "unknown", "a", "crc32:x")]);
        assert!(facts.still_good(&seen("a"), Level::Facts, ALWAYS).is_some());
        assert!(facts.still_good(&seen("a"), Level::Bytes, ALWAYS).is_none());
        // An examination of facts does not revoke an older proof.
        let both = history(&[
            proof("10", Level::Bytes, "pass", "a", "crc32:x"),
            proof("12", Level::Facts, "unknown", "a", "crc32:x"),
        ]);
        assert_eq!(both.still_good(&seen("a"), Level::Bytes, ALWAYS).unwrap().at, "2026-01-10T00:00:00Z");
        assert!(both.still_good(&seen("a"), Level::Facts, since("11")).is_some());
    }

    /// A state that was accepted away may come back: by undeleting it, or by deleting the newer version.
    #[test]
    fn what_is_known_of_earlier_states_survives_an_acceptance() {
        let accept = |object: Option<ObjectIdentity>| {
            Entry::Acceptance(Acceptance {
                at: "2026-01-15T00:00:00Z".into(),
                tool: "test".into(),
                target: "s3://b/k".into(),
                object,
                reason: String::new(),
            })
        };
        let Entry::Proof(mut copy) = proof("09", Level::Facts, "unknown", "a", "crc32:x") else { panic!("a proof") };
        copy.copied_from = Some(crate::audit::CopiedFrom {
            target: "/disk".into(),
            object: ObjectIdentity::of_size(5),
            proved: Some(false),
        });
        let gone =
            Entry::Gone(Gone { at: "2026-01-12T00:00:00Z".into(), tool: "test".into(), target: "s3://b/k".into() });
        let newer = proof("12", Level::Bytes, "pass", "b", "crc32:y");
        for (then, accepted) in [(gone, None), (newer, Some(seen("b")))] {
            let before = [Entry::Proof(copy.clone()), proof("10", Level::Bytes, "fail", "a", "crc32:x"), then];
            let mut known = history(&before);
            known.add(accept(accepted));
            assert!(known.damage_of(&seen("a")).is_some());
            assert!(known.unproved_copy_of(&seen("a"), false).is_some());
            assert_eq!(known.unproved_copy_of(&seen("b"), false), None);
        }
    }

    #[test]
    fn a_weak_etag_keeps_no_proof() {
        let known = history(&[proof("10", Level::Bytes, "pass", "W/\"a\"", "crc32:x")]);
        assert_eq!(known.still_good(&seen("W/\"a\""), Level::Facts, ALWAYS), None);
        assert_eq!(known.proof_of(&seen("W/\"a\"")), None);
    }

    #[test]
    fn a_listing_may_tell_another_time_of_the_same_object() {
        let Entry::Proof(known) = proof("10", Level::Bytes, "pass", "a", "crc32:x") else { unreachable!() };
        let mut known = *known;
        let elsewhen = ObjectIdentity { last_modified: Some("2026-01-01T00:00:07Z".into()), ..seen("a") };
        let still = |known: &Proof| {
            history(&[Entry::Proof(Box::new(known.clone()))]).still_good(&elsewhen, Level::Bytes, ALWAYS).is_some()
        };
        assert!(!still(&known));
        known.listed = Some(elsewhen.clone());
        assert!(still(&known));
    }

    /// A run with a short `--max-age` finds damage that a run with a longer one must then not ignore.
    #[test]
    fn a_fail_takes_back_what_was_proved_of_the_same_state() {
        let mut known = history(&[
            proof("10", Level::Bytes, "pass", "a", "crc32:x"),
            proof("12", Level::Bytes, "fail", "a", "crc32:x"),
        ]);
        for &level in Level::ALL {
            assert_eq!(known.still_good(&seen("a"), level, ALWAYS), None);
        }
        assert_eq!((known.proof_of(&seen("a")), known.is_empty()), (None, false));
        // A failure of another state, or an unknown one, revokes nothing.
        known.add(proof("13", Level::Bytes, "pass", "a", "crc32:x"));
        known.add(proof("14", Level::Bytes, "fail", "b", "crc32:x"));
        known.add(proof("15", Level::Bytes, "unknown", "a", "crc32:x"));
        assert!(known.still_good(&seen("a"), Level::Bytes, ALWAYS).is_some());
    }

    #[test]
    fn a_proof_that_read_nothing_stands_apart_and_falls_with_the_bytes() {
        let unread = |at: &str, kind: ProofKind| {
            let Entry::Proof(look) = proof(at, Level::Facts, "pass", "a", "crc32:x") else { unreachable!() };
            Entry::Proof(Box::new(Proof { proof_kind: Some(kind.into()), ..*look }))
        };
        let mut known = history(&[unread("10", ProofKind::Written)]);
        assert_eq!(known.proof_of(&seen("a")), None);
        assert_eq!(known.unread_proof_of(&seen("a")).and_then(Proof::kind), Some(ProofKind::Written));
        assert_eq!(known.unread_proof_of(&seen("b")), None, "another state");
        for &level in Level::ALL {
            assert_eq!(known.still_good(&seen("a"), level, ALWAYS), None, "nothing read it");
        }
        assert_eq!(known.change(&seen("a"), None, &[]), Change::Same);
        known.add(proof("11", Level::Bytes, "fail", "a", "crc32:x"));
        assert_eq!(known.unread_proof_of(&seen("a")), None, "the bytes are damaged");
        known.add(unread("12", ProofKind::StatedByS3));
        assert!(known.unread_proof_of(&seen("a")).is_none() && known.damage_of(&seen("a")).is_some());
        known.add(proof("13", Level::Bytes, "pass", "a", "crc32:x"));
        known.add(unread("14", ProofKind::StatedByS3));
        assert_eq!(known.proof_of(&seen("a")).map(|proof| proof.at.as_str()), Some("2026-01-13T00:00:00Z"));
        assert_eq!(known.unread_proof_of(&seen("a")).and_then(Proof::kind), Some(ProofKind::StatedByS3));
    }

    #[test]
    fn what_failed_proves_nothing() {
        let failed = history(&[proof("10", Level::Bytes, "fail", "a", "crc32:x")]);
        assert!(failed.still_good(&seen("a"), Level::Facts, ALWAYS).is_none());
        // The damage remains known until every byte is proved or the state changes.
        assert!(failed.damage_of(&seen("a")).is_some() && failed.damage_of(&seen("b")).is_none());
        let mended = history(&[
            proof("10", Level::Bytes, "fail", "a", "crc32:x"),
            proof("11", Level::Facts, "unknown", "a", "crc32:x"),
        ]);
        assert!(mended.damage_of(&seen("a")).is_some(), "facts prove nothing");
        let mended = history(&[
            proof("10", Level::Bytes, "fail", "a", "crc32:x"),
            proof("11", Level::Bytes, "pass", "a", "crc32:x"),
        ]);
        assert!(mended.damage_of(&seen("a")).is_none());
        let open = history(&[proof("10", Level::Bytes, "unknown", "a", "crc32:x")]);
        assert!(open.still_good(&seen("a"), Level::Facts, ALWAYS).is_none());
    }

    #[test]
    fn an_object_that_was_replaced_stays_so_until_a_person_accepts_it() {
        let entries =
            [proof("10", Level::Bytes, "pass", "a", "crc32:x"), proof("11", Level::Bytes, "pass", "b", "crc32:y")];
        let change = |history: &History, content: &str| {
            history.change(&seen("b"), None, &[ContentFingerprint(content.into())]).kind().name()
        };
        assert_eq!(change(&history(&entries), "crc32:y"), "replaced");
        let accept = |object: Option<ObjectIdentity>| {
            Entry::Acceptance(Acceptance {
                at: "2026-01-12T00:00:00Z".into(),
                tool: "test".into(),
                target: "s3://b/k".into(),
                object,
                reason: "meant".into(),
            })
        };
        let [first, replaced] = &entries;
        let mut accepted = history(&[first.clone(), replaced.clone(), accept(Some(seen("b")))]);
        assert_eq!(change(&accepted, "crc32:y"), "same");
        assert!(accepted.still_good(&seen("b"), Level::Bytes, ALWAYS).is_some(), "what was proved of it stays proved");
        let other = ObjectIdentity { object_bytes: Some(6), ..seen("c") };
        assert_eq!(accepted.change(&other, None, &[]).kind().name(), "replaced", "only this state was accepted");
        for object in [None, Some(seen("a"))] {
            accepted = history(&[first.clone(), replaced.clone(), accept(object)]);
            assert_eq!(change(&accepted, "crc32:y"), "replaced", "it is not how it was seen last");
        }
        assert_eq!(change(&history(&entries[..1]), "crc32:x"), "replaced_same_content");
    }

    /// A look whose multipart ETag matched under parts of this many bytes; none for 0.
    fn in_parts(at: &str, level: Level, verdict: &str, etag: &str, part_bytes: u64) -> Entry {
        let Entry::Proof(look) = proof(at, level, verdict, etag, &format!("etag:{etag}")) else { unreachable!() };
        let layout = PartLayout::uniform(5, part_bytes.max(1));
        let etag_parts = if part_bytes > 0 { crate::audit::part_runs(&layout) } else { Vec::new() };
        Entry::Proof(Box::new(Proof { etag_parts, ..*look }))
    }

    #[test]
    fn another_etag_over_the_same_parts_is_other_content() {
        let first = || in_parts("10", Level::Bytes, "pass", "a-2", 3);
        let last = |entries: &[Entry]| history(entries).last_change().unwrap().kind().name();
        let read = |part_bytes| in_parts("11", Level::Bytes, "pass", "b-2", part_bytes);
        assert_eq!(last(&[first(), read(3)]), "replaced");
        assert_eq!(
            last(&[first(), read(4)]),
            "replaced_unclear",
            "the same bytes may have this ETag under other parts"
        );
        let seen_only = || in_parts("11", Level::Facts, "unknown", "b-2", 0);
        assert_eq!(last(&[first(), seen_only()]), "replaced_unclear", "nothing was read");
        // Facts after the read, and facts before it.
        let facts = in_parts("12", Level::Facts, "unknown", "b-2", 0);
        assert_eq!(last(&[first(), seen_only(), read(3), facts]), "replaced");
        let known = in_parts("09", Level::Facts, "unknown", "a-2", 0);
        assert_eq!(last(&[known.clone(), first(), read(3)]), "replaced");
        assert_eq!(last(&[known, read(3)]), "replaced_unclear", "the parts of the first state are not known");
        assert_eq!(last(&[first()]), "same");
    }

    #[test]
    fn the_last_change_is_of_the_state_that_is_there() {
        let first = || proof("10", Level::Bytes, "pass", "a", "crc32:x");
        let other = || proof("11", Level::Bytes, "pass", "b", "crc32:y");
        let last = |entries: &[Entry]| history(entries).last_change().map(|change| change.kind().name());
        assert_eq!((last(&[]), last(&[first()])), (None, Some("same")));
        assert_eq!(last(&[first(), other()]), Some("replaced"));
        let back = proof("12", Level::Bytes, "pass", "a", "crc32:x");
        assert_eq!(last(&[first(), other(), back]), Some("same"));
    }

    #[test]
    fn damage_is_known_of_each_state_and_no_acceptance_mends_it() {
        let mut known = history(&[
            proof("10", Level::Bytes, "fail", "a", "crc32:x"),
            proof("11", Level::Bytes, "fail", "b", "crc32:x"),
        ]);
        assert!(known.damage_of(&seen("a")).is_some() && known.damage_of(&seen("b")).is_some());
        known.add(Entry::Acceptance(Acceptance {
            at: "2026-01-12T00:00:00Z".into(),
            tool: "test".into(),
            target: "s3://b/k".into(),
            object: Some(seen("b")),
            reason: "meant".into(),
        }));
        assert!(known.damage_of(&seen("b")).is_some());
        known.add(proof("13", Level::Bytes, "pass", "b", "crc32:x"));
        assert!(known.damage_of(&seen("b")).is_none());
    }

    #[test]
    fn a_first_look_that_told_no_content_gives_way_to_one_that_does() {
        let bare = |etag: &str| {
            let Entry::Proof(look) = proof("10", Level::Facts, "open", etag, "") else { unreachable!() };
            Entry::Proof(Box::new(Proof { content: Vec::new(), ..*look }))
        };
        let known = history(&[bare("a"), proof("11", Level::Facts, "unknown", "a", "crc32:x")]);
        let change =
            |content: &str| known.change(&seen("b"), None, &[ContentFingerprint(content.into())]).kind().name();
        assert_eq!((change("crc32:y"), change("crc32:x")), ("replaced", "replaced_same_content"));
        let other = history(&[bare("a"), proof("11", Level::Facts, "unknown", "b", "crc32:x")]);
        assert_eq!(
            other.change(&seen("b"), None, &[]).kind().name(),
            "replaced_unclear",
            "another state is no measure"
        );
        assert_eq!(other.change(&seen("c"), Some(&seen("a")), &[]).kind().name(), "same", "as it is listed");
    }

    #[test]
    fn an_examination_that_a_later_entry_contradicts_is_superseded() {
        let of = |day: &str, etag: &str| {
            let Entry::Proof(look) = proof(day, Level::Bytes, "pass", etag, "crc32:x") else { unreachable!() };
            *look
        };
        let gone = |day: &str| {
            let at = format!("2026-01-{day}T00:00:00Z");
            Entry::Gone(Gone { at, tool: "test".into(), target: "s3://b/k".into() })
        };
        let nothing_there = Entry::Acceptance(Acceptance {
            at: "2026-01-13T00:00:00Z".into(),
            tool: "test".into(),
            target: "s3://b/k".into(),
            object: None,
            reason: "meant".into(),
        });
        let known = |entry: Proof| Entry::Proof(Box::new(entry));
        let (at_gone, at_other) = ("the object was gone at 2026-01-12T00:00:00Z", "the object was in another state at");
        for (entries, day, expected) in [
            (vec![], "11", None),
            (vec![known(of("10", "a"))], "11", None),
            (vec![known(of("12", "a"))], "11", None),
            (vec![known(of("10", "b"))], "11", None),
            (vec![known(of("12", "b"))], "11", Some(at_other)),
            (vec![known(of("10", "a")), gone("12")], "11", Some(at_gone)),
            (vec![known(of("10", "a")), gone("12")], "12", Some(at_gone)),
            (vec![known(of("10", "a")), gone("12")], "13", None),
            (vec![known(of("10", "a")), gone("12"), known(of("13", "a"))], "11", None),
            (vec![known(of("10", "a")), gone("12"), nothing_there], "11", Some(at_gone)),
        ] {
            let found = history(&entries).superseding(&of("20", "a"), &of(day, "a").at).map(|found| found.to_string());
            assert_eq!(found.is_some(), expected.is_some(), "{entries:?} {day}");
            assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{entries:?}");
        }
        let unreadable = Proof { at: "soon".into(), ..of("10", "b") };
        assert!(history(&[known(unreadable)]).superseding(&of("11", "a"), &of("11", "a").at).is_some());
    }

    #[test]
    fn what_is_gone_is_missed_until_a_person_accepts_that() {
        let gone =
            Entry::Gone(Gone { at: "2026-01-12T00:00:00Z".into(), tool: "test".into(), target: "s3://b/k".into() });
        let mut known = history(&[proof("10", Level::Bytes, "unknown", "a", "crc32:x"), gone.clone()]);
        assert_eq!((known.is_empty(), known.is_gone(), known.state()), (false, true, None), "in order or not");
        let accept = |object| {
            Entry::Acceptance(Acceptance {
                at: "2026-01-13T00:00:00Z".into(),
                tool: "test".into(),
                target: "s3://b/k".into(),
                object,
                reason: "meant".into(),
            })
        };
        known.add(accept(Some(seen("a"))));
        assert!(known.is_gone(), "it is not there");
        known.add(accept(None));
        assert!(known.is_empty());
        let back = history(&[
            proof("10", Level::Bytes, "pass", "a", "crc32:x"),
            gone,
            proof("13", Level::Bytes, "pass", "b", "crc32:y"),
        ]);
        let gone =
            Entry::Gone(Gone { at: "2026-01-12T00:00:00Z".into(), tool: "test".into(), target: "s3://b/k".into() });
        let mut again = history(&[proof("10", Level::Bytes, "pass", "a", "crc32:x"), gone]);
        assert!(again.still_good(&seen("a"), Level::Facts, ALWAYS).is_none(), "that it is back must be seen");
        again.add(proof("13", Level::Facts, "unknown", "a", "crc32:x"));
        assert!(again.still_good(&seen("a"), Level::Bytes, ALWAYS).is_some());
        assert_eq!(
            (back.is_gone(), back.change(&seen("b"), None, &[ContentFingerprint("crc32:y".into())]).kind().name()),
            (false, "replaced")
        );
    }
}
