use std::io::Read;

use super::{BlockContent, BlockDigest, BlockIndex, ContentHasher, Entry, SidecarError, SidecarReader};

/// What a volume turned out to contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinishedVolume {
    /// Number of blocks that the snapshot lists.
    pub listed: u64,
    /// Number of blocks that are not zeros.
    pub blocks: u64,
    /// Digest over all of it.
    pub content: BlockDigest,
}

/// How far the volumes of an AMI have been read.
#[derive(Default)]
pub struct FingerprintProgress {
    /// The volumes that were read to their end.
    pub finished: Vec<FinishedVolume>,
    hasher: ContentHasher,
    next: BlockIndex,
    listed: u64,
}

impl FingerprintProgress {
    /// Reads a sidecar that ends with a mark.
    ///
    /// # Errors
    ///
    /// The sidecar is damaged, or cannot be read.
    pub fn read(mut sidecar: SidecarReader<impl Read>) -> Result<Self, SidecarError> {
        let mut progress = FingerprintProgress::default();
        while let Some(entry) = sidecar.entry()? {
            match entry {
                Entry::Block { index, digest, .. } => progress.hasher.add(index, BlockContent::Written(digest)),
                Entry::Mark { next: Some(next), listed, .. } => (progress.next, progress.listed) = (next, listed),
                Entry::Mark { next: None, listed, .. } => {
                    progress.listed = listed;
                    progress.finish();
                }
            }
        }
        Ok(progress)
    }

    /// Number of listed blocks that were read, of all volumes.
    pub fn listed(&self) -> u64 {
        self.finished.iter().map(|volume| volume.listed).sum::<u64>() + self.listed
    }

    /// Number of listed blocks that were read, of the volume that is being read.
    pub fn listed_of_volume(&self) -> u64 {
        self.listed
    }

    /// The first block of the volume that was not read.
    pub fn next(&self) -> BlockIndex {
        self.next
    }

    /// Adds a block that the snapshot lists.
    pub fn add(&mut self, index: BlockIndex, content: BlockContent) {
        self.hasher.add(index, content);
        (self.next, self.listed) = (index.next(), self.listed + 1);
    }

    /// Ends the volume that is being read.
    pub fn finish(&mut self) {
        let hasher = std::mem::take(&mut self.hasher);
        let volume = FinishedVolume { listed: self.listed, blocks: hasher.blocks(), content: hasher.finish() };
        self.finished.push(volume);
        (self.next, self.listed) = (BlockIndex(0), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::SidecarWriter;

    const KEY: [u8; 32] = [1; 32];

    fn content(index: u32) -> BlockContent {
        if index.is_multiple_of(3) {
            BlockContent::Zeros
        } else {
            BlockContent::Written(BlockDigest::new([index as u8; 32]))
        }
    }

    /// Adds blocks of a volume to both.
    fn add(
        progress: &mut FingerprintProgress,
        writer: &mut SidecarWriter<Vec<u8>>,
        volume: u32,
        blocks: std::ops::Range<u32>,
    ) {
        for index in blocks {
            progress.add(BlockIndex(index), content(index));
            if let BlockContent::Written(digest) = content(index) {
                writer.block(volume, BlockIndex(index), digest).unwrap();
            }
        }
    }

    #[test]
    fn a_sidecar_gives_the_same_progress_as_the_blocks() {
        let mut progress = FingerprintProgress::default();
        let mut writer = SidecarWriter::new(Vec::new(), &KEY).unwrap();
        add(&mut progress, &mut writer, 0, 0..40);
        progress.finish();
        writer.mark(0, None, 40).unwrap();
        add(&mut progress, &mut writer, 1, 5..16);
        writer.mark(1, Some(progress.next()), progress.listed_of_volume()).unwrap();
        let bytes = writer.into_inner();
        let mut read = FingerprintProgress::read(SidecarReader::new(&bytes[..], &KEY).unwrap()).unwrap();
        assert_eq!((read.next(), read.listed(), read.listed_of_volume()), (BlockIndex(16), 51, 11));
        assert_eq!(read.finished, progress.finished);
        assert_eq!((read.finished[0].listed, read.finished[0].blocks), (40, 26));
        for both in [&mut read, &mut progress] {
            both.add(BlockIndex(20), content(20));
            both.finish();
        }
        assert_eq!(read.finished, progress.finished);
    }
}
