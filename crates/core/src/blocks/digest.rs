use std::fmt;
use std::str::FromStr;

use super::BlockIndex;
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::text::serde_as_text;

/// A SHA-256: of a block, or of all blocks of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockDigest([u8; 32]);

impl BlockDigest {
    /// The digest of a block of zeros.
    pub const ZEROS: BlockDigest = BlockDigest([
        0x07, 0x85, 0x4d, 0x2f, 0xef, 0x29, 0x7a, 0x06, 0xba, 0x81, 0x68, 0x5e, 0x66, 0x0c, 0x33, 0x2d, 0xe3, 0x6d,
        0x5d, 0x18, 0xd5, 0x46, 0x92, 0x7d, 0x30, 0xda, 0xad, 0x6d, 0x7f, 0xda, 0x15, 0x41,
    ]);

    /// A digest of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        BlockDigest(bytes)
    }

    /// The bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a block with this digest contains.
    pub fn content(self) -> BlockContent {
        if self == BlockDigest::ZEROS { BlockContent::Zeros } else { BlockContent::Written(self) }
    }

    fn of(digest: &Digest) -> Self {
        BlockDigest(digest.as_bytes().try_into().unwrap_or_default())
    }
}

impl fmt::Display for BlockDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlockDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a SHA-256 of 64 hexadecimal digits")]
pub struct ParseBlockDigestError;

impl FromStr for BlockDigest {
    type Err = ParseBlockDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = hex::decode(text).map_err(|_| ParseBlockDigestError)?;
        Ok(BlockDigest(bytes.try_into().map_err(|_| ParseBlockDigestError)?))
    }
}

serde_as_text!(BlockDigest);

/// What a block contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockContent {
    /// It was never written, or it is all zeros.
    Zeros,
    /// Bytes with this digest, at least one of which is not zero.
    Written(BlockDigest),
}

impl BlockContent {
    /// The digest of the block.
    pub fn digest(self) -> BlockDigest {
        match self {
            BlockContent::Zeros => BlockDigest::ZEROS,
            BlockContent::Written(digest) => digest,
        }
    }
}

/// Computes the digest of a block whose bytes arrive in pieces.
pub struct BlockHasher {
    hasher: Hasher,
    bytes: u64,
}

impl Default for BlockHasher {
    fn default() -> Self {
        BlockHasher { hasher: Hasher::new(Algorithm::Sha256), bytes: 0 }
    }
}

impl BlockHasher {
    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest.
    pub fn finish(self) -> BlockDigest {
        BlockDigest::of(&self.hasher.finish())
    }
}

/// Computes the digest over all of a volume: the SHA-256 over the index (four bytes, little-endian) and the digest of
/// each block that is not zeros, in the order of the volume.
pub struct ContentHasher {
    hasher: Hasher,
    blocks: u64,
}

impl Default for ContentHasher {
    fn default() -> Self {
        ContentHasher { hasher: Hasher::new(Algorithm::Sha256), blocks: 0 }
    }
}

impl ContentHasher {
    /// Appends a block. Zeros change nothing.
    pub fn add(&mut self, index: BlockIndex, content: BlockContent) {
        if let BlockContent::Written(digest) = content {
            self.hasher.update(&index.0.to_le_bytes());
            self.hasher.update(digest.as_bytes());
            self.blocks += 1;
        }
    }

    /// Number of blocks that are not zeros.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The digest.
    pub fn finish(self) -> BlockDigest {
        BlockDigest::of(&self.hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::BLOCK_BYTES;

    fn digest(byte: u8) -> BlockDigest {
        let mut hasher = BlockHasher::default();
        for _ in 0..8 {
            hasher.update(&[byte; BLOCK_BYTES as usize / 8]);
        }
        assert_eq!(hasher.bytes(), BLOCK_BYTES);
        hasher.finish()
    }

    #[test]
    fn zeros_are_known_by_their_digest() {
        assert_eq!(digest(0), BlockDigest::ZEROS);
        assert_eq!(digest(0).content(), BlockContent::Zeros);
        assert_eq!(digest(1).content(), BlockContent::Written(digest(1)));
        assert_eq!(BlockContent::Zeros.digest(), BlockDigest::ZEROS);
    }

    #[test]
    fn the_digest_over_all_ignores_zeros_and_holds_places() {
        let of = |blocks: &[(u32, BlockContent)]| {
            let mut hasher = ContentHasher::default();
            blocks.iter().for_each(|(index, content)| hasher.add(BlockIndex(*index), *content));
            (hasher.blocks(), hasher.finish())
        };
        let one = digest(1).content();
        assert_eq!(of(&[(0, BlockContent::Zeros), (5, one)]), of(&[(5, one), (9, BlockContent::Zeros)]));
        assert_ne!(of(&[(5, one)]), of(&[(6, one)]));
        assert_eq!(of(&[(5, one)]).0, 1);
    }

    #[test]
    fn a_digest_is_written_as_hexadecimal_digits() {
        let text = digest(3).to_string();
        assert_eq!((text.len(), text.parse()), (64, Ok(digest(3))));
        for odd in ["", "00", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
            assert!(odd.parse::<BlockDigest>().is_err(), "{odd}");
        }
    }
}
