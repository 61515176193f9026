use std::sync::Arc;

use bytes::Bytes;

use crate::checksum::{Algorithm, Digest, Hasher, Kernel, LaneScheduler, LaneStream, Md5Lanes};

/// Fewer readers at a time do not fill a register, and hash where their bytes land.
const FEWEST: usize = 4;

pub(super) type Md5Pool = LaneScheduler<Md5Lanes, Bytes>;

/// What ranges in flight compute together instead of each by itself: MD5, whose streams fill the lanes of a register.
pub(super) struct Lanes {
    /// Each for as many readers as fill a register and half of it again, so that nobody waits for the slowest.
    pools: Vec<Arc<Md5Pool>>,
    /// Where the digest stands among those of a range; absent where each range computes it by itself.
    column: Option<usize>,
}

impl Lanes {
    pub fn new(per_range: &[Algorithm], readers: usize, room: u64) -> Self {
        let column = per_range.iter().position(|algorithm| *algorithm == Algorithm::Md5);
        let kernel = Md5Lanes::detect().filter(|_| readers >= FEWEST);
        let (Some(column), Some(kernel)) = (column, kernel) else { return Lanes { pools: Vec::new(), column: None } };
        let count = (readers * 2 / (kernel.width() * 3)).max(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX) / count;
        let pools = (0..count).map(|_| Arc::new(LaneScheduler::new(kernel, readers.div_ceil(count), room))).collect();
        Lanes { pools, column: Some(column) }
    }

    /// Hashers for what a range computes by itself.
    pub fn hashers(&self, per_range: &[Algorithm]) -> Vec<Hasher> {
        let by_itself = |algorithm: &&Algorithm| self.pools.is_empty() || **algorithm != Algorithm::Md5;
        per_range.iter().filter(by_itself).map(|algorithm| Hasher::new(*algorithm)).collect()
    }

    /// A stream for a range, in the pool of its reader.
    pub fn open(&self, reader: usize, range: usize) -> Option<(&Arc<Md5Pool>, LaneStream)> {
        let pool = self.pools.get(reader % self.pools.len().max(1))?;
        Some((pool, pool.open(range)))
    }

    /// Where the digest stands among those of a range; absent where each range computes it by itself.
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// Digests that are there already, by range.
    pub fn take_done(&self) -> Vec<(usize, Digest)> {
        self.pools.iter().flat_map(|pool| pool.take_done()).collect()
    }

    /// All other digests, by range. Nobody may be reading any more.
    pub fn finish(&self) -> Vec<(usize, Digest)> {
        self.pools.iter().flat_map(|pool| pool.finish()).collect()
    }
}
