use std::sync::Arc;

use super::doubt::doubt;
use super::expected::{Expected, ExpectedBlock};
use super::listing::Listing;
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

/// The blocks of both sides together, in order.
pub(super) struct Pairs {
    listing: Listing,
    listed: Option<Place>,
    expected: Expected,
    due: Option<(BlockIndex, ExpectedBlock)>,
}

impl Pairs {
    pub async fn open(mut listing: Listing, mut expected: Expected) -> Result<Self, Unproved> {
        let listed = listing.next().await.map_err(|error| doubt(&error))?;
        let due = expected.next().await?;
        Ok(Pairs { listing, listed, expected, due })
    }

    pub async fn next(&mut self) -> Result<Option<Pair>, Unproved> {
        let listed = self.listed.as_ref().map(|place| place.index);
        let due = self.due.as_ref().map(|(index, _)| *index);
        let Some(index) = [listed, due].into_iter().flatten().min() else { return Ok(None) };
        let mut pair = Pair { index, listed: None, expected: None };
        if listed == Some(index) {
            pair.listed = self.listed.take();
            self.listed = self.listing.next().await.map_err(|error| doubt(&error))?;
        }
        if due == Some(index) {
            pair.expected = self.due.take().map(|(_, block)| block);
            self.due = self.expected.next().await?;
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
    pub async fn compare(&self, pair: Pair) -> Outcome {
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
        let again = match self.reader.again(&self.snapshot, index).await {
            Ok(content) => content,
            Err(error) => return unconfirmed(&error),
        };
        let expected_again = match &self.expected {
            None => expected,
            Some(snapshot) => match self.reader.again(snapshot, index).await {
                Ok(content) => content,
                Err(error) => return unconfirmed(&error),
            },
        };
        if (again, expected_again) == (observed, expected) {
            return Outcome::Differs(difference);
        }
        let detail = format!(
            "two reads of block {index} differ: {} and {}",
            if again == observed { expected.digest() } else { observed.digest() },
            if again == observed { expected_again.digest() } else { again.digest() },
        );
        Outcome::Doubt(Unproved::new(UnprovedCode::UnstableRead, detail))
    }
}
