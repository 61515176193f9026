use std::sync::Arc;

use super::doubt::doubt;
use super::expected::{Expected, ExpectedBlock};
use super::listing::{Listing, again};
use super::reader::{Place, Reader};
use crate::blocks::{BlockContent, BlockIndex, Difference, Unproved, UnprovedCode};
use crate::source::SourceError;

/// A block that at least one side has, with what both sides know of it.
pub(super) struct Pair {
    pub index: BlockIndex,
    /// Where to read it; `None` if it was never written.
    pub listed: Option<Place>,
    /// `None` if it should be zeros.
    pub expected: Option<ExpectedBlock>,
}

impl Pair {
    /// Number of blocks that are read to compare it.
    pub(super) fn reads(&self) -> u64 {
        u64::from(self.listed.is_some()) + u64::from(matches!(self.expected, Some(ExpectedBlock::Listed(_))))
    }
}

/// The blocks of both sides together, in order.
pub(super) struct Pairs {
    listing: Listing,
    listed: Option<Place>,
    expected: Expected,
    due: Option<(BlockIndex, ExpectedBlock)>,
    /// Why no pair follows, if that is an error. The pair before it is still complete.
    failed: Option<Unproved>,
}

impl Pairs {
    pub(super) async fn open(mut listing: Listing, mut expected: Expected) -> Result<Self, Unproved> {
        let listed = listing.next().await.map_err(|error| doubt(&error))?;
        let due = expected.next().await?;
        Ok(Pairs { listing, listed, expected, due, failed: None })
    }

    pub(super) async fn next(&mut self) -> Result<Option<Pair>, Unproved> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let listed = self.listed.as_ref().map(|place| place.index);
        let due = self.due.as_ref().map(|(index, _)| *index);
        let Some(index) = [listed, due].into_iter().flatten().min() else { return Ok(None) };
        let mut pair = Pair { index, listed: None, expected: None };
        if listed == Some(index) {
            pair.listed = self.listed.take();
            match self.listing.next().await {
                Ok(next) => self.listed = next,
                Err(error) => self.failed = Some(doubt(&error)),
            }
        }
        if due == Some(index) {
            pair.expected = self.due.take().map(|(_, block)| block);
            match self.expected.next().await {
                Ok(next) => self.due = next,
                Err(doubt) => self.failed = Some(doubt),
            }
        }
        Ok(Some(pair))
    }
}

/// What the comparison of a block showed.
pub(super) enum Outcome {
    Same(BlockContent),
    Differs(Difference),
    /// It is behind the end of the recorded volume, and not zeros.
    BeyondEnd,
    Doubt(Unproved),
}

/// How the blocks of a volume are read.
#[derive(Clone)]
pub(super) struct PairReader {
    pub reader: Arc<Reader>,
    /// The snapshot whose blocks are compared.
    pub snapshot: String,
    /// The snapshot with the expected blocks, if they are read, too.
    pub expected: Option<String>,
    /// Size of the expected volume in GiB.
    pub gib: u64,
}

impl PairReader {
    /// Reads a block and compares it. One that differs is read again.
    pub(super) async fn compare(&self, pair: Pair) -> Outcome {
        let Pair { index, listed, expected } = pair;
        let observed = match self.content(listed.as_ref()).await {
            Ok(content) => content,
            Err(error) => return Outcome::Doubt(doubt(&error)),
        };
        if !index.is_inside(self.gib) {
            let is_zeros = observed == BlockContent::Zeros;
            return if is_zeros { Outcome::Same(observed) } else { Outcome::BeyondEnd };
        }
        let expected = match expected {
            None => Ok(BlockContent::Zeros),
            Some(ExpectedBlock::Known(content)) => Ok(content),
            Some(ExpectedBlock::Listed(place)) => self.content(Some(&place)).await,
        };
        match expected {
            Err(error) => Outcome::Doubt(doubt(&error)),
            Ok(expected) if expected == observed => Outcome::Same(observed),
            Ok(expected) => self.confirm(Difference { index, expected, observed }).await,
        }
    }

    async fn content(&self, place: Option<&Place>) -> Result<BlockContent, SourceError> {
        match place {
            None => Ok(BlockContent::Zeros),
            Some(place) => Ok(self.reader.digest(place).await?.content()),
        }
    }

