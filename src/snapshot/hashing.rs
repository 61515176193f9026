use std::sync::Arc;

use bytes::Bytes;

use crate::blocks::BlockDigest;
use crate::checksum::{Algorithm, Hasher, LaneHasher, LaneScheduler, Sha256Pairs};

/// Bytes that may wait for those of another block. Few blocks arrive at the same time, so this is seldom reached.
const ROOM: usize = 1 << 20;

/// Hashes blocks that arrive at the same time: in pairs, where the processor can.
pub(super) struct BlockHashing(Option<Arc<Pairs>>);

type Pairs = LaneScheduler<Sha256Pairs, Bytes>;

impl BlockHashing {
    pub(super) fn new() -> Self {
        BlockHashing(Sha256Pairs::detect().map(|pairs| Arc::new(LaneScheduler::new(pairs, usize::MAX, ROOM))))
    }

    /// Starts the digest of a block.
    pub(super) fn start(&self) -> BlockHash {
        match &self.0 {
            Some(pairs) => BlockHash::Paired(LaneHasher::new(pairs)),
            None => BlockHash::Alone(Box::new(Hasher::new(Algorithm::Sha256))),
        }
    }
}

/// The digest of a block whose bytes arrive.
pub(super) enum BlockHash {
    Paired(LaneHasher<Sha256Pairs, Bytes>),
    Alone(Box<Hasher>),
}

impl BlockHash {
    pub(super) fn update(&mut self, bytes: Bytes) {
        match self {
            BlockHash::Alone(hasher) => hasher.update(&bytes),
            // A task waits for the digest of each block, so no more than their blocks can wait.
            BlockHash::Paired(hasher) => _ = hasher.update(bytes),
        }
    }

    /// `None` if a thread that hashed some of the bytes panicked.
    pub(super) fn finish(self) -> Option<BlockDigest> {
        let digest = match self {
            BlockHash::Alone(hasher) => hasher.finish(),
            BlockHash::Paired(hasher) => hasher.finish()?,
        };
        digest.as_bytes().try_into().ok().map(BlockDigest::new)
    }
}
