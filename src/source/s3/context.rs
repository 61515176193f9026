use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::bounded::Heard;
use super::headers::Headers;
use crate::facts::ObjectFacts;
use crate::ident::{ETag, ObjectId};
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
    state: Mutex<Option<State>>,
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

/// What a HEAD told that marks a state of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub etag: Option<ETag>,
    pub version: Option<String>,
    pub size: u64,
    /// As it came: it is compared, not read.
    pub last_modified: Option<String>,
}

impl State {
    pub fn of(facts: &ObjectFacts, headers: &Headers) -> Self {
        State {
            etag: facts.id.etag.clone(),
            version: facts.version.clone(),
            size: facts.size,
            last_modified: headers.joined("last-modified"),
        }
    }

    /// Why the head of an answer is not of this state, where no strong ETag can tell: it must carry the version or,
    /// without versions, the time that HEAD told.
    pub fn denies(&self, answer: &Headers) -> Option<String> {
        let (what, then, now) = match &self.version {
            Some(version) if version != "null" => {
                ("the version id", Some(version.clone()), answer.one("x-amz-version-id"))
            }
            _ => ("Last-Modified", self.last_modified.clone(), answer.joined("last-modified")),
        };
        let shown = |value: Option<String>| value.unwrap_or_else(|| "not stated".to_owned());
        (then != now).then(|| format!("{what} is {}, and was {}", shown(now), shown(then)))
    }
}

impl ObjectContext {
    pub fn saw(&self, state: State) {
        *lock(&self.state) = Some(state);
    }

    /// The state that HEAD told last, if it is the one of this identity.
    pub fn state_of(&self, id: &ObjectId) -> Option<State> {
        let state = lock(&self.state).clone();
        state.filter(|state| state.etag == id.etag)
    }

    /// The size that HEAD told last.
    pub fn size(&self) -> Option<u64> {
        lock(&self.state).as_ref().map(|state| state.size)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_strong_etag_version_or_time_must_come_with_every_answer() {
        let state = |version: Option<&str>, time: Option<&str>| State {
            etag: None,
            version: version.map(Into::into),
            size: 1,
            last_modified: time.map(Into::into),
        };
        let answer = Headers::from_pairs(&[("last-modified", b"t"), ("x-amz-version-id", b"v")]);
        for held in [state(Some("v"), Some("other")), state(None, Some("t")), state(Some("null"), Some("t"))] {
            assert_eq!(held.denies(&answer), None, "{held:?}");
        }
        for moved in [state(Some("w"), Some("t")), state(None, Some("u")), state(None, None)] {
            assert!(moved.denies(&answer).is_some(), "{moved:?}");
        }
        assert!(state(None, Some("t")).denies(&Headers::default()).is_some(), "an answer that tells nothing");
        assert!(state(Some("v"), None).denies(&Headers::default()).is_some());
    }
}
