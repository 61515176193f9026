use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::kernel::Kernel;
use super::queue::Queue;
use crate::checksum::Digest;

/// Bytes a stream needs before it counts as ready. Calls over fewer bytes cost more than they gain.
const ENOUGH: usize = 16 << 10;
/// Queued bytes with which a stream is ahead of the others.
const AHEAD: usize = 128 << 10;
/// Limit for one wait. A call hashes its bytes in milliseconds, so a longer wait means that the working
/// thread died.
const LONGEST: Duration = Duration::from_secs(1);

/// Collects the bytes of many streams until they fill a vector register, then hashes them together.
///
/// It has no thread of its own: the caller whose bytes complete a group does the hashing, without holding the
/// lock. A caller waits only if the queued bytes exceed the room while other threads are hashing. About
/// `room` bytes are queued, and about as many are being hashed.
pub struct LaneScheduler<K: Kernel, F> {
    kernel: K,
    /// Number of ready streams that triggers hashing.
    wanted: usize,
    /// Bytes that may be queued before hashing starts with fewer streams.
    room: usize,
    streams: Mutex<Streams<K::State, F>>,
    /// Number of groups that were hashed.
    groups: AtomicU64,
    /// Signalled whenever a thread finishes a group.
    done_some: Condvar,
}

struct Streams<S, F> {
    slots: Vec<Option<Slot<S, F>>>,
    free: Vec<usize>,
    /// Number of streams with enough queued bytes to be hashed.
    ready: usize,
    waiting: usize,
    /// Number of threads that are hashing a group now.
    at_work: usize,
    done: Vec<(usize, Digest)>,
}

struct Slot<S, F> {
    to: DigestTo,
    /// Queued bytes, without those that a thread is hashing now.
    queue: Queue<F>,
    /// `None` while a thread is hashing this stream.
    state: Option<S>,
    ended: bool,
}

/// Where the digest of a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DigestTo {
    /// To [`LaneScheduler::take_done`], with this tag.
    Done(usize),
    /// To the caller of [`LaneHasher::finish`].
    Caller,
    /// Nobody needs it.
    Nobody,
}

/// One stream of a group, taken out of its slot while a thread hashes it.
struct Work<S, F> {
    slot: usize,
    state: S,
    queue: Queue<F>,
    ended: bool,
}

impl<S, F> Slot<S, F> {
    fn is_ready(&self) -> bool {
        self.state.is_some() && (self.queue.waiting() >= ENOUGH || (self.ended && self.queue.waiting() > 0))
    }
}

type Guard<'a, K, F> = MutexGuard<'a, Streams<<K as Kernel>::State, F>>;

/// Whether more bytes may be added now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Room {
    /// More bytes may be added.
    Free,
    /// Half of the room is taken, and the stream is ahead of the others. If they catch up before more bytes
    /// are added, groups have more streams.
    Ahead,
    /// Bytes arrive faster than they are hashed: wait before more are added.
    Full,
}

/// Handle of a stream in a [`LaneScheduler`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneStream(usize);

/// One stream of a [`LaneScheduler`], whose digest is returned to the caller.
pub struct LaneHasher<K: Kernel, F: AsRef<[u8]>> {
    lanes: Arc<LaneScheduler<K, F>>,
    stream: LaneStream,
}

impl<K: Kernel, F: AsRef<[u8]>> LaneHasher<K, F> {
    /// Opens a stream.
    pub fn new(lanes: &Arc<LaneScheduler<K, F>>) -> Self {
        LaneHasher { lanes: Arc::clone(lanes), stream: lanes.open_for(DigestTo::Caller) }
    }

    /// Appends bytes. May hash queued bytes of this and other streams.
    pub fn update(&self, frame: F) -> Room {
        self.lanes.push(self.stream, frame)
    }

    /// The digest of all bytes. Waits while another thread hashes some of them. `None` if such a thread panicked.
    pub fn finish(self) -> Option<Digest> {
        self.lanes.digest(self.stream)
    }
}

impl<K: Kernel, F: AsRef<[u8]>> Drop for LaneHasher<K, F> {
    fn drop(&mut self) {
        self.lanes.close(self.stream);
    }
}

