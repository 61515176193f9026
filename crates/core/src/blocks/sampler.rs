use std::num::NonZeroU64;

use super::BlockIndex;
use crate::plan::Sample;

/// Chooses the blocks of a volume that are read if not all are. The choice is spread over the volume: one block is
/// drawn from each of as many equal sections of the blocks that could be read.
#[derive(Debug, Clone)]
pub struct BlockSampler {
    rule: Rule,
    /// Blocks that may still be chosen.
    left: u64,
    seed: u64,
}

#[derive(Debug, Clone)]
enum Rule {
    All,
    Slice {
        slice: u64,
        of: u64,
    },
    /// Number of blocks seen, the section that was last drawn from, and the length of a section.
    Sections {
        seen: u64,
        section: f64,
    },
}

impl BlockSampler {
    /// Chooses every block, up to `most` of them.
    pub fn all(most: Option<u64>) -> Self {
        BlockSampler { rule: Rule::All, left: most.unwrap_or(u64::MAX), seed: 0 }
    }

    /// Chooses the sample, up to `most` blocks. `seed` decides which block of each section is chosen.
    pub fn of(sample: Sample, most: Option<u64>, seed: u64) -> Self {
        let rule = match sample {
            Sample::Percent(percent) if percent >= 100.0 => Rule::All,
            Sample::Percent(percent) => Rule::Sections { seen: 0, section: 100.0 / percent },
            Sample::Slice { slice, of } => Rule::Slice { slice: u64::from(slice), of: u64::from(of) },
        };
        BlockSampler { rule, left: most.unwrap_or(u64::MAX), seed }
    }

    /// Whether every block is chosen, if there are not too many.
    pub fn is_all(&self) -> bool {
        matches!(self.rule, Rule::All)
    }

    /// Whether to read this block; called once for each block that could be read, in the order of the volume.
    pub fn takes(&mut self, index: BlockIndex) -> bool {
        let taken = match &mut self.rule {
            Rule::All => true,
            Rule::Slice { slice, of } => {
                NonZeroU64::new(*of).is_none_or(|of| u64::from(index.0) % of == slice.saturating_sub(1))
            }
            Rule::Sections { seen, section } => {
                let number = (*seen as f64 / *section).floor();
                let start = (number * *section).ceil() as u64;
                let length = (((number + 1.0) * *section).ceil() as u64).saturating_sub(start).max(1);
                let drawn = start + mixed(self.seed ^ number as u64) % length;
                let taken = drawn == *seen;
                *seen += 1;
                taken
            }
        };
        if !taken || self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

/// A step of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(state: u64) -> u64 {
    let mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The smallest number of changed blocks, spread at random, of which a sample of `read` of `all` blocks contains one
/// with a probability of at least 95 %. `None` if nothing was read.
pub fn detectable(read: u64, all: u64) -> Option<u64> {
    match (read, all) {
        (0, _) => None,
        (read, all) if read >= all => Some(1),
        (read, all) => {
            let missed = 1.0 - read as f64 / all as f64;
            Some(((0.05f64).ln() / missed.ln()).ceil().clamp(1.0, all as f64) as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut sampler: BlockSampler, of: u32) -> Vec<u32> {
        (0..of).filter(|index| sampler.takes(BlockIndex(*index))).collect()
    }

    #[test]
    fn a_percentage_is_spread_evenly() {
        for seed in 0..20 {
            let found = taken(BlockSampler::of(Sample::Percent(1.0), None, seed), 10_000);
            assert_eq!(found.len(), 100);
            assert!(found.iter().enumerate().all(|(section, index)| *index as usize / 100 == section), "{found:?}");
            let found = taken(BlockSampler::of(Sample::Percent(30.0), None, seed), 1_000);
            assert!((295..=305).contains(&found.len()), "{}", found.len());
        }
        let (one, other) = (1, 2);
        let of = |seed| taken(BlockSampler::of(Sample::Percent(1.0), None, seed), 10_000);
        assert_ne!(of(one), of(other));
    }

    #[test]
    fn slices_together_are_everything_and_a_limit_holds() {
        let mut all: Vec<u32> =
            (1..=7).flat_map(|slice| taken(BlockSampler::of(Sample::Slice { slice, of: 7 }, None, 0), 100)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(taken(BlockSampler::all(Some(5)), 100), [0, 1, 2, 3, 4]);
        assert_eq!(taken(BlockSampler::of(Sample::Percent(50.0), Some(3), 1), 100).len(), 3);
        assert!(BlockSampler::of(Sample::Percent(100.0), None, 0).is_all());
    }

    #[test]
    fn what_a_sample_detects() {
        assert_eq!((detectable(0, 10), detectable(10, 10), detectable(1, 100)), (None, Some(1), Some(100)));
        assert_eq!(detectable(1_000, 100_000), Some(299));
        assert_eq!(detectable(50, 100), Some(5));
    }
}
