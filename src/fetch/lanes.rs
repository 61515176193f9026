use std::sync::Arc;

use bytes::Bytes;

use crate::checksum::{Algorithm, Digest, Hasher, Kernel, LaneScheduler, LaneStream, Md5Lanes};

/// Fewer concurrent readers do not fill a register, and hash their bytes themselves.
const FEWEST: usize = 4;

/// Computes MD5 digests of several ranges in the lanes of vector registers.
pub(super) type Md5Pool = LaneScheduler<Md5Lanes, Bytes>;

/// Digests that concurrent ranges compute together: MD5, whose streams fill the lanes of vector registers.
pub(super) struct Lanes {
    /// Each pool serves one and a half times as many readers as it has lanes, so that lanes do not wait for slow
    /// readers.
    pools: Vec<Arc<Md5Pool>>,
    /// Column of the digest among those of a range; `None` if each range computes it itself.
    column: Option<usize>,
}

impl Lanes {
    /// `room` limits the bytes that wait for a lane, over all pools.
    pub(super) fn new(per_range: &[Algorithm], readers: usize, room: u64) -> Self {
        let column = per_range.iter().position(|algorithm| *algorithm == Algorithm::Md5);
        let kernel = Md5Lanes::detect().filter(|_| readers >= FEWEST);
        let (Some(column), Some(kernel)) = (column, kernel) else { return Lanes { pools: Vec::new(), column: None } };
        let count = (readers * 2 / (kernel.width() * 3)).max(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX) / count;
        let pools = (0..count).map(|_| Arc::new(LaneScheduler::new(kernel, readers.div_ceil(count), room))).collect();
        Lanes { pools, column: Some(column) }
    }

    /// Hashers for the digests that a range computes itself.
    pub(super) fn hashers(&self, per_range: &[Algorithm]) -> Vec<Hasher> {
        let by_itself = |algorithm: &&Algorithm| self.pools.is_empty() || **algorithm != Algorithm::Md5;
        per_range.iter().filter(by_itself).map(|algorithm| Hasher::new(*algorithm)).collect()
    }

    /// A stream for a range, in the pool of its reader; `None` without lanes.
    pub(super) fn open(&self, reader: usize, range: usize) -> Option<(&Arc<Md5Pool>, LaneStream)> {
        let pool = self.pools.get(reader % self.pools.len().max(1))?;
        Some((pool, pool.open(range)))
    }

    /// Column of the digest among those of a range; `None` if each range computes it itself.
    pub(super) fn column(&self) -> Option<usize> {
        self.column
    }

    /// Digests that are complete, by range.
    pub(super) fn take_done(&self) -> Vec<(usize, Digest)> {
        self.pools.iter().flat_map(|pool| pool.take_done()).collect()
    }

    /// The remaining digests, by range. All readers must have ended.
    pub(super) fn finish(&self) -> Vec<(usize, Digest)> {
        self.pools.iter().flat_map(|pool| pool.finish()).collect()
    }
}
