use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Change, Content, Entry, Level, Proof, Seen, Term};
use crate::verdict::Verdict;

/// What is known of one object from before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The first time it was in order: what it must still be.
    first: Option<Arc<Proof>>,
    /// The newest one that proves every byte, and that no later look at the same state refuted.
    proof: Option<Arc<Proof>>,
    /// The newest one that left nothing open, of whatever level, likewise.
    settled: Option<Arc<Proof>>,
}

/// The histories of many objects, by target.
pub type Histories = BTreeMap<String, History>;

impl History {
    /// Of an object that nothing is known of.
    pub const NOTHING: History = History { first: None, proof: None, settled: None };

    pub fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Acceptance(_) => *self = History::default(),
            Entry::Proof(proof) if proof.settled => {
                // Of most objects all three are one, and there may be a hundred thousand objects.
                let proof: Arc<Proof> = proof.into();
                if proof.proves() {
                    self.proof = Some(Arc::clone(&proof));
                }
                self.first.get_or_insert_with(|| Arc::clone(&proof));
                self.settled = Some(proof);
            }
            Entry::Proof(proof) if proof.verdict == Verdict::Fail.name() => {
                let refuted = |earlier: &mut Arc<Proof>| is(earlier, &proof.object);
                self.proof.take_if(refuted);
                self.settled.take_if(refuted);
            }
            Entry::Proof(_) => {}
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The newest proof over every byte, if it is of this very state of the object.
    pub fn proof_of(&self, seen: &Seen) -> Option<&Proof> {
        self.proof.as_deref().filter(|proof| is(proof, seen))
    }

    /// A proof that makes it needless to look at the object again.
    pub fn still_good(&self, seen: &Seen, level: Level, term: Term) -> Option<&Proof> {
        let fits = |proof: &&Proof| is(proof, seen) && proof.satisfies(level) && proof.is_in(term);
        self.proof.as_deref().filter(fits).or_else(|| self.settled.as_deref().filter(fits))
    }

    /// What became of it since it was first seen in order.
    pub fn change(&self, seen: &Seen, content: &[Content]) -> Change {
        let Some(first) = &self.first else { return Change::New };
        let best = self.proof.as_deref().filter(|proof| is(proof, &first.object)).unwrap_or(first);
        match Change::between((&best.object, &best.content), (seen, content)) {
            // Written again with the same bytes, and proved since: that state stands for the first one.
            Change::Unclear if self.proof_of(seen).is_some_and(|proof| shares(proof, best)) => Change::Same,
            change => change,
        }
    }

    /// When it was proved; what never was comes first.
    pub fn turn(&self) -> &str {
        self.proof.as_ref().map_or("", |proof| &proof.at)
    }

    /// When and how it was last seen in order.
    pub fn last(&self) -> Option<&Proof> {
        self.settled.as_deref()
    }
}

fn is(proof: &Proof, seen: &Seen) -> bool {
    seen.etag.is_some() && (proof.object == *seen || proof.listed.as_ref() == Some(seen))
}

