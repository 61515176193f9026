//! Parallel reads within a memory limit. Frames are hashed where they arrive, and only digests are kept.

mod collector;
mod concurrency;
mod consumer;
mod forward;
mod in_order;
mod job;
mod lanes;
mod quota;
mod range;
mod reader_pool;
mod threads;
mod throughput;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::checks::Digests;
use crate::checksum::Digest;
use crate::content::{Decoded, Probe, Probed, WindowCapture};
use crate::plan::{Need, RangeDigests, ReadPlan, ReadProgress, Spans};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::{ByteRange, Throughput};
use crate::verdict::Coverage;

use crate::sync::lock;
use collector::RangeDigestCollector;
use consumer::RangeConsumer;
use forward::Forwarding;
pub use forward::RangeSink;
use in_order::{InOrderQueue, QueueSlot, SerialDigestStates, SerialDigests};
pub use job::{Job, ProgressSink};
use lanes::{Lanes, Needed};
pub use quota::{Quota, Spent};
use reader_pool::ReaderPool;
use threads::next_runtime;
pub use throughput::{FEW, LoadResult, LoadSpec, SMALL, Until, load};

/// Minimum time between two states.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// Wait at least 20 times as long as storing the last state took before storing the next, and read at least 20 times as
/// many bytes as it wrote (at most 5 % overhead).
const KEEP_COST: u32 = 20;

/// Result of a read.
#[derive(Debug)]
pub struct Reading {
    plan: Arc<ReadPlan>,
    of_ranges: RangeDigests,
    in_order: Vec<(Need, Vec<Option<Digest>>)>,
    /// Measurements of windows that were read; `None` if none were requested.
    pub probed: Option<Probed>,
    /// Result of decoding; `None` if it was not requested or a byte is missing.
    pub decoded: Option<Decoded>,
    /// Why the read ended early; the first reason if there were several.
    pub stopped: Option<Stop>,
}

impl Reading {
    /// Whether this read followed `plan`.
    pub fn is_of(&self, plan: &ReadPlan) -> bool {
        *self.plan == *plan
    }

    /// The completed ranges in order; adjacent ranges are merged.
    pub fn ranges(&self) -> impl Iterator<Item = ByteRange> {
        self.of_ranges.done().iter().filter_map(|span| self.plan.ranges().stretch(span))
    }

    /// Whether the object is one range of the plan, so that one response contained all of it.
    pub fn is_one_range(&self) -> bool {
        self.plan.ranges().len() == 1
    }

    /// Number of bytes in completed ranges.
    pub fn coverage(&self) -> Coverage {
        Coverage { bytes: self.ranges().map(|range| range.len()).sum(), of: self.plan.size() }
    }

    /// The digests of the plan whose bytes were all read.
    pub fn digests(&self) -> Digests {
        let mut digests = Digests::default();
        let folded = self.plan.fold_ranges(|index, column| self.of_ranges.get(index, column));
        for (need, list) in folded.into_iter().chain(self.in_order.iter().cloned()) {
            if let Some(layout) = self.plan.layout(need) {
                digests.insert(need.algorithm, layout.clone(), list);
            }
        }
        digests
    }

    /// Replaces ranges by those of a second read with the same plan. Returns the ranges whose digests differ.
    pub fn replace_by(&mut self, second: Reading) -> Vec<ByteRange> {
        let twice = self.of_ranges.done().intersection(second.of_ranges.done());
        let differs = |index: &usize| !self.of_ranges.same(&second.of_ranges, *index);
        let differing = if self.of_ranges.algorithms().is_empty() {
            Vec::new()
        } else {
            twice.into_positions().filter(differs).filter_map(|index| self.plan.ranges().get(index)).collect()
        };
        self.of_ranges.overlay(&second.of_ranges);
        for (need, list) in second.in_order {
            if list.iter().all(Option::is_some) {
                self.in_order.retain(|(held, _)| *held != need);
                self.in_order.push((need, list));
            }
        }
        differing
    }
}