    /// Lists and reads a block again that differs.
    async fn confirm(&self, difference: Difference) -> Outcome {
        let Difference { index, expected, observed } = difference;
        let unconfirmed = |error: &SourceError| {
            let detail = format!("block {index} differs, and could not be read a second time: {}", error.detail);
            Outcome::Doubt(Unproved::new(UnprovedCode::Unconfirmed, detail))
        };
        let second = match again(&self.reader, &self.snapshot, index).await {
            Ok(content) => content,
            Err(error) => return unconfirmed(&error),
        };
        let expected_again = match &self.expected {
            None => expected,
            Some(snapshot) => match again(&self.reader, snapshot, index).await {
                Ok(content) => content,
                Err(error) => return unconfirmed(&error),
            },
        };
        if (second, expected_again) == (observed, expected) {
            return Outcome::Differs(difference);
        }
        let detail = format!(
            "two reads of block {index} differ: {} and {}",
            if second == observed { expected.digest() } else { observed.digest() },
            if second == observed { expected_again.digest() } else { second.digest() },
        );
        Outcome::Doubt(Unproved::new(UnprovedCode::UnstableRead, detail))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::blocks::BlockDigest;
    use crate::snapshot::{BlockPage, ListedBlock, PageFrom, SnapshotService};
    use crate::source::{Context, ErrorKind};

    /// A snapshot of blocks 0 to 9, whose reads give these bytes in turn, and then those of the index.
    #[derive(Default)]
    struct Fake {
        reads: Mutex<Vec<Result<u8, ErrorKind>>>,
        listings: Mutex<u32>,
        /// The listing with this number lists no blocks.
        empty: Option<u32>,
    }

    fn digest(byte: u8) -> BlockDigest {
        BlockDigest::new([byte; 32])
    }

    #[async_trait]
    impl SnapshotService for Fake {
        async fn list(&self, _: &str, from: &PageFrom, _: u16) -> Result<BlockPage, SourceError> {
            let mut listings = self.listings.lock().unwrap();
            *listings += 1;
            let PageFrom::Block(start) = from else { panic!("no page has a successor") };
            let indexes = if self.empty == Some(*listings) { 0..0 } else { start.0..10 };
            let block = |index| ListedBlock { index: BlockIndex(index), token: "t".to_owned() };
            Ok(BlockPage { blocks: indexes.map(block).collect(), gib: Some(1), ..BlockPage::default() })
        }

        async fn digest(&self, snapshot: &str, block: &ListedBlock) -> Result<BlockDigest, SourceError> {
            let mut reads = self.reads.lock().unwrap();
            let read = if reads.is_empty() { Ok(block.index.0 as u8) } else { reads.remove(0) };
            read.map(digest).map_err(|kind| SourceError::new(kind, snapshot, "as scripted"))
        }
    }

    /// Compares block 3 with these expected bytes, while the reads give others.
    async fn compared(fake: Fake, expected: u8) -> Outcome {
        let reader = Arc::new(Reader::new(Arc::new(fake), Context::default(), 1_000));
        let mut listing = Listing::open(&reader, "snap-1", BlockIndex(3)).await.unwrap();
        let listed = listing.next().await.unwrap();
        let expected = Some(ExpectedBlock::Known(digest(expected).content()));
        let pairs = PairReader { reader, snapshot: "snap-1".to_owned(), expected: None, gib: 1 };
        pairs.compare(Pair { index: BlockIndex(3), listed, expected }).await
    }

    fn reading(reads: &[Result<u8, ErrorKind>]) -> Fake {
        Fake { reads: Mutex::new(reads.to_vec()), ..Fake::default() }
    }

    #[tokio::test]
    async fn only_two_equal_reads_make_a_difference() {
        assert!(matches!(compared(reading(&[]), 3).await, Outcome::Same(_)));
        let Outcome::Differs(difference) = compared(reading(&[]), 9).await else { panic!("both reads are the same") };
        assert_eq!((difference.expected.digest(), difference.observed.digest()), (digest(9), digest(3)));
        // The second read gives what is expected, or a third content.
        for second in [9, 7] {
            let Outcome::Doubt(doubt) = compared(reading(&[Ok(3), Ok(second)]), 9).await else { panic!("{second}") };
            assert_eq!(doubt.code, UnprovedCode::UnstableRead);
            assert!(doubt.detail.contains(&digest(second).to_string()), "{}", doubt.detail);
        }
        let refused = reading(&[Ok(3), Err(ErrorKind::Denied)]);
        let Outcome::Doubt(doubt) = compared(refused, 9).await else { panic!("the second read is refused") };
        assert_eq!(doubt.code, UnprovedCode::Unconfirmed);
        // Not listed any more: it would be zeros now.
        let gone = Fake { empty: Some(2), ..Fake::default() };
        let Outcome::Doubt(doubt) = compared(gone, 9).await else { panic!("the second listing lacks it") };
        assert_eq!(doubt.code, UnprovedCode::UnstableRead);
    }

    #[tokio::test]
    async fn both_sides_are_merged_in_order() {
        let reader = Arc::new(Reader::new(Arc::new(Fake::default()), Context::default(), 1_000));
        let listing = Listing::open(&reader, "snap-1", BlockIndex(7)).await.unwrap();
        let expected = Expected::Image(Box::new(Listing::open(&reader, "snap-2", BlockIndex(5)).await.unwrap()));
        let mut pairs = Pairs::open(listing, expected).await.unwrap();
        let mut found = Vec::new();
        while let Some(pair) = pairs.next().await.unwrap() {
            found.push((pair.index.0, pair.listed.is_some(), pair.expected.is_some()));
        }
        assert_eq!(found, [(5, false, true), (6, false, true), (7, true, true), (8, true, true), (9, true, true)]);
    }
}
