use super::{BlockContent, BlockDigest, BlockIndex, ContentHasher};
use crate::text::words;
use crate::verdict::Verdict;

/// Differences of a volume that are kept with their digests.
const MOST_KEPT: usize = 100;

words! {
    /// Why a volume is not proved.
    pub enum UnprovedCode {
        /// Only some blocks were read, as requested with `--sample`.
        Sampled = "sampled",
        /// Only as many blocks were read as `--max-cost` pays for, or as were agreed to; snapshots may list more than EC2
        /// states.
        Limited = "limited",
        /// The caller lacks a permission.
        NotPermitted = "not_permitted",
        /// The KMS key of the snapshot cannot be used.
        KeyDenied = "key_denied",
        /// The snapshot does not exist any more.
        SnapshotGone = "snapshot_gone",
        /// The snapshot is not complete, or it is archived.
        SnapshotNotReady = "snapshot_not_ready",
        /// The volume was made from the very snapshot with the expected content, so nothing that was restored is there to
        /// compare.
        SameSnapshot = "same_snapshot",
        /// The AMI has no volume with the device name of a recorded one; the volume fails.
        VolumeMissing = "volume_missing",
        /// The AMI has a volume with a device name that is not recorded; the volume fails.
        VolumeAdded = "volume_added",
        /// A volume that should have no snapshot, and so be empty, has one, whose blocks are not compared.
        SnapshotAdded = "snapshot_added",
        /// The reading ended, because very many blocks differ.
        Stopped = "stopped",
        /// The snapshot, or the volume that an instance gets of it, has another size; every block inside of both is the
        /// same.
        SizeDiffers = "size_differs",
        /// A block behind the end of the recorded volume is not zeros.
        BeyondEnd = "beyond_end",
        /// Two reads of a block gave different bytes.
        UnstableRead = "unstable_read",
        /// A block differs, and could not be read a second time.
        Unconfirmed = "unconfirmed",
        /// A block could not be read.
        ReadFailed = "read_failed",
        /// An answer contradicts the request, itself or the record.
        Protocol = "protocol",
        /// A signal ended the run.
        Interrupted = "interrupted",
    }
}

/// Why a volume is not proved, with the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproved {
    /// What kind of reason it is.
    pub code: UnprovedCode,
    /// The facts, for people.
    pub detail: String,
}

impl Unproved {
    /// A reason.
    pub fn new(code: UnprovedCode, detail: impl Into<String>) -> Self {
        Unproved { code, detail: detail.into() }
    }
}

/// A block that was read twice and has other bytes than it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Place of the block.
    pub index: BlockIndex,
    /// What it should contain.
    pub expected: BlockContent,
    /// What both reads gave.
    pub observed: BlockContent,
}

/// Compares the blocks of one volume with what they should contain, in the order of the volume.
#[derive(Default)]
pub struct Comparison {
    same: u64,
    skipped: u64,
    differing: u64,
    differences: Vec<Difference>,
    unproved: Vec<Unproved>,
    beyond: Option<(BlockIndex, u64)>,
    content: ContentHasher,
}

/// Result of the comparison of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeResult {
    /// `pass` if every block is known to be the same, `fail` if a block differs, otherwise `unknown`.
    pub verdict: Verdict,
    /// Number of blocks that were compared and are the same, without those that are zeros by both listings.
    pub same_blocks: u64,
    /// Number of blocks that were left out.
    pub skipped_blocks: u64,
    /// Number of blocks that differ.
    pub differing_blocks: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// Why it is unknown; other doubts if it failed.
    pub unproved: Vec<Unproved>,
    /// Digest over all of the volume; `None` unless every block was compared.
    pub content_sha256: Option<BlockDigest>,
}

impl Comparison {
    /// Adds a block that is the same.
    pub fn same(&mut self, index: BlockIndex, content: BlockContent) {
        self.same += 1;
        self.content.add(index, content);
    }

    /// Adds a block that was left out.
    pub fn skipped(&mut self) {
        self.skipped += 1;
    }

    /// Adds a block that differs in two reads.
    pub fn differs(&mut self, difference: Difference) {
        self.differing += 1;
        self.content.add(difference.index, difference.observed);
        if self.differences.len() < MOST_KEPT {
            self.differences.push(difference);
        }
    }

    /// Number of blocks so far that were compared.
    pub fn compared(&self) -> u64 {
        self.same + self.differing
    }

    /// Number of blocks so far that were left out.
    pub fn skipped_blocks(&self) -> u64 {
        self.skipped
    }

    /// Number of blocks that differ so far.
    pub fn differing(&self) -> u64 {
        self.differing
    }

