use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::image::DiskImage;
use crate::noise::Noise;
use stored_ami_core::units::GIB;

/// Bytes of a block of a snapshot.
pub(crate) const BLOCK: usize = 512 << 10;
/// The most bytes of a snapshot that are held in memory as one piece.
pub(crate) const LARGEST: usize = GIB as usize;

/// The bytes of a snapshot, far fewer than its nominal size.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Generated(DiskImage),
    Kept(Arc<Vec<u8>>),
    /// Written by PutSnapshotBlock.
    Blocks(BTreeMap<u32, Bytes>),
    /// One block of each section of this many is written, and generated when it is read.
    Sparse {
        seed: u64,
        of: u32,
        blocks: u32,
    },
}

impl Content {
    /// The content without trailing zeros, at least as long as the smallest disk image.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Content::Generated(image) => io::Read::read_to_end(&mut image.reader(), &mut bytes).map(drop)?,
            Content::Kept(kept) => bytes.clone_from(kept),
            Content::Blocks(_) | Content::Sparse { .. } => {
                for index in self.written(0, LARGEST / BLOCK + 1) {
                    let start = index as usize * BLOCK;
                    if start >= LARGEST {
                        return Err(io::Error::other("The lab stores no snapshot as large as this one."));
                    }
                    bytes.resize(start, 0);
                    bytes.extend(self.block(index).unwrap_or_default());
                }
                bytes.resize(bytes.len().max(DiskImage::SMALLEST as usize), 0);
            }
        }
        Ok(bytes)
    }

    pub(crate) fn block(&self, index: u32) -> Option<Vec<u8>> {
        let start = u64::from(index) * BLOCK as u64;
        match self {
            Content::Generated(image) => (start < image.size()).then(|| image.at(start, BLOCK)),
            Content::Kept(kept) => {
                let rest = kept.get(usize::try_from(start).ok()?..)?;
                let mut block = rest.get(..rest.len().min(BLOCK))?.to_vec();
                block.resize(BLOCK, 0);
                (block.iter().any(|byte| *byte != 0)).then_some(block)
            }
            Content::Blocks(blocks) => blocks.get(&index).map(|block| block.to_vec()),
            Content::Sparse { seed, of, .. } => (self.is_sparse_block(index)).then(|| {
                let mut block = vec![(index / of) as u8 | 1; BLOCK];
                Noise::new(seed ^ u64::from(index)).fill(block.get_mut(..64).unwrap_or_default());
                block
            }),
        }
    }

    fn is_sparse_block(&self, index: u32) -> bool {
        self.written(index, 1).first() == Some(&index)
    }

    /// At most `most` blocks that were written, from `start` on.
    pub(crate) fn written(&self, start: u32, most: usize) -> Vec<u32> {
        match self {
            Content::Generated(image) => (start..image.size().div_ceil(BLOCK as u64) as u32).take(most).collect(),
            // A restore writes no blocks of zeros.
            Content::Kept(kept) => {
                let all = start..kept.len().div_ceil(BLOCK) as u32;
                all.filter(|index| self.block(*index).is_some()).take(most).collect()
            }
            Content::Blocks(blocks) => blocks.range(start..).map(|(index, _)| *index).take(most).collect(),
            Content::Sparse { seed, of, blocks } => {
                let of = (*of).max(1);
                let drawn = |section: u32| {
                    let inside = Noise::new(seed ^ u64::from(section)).below(u64::from(of)) as u32;
                    section * of + inside
                };
                let sections = start / of..blocks.div_ceil(of);
                sections.map(drawn).filter(|index| (start..*blocks).contains(index)).take(most).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_content_have_the_same_blocks_as_bytes() {
        let generated = Content::Generated(DiskImage::new(3, DiskImage::SMALLEST + 777).unwrap());
        let bytes = generated.bytes().unwrap();
        let kept = Content::Kept(Arc::new(bytes.clone()));
        assert_eq!(generated.written(0, 100), (0..17).collect::<Vec<_>>());
        assert!(!kept.written(0, 100).contains(&1), "the block behind the boot record is zeros");
        for index in 0..18 {
            let zeros = || vec![0; BLOCK];
            let block = generated.block(index).unwrap_or_else(zeros);
            assert!(block == kept.block(index).unwrap_or_else(zeros), "{index}");
            let at = index as usize * BLOCK;
            let expected = bytes.get(at..).unwrap_or_default();
            assert!(block.starts_with(&expected[..expected.len().min(BLOCK)]), "{index}");
        }
    }

    #[test]
    fn a_sparse_snapshot_needs_no_memory() {
        let sparse = Content::Sparse { seed: 1, of: 100, blocks: 16 << 21 };
        let first = sparse.written(0, 10_000);
        assert_eq!(first.len(), 10_000);
        assert!(first.iter().enumerate().all(|(section, index)| *index as usize / 100 == section));
        assert_eq!(sparse.written(first[500], 2), first[500..502]);
        assert!(sparse.written(16 << 21, 1).is_empty());
        assert!(sparse.block(first[7]).is_some() && sparse.block(first[7] + 1).is_none());
        assert_ne!(sparse.block(first[7]), sparse.block(first[8]));
        assert!(sparse.bytes().is_err());
    }
}
