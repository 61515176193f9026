//! Events of requests and reads, for progress displays and counts.

mod event;
mod timeline;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use event::{FinishedBytes, ObjectsProgress, ObjectsWork, Purpose, Retry, RetryKind, TaskProgress, Work};
pub use timeline::Timeline;

use crate::clock::Clock;
use crate::report::FileKind;
use crate::sync::lock;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// HeadObject.
    Head,
    /// GetObjectAttributes.
    Attributes,
    /// HeadObject with a part number.
    HeadPart,
    /// GetObjectTagging.
    Tags,
    /// GetObjectRetention and GetObjectLegalHold.
    Lock,
    /// A search for the object or for the reason of an error.
    Find,
    /// GetObject and GetSnapshotBlock.
    Read,
    /// Settings and listings of a bucket.
    Bucket,
    /// EC2.
    Image,
    /// ListSnapshotBlocks.
    ListBlocks,
    /// STS, KMS, Service Quotas and SSM.
    Account,
    /// Jobs of S3 Batch Operations.
    Batch,
    /// Requests that write an object: uploads, their parts and their end; and requests for a copy of an archived object.
    Write,
}

/// Receives events during a command. All methods may be called from any thread.
pub trait Monitor: Send + Sync {
    /// A request is sent; every attempt counts.
    fn request(&self, _call: Call) {}
    /// A read or a measurement starts, and replaces the previous one.
    fn begin(&self, _work: Work) {}
    /// Bytes of an object have arrived.
    fn received(&self, _bytes: u64) {}
    /// An attempt failed and will be repeated after a wait.
    fn retrying(&self, _retry: &Retry<'_>) {}
    /// The state of a task of the service.
    fn task(&self, _task: &TaskProgress) {}
    /// How many objects of a run over many objects are finished.
    fn objects(&self, _objects: &ObjectsProgress) {}
    /// A note for the user that belongs to no verdict.
    fn note(&self, _note: &str) {}
    /// A file was written.
    fn wrote(&self, _path: &Path, _kind: FileKind) {}
}

/// Ignores all events.
#[derive(Debug, Default)]
pub struct Silent;

impl Monitor for Silent {}

/// Counts events, and passes them on.
pub struct Counting {
    next: Arc<dyn Monitor>,
    clock: Arc<dyn Clock>,
    requests: AtomicU64,
    reads: AtomicU64,
    retries: AtomicU64,
    received: AtomicU64,
    timeline: Mutex<Timeline>,
}

/// The counts of a [`Counting`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests of all kinds, including retries.
    pub requests: u64,
    /// Requests among them that read bytes of an object.
    pub reads: u64,
    /// Attempts that were repeated.
    pub retries: u64,
    /// Bytes of object bodies.
    pub received: u64,
}

impl Counting {
    /// Passes all events on to `next`. `clock` times the [`Timeline`].
    pub fn new(next: Arc<dyn Monitor>, clock: Arc<dyn Clock>) -> Self {
        Counting {
            next,
            clock,
            requests: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            received: AtomicU64::new(0),
            timeline: Mutex::default(),
        }
    }

    /// The received bytes over time.
    pub fn timeline(&self) -> Timeline {
        lock(&self.timeline).clone()
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}

// A default method would not pass the event on.
#[deny(clippy::missing_trait_methods)]
impl Monitor for Counting {
    fn request(&self, call: Call) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if call == Call::Read {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        self.next.request(call);
    }

    fn begin(&self, work: Work) {
        self.next.begin(work);
    }

    fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
        lock(&self.timeline).add(bytes, self.clock.monotonic());
        self.next.received(bytes);
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.next.retrying(retry);
    }

    fn task(&self, task: &TaskProgress) {
        self.next.task(task);
    }

    fn objects(&self, objects: &ObjectsProgress) {
        self.next.objects(objects);
    }

    fn note(&self, note: &str) {
        self.next.note(note);
    }

    fn wrote(&self, path: &Path, kind: FileKind) {
        self.next.wrote(path, kind);
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}
