//! Digests that must be computed in order of offset, on threads of their own, while
//! ranges arrive side by side. Each list of such digests is a row.

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

/// A frame, and the room it takes, which is free again once every row has let go of it.
type Frame = (Bytes, Arc<OwnedSemaphorePermit>);

/// The frames of one range, in order.
struct RangeFrames {
    range: ByteRange,
    frames: Receiver<Frame>,
}

/// A list of digests, the way to its thread, and what the thread comes to.
type SerialDigestThread = (Need, Sender<RangeFrames>, JoinHandle<Vec<Option<Digest>>>);

/// One thread for each list of digests.
pub(super) struct SerialDigests {
    rows: Vec<SerialDigestThread>,
    stream: Option<(Sender<RangeFrames>, JoinHandle<Option<Decoded>>)>,
}

/// What the rows came to.
pub(super) struct SerialResults {
    pub digests: Vec<(Need, Vec<Option<Digest>>)>,
    /// Absent where not every byte came.
    pub decoded: Option<Decoded>,
}

/// How far each row has come, for whoever keeps that. Clones share it.
#[derive(Clone)]
pub(super) struct SerialDigestStates(Vec<Arc<Mutex<SerialDigestState>>>);

/// Hands ranges to the rows in order of offset, as room allows.
pub(super) struct InOrderQueue {
    rows: Vec<Sender<RangeFrames>>,
    room: Arc<Semaphore>,
}

/// The place of one range in every row.
pub(super) struct QueueSlot {
    rows: Vec<Sender<Frame>>,
    room: Arc<OwnedSemaphorePermit>,
}

impl SerialDigests {
    /// Each goes on from its state, of which there is one for each of the plan's needs in order. A stream is decoded
    /// from the beginning.
    pub fn start(
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

    /// `None` when nothing must go in order.
    pub fn feed(&self, waiting_room: u64) -> Option<InOrderQueue> {
        let rows = self.rows.iter().map(|(_, sender, _)| sender);
        let rows: Vec<_> = rows.chain(self.stream.iter().map(|(sender, _)| sender)).cloned().collect();
        let room = (waiting_room / KIB).min(Semaphore::MAX_PERMITS as u64) as usize;
        (!rows.is_empty()).then(|| InOrderQueue { rows, room: Arc::new(Semaphore::new(room)) })
    }

    /// Waits for the rows to hash what they were given. The feed must be gone by then.
    pub async fn finish(self) -> SerialResults {
        let mut digests = Vec::new();
        for (need, sender, thread) in self.rows {
            drop(sender);
            // A row that broke down has computed nothing, and its digests stay absent.
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
    pub fn now(&self) -> Vec<SerialDigestState> {
        self.0.iter().map(|state| lock(state).clone()).collect()
    }
}

impl InOrderQueue {
    /// Waits until the whole range has room. `None` when it can never have.
    pub async fn admit(&mut self, range: ByteRange) -> Option<QueueSlot> {
        let room = u32::try_from(range.len().div_ceil(KIB)).ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(room).await.ok()?;
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let (sender, frames) = channel();
            // A row that is gone has its digests absent; the others go on.
            if row.send(RangeFrames { range, frames }).is_ok() {
                rows.push(sender);
            }
        }
        Some(QueueSlot { rows, room: Arc::new(room) })
    }
}

impl QueueSlot {
    pub fn pass(&mut self, frame: &Bytes) {
        for row in &self.rows {
            let _ = row.send((frame.clone(), Arc::clone(&self.room)));
        }
    }
}

/// Hashes the parts of a layout from the ranges given, until one is missing or short.
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
            // Read again for another row, which has not come so far.
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

/// Decodes all bytes of an object. `None` where one is missing.
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
    /// From the beginning, where the state is none to go on from.
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