/// Why a read ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The job was cancelled.
    Cancelled,
    /// A limit of the quota was reached.
    Spent(Spent),
    /// A range could not be read, or a reader panicked.
    Failed(SourceError),
}

/// Reads the ranges of a job, several at a time, and starts them in order of offset.
///
/// If a range cannot be read, the read ends and the result contains what was completed; [`Reading::stopped`] has the
/// error. If a reader panics, only its range is lost, and the others continue.
pub async fn fetch(session: &Session, mut job: Job) -> Reading {
    let plan = Arc::clone(&job.plan);
    let from = job.from.take();
    if let Some(from) = &from {
        job.chosen = Some(from.missing(&plan));
    }
    let from = from.unwrap_or_else(|| ReadProgress::beginning(&plan));
    let (rows, row_states) = SerialDigests::start(&plan, from.rows, job.decode);
    let feed = rows.feed(plan.waiting_room());
    let shared = Arc::new(Shared::new(session.clone(), job, from.of_ranges, feed));
    read_all(&shared, &row_states).await;
    shared.collected.add_together(shared.lanes.finish());
    // Dropping the queue ends the rows.
    shared.next.lock().await.feed = None;
    let in_order = rows.finish().await;
    let _ = keep(&shared, &row_states).await;
    let stopped = lock(&shared.stopped).take();
    let stopped = stopped.or(shared.job.cancel.is_cancelled().then_some(Stop::Cancelled));
    let probed = lock(&shared.probe).take().map(Probe::finish);
    let of_ranges = shared.collected.whole();
    Reading { plan, of_ranges, in_order: in_order.digests, probed, decoded: in_order.decoded, stopped }
}

/// Runs readers until all ranges are read or the read is stopped.
async fn read_all(shared: &Arc<Shared>, row_states: &SerialDigestStates) {
    let clock = Arc::clone(&shared.session.context().clock);
    let mut tasks = JoinSet::new();
    let mut started = 0;
    let keeping = keep_now_and_then(shared, row_states);
    let time_is_over = async {
        match shared.job.quota.ends_in(clock.monotonic()) {
            Some(left) => clock.limit(left).await,
            None => std::future::pending().await,
        }
    };
    let (mut keeping, mut time_is_over) = (std::pin::pin!(keeping), std::pin::pin!(time_is_over));
    loop {
        for _ in 0..shared.crowd.missing() {
            tasks.spawn_on(Arc::clone(shared).work(started), &shared.runtime());
            started += 1;
        }
        let done = tokio::select! {
            done = tasks.join_next() => done,
            () = shared.crowd.grown.notified() => continue,
            () = &mut keeping => continue,
            () = &mut time_is_over, if !shared.halt.is_cancelled() => {
                shared.stop(Stop::Spent(Spent::Time));
                shared.halt.cancel();
                continue;
            }
        };
        match done {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                let detail = format!("a reader failed, and the range that it was reading is not counted: {error}");
                let failed = SourceError::new(ErrorKind::Internal, shared.session.target(), detail);
                shared.stop(Stop::Failed(failed.caused_by(error)));
                tasks.spawn_on(Arc::clone(shared).work(started), &shared.runtime());
                started += 1;
            }
        }
    }
}

/// Passes the state of the read to its sink. Returns the number of bytes written. An error is reported, and the read
/// continues.
async fn keep(shared: &Arc<Shared>, rows: &SerialDigestStates) -> u64 {
    let Some(keep) = shared.job.keep.clone() else { return 0 };
    let (own, rows) = (Arc::clone(shared), rows.clone());
    let monitor = Arc::clone(&shared.session.context().monitor);
    let kept = tokio::task::spawn_blocking(move || {
        // Copy the rows first: a range that is in the state of a row is then complete, or is read again.
        let rows = rows.now();
        own.collected.add_together(own.lanes.take_done());
        keep.keep(&ReadProgress { of_ranges: own.collected.whole(), rows })
    });
    match kept.await {
        Ok(Ok(written)) => written,
        Ok(Err(error)) => {
            // Reported once, because a disk error recurs every other second.
            if !shared.not_kept.swap(true, Ordering::Relaxed) {
                monitor.note(&format!("the progress of the read could not be saved: {error}"));
            }
            0
        }
        Err(_) => 0,
    }
}

