use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::bounded::Heard;
use super::headers::Headers;
use crate::facts::{ObjectFacts, OwnerCheck};
use crate::ident::{ObjectId, ObjectIdentity};
use crate::progress::Call;
use crate::source::Aside;
use crate::sync::lock;

/// What was learned of one object on the way, for all who read it.
#[derive(Debug, Default)]
pub(super) struct ObjectContext {
    /// Reading by version turned out not to be permitted.
    pub unpinned: AtomicBool,
    /// The server refuses `If-Match` although nothing changed.
    pub unconditional: AtomicBool,
    /// One at a time asks whether anything changed.
    pub asking: tokio::sync::Mutex<()>,
    state: Mutex<Option<ObjectIdentity>>,
    notes: Mutex<Notes>,
    /// The status of the last answer, 0 where a request got none.
    status: AtomicU16,
    requests: AtomicU64,
    wasted: AtomicU64,
}

#[derive(Debug, Default)]
struct Notes {
    new: Vec<String>,
    said: BTreeSet<String>,
}

/// What a HEAD told that marks a state of the object. The time is as it came: it is compared, not read.
pub(super) fn told_state(facts: &ObjectFacts, headers: &Headers) -> ObjectIdentity {
    ObjectIdentity { last_modified: headers.joined("last-modified"), ..facts.identity() }
}

/// Why the head of an answer is not of this state, where no strong ETag can tell: it must carry the version or,
/// without versions, the time that HEAD told.
pub(super) fn denies(state: &ObjectIdentity, answer: &Headers) -> Option<String> {
    let none = ObjectIdentity::default;
    let (what, then, now) = match state.version() {
        Some(version) => {
            let of = |version_id| ObjectIdentity { version_id, ..none() };
            ("the version id", of(Some(version.to_owned())), of(answer.one("x-amz-version-id")))
        }
        None => {
            let of = |last_modified| ObjectIdentity { last_modified, ..none() };
            ("Last-Modified", of(state.last_modified.clone()), of(answer.joined("last-modified")))
        }
    };
    let differs = !then.same_as(&now).agrees();
    let shown = |one: ObjectIdentity| one.version_id.or(one.last_modified).unwrap_or_else(|| "not stated".to_owned());
    differs.then(|| format!("{what} is {}, and was {}", shown(now), shown(then)))
}

impl ObjectContext {
    pub fn saw(&self, state: ObjectIdentity) {
        *lock(&self.state) = Some(state);
    }

    /// The state that HEAD told last, if it is the one of this identity.
    pub fn state_of(&self, id: &ObjectId) -> Option<ObjectIdentity> {
        let state = lock(&self.state).clone();
        let known = ObjectIdentity::of_etag(id.etag.clone());
        state.filter(|state| ObjectIdentity::of_etag(state.etag.clone()).same_as(&known).agrees())
    }

    /// The size that HEAD told last.
    pub fn size(&self) -> Option<u64> {
        lock(&self.state).as_ref().and_then(|state| state.object_bytes)
    }

    /// Keeps a note, once.
    pub fn note(&self, note: String) {
        let mut notes = lock(&self.notes);
        if notes.said.insert(note.clone()) {
            notes.new.push(note);
        }
    }

    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes).new)
    }

    /// Counts a request that the caller does not know of.
    pub fn asked_more(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// The status of the last answer, if the last request got one.
    pub fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }

    /// Keeps the status of an answer, and counts its bytes where it was none.
    pub fn heard(&self, heard: &Heard) {
        self.status.store(heard.status.unwrap_or(0), Ordering::Relaxed);
        self.wasted.fetch_add(heard.wasted, Ordering::Relaxed);
    }

    pub fn take_aside(&self) -> Aside {
        Aside { requests: self.requests.swap(0, Ordering::Relaxed), bytes: self.wasted.swap(0, Ordering::Relaxed) }
    }
}

/// Requests that servers turned out not to know, by bucket: they are not asked for again with the next object.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacks(Arc<Mutex<BTreeSet<(String, Call)>>>);

impl Lacks {
    pub fn learn(&self, bucket: &str, call: Call) {
        lock(&self.0).insert((bucket.to_owned(), call));
    }

    pub fn knows(&self, bucket: &str, call: Call) -> bool {
        lock(&self.0).contains(&(bucket.to_owned(), call))
    }
}

/// What servers were seen to do with the expected owner, by bucket.
pub(super) type OwnerChecks = Arc<Mutex<BTreeMap<String, OwnerCheck>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_strong_etag_version_or_time_must_come_with_every_answer() {
        let state = |version: Option<&str>, time: Option<&str>| ObjectIdentity {
            version_id: version.map(Into::into),
            last_modified: time.map(Into::into),
            ..ObjectIdentity::of_size(1)
        };
        let answer = Headers::from_pairs(&[("last-modified", b"t"), ("x-amz-version-id", b"v")]);
        for held in [state(Some("v"), Some("other")), state(None, Some("t")), state(Some("null"), Some("t"))] {
            assert_eq!(denies(&held, &answer), None, "{held:?}");
        }
        for moved in [state(Some("w"), Some("t")), state(None, Some("u")), state(None, None)] {
            assert!(denies(&moved, &answer).is_some(), "{moved:?}");
        }
        assert!(denies(&state(None, Some("t")), &Headers::default()).is_some(), "an answer that tells nothing");
        assert!(denies(&state(Some("v"), None), &Headers::default()).is_some());
    }
}
