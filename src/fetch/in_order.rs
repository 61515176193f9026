//! Digests that must be computed in order of offset, each list on its own thread, while ranges arrive in parallel. A
//! row is the list of digests for one [`Need`], one digest per part.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::checksum::{Algorithm, Digest, Hasher};
use crate::content::{Decoded, Limits, Stream};
use crate::plan::{Need, PartLayout, ReadPlan, SerialDigestState};
use crate::sync::lock;
use crate::units::{ByteRange, KIB};

/// A frame with the memory permit of its range, which is released when all rows have dropped it.
type Frame = (Bytes, Arc<OwnedSemaphorePermit>);

/// The frames of one range, in order.
struct RangeFrames {
    range: ByteRange,
    frames: Receiver<Frame>,
}

/// A row: what it computes, the channel to its thread, and the result of the thread.
type SerialDigestThread = (Need, Sender<RangeFrames>, JoinHandle<Vec<Option<Digest>>>);

/// One thread per row, and one that decodes the bytes, if requested.
pub(super) struct SerialDigests {
    rows: Vec<SerialDigestThread>,
    stream: Option<(Sender<RangeFrames>, JoinHandle<Option<Decoded>>)>,
}

/// Results of the threads.
pub(super) struct SerialResults {
    /// The digests of each row, by part; `None` for parts with missing bytes.
    pub digests: Vec<(Need, Vec<Option<Digest>>)>,
    /// Result of decoding; `None` if it was not requested or a byte is missing.
    pub decoded: Option<Decoded>,
}

/// Current state of each row, for checkpoints. Clones share it.
#[derive(Clone)]
pub(super) struct SerialDigestStates(Vec<Arc<Mutex<SerialDigestState>>>);

/// Passes ranges to the rows in order of offset, within a memory limit.
pub(super) struct InOrderQueue {
    rows: Vec<Sender<RangeFrames>>,
    room: Arc<Semaphore>,
}

/// The slot of one range in every row.
pub(super) struct QueueSlot {
    rows: Vec<Sender<Frame>>,
    room: Arc<OwnedSemaphorePermit>,
}

impl SerialDigests {
    /// Starts the threads. Each row resumes from its state; `states` has one for each ordered need of the plan, in the
    /// same order. Decoding always starts at the beginning.
    pub(super) fn start(
        plan: &ReadPlan,
        states: Vec<SerialDigestState>,
        decode: Option<Limits>,
    ) -> (Self, SerialDigestStates) {
        let states: Vec<_> = states.into_iter().map(|state| Arc::new(Mutex::new(state))).collect();
        let rows = plan.ordered().iter().zip(&states).filter_map(|(need, state)| {
            let layout = plan.layout(*need)?.clone();
            let (algorithm, state) = (need.algorithm, Arc::clone(state));
            let (sender, ranges) = channel();
            Some((*need, sender, tokio::task::spawn_blocking(move || row(algorithm, &layout, &ranges, &state))))
        });
        let stream = decode.map(|limits| {
            let size = plan.size();
            let (sender, ranges) = channel();
            (sender, tokio::task::spawn_blocking(move || stream(limits, size, &ranges)))
        });
        (SerialDigests { rows: rows.collect(), stream }, SerialDigestStates(states))
    }

    /// A queue with room for `waiting_room` bytes; `None` if nothing must be computed in order.
    pub(super) fn feed(&self, waiting_room: u64) -> Option<InOrderQueue> {
        let rows = self.rows.iter().map(|(_, sender, _)| sender);
        let rows: Vec<_> = rows.chain(self.stream.iter().map(|(sender, _)| sender)).cloned().collect();
        let room = (waiting_room / KIB).min(Semaphore::MAX_PERMITS as u64) as usize;
        (!rows.is_empty()).then(|| InOrderQueue { rows, room: Arc::new(Semaphore::new(room)) })
    }

    /// Waits until the rows have hashed all they received. The queue must be dropped before.
    pub(super) async fn finish(self) -> SerialResults {
        let mut digests = Vec::new();
        for (need, sender, thread) in self.rows {
            drop(sender);
            // A row whose thread panicked has no digests.
            digests.push((need, thread.await.unwrap_or_default()));
        }
        let decoded = match self.stream {
            Some((sender, thread)) => {
                drop(sender);
                thread.await.unwrap_or_default()
            }
            None => None,
        };
        SerialResults { digests, decoded }
    }
}