/// Passes the state of the read to its sink from time to time; never returns.
async fn keep_now_and_then(shared: &Arc<Shared>, rows: &SerialDigestStates) {
    if shared.job.keep.is_none() {
        return std::future::pending().await;
    }
    let clock = Arc::clone(&shared.session.context().clock);
    let (mut pause, mut due) = (KEEP_EVERY, 1);
    loop {
        clock.sleep(pause).await;
        let read = shared.read.load(Ordering::Relaxed);
        if read < due {
            pause = KEEP_EVERY;
            // The clock of a test does not wait, so other tasks get to run here.
            tokio::task::yield_now().await;
            continue;
        }
        let begun = clock.monotonic();
        let written = keep(shared, rows).await;
        due = read.saturating_add(written.saturating_mul(KEEP_COST.into()).max(1));
        pause = KEEP_EVERY.max(clock.monotonic().duration_since(begun) * KEEP_COST);
    }
}

struct Shared {
    session: Session,
    job: Job,
    next: tokio::sync::Mutex<Next>,
    crowd: ReaderPool,
    /// There is never more than one reader.
    single: bool,
    collected: RangeDigestCollector,
    probe: Mutex<Option<Probe>>,
    lanes: Lanes,
    /// Bytes of ranges completed in this read.
    read: AtomicU64,
    /// An error of the sink has been reported.
    not_kept: AtomicBool,
    fastest: Mutex<Fastest>,
    /// The first reason to stop.
    stopped: Mutex<Option<Stop>>,
    halt: CancellationToken,
}

/// The highest rate of a range of this read.
#[derive(Default)]
struct Fastest(Option<Throughput>);

impl Fastest {
    fn add(&mut self, range: Throughput) {
        let rate = |of: &Throughput| of.bytes_per_second().unwrap_or(f64::INFINITY);
        if self.0.as_ref().is_none_or(|known| rate(&range) > rate(known)) {
            self.0 = Some(range);
        }
    }

    /// The time that a range takes at least; zero if it is not known.
    fn time_for(&self, bytes: u64) -> Duration {
        self.0.and_then(|range| range.time_for(bytes)).unwrap_or_default()
    }
}

struct Next {
    /// Positions of the ranges that no reader has taken.
    ranges: Box<dyn Iterator<Item = usize> + Send>,
    feed: Option<InOrderQueue>,
}

impl Shared {
    /// `known` holds the digests of an earlier read, `feed` the queue for digests in order.
    fn new(session: Session, mut job: Job, known: RangeDigests, feed: Option<InOrderQueue>) -> Self {
        let plan = Arc::clone(&job.plan);
        let chosen = job.chosen.take().unwrap_or_else(|| Spans::first(plan.ranges().len()));
        let (count, budget) = (chosen.count(), job.budget);
        let length = plan.ranges().get(0).map_or(0, ByteRange::len);
        // Readers that wait for the sink would be counted on to fill the lanes.
        let at_once = job.forward.as_ref().map_or(count, |sink| count.min(sink.at_once(length)));
        let begin = budget.concurrency.clamp(1, at_once.max(1));
        // Digests in order are limited by the speed of one thread, and the memory of their queue was planned for the
        // initial readers.
        let in_order = !plan.ordered().is_empty() || job.decode.is_some();
        let most = if !in_order { budget.grow_to.clamp(begin, at_once.max(begin)) } else { begin };
        let needed = if job.forward.is_some() { Needed::WithRange } else { Needed::AtEnd };
        let lanes = Lanes::new(plan.per_range(), needed, begin, budget.lanes_room);
        Shared {
            crowd: ReaderPool::new(begin, most, session.context().clock.monotonic()),
            single: most == 1,
            session,
            next: tokio::sync::Mutex::new(Next { ranges: Box::new(chosen.into_positions()), feed }),
            collected: RangeDigestCollector::new(known, lanes.places()),
            probe: Mutex::new(job.probe.clone().map(Probe::new)),
            lanes,
            read: AtomicU64::new(0),
            not_kept: AtomicBool::new(false),
            fastest: Mutex::default(),
            stopped: Mutex::new(None),
            halt: job.cancel.child_token(),
            job,
        }
    }

