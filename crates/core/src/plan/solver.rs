use crate::units::{KIB, MIB, PartNumber};

/// The most layouts that are hashed in one pass.
pub const MAX_CANDIDATES: usize = 8;

/// Part sizes in MiB that known writers use, the most common first: AWS CLI and SDKs 8 and 5, browsers and
/// transfer managers 16, 10, 15, 17, `s5cmd` 50, Cyberduck and backup tools 64 and 100, then powers of two up
/// to 1 GiB.
const KNOWN_MIB: [u64; 18] = [8, 5, 16, 50, 64, 10, 15, 17, 32, 20, 25, 100, 128, 200, 256, 512, 500, 1024];

/// The uniform part sizes, in bytes, that divide `size` bytes into exactly `parts` parts, most likely first,
/// at most [`MAX_CANDIDATES`].
///
/// A size `p` fits if `ceil(size / p) = parts`. Sizes of known writers come first, then other whole MiB and
/// decimal MB, then sizes that result from dividing the size by the number of parts and rounding up.
pub fn uniform_candidates(size: u64, parts: u32) -> Vec<u64> {
    let parts = u64::from(parts);
    if parts == 0 || parts > u64::from(PartNumber::MAX) || size < parts {
        return Vec::new();
    }
    let smallest = size.div_ceil(parts);
    let largest = if parts == 1 { size } else { (size - 1) / (parts - 1) };
    if parts == 1 {
        return vec![size];
    }
    let fits = |part: u64| (smallest..=largest).contains(&part);
    let mut found: Vec<u64> = Vec::new();
    let mut offer = |part: u64| {
        if found.len() < MAX_CANDIDATES && fits(part) && !found.contains(&part) {
            found.push(part);
        }
    };
    for mib in KNOWN_MIB {
        offer(mib * MIB);
    }
    // The AWS CLI doubles 8 MiB, and other writers 5 MiB, until 10,000 parts suffice.
    for doublings in 1..12 {
        offer((8 * MIB) << doublings);
        offer((5 * MIB) << doublings);
    }
    // Some copy scripts and older tools count in decimal megabytes.
    for megabytes in [5, 8, 10, 16, 50, 64, 100, 500, 1000] {
        offer(megabytes * 1_000_000);
    }
    for unit in [MIB, 1_000_000, 64 * KIB, 4 * KIB, KIB, 512, 1] {
        offer(smallest.div_ceil(unit).saturating_mul(unit));
    }
    let first_mib = smallest.div_ceil(MIB);
    for step in 0..MAX_CANDIDATES as u64 {
        offer(first_mib.saturating_add(step).saturating_mul(MIB));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{KnownLayout, PartLayout};

    #[test]
    fn the_one_public_listing() {
        // 1,483,486,006 bytes in 177 parts: 8 MiB is the only whole MiB that fits.
        let candidates = uniform_candidates(1_483_486_006, 177);
        assert_eq!(candidates.first(), Some(&(8 * MIB)));
        assert_eq!(candidates.iter().filter(|part| *part % MIB == 0).count(), 1);
    }

    #[test]
    fn known_sizes_come_first() {
        // 9 MiB in two parts: 5 MiB and 8 MiB fit, and so do 6 and 7.
        let candidates = uniform_candidates(9 * MIB, 2);
        assert_eq!(candidates[..2], [8 * MIB, 5 * MIB]);
        assert!(candidates.contains(&(6 * MIB)));
    }

    #[test]
    fn impossible_counts_have_none() {
        assert!(uniform_candidates(0, 1).is_empty());
        assert!(uniform_candidates(3, 4).is_empty());
        assert!(uniform_candidates(10, 0).is_empty());
        assert_eq!(uniform_candidates(10, 1), vec![10]);
        assert!(uniform_candidates(50_000_000_000_000, 10_001).is_empty());
        // No uniform size divides 10 bytes into 6 parts: 1 gives ten, 2 gives five.
        assert!(uniform_candidates(10, 6).is_empty());
    }

    proptest! {
        #[test]
        fn every_candidate_fits(size in 1u64..60_000_000_000_000, parts in 1u32..=10_000) {
            let candidates = uniform_candidates(size, parts);
            prop_assert!(candidates.len() <= MAX_CANDIDATES);
            for part in candidates {
                prop_assert_eq!(size.div_ceil(part), u64::from(parts));
            }
        }

        /// For any stated size and count, every candidate fits, and more parts take no more memory.
        #[test]
        fn absurd_sizes_and_counts_hold(size in any::<u64>(), parts in prop_oneof![0u32..20_000, any::<u32>()]) {
            for part in uniform_candidates(size, parts) {
                let layout = PartLayout::uniform(size, part);
                prop_assert_eq!((layout.count(), layout.size()), (parts as usize, size));
            }
            let known = KnownLayout::single(size).as_assumption(size, parts);
            prop_assert!(known.candidates.len() <= MAX_CANDIDATES + 1);
            prop_assert!(known.candidates.iter().all(|candidate| candidate.layout.count() == parts as usize));
        }

        #[test]
        fn a_known_size_is_found(mib in proptest::sample::select(KNOWN_MIB.to_vec()), parts in 40u64..10_000, tail in 1u64..1000) {
            let part = mib * MIB;
            let size = part * (parts - 1) + (part * tail / 1000).max(1);
            prop_assert!(uniform_candidates(size, parts as u32).contains(&part));
        }
    }
}
