use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Quota, RangeSink};
use crate::content::{Limits, ProbePlan};
use crate::ident::ObjectId;
use crate::plan::{Budget, ReadPlan, ReadProgress, Spans};

/// One read of an object with a pinned identity.
pub struct Job {
    /// The identity that every response must have.
    pub id: ObjectId,
    /// The ranges and digests.
    pub plan: Arc<ReadPlan>,
    /// Positions of the ranges to read; all ranges if `None`.
    pub chosen: Option<Spans>,
    /// Limits of concurrency and memory.
    pub budget: Budget,
    /// Limits of bytes and time.
    pub quota: Quota,
    /// Windows to measure during the read.
    pub probe: Option<Arc<ProbePlan>>,
    /// Receives the bytes too.
    pub forward: Option<Arc<dyn RangeSink>>,
    /// Decode the bytes as a stream, with these limits; the plan must be one of [`ReadPlan::in_order`].
    pub decode: Option<Limits>,
    /// State of an earlier read with the same plan. Its ranges are not read again; it takes precedence over `chosen`.
    pub from: Option<ReadProgress>,
    /// Receives the state of the read, at most every other second, and at the end.
    pub keep: Option<Arc<dyn ProgressSink>>,
    /// Ends the read.
    pub cancel: CancellationToken,
}

impl Job {
    /// A read of all ranges, for their digests only and without limits of bytes and time.
    pub fn new(id: ObjectId, plan: Arc<ReadPlan>, budget: Budget, cancel: CancellationToken) -> Self {
        Job {
            id,
            plan,
            chosen: None,
            budget,
            quota: Quota::default(),
            probe: None,
            forward: None,
            decode: None,
            from: None,
            keep: None,
            cancel,
        }
    }
}

/// Stores the state of a read.
pub trait ProgressSink: Send + Sync {
    /// Stores a state. Returns the number of bytes written.
    ///
    /// # Errors
    ///
    /// The state could not be stored. The read continues.
    fn keep(&self, midway: &ReadProgress) -> io::Result<u64>;
}
