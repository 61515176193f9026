//! Bounded parallel reads. Bytes are hashed where they land; only digests leave.

mod climb;
mod crowd;
mod lanes;
mod load;
mod ordered;
mod range;
mod sink;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::checks::Digests;
use crate::checksum::Digest;
use crate::ident::ObjectId;
use crate::plan::{Budget, Need, ReadPlan};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::ByteRange;
use crate::verdict::Coverage;

use crowd::Crowd;
use lanes::Lanes;
pub use load::{Load, Loaded, Until, load};
use ordered::{Feed, Rows, Ticket};
use sink::Sink;

/// One reading of an object under one identity.
pub struct Job {
    pub id: ObjectId,
    pub plan: Arc<ReadPlan>,
    /// Positions of the ranges to read; all of them where absent.
    pub chosen: Option<Vec<usize>>,
    pub budget: Budget,
    pub cancel: CancellationToken,
}

/// What a reading came to.
#[derive(Debug)]
pub struct Reading {
    plan: Arc<ReadPlan>,
    of_ranges: Vec<Option<Vec<Digest>>>,
    in_order: Vec<(Need, Vec<Option<Digest>>)>,
    /// What ended it early; the first trouble where there were several.
    pub stopped: Option<Stop>,
}

impl Reading {
    pub fn is_of(&self, plan: &ReadPlan) -> bool {
        *self.plan == *plan
    }

    /// Bytes of ranges that came whole.
    pub fn coverage(&self) -> Coverage {
        let read = self.plan.ranges().iter().zip(&self.of_ranges).filter(|(_, digests)| digests.is_some());
        Coverage { bytes: read.map(|(range, _)| range.len()).sum(), of: self.plan.size() }
    }

    /// The digests that the plan wants, as far as the bytes for them came.
    pub fn digests(&self) -> Digests {
        let mut digests = Digests::default();
        let folded = self.plan.fold_ranges(|index| self.of_ranges.get(index)?.as_deref());
        for (need, list) in folded.into_iter().chain(self.in_order.iter().cloned()) {
            if let Some(layout) = self.plan.layout(need) {
                digests.insert(need.algorithm, layout.clone(), list);
            }
        }
        digests
    }

    /// Puts the ranges of a second reading by the same plan in the place of the first ones.
    /// Answers with the ranges that came out differently.
    pub fn replace_by(&mut self, second: Reading) -> Vec<ByteRange> {
        let mut differing = Vec::new();
        for ((range, held), new) in self.plan.ranges().iter().zip(&mut self.of_ranges).zip(second.of_ranges) {
            if let Some(new) = new {
                if held.as_ref().is_some_and(|held| *held != new) {
                    differing.push(*range);
                }
                *held = Some(new);
            }
        }
        for (need, list) in second.in_order {
            if list.iter().all(Option::is_some) {
                self.in_order.retain(|(held, _)| *held != need);
                self.in_order.push((need, list));
            }
        }
        differing
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    Cancelled,
    Failed(SourceError),
}

/// Reads the ranges of a job, several at a time, in order of offset.
///
/// A range that cannot be read ends the whole reading: what has come by then is returned.
pub async fn fetch(session: &Session, job: Job) -> Reading {
    let rows = Rows::start(&job.plan);
    let count = job.chosen.as_ref().map_or(job.plan.ranges().len(), Vec::len);
    let budget = job.budget;
    let begin = budget.concurrency.clamp(1, count.max(1));
    // What goes in order is as fast as one thread, and its room was shared out among those that begin.
    let most = if job.plan.ordered().is_empty() { budget.grow_to.clamp(begin, count.max(begin)) } else { begin };
    let shared = Arc::new(Shared {
        session: session.clone(),
        next: tokio::sync::Mutex::new(Next { position: 0, feed: rows.feed(budget.waiting_room) }),
        crowd: Crowd::new(begin, most, session.context().clock.monotonic()),
        lanes: Lanes::new(job.plan.per_range(), begin, budget.lanes_room),
        failed: Mutex::new(None),
        halt: job.cancel.child_token(),
        job,
    });
    let mut tasks = JoinSet::new();
    let mut of_ranges: Vec<Option<Vec<Digest>>> = vec![None; shared.job.plan.ranges().len()];
    let mut started = 0;
    loop {
        for _ in 0..shared.crowd.missing() {
            tasks.spawn(Arc::clone(&shared).work(started));
            started += 1;
        }
        let done = tokio::select! {
            done = tasks.join_next() => done,
            () = shared.crowd.grown.notified() => continue,
        };
        let Some(done) = done else { break };
        match done {
            Ok(digests) => {
                for (index, digests) in digests {
                    if let Some(slot) = of_ranges.get_mut(index) {
                        *slot = Some(digests);
                    }
                }
            }
            Err(error) => shared.fail(SourceError::new(
                ErrorKind::Io,
                session.target(),
                format!("a reader broke down, and what it had read is not counted: {error}"),
            )),
        }
    }
    shared.lanes.finish(&mut of_ranges);
    // The feed goes with the queue; without it the rows come to their end.
    shared.next.lock().await.feed = None;
    let in_order = rows.finish().await;
    let failed = shared.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    let stopped = match failed {
        Some(error) => Some(Stop::Failed(error)),
        None if shared.job.cancel.is_cancelled() => Some(Stop::Cancelled),
        None => None,
    };
    Reading { plan: Arc::clone(&shared.job.plan), of_ranges, in_order, stopped }
}

struct Shared {
    session: Session,
    job: Job,
    next: tokio::sync::Mutex<Next>,
    crowd: Crowd,
    lanes: Lanes,
    failed: Mutex<Option<SourceError>>,
    halt: CancellationToken,
}

struct Next {
    position: usize,
    feed: Option<Feed>,
}

impl Shared {
    fn fail(&self, error: SourceError) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.halt.cancel();
    }

    /// The next range, and where its frames must go besides. Holding the queue while room is
    /// made keeps the ranges in order: the oldest one always has its room.
    async fn take(&self) -> Option<(usize, Option<Ticket>)> {
        let mut next = self.next.lock().await;
        let index = match &self.job.chosen {
            Some(chosen) => *chosen.get(next.position)?,
            None => next.position,
        };
        let range = *self.job.plan.ranges().get(index)?;
        next.position += 1;
        let ticket = match &mut next.feed {
            Some(feed) => Some(feed.admit(range).await?),
            None => None,
        };
        Some((index, ticket))
    }

    async fn one(&self, worker: usize) -> Option<(usize, Vec<Digest>)> {
        let (index, ticket) = self.take().await?;
        let plan = &self.job.plan;
        let mut sink =
            Sink { hashers: self.lanes.hashers(plan.per_range()), lane: self.lanes.open(worker, index), ticket };
        let reading = range::Range {
            session: &self.session,
            crowd: &self.crowd,
            id: &self.job.id,
            size: plan.size(),
            range: *plan.ranges().get(index)?,
        };
        match reading.read(&mut sink).await {
            Ok(()) => Some((index, sink.finish())),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    async fn work(self: Arc<Self>, worker: usize) -> Vec<(usize, Vec<Digest>)> {
        let halt = self.halt.clone();
        let mut done = Vec::new();
        loop {
            if self.crowd.leaves() {
                return done;
            }
            let finished = tokio::select! {
                biased;
                () = halt.cancelled() => None,
                finished = self.one(worker) => finished,
            };
            match finished {
                Some(finished) => done.push(finished),
                None => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests;