impl<K: Kernel, F: AsRef<[u8]>> LaneScheduler<K, F> {
    /// Expects `expected` streams at a time. At most about `room` bytes are queued and about as many are
    /// being hashed.
    pub fn new(kernel: K, expected: usize, room: usize) -> Self {
        // Do not wait for the slowest eighth of the expected streams: they would hold up the others.
        let wanted = kernel.width().min(expected - expected / 8).max(1);
        let streams =
            Streams { slots: Vec::new(), free: Vec::new(), ready: 0, waiting: 0, at_work: 0, done: Vec::new() };
        LaneScheduler {
            kernel,
            wanted,
            room,
            streams: Mutex::new(streams),
            groups: AtomicU64::new(0),
            done_some: Condvar::new(),
        }
    }

    fn lock(&self) -> Guard<'_, K, F> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a stream. Its digest is returned together with `tag`.
    pub fn open(&self, tag: usize) -> LaneStream {
        self.open_for(DigestTo::Done(tag))
    }

    fn open_for(&self, to: DigestTo) -> LaneStream {
        let slot = Some(Slot { to, queue: Queue::default(), state: Some(K::State::default()), ended: false });
        let mut streams = self.lock();
        let free = streams.free.pop();
        match free.and_then(|free| Some((free, streams.slots.get_mut(free)?))) {
            Some((free, place)) => {
                *place = slot;
                LaneStream(free)
            }
            None => {
                streams.slots.push(slot);
                LaneStream(streams.slots.len() - 1)
            }
        }
    }

    /// Appends bytes to a stream. May hash queued bytes of this and other streams, and may wait for another
    /// thread that does.
    pub fn push(&self, stream: LaneStream, frame: F) -> Room {
        if frame.as_ref().is_empty() {
            return Room::Free;
        }
        self.change(stream, |slot| slot.queue.push(frame))
    }

    /// Marks the end of a stream. Its digest is available after its last bytes are hashed.
    pub fn end(&self, stream: LaneStream) {
        // It adds no bytes, so whoever adds the next ones waits.
        let _ = self.change(stream, |slot| slot.ended = true);
    }

