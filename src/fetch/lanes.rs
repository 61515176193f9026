use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::checksum::{
    Algorithm, Digest, Hasher, Kernel, LaneScheduler, LaneStream, Md5Lanes, Room, Sha256Pairs, Sha512Lanes,
};

/// Fewer concurrent readers do not fill a register, and hash their bytes themselves.
const FEWEST: usize = 4;
/// Number of readers whose blocks of SHA-256 are paired. Two of them nearly always have bytes, and they seldom wait for
/// the lock.
const PAIRED: usize = 8;

/// Longest time for which a reader that is ahead waits for the others. The socket takes what arrives meanwhile.
const PATIENCE: Duration = Duration::from_millis(3);

/// Digests of one algorithm that concurrent ranges compute together.
trait LanePool: Send + Sync {
    fn open(&self, range: usize) -> LaneStream;
    fn push(&self, stream: LaneStream, frame: Bytes) -> Room;
    fn end(&self, stream: LaneStream);
    fn wait_for_room(&self);
    /// Number of groups that were hashed.
    fn groups(&self) -> watch::Receiver<u64>;
    fn take_done(&self) -> Vec<(usize, Digest)>;
    fn finish(&self) -> Vec<(usize, Digest)>;
}

struct Pool<K: Kernel> {
    lanes: LaneScheduler<K, Bytes>,
    /// Number of groups that were hashed.
    groups: watch::Sender<u64>,
}

impl<K: Kernel> Pool<K> {
    /// Lets readers that are ahead know of the groups that the caller hashed.
    fn tell(&self) {
        let groups = self.lanes.groups();
        self.groups.send_if_modified(|told| std::mem::replace(told, groups) != groups);
    }
}

impl<K: Kernel> LanePool for Pool<K> {
    fn open(&self, range: usize) -> LaneStream {
        self.lanes.open(range)
    }

    fn push(&self, stream: LaneStream, frame: Bytes) -> Room {
        let room = self.lanes.push(stream, frame);
        self.tell();
        room
    }

    fn end(&self, stream: LaneStream) {
        self.lanes.end(stream);
        self.tell();
    }

    fn wait_for_room(&self) {
        self.lanes.wait_for_room();
        self.tell();
    }

    fn groups(&self) -> watch::Receiver<u64> {
        self.groups.subscribe()
    }

    fn take_done(&self) -> Vec<(usize, Digest)> {
        self.lanes.take_done()
    }

    fn finish(&self) -> Vec<(usize, Digest)> {
        self.lanes.finish()
    }
}

/// Whether the digest of a range is needed at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// A sink takes it with the range, except MD5.
    WithRange,
    /// At the end of the read.
    AtEnd,
}

/// Digests that concurrent ranges compute together: MD5, SHA-256 and SHA-512.
pub(super) struct Lanes(Vec<Column>);

/// The digests of one algorithm.
struct Column {
    algorithm: Algorithm,
    /// Its place among the digests of a range.
    place: usize,
    pools: Vec<Arc<dyn LanePool>>,
}

/// A digest that ranges computed together.
pub(super) struct LaneDigest {
    pub range: usize,
    /// Its place among the digests of a range.
    pub place: usize,
    pub digest: Digest,
}

impl Lanes {
    /// `room` limits the bytes that wait for a lane, over all pools.
    pub(super) fn new(per_range: &[Algorithm], needed: Needed, readers: usize, room: u64) -> Self {
        if readers < FEWEST {
            return Lanes(Vec::new());
        }
        // The queues of two algorithms may hold different frames.
        let is_in_lanes = |of: &&Algorithm| matches!(of, Algorithm::Md5 | Algorithm::Sha256 | Algorithm::Sha512);
        let room = room / per_range.iter().filter(is_in_lanes).count().max(1) as u64;
        let column = |(place, algorithm): (usize, &Algorithm)| {
            let pools = match algorithm {
                Algorithm::Md5 => Md5Lanes::detect().map(|lanes| pools(lanes, in_lanes(&lanes), readers, room)),
                Algorithm::Sha512 if needed == Needed::AtEnd => {
                    Sha512Lanes::detect().map(|lanes| pools(lanes, in_lanes(&lanes), readers, room))
                }
                Algorithm::Sha256 if needed == Needed::AtEnd => {
                    Sha256Pairs::detect().map(|pairs| pools(pairs, PAIRED, readers, room))
                }
                _ => None,
            };
            Some(Column { algorithm: *algorithm, place, pools: pools? })
        };
        Lanes(per_range.iter().enumerate().filter_map(column).collect())
    }

    /// Hashers for the digests that a range computes itself.
    pub(super) fn hashers(&self, per_range: &[Algorithm]) -> Vec<Hasher> {
        let by_itself = |algorithm: &&Algorithm| self.0.iter().all(|column| column.algorithm != **algorithm);
        per_range.iter().filter(by_itself).map(|algorithm| Hasher::new(*algorithm)).collect()
    }

