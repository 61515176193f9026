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

/// What is learned about one object while it is accessed, shared by all its readers.
#[derive(Debug, Default)]
pub(super) struct ObjectContext {
    /// Set when reading by version turns out not to be permitted.
    pub unpinned: AtomicBool,
    /// Set when the server refuses `If-Match` although the object has not changed.
    pub unconditional: AtomicBool,
    /// Set when the response of a read does not state the strong ETag that the read was pinned to.
    pub unnamed: AtomicBool,
    /// Held while one task asks whether the object has changed.
    pub asking: tokio::sync::Mutex<()>,
    /// Identity from the last HEAD.
    state: Mutex<Option<ObjectIdentity>>,
    notes: Mutex<Notes>,
    /// Status of the last response; 0 if the last request got none.
    status: AtomicU16,
    /// Requests that the caller does not know of, since they were last taken.
    requests: AtomicU64,
    /// Bytes of rejected bodies, since they were last taken.
    wasted: AtomicU64,
}

#[derive(Debug, Default)]
struct Notes {
    /// Notes that were not taken yet.
    new: Vec<String>,
    /// All notes, so that none is repeated.
    said: BTreeSet<String>,
}

/// The state of an object as a HEAD states it. `Last-Modified` stays text: it is compared, not parsed.
pub(super) fn told_state(facts: &ObjectFacts, headers: &Headers) -> ObjectIdentity {
    ObjectIdentity { last_modified: headers.joined("last-modified"), ..facts.identity() }
}

/// Why a response is not of this state, for objects without a strong ETag: it must carry the version id or, without
/// versions, the `Last-Modified` that HEAD stated.
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

/// Why a response is of another version than this state; `None` if one of them states no version.
pub(super) fn other_version(state: &ObjectIdentity, answer: &Headers) -> Option<String> {
    let (then, now) = (state.version()?, answer.one("x-amz-version-id")?);
    (then != now).then(|| format!("the version id is {now}, and was {then}"))
}

impl ObjectContext {
    /// Records the state from a HEAD.
    pub(super) fn saw(&self, state: ObjectIdentity) {
        *lock(&self.state) = Some(state);
    }

    /// The state from the last HEAD, if its ETag is that of `id`.
    pub(super) fn state_of(&self, id: &ObjectId) -> Option<ObjectIdentity> {
        let state = lock(&self.state).clone();
        let known = ObjectIdentity::of_etag(id.etag.clone());
        state.filter(|state| ObjectIdentity::of_etag(state.etag.clone()).same_as(&known).agrees())
    }

    /// The size in bytes from the last HEAD.
    pub(super) fn size(&self) -> Option<u64> {
        lock(&self.state).as_ref().and_then(|state| state.object_bytes)
    }

    /// Adds a note, unless it was added before.
    pub(super) fn note(&self, note: String) {
        let mut notes = lock(&self.notes);
        if notes.said.insert(note.clone()) {
            notes.new.push(note);
        }
    }

    /// Takes the notes that were added since the last call.
    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes).new)
    }

    /// Counts a request that the caller does not know of.
    pub(super) fn asked_more(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// The status of the last response; `None` if the last request got none.
    pub(super) fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }

    /// Records the status of a response, and counts its bytes if it was rejected.
    pub(super) fn heard(&self, heard: &Heard) {
        self.status.store(heard.status.unwrap_or(0), Ordering::Relaxed);
        self.wasted.fetch_add(heard.wasted, Ordering::Relaxed);
    }

    /// Takes the counts of unreported requests and rejected bytes.
    pub(super) fn take_aside(&self) -> Aside {
        Aside { requests: self.requests.swap(0, Ordering::Relaxed), bytes: self.wasted.swap(0, Ordering::Relaxed) }
    }
}

/// Requests that servers turned out not to support, by bucket. They are not sent again for the next object.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacks(Arc<Mutex<BTreeSet<(String, Call)>>>);

impl Lacks {
    /// Records that the server of `bucket` does not support `call`.
    pub(super) fn learn(&self, bucket: &str, call: Call) {
        lock(&self.0).insert((bucket.to_owned(), call));
    }

    /// Whether the server of `bucket` is known not to support `call`.
    pub(super) fn knows(&self, bucket: &str, call: Call) -> bool {
        lock(&self.0).contains(&(bucket.to_owned(), call))
    }
}

/// Observed handling of the expected bucket owner, by bucket.
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