impl SerialDigestStates {
    /// A copy of the current states.
    pub(super) fn now(&self) -> Vec<SerialDigestState> {
        self.0.iter().map(|state| lock(state).clone()).collect()
    }
}

impl InOrderQueue {
    /// Waits until there is room for the whole range. `None` if its length is too large to count.
    pub(super) async fn admit(&mut self, range: ByteRange) -> Option<QueueSlot> {
        let room = u32::try_from(range.len().div_ceil(KIB)).ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(room).await.ok()?;
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let (sender, frames) = channel();
            // A row whose thread has ended lacks its digests; the others continue.
            if row.send(RangeFrames { range, frames }).is_ok() {
                rows.push(sender);
            }
        }
        Some(QueueSlot { rows, room: Arc::new(room) })
    }
}

impl QueueSlot {
    /// Passes the next frame of the range to every row.
    pub(super) fn pass(&mut self, frame: &Bytes) {
        for row in &self.rows {
            let _ = row.send((frame.clone(), Arc::clone(&self.room)));
        }
    }
}

/// Hashes the parts of a layout until a range is missing or incomplete. Updates `state` after each range.
fn row(
    algorithm: Algorithm,
    layout: &PartLayout,
    ranges: &Receiver<RangeFrames>,
    state: &Mutex<SerialDigestState>,
) -> Vec<Option<Digest>> {
    let mut parts = Parts::from(algorithm, layout, &lock(state));
    parts.close();
    for RangeFrames { range, frames } in ranges {
        if range.end() <= parts.at && !range.is_empty() {
            // This range is read again for another row, which had not reached it.
            frames.into_iter().for_each(drop);
            continue;
        }
        if range.start() != parts.at {
            break;
        }
        for (frame, _room) in frames {
            parts.take(&frame);
        }
        if parts.at != range.end() {
            break;
        }
        if let Some(hasher) = parts.hasher.save() {
            let mut state = lock(state);
            let known = state.done.len();
            state.done.extend(parts.done.iter().skip(known).flatten());
            (state.at, state.hasher) = (parts.at, hasher);
        }
    }
    let mut done = parts.done;
    done.resize(layout.count(), None);
    done
}

/// Decodes all bytes of an object; `None` if a byte is missing.
fn stream(limits: Limits, size: u64, ranges: &Receiver<RangeFrames>) -> Option<Decoded> {
    let mut stream = Stream::new(limits);
    let mut at = 0;
    for RangeFrames { range, frames } in ranges {
        if range.start() != at {
            return None;
        }
        for (frame, _room) in frames {
            stream.take(&frame);
            at += frame.len() as u64;
        }
        if range.end() != at {
            return None;
        }
    }
    (at == size).then(|| stream.finish())
}

struct Parts<'a> {
    algorithm: Algorithm,
    layout: &'a PartLayout,
    done: Vec<Option<Digest>>,
    hasher: Hasher,
    at: u64,
}

impl<'a> Parts<'a> {
    /// Resumes from a state, or starts at the beginning if it cannot be resumed.
    fn from(algorithm: Algorithm, layout: &'a PartLayout, state: &SerialDigestState) -> Self {
        let mut done = Vec::with_capacity(layout.count());
        match Hasher::resume(algorithm, &state.hasher).filter(|_| state.at > 0) {
            Some(hasher) => {
                done.extend(state.done.iter().copied().map(Some));
                Parts { algorithm, layout, done, hasher, at: state.at }
            }
            None => Parts { algorithm, layout, done, hasher: Hasher::new(algorithm), at: 0 },
        }
    }

    fn end(&self) -> Option<u64> {
        self.layout.end(self.done.len())
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = self.end() {
            let take = usize::try_from(end - self.at).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(take);
            self.hasher.update(now);
            self.at += take as u64;
            self.close();
            bytes = later;
            if bytes.is_empty() {
                break;
            }
        }
    }

    /// Ends every part that ends here; an empty part ends where it starts.
    fn close(&mut self) {
        while self.end() == Some(self.at) {
            let hasher = std::mem::replace(&mut self.hasher, Hasher::new(self.algorithm));
            self.done.push(Some(hasher.finish()));
        }
    }
}