    /// Adds a block behind the end of the volume that is not zeros.
    pub fn beyond_end(&mut self, index: BlockIndex) {
        let (first, count) = self.beyond.unwrap_or((index, 0));
        self.beyond = Some((first, count + 1));
    }

    /// Adds a doubt.
    pub fn doubt(&mut self, unproved: Unproved) {
        self.unproved.push(unproved);
    }

    /// The result. `expected` is the digest over all of the volume, if it is known.
    pub fn conclude(mut self, expected: Option<BlockDigest>) -> VolumeResult {
        if let Some((first, count)) = self.beyond {
            let detail = match count {
                1 => format!("block {first}, which is behind the end of the recorded volume, is not zeros"),
                _ => {
                    format!("{count} blocks behind the end of the recorded volume are not zeros, the first is {first}")
                }
            };
            self.unproved.push(Unproved::new(UnprovedCode::BeyondEnd, detail));
        }
        let compared_all = self.skipped == 0 && self.unproved.is_empty();
        let content = compared_all.then(|| self.content.finish());
        // Every block agreed with the record, so the digest over all must, too.
        if let (0, Some(content), Some(expected)) = (self.differing, content, expected)
            && content != expected
        {
            let detail = format!("every block agrees, and the digest over all is {content}; recorded is {expected}");
            self.unproved.push(Unproved::new(UnprovedCode::Protocol, detail));
        }
        let verdict = match self.differing {
            0 if self.unproved.is_empty() && self.skipped == 0 => Verdict::Pass,
            0 => Verdict::Unknown,
            _ => Verdict::Fail,
        };
        VolumeResult {
            verdict,
            same_blocks: self.same,
            skipped_blocks: self.skipped,
            differing_blocks: self.differing,
            differences: self.differences,
            unproved: self.unproved,
            content_sha256: content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(byte: u8) -> BlockContent {
        BlockContent::Written(BlockDigest::new([byte; 32]))
    }

    fn digest_of(blocks: &[(u32, BlockContent)]) -> BlockDigest {
        let mut hasher = ContentHasher::default();
        blocks.iter().for_each(|(index, content)| hasher.add(BlockIndex(*index), *content));
        hasher.finish()
    }

    #[test]
    fn only_all_blocks_make_a_pass() {
        let compared = || {
            let mut comparison = Comparison::default();
            comparison.same(BlockIndex(1), content(1));
            comparison.same(BlockIndex(4), BlockContent::Zeros);
            comparison
        };
        let expected = Some(digest_of(&[(1, content(1))]));
        let pass = compared().conclude(expected);
        assert_eq!((pass.verdict, pass.same_blocks, pass.content_sha256), (Verdict::Pass, 2, expected));
        assert_eq!(compared().conclude(None).verdict, Verdict::Pass);
        assert_eq!(Comparison::default().conclude(Some(digest_of(&[]))).verdict, Verdict::Pass);

        let mut sampled = compared();
        sampled.skipped();
        let sampled = sampled.conclude(expected);
        assert_eq!((sampled.verdict, sampled.content_sha256), (Verdict::Unknown, None));
        for code in UnprovedCode::ALL {
            let mut doubted = compared();
            doubted.doubt(Unproved::new(*code, "x"));
            assert_eq!(doubted.conclude(expected).verdict, Verdict::Unknown, "{code}");
        }
        let mut beyond = compared();
        beyond.beyond_end(BlockIndex(99));
        beyond.beyond_end(BlockIndex(100));
        let beyond = beyond.conclude(expected);
        assert_eq!((beyond.verdict, beyond.unproved[0].code), (Verdict::Unknown, UnprovedCode::BeyondEnd));
        assert!(beyond.unproved[0].detail.starts_with("2 blocks"), "{:?}", beyond.unproved);
    }

    #[test]
    fn a_digest_over_all_that_does_not_fit_is_no_pass() {
        let mut comparison = Comparison::default();
        comparison.same(BlockIndex(1), content(1));
        let result = comparison.conclude(Some(digest_of(&[(2, content(1))])));
        assert_eq!((result.verdict, result.unproved[0].code), (Verdict::Unknown, UnprovedCode::Protocol));
    }

    #[test]
    fn a_difference_outweighs_every_doubt() {
        let mut comparison = Comparison::default();
        comparison.doubt(Unproved::new(UnprovedCode::ReadFailed, "x"));
        comparison.skipped();
        for index in 0..150 {
            let (expected, observed) = (content(1), content(2));
            comparison.differs(Difference { index: BlockIndex(index), expected, observed });
        }
        assert_eq!(comparison.differing(), 150);
        let result = comparison.conclude(None);
        assert_eq!((result.verdict, result.differing_blocks, result.differences.len()), (Verdict::Fail, 150, 100));
    }
}
