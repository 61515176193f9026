use std::num::NonZeroU64;

use super::BlockIndex;
use crate::plan::Sample;

/// Chooses the blocks of a volume that are read if not all are. The choice is spread over the volume: one block is
/// drawn from each of as many equal sections of the blocks that could be read.
#[derive(Debug, Clone)]
pub struct BlockSampler {
    rule: Rule,
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
    /// Chooses every block.
    pub fn all() -> Self {
        BlockSampler { rule: Rule::All, seed: 0 }
    }

    /// Chooses the sample. `seed` decides which block of each section is chosen.
    pub fn of(sample: Sample, seed: u64) -> Self {
        let rule = match sample {
            Sample::Percent(percent) if percent >= 100.0 => Rule::All,
            Sample::Percent(percent) => Rule::Sections { seen: 0, section: 100.0 / percent },
            Sample::Slice { slice, of } => Rule::Slice { slice: u64::from(slice), of: u64::from(of) },
        };
        BlockSampler { rule, seed }
    }

    /// Whether every block is chosen.
    pub fn is_all(&self) -> bool {
        matches!(self.rule, Rule::All)
    }

    /// Whether to read this block; called once for each block that could be read, in the order of the volume.
    pub fn takes(&mut self, index: BlockIndex) -> bool {
        match &mut self.rule {
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
        }
    }
}

/// How many blocks may still be read, by what was agreed to. A block that differs is read a second time, and that is
/// never beyond the limit: it is set aside with the first read, and given back if it is not needed.
#[derive(Debug, Clone)]
pub struct ReadBudget {
    first: u64,
    all: u64,
}

impl ReadBudget {
    /// At most `first` first reads, and `all` reads together with the second ones.
    pub fn new(first: u64, all: u64) -> Self {
        ReadBudget { first, all }
    }

    /// Sets aside this number of reads, and the same number of second reads. Returns `false`, and sets nothing aside, if
    /// fewer are left.
    pub fn take(&mut self, reads: u64) -> bool {
        let rest = self.first.checked_sub(reads).zip(self.all.checked_sub(reads.saturating_mul(2)));
        (self.first, self.all) = rest.unwrap_or((self.first, self.all));
        rest.is_some()
    }

    /// Gives this number of second reads back.
    pub fn give_back(&mut self, reads: u64) {
        self.all = self.all.saturating_add(reads);
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
            let found = taken(BlockSampler::of(Sample::Percent(1.0), seed), 10_000);
            assert_eq!(found.len(), 100);
            assert!(found.iter().enumerate().all(|(section, index)| *index as usize / 100 == section), "{found:?}");
            let found = taken(BlockSampler::of(Sample::Percent(30.0), seed), 1_000);
            assert!((295..=305).contains(&found.len()), "{}", found.len());
        }
        let (one, other) = (1, 2);
        let of = |seed| taken(BlockSampler::of(Sample::Percent(1.0), seed), 10_000);
        assert_ne!(of(one), of(other));
    }

    #[test]
    fn slices_together_are_everything() {
        let mut all: Vec<u32> =
            (1..=7).flat_map(|slice| taken(BlockSampler::of(Sample::Slice { slice, of: 7 }, 0), 100)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(taken(BlockSampler::all(), 3), [0, 1, 2]);
        assert!(BlockSampler::of(Sample::Percent(100.0), 0).is_all());
    }

    #[test]
    fn a_budget_holds_with_every_second_read() {
        // How many of 100 blocks are read, if every one or none is read a second time, several at once.
        let read = |(first, all), again: bool, at_once: usize| {
            let (mut budget, mut reads, mut running) = (ReadBudget::new(first, all), 0, 0);
            for _ in 0..100 {
                while running > 0 && (running == at_once || !budget.clone().take(1)) {
                    running -= 1;
                    if again {
                        reads += 1;
                    } else {
                        budget.give_back(1);
                    }
                }
                if budget.take(1) {
                    (running, reads) = (running + 1, reads + 1);
                }
            }
            reads + if again { running } else { 0 }
        };
        for at_once in [1, 48] {
            let paid = |all| (u64::MAX, all);
            assert_eq!(read(paid(20), false, at_once), 19, "one second read is always possible");
            assert_eq!((read(paid(20), true, at_once), read(paid(21), true, at_once)), (20, 20));
            assert_eq!((read(paid(1), true, at_once), read(paid(0), false, at_once)), (0, 0));
            assert_eq!((read(paid(1_000), true, at_once), read(paid(1_000), false, at_once)), (200, 100));
            // Second reads are no first ones.
            assert_eq!((read((20, 40), true, at_once), read((20, 40), false, at_once)), (40, 20));
        }
        assert!(ReadBudget::new(0, 0).take(0), "a block that is not read costs nothing");
    }

    #[test]
    fn what_a_sample_detects() {
        assert_eq!((detectable(0, 10), detectable(10, 10), detectable(1, 100)), (None, Some(1), Some(100)));
        assert_eq!(detectable(1_000, 100_000), Some(299));
        assert_eq!(detectable(50, 100), Some(5));
    }
}
