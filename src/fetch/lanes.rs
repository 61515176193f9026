use std::sync::Arc;

use bytes::Bytes;

use crate::checksum::{Algorithm, Digest, Hasher, Kernel, LaneScheduler, LaneStream, Md5Lanes, Room, Sha256Pairs};

/// Fewer concurrent readers do not fill a register, and hash their bytes themselves.
const FEWEST: usize = 4;
/// Number of readers whose blocks of SHA-256 are paired. Two of them nearly always have bytes, and they seldom wait for
/// the lock.
const PAIRED: usize = 8;

/// Digests of one algorithm that concurrent ranges compute together.
trait LanePool: Send + Sync {
    fn open(&self, range: usize) -> LaneStream;
    fn push(&self, stream: LaneStream, frame: Bytes) -> Room;
    fn end(&self, stream: LaneStream);
    fn wait_for_room(&self);
    fn take_done(&self) -> Vec<(usize, Digest)>;
    fn finish(&self) -> Vec<(usize, Digest)>;
}

impl<K: Kernel> LanePool for LaneScheduler<K, Bytes> {
    fn open(&self, range: usize) -> LaneStream {
        self.open(range)
    }

    fn push(&self, stream: LaneStream, frame: Bytes) -> Room {
        self.push(stream, frame)
    }

    fn end(&self, stream: LaneStream) {
        self.end(stream);
    }

    fn wait_for_room(&self) {
        self.wait_for_room();
    }

    fn take_done(&self) -> Vec<(usize, Digest)> {
        self.take_done()
    }

    fn finish(&self) -> Vec<(usize, Digest)> {
        self.finish()
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

/// Digests that concurrent ranges compute together: MD5 and SHA-256.
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
        let column = |(place, algorithm): (usize, &Algorithm)| {
            let pools = match algorithm {
                // Each pool serves one and a half times as many readers as it has lanes, so that lanes do not wait for
                // slow readers.
                Algorithm::Md5 => Md5Lanes::detect().map(|lanes| pools(lanes, lanes.width() * 3 / 2, readers, room)),
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
            Some(RangeLane { pool: Arc::clone(pool), stream: pool.open(range), is_full: false })
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

/// Pools for this number of readers each.
fn pools<K: Kernel + Clone + 'static>(kernel: K, each: usize, readers: usize, room: u64) -> Vec<Arc<dyn LanePool>> {
    let count = (readers / each).max(1);
    let room = usize::try_from(room).unwrap_or(usize::MAX) / count;
    let pool = || LaneScheduler::new(kernel.clone(), readers.div_ceil(count), room);
    (0..count).map(|_| Arc::new(pool()) as Arc<dyn LanePool>).collect()
}

/// The stream of a range in a pool.
pub(super) struct RangeLane {
    pool: Arc<dyn LanePool>,
    stream: LaneStream,
    /// The pool has no room for more bytes.
    is_full: bool,
}

impl RangeLane {
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.is_full |= self.pool.push(self.stream, bytes) == Room::Full;
    }

    /// Waits until there is room for more bytes.
    pub(super) async fn wait_for_room(&mut self) {
        if std::mem::take(&mut self.is_full) {
            let pool = Arc::clone(&self.pool);
            // The result is ignored: a panic of another thread loses only the range of that thread.
            drop(tokio::task::spawn_blocking(move || pool.wait_for_room()).await);
        }
    }

    pub(super) fn end(self) {
        self.pool.end(self.stream);
    }
}
