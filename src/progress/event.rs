use std::time::Duration;

use crate::report::TaskKind;

/// Work that starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Bytes of an object are read and hashed.
    Read {
        /// Why they are read.
        purpose: Purpose,
        /// Their number.
        bytes: u64,
    },
    /// The rate of reads is measured.
    Measurement {
        /// Number of concurrent GETs.
        connections: usize,
        /// Size of each range in bytes.
        range_bytes: u64,
    },
}

/// Why bytes of an object are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To compute the digests of its references.
    Verify,
    /// To copy the bytes, which are verified on the way.
    Copy,
    /// To compute the digests of part sizes that another digest proved.
    ProvedParts,
    /// To confirm a mismatch.
    SecondRead,
    /// To compare two objects.
    Compare,
    /// To compute the digests of the blocks of snapshots.
    Fingerprint,
    /// To compare the blocks of snapshots.
    Prove,
}

/// An attempt that failed, and is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry<'a> {
    /// What kind of failure it was.
    pub kind: RetryKind,
    /// The service's own error code.
    pub code: Option<&'a str>,
    /// The error, in one line for the user.
    pub error: &'a str,
    /// Time until the next attempt.
    pub wait: Duration,
}

/// What kind of failure is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryKind {
    /// The server asks for fewer requests.
    Throttled,
    /// The server answered with a temporary error.
    Server,
    /// There was no connection, or it broke.
    Transport,
}

/// The state of a task of the service.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskProgress {
    /// What it does.
    pub kind: TaskKind,
    /// Id of the AMI, or the object.
    pub image: String,
    /// The state that the service reports.
    pub state: String,
    /// Percentage, if the service reports one.
    pub percent: Option<f64>,
    /// Time since this run started to follow the task.
    pub elapsed: Duration,
    /// Estimated time until the end, from the percentages so far.
    pub left: Option<Duration>,
    /// The states of its parts.
    pub detail: String,
}

/// The progress of a run over many objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObjectsProgress {
    /// What is done with them.
    pub work: ObjectsWork,
    /// Objects in the listing so far, including those of other runs.
    pub listed: u64,
    /// The listing is complete.
    pub listing_complete: bool,
    /// Objects of this run that are finished.
    pub finished: u64,
    /// Objects of this run so far.
    pub of: u64,
    /// Bytes of these objects, if the run reads them.
    pub bytes: Option<FinishedBytes>,
}

/// What a run does with many objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ObjectsWork {
    /// It audits buckets.
    #[default]
    Audit,
    /// It shows what is known of them.
    Inspect,
    /// It verifies them.
    Verify,
}

/// Bytes of the objects of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FinishedBytes {
    /// Total size of the finished objects.
    pub finished: u64,
    /// Bytes received for the finished objects; the other received bytes belong to objects that are being read.
    pub received: u64,
    /// Total size of the objects of this run so far.
    pub of: u64,
}
