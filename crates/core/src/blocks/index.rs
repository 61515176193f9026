use std::fmt;

use crate::units::GIB;

/// Bytes of a block of a snapshot (EBS User Guide, *EBS direct APIs*).
pub const BLOCK_BYTES: u64 = 512 << 10;

/// The place of a block in a volume: its offset in units of [`BLOCK_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockIndex(pub u32);

impl BlockIndex {
    /// Offset of the first byte of the block in the volume.
    pub fn offset(self) -> u64 {
        u64::from(self.0) * BLOCK_BYTES
    }

    /// The block behind this one.
    pub fn next(self) -> Self {
        BlockIndex(self.0.saturating_add(1))
    }

    /// Whether the block is inside of a volume of `gib` GiB. Volumes have whole GiB, so no block crosses the end.
    pub fn is_inside(self, gib: u64) -> bool {
        u64::from(self.0) < Self::count(gib)
    }

    /// Number of blocks of a volume of `gib` GiB.
    pub fn count(gib: u64) -> u64 {
        gib.saturating_mul(GIB / BLOCK_BYTES)
    }
}

impl fmt::Display for BlockIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_volume() {
        assert_eq!((BlockIndex(3).offset(), BlockIndex(3).next()), (1_572_864, BlockIndex(4)));
        assert_eq!(BlockIndex::count(1), 2_048);
        assert!(BlockIndex(2_047).is_inside(1) && !BlockIndex(2_048).is_inside(1));
        assert!(!BlockIndex(0).is_inside(0));
    }
}