    /// The streams of a range, in the pools of its reader.
    pub(super) fn open(&self, reader: usize, range: usize) -> Vec<RangeLane> {
        let open = |column: &Column| {
            let pool = column.pools.get(reader % column.pools.len().max(1))?;
            let (stream, groups) = (pool.open(range), pool.groups());
            Some(RangeLane { pool: Arc::clone(pool), stream, room: Room::Free, groups, leads: false })
        };
        self.0.iter().filter_map(open).collect()
    }

    /// Places of the digests among those of a range.
    pub(super) fn places(&self) -> Vec<usize> {
        self.0.iter().map(|column| column.place).collect()
    }

    /// Digests that are complete.
    pub(super) fn take_done(&self) -> Vec<LaneDigest> {
        self.digests(|pool| pool.take_done())
    }

    /// The remaining digests. All readers must have ended.
    pub(super) fn finish(&self) -> Vec<LaneDigest> {
        self.digests(|pool| pool.finish())
    }

    fn digests(&self, of: impl Fn(&dyn LanePool) -> Vec<(usize, Digest)>) -> Vec<LaneDigest> {
        let pools = self.0.iter().flat_map(|column| column.pools.iter().map(|pool| (column.place, pool)));
        let digests = pools.flat_map(|(place, pool)| of(&**pool).into_iter().map(move |done| (place, done)));
        digests.map(|(place, (range, digest))| LaneDigest { range, place, digest }).collect()
    }
}

/// Readers of a pool: one and a half times as many as it has lanes, so that lanes do not wait for slow readers.
fn in_lanes(kernel: &impl Kernel) -> usize {
    kernel.width() * 3 / 2
}

/// Pools for this number of readers each.
fn pools<K: Kernel + Clone + 'static>(kernel: K, each: usize, readers: usize, room: u64) -> Vec<Arc<dyn LanePool>> {
    let count = (readers / each).max(1);
    let room = usize::try_from(room).unwrap_or(usize::MAX) / count;
    let pool = || Pool {
        lanes: LaneScheduler::new(kernel.clone(), readers.div_ceil(count), room),
        groups: watch::Sender::default(),
    };
    (0..count).map(|_| Arc::new(pool()) as Arc<dyn LanePool>).collect()
}

/// The stream of a range in a pool.
pub(super) struct RangeLane {
    pool: Arc<dyn LanePool>,
    stream: LaneStream,
    /// After the last bytes.
    room: Room,
    groups: watch::Receiver<u64>,
    /// Others did not catch up in time. The stream does not wait for them before the next group is hashed.
    leads: bool,
}

impl RangeLane {
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.leads &= !self.groups.has_changed().unwrap_or_default();
        self.groups.mark_unchanged();
        self.room = self.pool.push(self.stream, bytes);
    }

    /// Waits until there is room for more bytes.
    pub(super) async fn wait_for_room(&mut self) {
        match std::mem::replace(&mut self.room, Room::Free) {
            Room::Free => {}
            Room::Ahead if self.leads => {}
            Room::Ahead => self.leads = tokio::time::timeout(PATIENCE, self.groups.changed()).await.is_err(),
            Room::Full => {
                let pool = Arc::clone(&self.pool);
                // The result is ignored: a panic of another thread loses only the range of that thread.
                drop(tokio::task::spawn_blocking(move || pool.wait_for_room()).await);
            }
        }
    }

    pub(super) fn end(self) {
        self.pool.end(self.stream);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    async fn is_over(mut work: Pin<&mut impl Future>) -> bool {
        poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_reader_that_is_ahead_waits_until_a_group_is_hashed() {
        const ROOM: usize = 1 << 20;
        let lanes = Lanes::new(&[Algorithm::Md5], Needed::AtEnd, FEWEST, ROOM as u64);
        let mut readers: Vec<RangeLane> = (0..FEWEST).flat_map(|reader| lanes.open(reader, reader)).collect();
        assert_eq!(readers.len(), FEWEST, "every processor this is tested on has a vector unit");
        let mut ahead = readers.remove(0);
        ahead.push(vec![0; ROOM / 2].into());
        assert!(is_over(pin!(ahead.wait_for_room())).await, "half of the room is left");
        ahead.push(vec![0; 1].into());
        {
            let mut waiting = pin!(ahead.wait_for_room());
            assert!(!is_over(waiting.as_mut()).await);
            readers.iter_mut().for_each(|reader| reader.push(vec![0; 64 << 10].into()));
            assert!(is_over(waiting.as_mut()).await);
        }
        readers.push(ahead);
        readers.into_iter().for_each(RangeLane::end);
        assert_eq!(lanes.finish().len(), FEWEST);
    }

    /// The others may be as slow as they like: it waits once, and goes on.
    #[tokio::test]
    async fn a_reader_does_not_wait_twice_for_the_same_group() {
        const ROOM: usize = 1 << 20;
        let lanes = Lanes::new(&[Algorithm::Md5], Needed::AtEnd, FEWEST, ROOM as u64);
        let mut ahead = lanes.open(0, 0).remove(0);
        ahead.push(vec![0; ROOM / 2 + 1].into());
        ahead.wait_for_room().await;
        ahead.push(vec![0; ROOM / 4].into());
        assert!(is_over(pin!(ahead.wait_for_room())).await);
    }
}