    /// Blocks until there is room for more bytes, and hashes in the meantime what can be hashed. Gives up after a
    /// second without progress: the thread that it waits for has panicked.
    pub fn wait_for_room(&self) {
        let mut streams = self.lock();
        loop {
            let room;
            (streams, room) = self.work(streams);
            if room == Room::Free {
                return;
            }
            let (again, waited) = self.done_some.wait_timeout(streams, LONGEST).unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return;
            }
            streams = again;
        }
    }

    /// Number of groups that were hashed so far.
    pub fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// Removes and returns the digests that are complete, with their tags.
    pub fn take_done(&self) -> Vec<(usize, Digest)> {
        std::mem::take(&mut self.lock().done)
    }

    /// Hashes what is left and returns the digests of all ended streams that [`take_done`](Self::take_done)
    /// has not returned. Streams without an end are dropped and have no digest. No other thread may push at
    /// the same time.
    pub fn finish(&self) -> Vec<(usize, Digest)> {
        {
            let mut streams = self.lock();
            let open = |slot: &Option<Slot<K::State, F>>| slot.as_ref().is_some_and(|slot| !slot.ended);
            for at in 0..streams.slots.len() {
                if streams.slots.get(at).is_some_and(open) {
                    streams.change(at, |slot| slot.queue = Queue::default());
                }
            }
        }
        loop {
            // The guard is dropped before `advance`, which hashes without the lock.
            let work = self.lock().take(&self.kernel);
            let Some(work) = work else { break };
            self.advance(work);
        }
        self.take_done()
    }

    /// Hashes what is left of a stream, with bytes of others, and returns its digest. `None` if a thread that hashed
    /// bytes of it panicked.
    fn digest(&self, stream: LaneStream) -> Option<Digest> {
        let mut streams = self.lock();
        streams.change(stream.0, |slot| slot.ended = true);
        loop {
            let slot = streams.slots.get(stream.0)?.as_ref()?;
            match &slot.state {
                Some(state) if slot.queue.waiting() == 0 => return Some(self.kernel.finish(state)),
                Some(_) => {
                    let work = streams.take_first(Some(stream.0), &self.kernel)?;
                    drop(streams);
                    self.advance(work);
                    streams = self.lock();
                }
                None => {
                    let waited = self.done_some.wait_timeout(streams, LONGEST);
                    let (again, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() {
                        return None;
                    }
                    streams = again;
                }
            }
        }
    }

    /// Frees the slot of a stream whose digest is not needed any more.
    fn close(&self, stream: LaneStream) {
        let mut streams = self.lock();
        streams.change(stream.0, |slot| {
            (slot.to, slot.ended, slot.queue) = (DigestTo::Nobody, true, Queue::default());
        });
        streams.retire(stream.0, &self.kernel);
    }

    /// Changes a stream, then hashes while enough streams are ready or too many bytes are queued.
    fn change(&self, stream: LaneStream, change: impl FnOnce(&mut Slot<K::State, F>)) -> Room {
        let mut streams = self.lock();
        streams.change(stream.0, change);
        streams.retire(stream.0, &self.kernel);
        let (streams, room) = self.work(streams);
        let slot = streams.slots.get(stream.0).and_then(Option::as_ref);
        let is_ahead = || slot.is_some_and(|slot| slot.queue.waiting() > AHEAD);
        if room == Room::Free && streams.waiting > self.room / 2 && is_ahead() { Room::Ahead } else { room }
    }

    /// Hashes while there is enough to do. Full where too much is left and other threads are at work on it.
    fn work<'a>(&'a self, mut streams: Guard<'a, K, F>) -> (Guard<'a, K, F>, Room) {
        while streams.ready >= self.wanted || streams.waiting > self.room {
            if let Some(work) = streams.take(&self.kernel) {
                drop(streams);
                self.advance(work);
                streams = self.lock();
            } else {
                let room = if streams.at_work > 0 { Room::Full } else { Room::Free };
                return (streams, room);
            }
        }
        (streams, Room::Free)
    }

    /// Hashes a group without the lock, so other threads can queue bytes meanwhile.
    fn advance(&self, mut work: Vec<Work<K::State, F>>) {
        let _at_work = AtWork(self);
        lockstep(&self.kernel, &mut work);
        let mut streams = self.lock();
        for done in work {
            let Work { slot, state, queue, .. } = done;
            streams.change(slot, |slot| {
                slot.state = Some(state);
                if slot.to != DigestTo::Nobody {
                    let came = std::mem::replace(&mut slot.queue, queue);
                    slot.queue.append(came);
                }
            });
            streams.retire(slot, &self.kernel);
        }
    }
}

/// Lowers the count of working threads on drop, also after a panic, so that no waiting thread waits for ever.
struct AtWork<'a, K: Kernel, F: AsRef<[u8]>>(&'a LaneScheduler<K, F>);

impl<K: Kernel, F: AsRef<[u8]>> Drop for AtWork<'_, K, F> {
    fn drop(&mut self) {
        self.0.lock().at_work -= 1;
        self.0.groups.fetch_add(1, Ordering::Relaxed);
        self.0.done_some.notify_all();
    }
}

