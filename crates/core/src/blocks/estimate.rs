use std::time::Duration;

use crate::price::{Amount, Item, PriceTable, Source};

/// The most blocks in one answer to ListSnapshotBlocks (EBS API Reference).
pub const LIST_PAGE: u64 = 10_000;

/// Number of blocks to read: at least `least`, if that is known, and at most `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockRange {
    /// The lower bound.
    pub least: u64,
    /// The upper bound.
    pub most: u64,
}

impl BlockRange {
    /// The bounds of both together.
    #[must_use]
    pub fn plus(self, other: BlockRange) -> BlockRange {
        BlockRange { least: self.least.saturating_add(other.least), most: self.most.saturating_add(other.most) }
    }

    /// The bounds of a share between 0 and 1.
    #[must_use]
    pub fn share(self, share: f64) -> BlockRange {
        let of = |blocks: u64| (blocks as f64 * share).ceil() as u64;
        BlockRange { least: of(self.least), most: of(self.most) }
    }

    /// The bounds with another upper bound.
    #[must_use]
    pub fn at_most(self, most: u64) -> BlockRange {
        BlockRange { least: self.least.min(most), most: self.most.min(most) }
    }
}

/// What it takes to read blocks: before it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockEstimate {
    /// Number of blocks to read.
    pub blocks: BlockRange,
    /// Number of requests, if every request succeeds at once.
    pub requests: BlockRange,
    /// The longest time at the rate.
    pub time: Duration,
    /// US dollars.
    pub amount: Amount,
    /// The source of the prices.
    pub source: Option<Source>,
}

impl BlockEstimate {
    /// For reading `blocks`, of which `listed` are listed in `snapshots` snapshots, at `rate` blocks per second.
    pub fn new(blocks: BlockRange, listed: BlockRange, snapshots: u64, rate: u32, table: &PriceTable) -> Self {
        let pages = |listed: u64| listed.div_ceil(LIST_PAGE).max(snapshots);
        let charge = |item, count: u64| table.charge(item, count as f64).ok();
        let dollars = |blocks: u64, listed: u64| {
            Some(charge(Item::GetBlock, blocks)?.dollars + charge(Item::ListBlocks, pages(listed))?.dollars)
        };
        BlockEstimate {
            blocks,
            requests: BlockRange {
                least: blocks.least + pages(listed.least),
                most: blocks.most + listed.most.div_ceil(LIST_PAGE) + snapshots,
            },
            time: Duration::from_secs_f64(blocks.most as f64 / f64::from(rate.max(1))),
            amount: Amount {
                least: dollars(blocks.least, listed.least),
                most: dollars(blocks.most, listed.most.saturating_add(snapshots * LIST_PAGE)),
            },
            source: charge(Item::GetBlock, 1).map(|charge| charge.source),
        }
    }

    /// Number of blocks that can be read for this many dollars, beside the listing. `None` if no price is known.
    pub fn affordable(dollars: f64, listed: u64, table: &PriceTable) -> Option<u64> {
        let each = table.charge(Item::GetBlock, 1.0).ok()?.each;
        let listing = table.charge(Item::ListBlocks, listed.div_ceil(LIST_PAGE) as f64).ok()?.dollars;
        Some(((dollars - listing).max(0.0) / each + 1e-6).floor() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::BlockIndex;

    #[test]
    fn a_tebibyte_of_written_blocks() {
        let blocks = BlockIndex::count(1024);
        let all = BlockRange { least: blocks, most: blocks };
        let estimate = BlockEstimate::new(all, all, 1, 500, &PriceTable::built_in());
        assert_eq!(estimate.requests, BlockRange { least: blocks + 210, most: blocks + 211 });
        assert_eq!(estimate.time, Duration::from_secs_f64(4_194.304));
        let (least, most) = (estimate.amount.least.unwrap(), estimate.amount.most.unwrap());
        assert!((least - 6.2916).abs() < 0.001 && (most - 6.2916).abs() < 0.001, "{least} {most}");
    }

    #[test]
    fn shares_and_limits() {
        let range = BlockRange { least: 100, most: 1_000 };
        assert_eq!(range.share(0.05), BlockRange { least: 5, most: 50 });
        assert_eq!(range.at_most(60), BlockRange { least: 60, most: 60 });
        assert_eq!(range.plus(range), BlockRange { least: 200, most: 2_000 });
        let table = PriceTable::built_in();
        assert_eq!(BlockEstimate::affordable(0.003, 0, &table), Some(1_000));
        assert_eq!(BlockEstimate::affordable(0.0, 50_000, &table), Some(0));
    }
}