fn shares(one: &Proof, other: &Proof) -> bool {
    one.content.iter().any(|content| other.content.contains(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Acceptance;

    const ALWAYS: Term = Term { since: None, until: jiff::Timestamp::MAX };

    fn day_of(day: &str) -> Option<jiff::Timestamp> {
        format!("2026-01-{day}T00:00:00Z").parse().ok()
    }

    fn seen(etag: &str) -> Seen {
        Seen { object_bytes: 5, etag: Some(etag.into()), last_modified: Some("2026-01-01T00:00:00Z".into()) }
    }

    fn proof(at: &str, level: Level, verdict: &str, etag: &str, content: &str) -> Entry {
        Entry::Proof(Box::new(Proof {
            at: format!("2026-01-{at}T00:00:00Z"),
            tool: "test".into(),
            target: "s3://b/k".into(),
            level: level.name().into(),
            verdict: verdict.into(),
            settled: verdict == "pass" || level < Level::Bytes && verdict == "unknown",
            object: seen(etag),
            listed: None,
            version_id: None,
            storage_class: None,
            covered_bytes: 5,
            proved_by: Vec::new(),
            content: vec![Content(content.into())],
        }))
    }

    fn history(entries: &[Entry]) -> History {
        let mut history = History::default();
        entries.iter().cloned().for_each(|entry| history.add(entry));
        history
    }

    #[test]
    fn a_proof_holds_for_its_state_level_and_time() {
        let known = history(&[proof("10", Level::Bytes, "pass", "a", "crc32:x")]);
        let since = |day: &str| Term { since: day_of(day), until: day_of("20").unwrap() };
        assert!(
            known.still_good(&seen("a"), Level::Facts, Term { since: None, until: day_of("09").unwrap() }).is_none()
        );
        for level in Level::ALL {
            assert!(known.still_good(&seen("a"), level, ALWAYS).is_some());
            assert!(known.still_good(&seen("a"), level, since("09")).is_some());
            assert!(known.still_good(&seen("a"), level, since("10")).is_none(), "it may be older by part of a second");
            assert!(known.still_good(&seen("b"), level, ALWAYS).is_none(), "another state");
        }
        let facts = history(&[proof("10", Level::Facts, "unknown", "a", "crc32:x")]);
        assert!(facts.still_good(&seen("a"), Level::Facts, ALWAYS).is_some());
        assert!(facts.still_good(&seen("a"), Level::Bytes, ALWAYS).is_none());
        // A look at the facts takes nothing from an older proof.
        let both = history(&[
            proof("10", Level::Bytes, "pass", "a", "crc32:x"),
            proof("12", Level::Facts, "unknown", "a", "crc32:x"),
        ]);
        assert_eq!(both.still_good(&seen("a"), Level::Bytes, ALWAYS).unwrap().at, "2026-01-10T00:00:00Z");
        assert!(both.still_good(&seen("a"), Level::Facts, since("11")).is_some());
    }

    #[test]
    fn a_listing_may_tell_another_time_of_the_same_object() {
        let Entry::Proof(known) = proof("10", Level::Bytes, "pass", "a", "crc32:x") else { unreachable!() };
        let mut known = *known;
        let elsewhen = Seen { last_modified: Some("2026-01-01T00:00:07Z".into()), ..seen("a") };
        let still = |known: &Proof| {
            history(&[Entry::Proof(Box::new(known.clone()))]).still_good(&elsewhen, Level::Bytes, ALWAYS).is_some()
        };
        assert!(!still(&known));
        known.listed = Some(elsewhen.clone());
        assert!(still(&known));
    }

    /// A shorter `--max-age` once finds damage that a longer one would pass over.
    #[test]
    fn a_fail_takes_back_what_was_proved_of_the_same_state() {
        let mut known = history(&[
            proof("10", Level::Bytes, "pass", "a", "crc32:x"),
            proof("12", Level::Bytes, "fail", "a", "crc32:x"),
        ]);
        for level in Level::ALL {
            assert_eq!(known.still_good(&seen("a"), level, ALWAYS), None);
        }
        assert_eq!((known.proof_of(&seen("a")), known.is_empty()), (None, false));
        // Another state fails for itself, and what cannot be told refutes nothing.
        known.add(proof("13", Level::Bytes, "pass", "a", "crc32:x"));
        known.add(proof("14", Level::Bytes, "fail", "b", "crc32:x"));
        known.add(proof("15", Level::Bytes, "unknown", "a", "crc32:x"));
        assert!(known.still_good(&seen("a"), Level::Bytes, ALWAYS).is_some());
    }

    #[test]
    fn what_failed_proves_nothing() {
        let failed = history(&[proof("10", Level::Bytes, "fail", "a", "crc32:x")]);
        assert!(failed.is_empty() && failed.still_good(&seen("a"), Level::Facts, ALWAYS).is_none());
        let open = history(&[proof("10", Level::Bytes, "unknown", "a", "crc32:x")]);
        assert!(open.still_good(&seen("a"), Level::Facts, ALWAYS).is_none());
    }

    #[test]
    fn an_object_that_was_replaced_stays_so_until_a_person_accepts_it() {
        let entries =
            [proof("10", Level::Bytes, "pass", "a", "crc32:x"), proof("11", Level::Bytes, "pass", "b", "crc32:y")];
        let change = |history: &History, content: &str| history.change(&seen("b"), &[Content(content.into())]).name();
        assert_eq!(change(&history(&entries), "crc32:y"), "replaced");
        let accept = Entry::Acceptance(Acceptance {
            at: "2026-01-12T00:00:00Z".into(),
            tool: "test".into(),
            target: "s3://b/k".into(),
            reason: "meant".into(),
        });
        let mut accepted = history(&[entries[0].clone(), entries[1].clone(), accept]);
        assert_eq!(change(&accepted, "crc32:y"), "new");
        accepted.add(proof("13", Level::Bytes, "pass", "b", "crc32:y"));
        assert_eq!(change(&accepted, "crc32:y"), "same");
        assert_eq!(change(&history(&entries[..1]), "crc32:x"), "replaced_same_content");
    }
}