impl<S, F: AsRef<[u8]>> Streams<S, F> {
    /// Changes a stream and updates the counts of ready streams and queued bytes.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut Slot<S, F>)) {
        let Some(Some(slot)) = self.slots.get_mut(at) else { return };
        self.ready -= usize::from(slot.is_ready());
        self.waiting -= slot.queue.waiting();
        change(slot);
        self.ready += usize::from(slot.is_ready());
        self.waiting += slot.queue.waiting();
    }

    /// Moves the digest of an ended stream to the results once all its bytes are hashed, and frees its slot.
    fn retire<K: Kernel<State = S>>(&mut self, at: usize, kernel: &K) {
        let over = |slot: &mut Slot<S, F>| {
            slot.ended && slot.queue.waiting() == 0 && slot.state.is_some() && slot.to != DigestTo::Caller
        };
        let Some(slot) = self.slots.get_mut(at).and_then(|slot| slot.take_if(over)) else { return };
        if let (DigestTo::Done(tag), Some(state)) = (slot.to, &slot.state) {
            self.done.push((tag, kernel.finish(state)));
        }
        self.free.push(at);
    }

    /// Takes out as many streams as the kernel should advance, those with the most queued bytes first. `None` if no
    /// stream has a whole block queued.
    fn take<K: Kernel<State = S>>(&mut self, kernel: &K) -> Option<Vec<Work<S, F>>> {
        self.take_first(None, kernel)
    }

    /// Like [`take`](Self::take), with the stream in the slot `first` among them.
    fn take_first<K: Kernel<State = S>>(&mut self, first: Option<usize>, kernel: &K) -> Option<Vec<Work<S, F>>> {
        let with = |worth: fn(&Slot<S, F>) -> bool| -> Vec<(usize, usize)> {
            let slots = self.slots.iter().enumerate();
            let worth = |slot: &&Slot<S, F>| worth(slot);
            slots.filter_map(|(at, slot)| slot.as_ref().filter(worth).map(|s| (s.queue.waiting(), at))).collect()
        };
        let mut order = with(Slot::is_ready);
        if order.is_empty() {
            order = with(|slot| slot.state.is_some() && slot.queue.waiting() >= K::BLOCK);
        }
        order.sort_unstable_by_key(|(waiting, at)| Reverse((Some(*at) == first, *waiting, *at)));
        order.truncate(kernel.width());
        let mut work = Vec::with_capacity(order.len());
        for (_, at) in order {
            self.change(at, |slot| {
                if let Some(state) = slot.state.take() {
                    let queue = std::mem::take(&mut slot.queue);
                    work.push(Work { slot: at, state, queue, ended: slot.ended });
                }
            });
        }
        self.at_work += usize::from(!work.is_empty());
        (!work.is_empty()).then_some(work)
    }
}

/// Advances all streams of a group by the number of whole blocks that the shortest one has, then hashes the
/// last partial block of each stream that has ended.
fn lockstep<K: Kernel, F: AsRef<[u8]>>(kernel: &K, work: &mut [Work<K::State, F>]) {
    let least = work.iter().map(|work| work.queue.waiting()).min().unwrap_or(0);
    let mut left = least - least % K::BLOCK;
    let group = kernel.group(work.len());
    let mut states: Vec<K::State> = work.iter().map(|work| work.state.clone()).collect();
    states.resize(group, K::State::default());
    while left > 0 {
        let step = work.iter().map(|work| work.queue.contiguous().len()).min().unwrap_or(0).min(left);
        if step >= K::BLOCK {
            let step = step - step % K::BLOCK;
            let inputs = work.iter().map(|work| work.queue.contiguous().get(..step).unwrap_or_default());
            kernel.update(&mut states, &filled(inputs, group));
            work.iter_mut().for_each(|work| work.queue.skip(step));
            left -= step;
        } else {
            // A frame ends within a block: copy one block out of two or more frames, so that all streams stay
            // in step.
            let mut blocks = vec![0; work.len() * K::BLOCK];
            work.iter_mut().zip(blocks.chunks_mut(K::BLOCK)).for_each(|(work, block)| work.queue.take(block));
            kernel.update(&mut states, &filled(blocks.chunks(K::BLOCK), group));
            left -= K::BLOCK;
        }
    }
    for (work, mut state) in work.iter_mut().zip(states) {
        // The partial block at the end of a stream is hashed by itself.
        while work.ended && (1..K::BLOCK).contains(&work.queue.waiting()) {
            let rest = work.queue.contiguous();
            let len = rest.len();
            kernel.update(std::slice::from_mut(&mut state), &[rest]);
            work.queue.skip(len);
        }
        work.state = state;
    }
}

