use std::collections::BTreeMap;

use super::Seen;
use crate::noise::Noise;

/// Hits about one in N requests, chosen by a seed.
///
/// They follow from the seed, from the content of a request, and from how often it was sent before. The order
/// of requests does not matter, so a run with many connections is repeatable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chance {
    one_in: u64,
    seed: u64,
    /// How often each request was sent.
    asked: BTreeMap<String, u64>,
}

impl Chance {
    pub(super) fn new(one_in: u64, seed: u64) -> Self {
        Chance { one_in, seed, asked: BTreeMap::new() }
    }

    pub(super) fn strikes(&mut self, request: &Seen<'_>) -> bool {
        let what = format!("{request:?}");
        let before = self.asked.entry(what.clone()).or_default();
        let mut noise = Noise::new(self.seed ^ *before);
        *before += 1;
        // Each byte moves the state that the next number comes from.
        let mixed = what.bytes().fold(noise.next(), |state, byte| Noise::new(state ^ u64::from(byte)).next());
        self.one_in > 0 && Noise::new(mixed).below(self.one_in) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    /// Which of a thousand reads are struck, by the number of the read; each is asked for twice.
    fn struck(seed: u64, reads: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut chance = Chance::new(10, seed);
        let mut struck = Vec::new();
        for read in reads {
            let range = format!("bytes={read}-");
            let seen = Seen { operation: Operation::GetObject, key: "k", range: Some(&range), part: None };
            for again in [0, 1000] {
                struck.extend(chance.strikes(&seen).then_some(read + again));
            }
        }
        struck.sort_unstable();
        struck
    }

    #[test]
    fn follows_from_the_seed_and_not_from_the_order() {
        let forwards = struck(7, 0..1000);
        assert_eq!(forwards, struck(7, (0..1000).rev()));
        assert_ne!(forwards, struck(8, 0..1000));
        assert!((150..250).contains(&forwards.len()), "one in ten of 2000: {}", forwards.len());
        let again: Vec<u64> = forwards.iter().filter(|read| **read >= 1000).map(|read| read - 1000).collect();
        assert!(!forwards.starts_with(&again), "the second try has its own luck");
    }
}
