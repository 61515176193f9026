//! What the lower floors tell while they work: counters and notes, no layout.

mod timeline;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use timeline::Timeline;

use crate::clock::Clock;
use crate::sync::lock;

/// A request to the outside world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    Head,
    Attributes,
    HeadPart,
    Tags,
    Lock,
    Find,
    Read,
    /// Of a bucket: settings and listings.
    Bucket,
    /// Of EC2.
    Image,
    /// Of STS, KMS, Service Quotas and SSM.
    Account,
}

/// Hears what happens during a command. All methods may be called from any thread.
pub trait Monitor: Send + Sync {
    /// A request goes out; every attempt counts.
    fn request(&self, _call: Call) {}
    /// A stretch of reading starts: what for, and how many bytes.
    fn begin(&self, _what: &str, _bytes: u64) {}
    /// Bytes of an object have come.
    fn received(&self, _bytes: u64) {}
    /// An attempt failed and will be made again after a wait.
    fn retrying(&self, _error: &dyn Error, _wait: Duration) {}
    /// How far a task of the service is, in one line; each call replaces the line before.
    fn task(&self, _line: &str) {}
    /// Something worth saying that has no verdict.
    fn note(&self, _note: &str) {}
}

/// Hears nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Monitor for Silent {}

/// Counts, and passes everything on.
pub struct Counting {
    next: Arc<dyn Monitor>,
    clock: Arc<dyn Clock>,
    requests: AtomicU64,
    reads: AtomicU64,
    retries: AtomicU64,
    received: AtomicU64,
    timeline: Mutex<Timeline>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests of all kinds, repeated ones too.
    pub requests: u64,
    /// Of these, reads of object bytes.
    pub reads: u64,
    pub retries: u64,
    /// Bytes of object bodies.
    pub received: u64,
}

impl Counting {
    /// Passes everything on to `next`. `clock` times the [`Timeline`].
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

    /// How the bytes came over time.
    pub fn timeline(&self) -> Timeline {
        lock(&self.timeline).clone()
    }

    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}

// A default method would drop what the next monitor should hear.
#[deny(clippy::missing_trait_methods)]
impl Monitor for Counting {
    fn request(&self, call: Call) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if call == Call::Read {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        self.next.request(call);
    }

    fn begin(&self, what: &str, bytes: u64) {
        self.next.begin(what, bytes);
    }

    fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
        lock(&self.timeline).add(bytes, self.clock.monotonic());
        self.next.received(bytes);
    }

    fn retrying(&self, error: &dyn Error, wait: Duration) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.next.retrying(error, wait);
    }

    fn task(&self, line: &str) {
        self.next.task(line);
    }

    fn note(&self, note: &str) {
        self.next.note(note);
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}
