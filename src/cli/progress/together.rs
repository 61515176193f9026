use std::path::Path;
use std::sync::{Arc, Mutex};

use super::Progress;
use crate::progress::{Call, Monitor, ObjectsProgress, ObjectsWork, Retry, TaskProgress, Work};
use crate::report::FileKind;
use crate::sync::lock;

/// The progress of works on several objects at the same time: how many are finished, with the bytes and the retries of
/// all of them.
pub(in crate::cli) struct Together {
    progress: Arc<Progress>,
    now: Mutex<ObjectsProgress>,
}

impl Together {
    pub(crate) fn new(progress: Arc<Progress>, work: ObjectsWork, objects: u64) -> Arc<Self> {
        let now = ObjectsProgress {
            work,
            listed: objects,
            listing_complete: true,
            of: objects,
            ..ObjectsProgress::default()
        };
        progress.objects(&now);
        Arc::new(Together { progress, now: Mutex::new(now) })
    }

    /// The monitor of one of the works.
    pub(crate) fn one(self: &Arc<Self>, target: &str) -> Arc<dyn Monitor> {
        Arc::new(OneOfMany { together: Arc::clone(self), target: target.to_owned() })
    }

    /// One of the works is finished.
    pub(crate) fn finished(&self) {
        let mut now = lock(&self.now);
        now.finished += 1;
        self.progress.objects(&now);
    }
}

/// The events of one of several works.
struct OneOfMany {
    together: Arc<Together>,
    target: String,
}

// A default method would lose an event.
#[deny(clippy::missing_trait_methods)]
impl Monitor for OneOfMany {
    fn request(&self, call: Call) {
        self.together.progress.request(call);
    }

    /// Not shown: it would replace the line on all objects.
    fn begin(&self, _: Work) {}

    fn received(&self, bytes: u64) {
        self.together.progress.received(bytes);
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.together.progress.retrying(retry);
    }

    /// Not shown, as in [`Monitor::begin`].
    fn task(&self, _: &TaskProgress) {}

    /// Not shown, as in [`Monitor::begin`].
    fn objects(&self, _: &ObjectsProgress) {}

    fn note(&self, note: &str) {
        self.together.progress.note(&format!("{}: {note}", self.target));
    }

    fn wrote(&self, path: &Path, kind: FileKind) {
        self.together.progress.wrote(path, kind);
    }
}