/// Fills the group up to `group` inputs by repeating the first one.
fn filled<'a>(inputs: impl Iterator<Item = &'a [u8]>, group: usize) -> Vec<&'a [u8]> {
    let mut inputs: Vec<&[u8]> = inputs.collect();
    inputs.resize(group, inputs.first().copied().unwrap_or_default());
    inputs
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use md5::Digest as _;
    use proptest::prelude::*;

    use super::super::{Md5Lanes, Sha256Pairs, Sha512Lanes};
    use super::*;
    use crate::checksum::{Algorithm, Hasher};

    /// MD5 by the scalar crate. Counts the calls and the streams passed to them.
    #[derive(Clone, Default)]
    struct Scalar(Arc<AtomicUsize>, Arc<AtomicUsize>);

    impl Kernel for Scalar {
        type State = md5::Md5;

        const BLOCK: usize = Md5Lanes::BLOCK;

        fn width(&self) -> usize {
            8
        }

        fn group(&self, streams: usize) -> usize {
            streams.next_multiple_of(4)
        }

        fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.fetch_add(inputs.len(), Ordering::Relaxed);
            states.iter_mut().zip(inputs).for_each(|(state, input)| state.update(input));
        }

        fn finish(&self, state: &Self::State) -> Digest {
            Digest::computed(Algorithm::Md5, &state.clone().finalize())
        }
    }

    fn data(seed: usize, len: usize) -> Vec<u8> {
        (0..len).map(|at| ((at * 31 + seed * 17) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[3]).collect()
    }

    /// Adds bytes, and waits where there is no room for more.
    fn push<K: Kernel>(pool: &LaneScheduler<K, Vec<u8>>, stream: LaneStream, frame: Vec<u8>) {
        if pool.push(stream, frame) == Room::Full {
            pool.wait_for_room();
        }
    }

    /// Hashes streams of the given lengths, whose frames have the given sizes in rotation.
    fn hashed<K: Kernel>(kernel: K, lens: &[usize], frames: &[usize], room: usize) -> Vec<(usize, Digest)> {
        let pool = LaneScheduler::new(kernel, lens.len(), room);
        let mut left: Vec<_> = lens.iter().enumerate().map(|(tag, len)| (pool.open(tag), data(tag, *len), 0)).collect();
        let mut frame = frames.iter().cycle();
        while !left.is_empty() {
            left.retain_mut(|(stream, bytes, at)| {
                let end = (*at + frame.next().unwrap()).min(bytes.len());
                push(&pool, *stream, bytes[*at..end].to_vec());
                *at = end;
                if end == bytes.len() {
                    pool.end(*stream);
                }
                end < bytes.len()
            });
        }
        let mut done = pool.finish();
        done.sort_by_key(|(tag, _)| *tag);
        done
    }

    fn expected(algorithm: Algorithm, lens: &[usize]) -> Vec<(usize, Digest)> {
        lens.iter().enumerate().map(|(tag, len)| (tag, Hasher::digest(algorithm, &data(tag, *len)))).collect()
    }

    #[test]
    fn every_vector_unit_is_found_once_and_the_widest_is_used() {
        let widths: Vec<usize> = Md5Lanes::all().iter().map(Kernel::width).collect();
        assert!(!widths.is_empty(), "every processor this is tested on has a vector unit");
        assert!(widths.is_sorted_by(|wide, narrow| wide > narrow), "{widths:?}");
        assert_eq!(Md5Lanes::detect().map(|lanes| lanes.width()), widths.first().copied());
    }

    #[test]
    fn all_kinds_of_lengths() {
        let short = [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 7, 1];
        let lens = [&short[..], &[100_003, 300_000, ENOUGH - 1, ENOUGH, ENOUGH + 1, 64_000]].concat();
        let (md5, sha512) = (expected(Algorithm::Md5, &lens), expected(Algorithm::Sha512, &lens));
        for frames in [&[64_000][..], &[1_000, 1, 63], &[17], &[100_000, 3]] {
            assert_eq!(hashed(Scalar::default(), &lens, frames, 1 << 20), md5, "{frames:?}");
            for lanes in Md5Lanes::all() {
                assert_eq!(hashed(lanes, &lens, frames, 1 << 20), md5, "{lanes:?} {frames:?}");
            }
            if let Some(lanes) = Sha512Lanes::detect() {
                assert_eq!(hashed(lanes, &lens, frames, 1 << 20), sha512, "{frames:?}");
            }
        }
    }

    #[test]
    fn streams_of_even_progress_fill_the_register() {
        let kernel = Scalar::default();
        let lens = [1 << 20; 16];
        assert_eq!(hashed(kernel.clone(), &lens, &[40_000], 16 << 20), expected(Algorithm::Md5, &lens));
        let (calls, lanes) = (kernel.0.load(Ordering::Relaxed), kernel.1.load(Ordering::Relaxed));
        assert!(lanes as f64 / calls as f64 > 7.5, "{lanes} lanes in {calls} calls");
    }

    #[test]
    fn what_waits_is_bounded() {
        let pool = LaneScheduler::new(Scalar::default(), 8, 1 << 20);
        let streams: Vec<LaneStream> = (0..8).map(|tag| pool.open(tag)).collect();
        for _ in 0..1_000 {
            push(&pool, streams[0], vec![0; 10_000]);
            assert!(pool.lock().waiting <= 1 << 20);
        }
    }

    #[test]
    fn a_stream_is_ahead_where_it_has_much_of_a_room_that_is_half_full() {
        let pool = LaneScheduler::new(Scalar::default(), 8, 8 * AHEAD);
        let streams: Vec<LaneStream> = (0..8).map(|tag| pool.open(tag)).collect();
        assert_eq!(pool.push(streams[0], vec![0; 4 * AHEAD]), Room::Free, "half of the room is left");
        assert_eq!(pool.push(streams[1], vec![0; AHEAD]), Room::Free, "it is behind");
        assert_eq!(pool.push(streams[0], vec![0]), Room::Ahead);
        assert_eq!(pool.groups(), 0);
        for stream in &streams[2..] {
            assert_eq!(pool.push(*stream, vec![0; ENOUGH]), Room::Free);
        }
        assert_eq!(pool.groups(), 1, "enough streams are ready");
    }

    /// A kernel whose calls block until the gate is opened.
    #[derive(Clone, Default)]
    struct Gate(Arc<(Mutex<(bool, bool)>, Condvar)>);

    impl Gate {
        fn wait_until(&self, reached: impl Fn((bool, bool)) -> bool) {
            let state = self.0.0.lock().unwrap();
            drop(self.0.1.wait_while(state, |state| !reached(*state)).unwrap());
        }

        fn set(&self, change: impl Fn(&mut (bool, bool))) {
            change(&mut self.0.0.lock().unwrap());
            self.0.1.notify_all();
        }
    }

    impl Kernel for Gate {
        type State = md5::Md5;

        const BLOCK: usize = Md5Lanes::BLOCK;

        fn width(&self) -> usize {
            2
        }

        fn group(&self, streams: usize) -> usize {
            streams
        }

        fn update(&self, states: &mut [Self::State], inputs: &[&[u8]]) {
            self.set(|(entered, _)| *entered = true);
            self.wait_until(|(_, open)| open);
            Scalar::default().update(states, inputs);
        }

        fn finish(&self, state: &Self::State) -> Digest {
            Scalar::default().finish(state)
        }
    }

    #[test]
    fn what_comes_faster_than_it_is_hashed_waits_for_the_work() {
        const ROOM: usize = 1 << 20;
        let gate = Gate::default();
        let pool = LaneScheduler::new(gate.clone(), 1, ROOM);
        let stream = pool.open(0);
        let frames: Vec<Vec<u8>> = (0..40).map(|seed| data(seed, ROOM / 4)).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| push(&pool, stream, data(99, ENOUGH)));
            gate.wait_until(|(entered, _)| entered);
            // All that there is is at work; whoever brings more than the room must wait.
            let more = scope.spawn(|| frames.iter().for_each(|frame| push(&pool, stream, frame.clone())));
            let waiting = loop {
                match pool.lock().waiting {
                    waiting if waiting > ROOM => break waiting,
                    _ => std::thread::yield_now(),
                }
            };
            // Open the gate before any assertion: the scope joins its threads even after a panic.
            gate.set(|(_, open)| *open = true);
            more.join().unwrap();
            assert!(waiting <= ROOM * 5 / 4, "{waiting}");
        });
        pool.end(stream);
        let all = [data(99, ENOUGH), frames.concat()].concat();
        assert_eq!(
            pool.finish(),
            [(0, Hasher::digest(Algorithm::Md5, &all))],
            "what came meanwhile is hashed behind it"
        );
    }

    #[test]
    fn a_stream_that_did_not_end_has_no_digest() {
        let pool = LaneScheduler::new(Scalar::default(), 2, 1 << 20);
        let (whole, part) = (pool.open(1), pool.open(2));
        push(&pool, whole, vec![1; 100]);
        push(&pool, part, vec![1; 100]);
        pool.end(whole);
        assert_eq!(pool.finish(), [(1, Hasher::digest(Algorithm::Md5, &[1; 100]))]);
    }

    /// Streams whose callers wait for their digests, each on a thread of its own.
    fn by_callers<K: Kernel>(kernel: K, lens: &[usize], frame: usize) -> Vec<Option<Digest>> {
        let pool = Arc::new(LaneScheduler::new(kernel, lens.len(), 1 << 20));
        let one = |tag: usize, len: usize| {
            let hasher = LaneHasher::new(&pool);
            for frame in data(tag, len).chunks(frame) {
                let _ = hasher.update(frame.to_vec());
            }
            hasher.finish()
        };
        let digests = std::thread::scope(|scope| {
            let started = lens.iter().enumerate().map(|(tag, len)| scope.spawn(move || one(tag, *len)));
            let started: Vec<_> = started.collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let streams = pool.lock();
        assert!(streams.slots.iter().all(Option::is_none), "every slot is free again");
        assert_eq!((streams.ready, streams.waiting, streams.at_work), (0, 0, 0));
        digests
    }

    #[test]
    fn callers_wait_for_their_own_digests() {
        let lens = [0, 1, 64, 100_003, 300_000, 524_288, 524_288, 524_289];
        for frame in [17, 40_000, 600_000] {
            let expected = |algorithm| -> Vec<Option<Digest>> {
                expected(algorithm, &lens).into_iter().map(|(_, digest)| Some(digest)).collect()
            };
            assert_eq!(by_callers(Scalar::default(), &lens, frame), expected(Algorithm::Md5), "{frame}");
            if let Some(pairs) = Sha256Pairs::detect() {
                assert_eq!(by_callers(pairs, &lens, frame), expected(Algorithm::Sha256), "{frame}");
            }
            if let Some(lanes) = Sha512Lanes::detect() {
                assert_eq!(by_callers(lanes, &lens, frame), expected(Algorithm::Sha512), "{frame}");
            }
        }
    }

    #[test]
    fn a_stream_without_a_digest_leaves_nothing() {
        let pool = Arc::new(LaneScheduler::new(Scalar::default(), 2, 1 << 20));
        let dropped = LaneHasher::new(&pool);
        assert_eq!(dropped.update(vec![1; 3 * ENOUGH]), Room::Free);
        drop(dropped);
        let hasher = LaneHasher::new(&pool);
        assert_eq!(hasher.update(vec![2; 100]), Room::Free);
        assert_eq!(pool.lock().slots.len(), 1, "the slot is used again");
        assert_eq!(hasher.finish(), Some(Hasher::digest(Algorithm::Md5, &[2; 100])));
    }

    #[test]
    fn a_stream_that_is_dropped_while_it_is_hashed_is_freed_afterwards() {
        let gate = Gate::default();
        let pool = Arc::new(LaneScheduler::new(gate.clone(), 1, 1 << 20));
        let hasher = LaneHasher::new(&pool);
        let stream = hasher.stream;
        std::thread::scope(|scope| {
            let pool = &pool;
            scope.spawn(move || pool.push(stream, data(1, 3 * ENOUGH)));
            gate.wait_until(|(entered, _)| entered);
            drop(hasher);
            gate.set(|(_, open)| *open = true);
        });
        let streams = pool.lock();
        assert!(streams.slots.iter().all(Option::is_none));
        assert_eq!((streams.ready, streams.waiting, streams.at_work), (0, 0, 0));
    }

    proptest! {
        #[test]
        fn any_streams_in_any_frames(
            lens in prop::collection::vec(0_usize..80_000, 1..40),
            frames in prop::collection::vec(1_usize..70_000, 1..12),
            room in 1_usize..2_000_000,
        ) {
            for lanes in Md5Lanes::all() {
                prop_assert_eq!(hashed(lanes, &lens, &frames, room), expected(Algorithm::Md5, &lens), "{:?}", lanes);
            }
            if let Some(lanes) = Sha512Lanes::detect() {
                prop_assert_eq!(hashed(lanes, &lens, &frames, room), expected(Algorithm::Sha512, &lens));
            }
        }
    }
}