    /// The runtime of a new reader. A single reader takes the connection of the requests before it.
    fn runtime(&self) -> Handle {
        if self.single { Handle::current() } else { next_runtime() }
    }

    fn stop(&self, stop: Stop) {
        lock(&self.stopped).get_or_insert(stop);
    }

    fn fail(&self, error: SourceError) {
        self.stop(Stop::Failed(error));
        self.halt.cancel();
    }

    /// The next range, and its slot in the queue. The lock is held while the range waits for room, so that ranges stay
    /// in order and the oldest one always gets its room.
    async fn take(&self) -> Option<(usize, Option<QueueSlot>)> {
        let mut next = self.next.lock().await;
        let index = next.ranges.next()?;
        let range = self.job.plan.ranges().get(index)?;
        let now = self.session.context().clock.monotonic();
        if let Err(spent) = self.job.quota.take(range.len(), now, lock(&self.fastest).time_for(range.len())) {
            self.stop(Stop::Spent(spent));
            // No further range is started.
            next.ranges = Box::new(std::iter::empty());
            return None;
        }
        let ticket = match &mut next.feed {
            Some(feed) => Some(feed.admit(range).await?),
            None => None,
        };
        if let Some(forward) = &self.job.forward
            && let Err(error) = forward.admit(range).await
        {
            self.fail(error);
            return None;
        }
        Some((index, ticket))
    }

    /// Reads the next range. `None` if there is none, or the read has stopped.
    async fn one(&self, worker: usize) -> Option<()> {
        let (index, ticket) = self.take().await?;
        let plan = &self.job.plan;
        let hashers = self.lanes.hashers(plan.per_range());
        let range = plan.ranges().get(index)?;
        let tap = self.job.probe.as_ref().map(|probe| WindowCapture::new(probe, range.start()));
        let mut sink = RangeConsumer::new(hashers, self.lanes.open(worker, index), ticket, tap);
        sink.forward = self.job.forward.clone().map(|to| Forwarding::new(to, range));
        let reading =
            range::Range { session: &self.session, crowd: &self.crowd, id: &self.job.id, size: plan.size(), range };
        let begun = self.session.context().clock.monotonic();
        match reading.read(&mut sink).await {
            Ok(()) => {
                if let Err(error) = sink.forward_rest().await {
                    self.fail(error);
                    return None;
                }
                let elapsed = self.session.context().clock.monotonic().duration_since(begun);
                lock(&self.fastest).add(Throughput { bytes: range.len(), elapsed });
                let (digests, tap) = sink.finish();
                self.collected.add(index, &digests);
                self.read.fetch_add(range.len(), Ordering::Relaxed);
                if let Some(tap) = tap
                    && let Some(probe) = &mut *lock(&self.probe)
                {
                    probe.add(tap);
                }
                Some(())
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    async fn work(self: Arc<Self>, worker: usize) {
        while !self.crowd.leaves() {
            let finished = tokio::select! {
                biased;
                () = self.halt.cancelled() => None,
                finished = self.one(worker) => finished,
            };
            if finished.is_none() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
