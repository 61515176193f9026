use std::collections::BTreeSet;

use super::budget::SMALLEST_RANGE;
use super::{Budget, PartLayout};
use crate::checksum::{Algorithm, Digest, Hasher, fold};
use crate::units::{ByteRange, KIB, MIB};

/// One list of digests to compute: of each part of a layout, by one algorithm.
/// The digest of the whole object is that of the layout that is one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub algorithm: Algorithm,
    /// Position among the layouts of the plan; see [`ReadPlan::layout`].
    pub layout: usize,
}

/// What to read, and how to hash it, for a set of needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlan {
    size: u64,
    layouts: Vec<PartLayout>,
    ranges: Vec<ByteRange>,
    per_range: Vec<Algorithm>,
    folded: Vec<Need>,
    ordered: Vec<Need>,
}

/// S3 advises ranges of 8 to 16 MB (*S3 performance design patterns*).
const USUAL_RANGE: u64 = 16 * MIB;
/// Ranges of one object at the most, roughly: larger objects get larger ranges.
const MOST_RANGES: u64 = 10_000;
/// And whatever was asked for: each takes memory of its own.
const MOST_RANGES_ASKED_FOR: u64 = 1_000_000;

impl ReadPlan {
    /// Plans one pass over an object of `size` bytes that yields every digest wanted.
    ///
    /// Ranges end where the parts of the layout end that most digests go by. Digests
    /// that fold, or whose part is one range, are computed in any order of arrival;
    /// only the others must be computed in order.
    pub fn new(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, false)
    }

    /// The same where besides somebody wants all bytes in order.
    pub fn in_order(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, true)
    }

    fn planned(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget, in_order: bool) -> Self {
        let mut layouts: Vec<PartLayout> = Vec::new();
        let mut needs: Vec<Need> = Vec::new();
        for (algorithm, layout) in wanted {
            let position = layouts.iter().position(|known| known == layout).unwrap_or_else(|| {
                layouts.push(layout.clone());
                layouts.len() - 1
            });
            let need = Need { algorithm: *algorithm, layout: position };
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        let main = main_layout(&layouts, &needs);
        let largest_range = match budget.range_bytes {
            Some(bytes) => bytes.max(size.div_ceil(MOST_RANGES_ASKED_FOR)),
            None => USUAL_RANGE.max(size.div_ceil(MOST_RANGES)),
        };

        // First as if nothing had to go in order; that decides whether something must.
        let parts_stay_whole = |need: &Need| Some(need.layout) == main && !need.algorithm.folds();
        let base = main.and_then(|main| layouts.get(main)).cloned().unwrap_or(PartLayout::whole(size));
        let stream_parts = needs.iter().any(parts_stay_whole);
        let mut ranges = cut(&base, if stream_parts { u64::MAX } else { largest_range });
        let mut split = split_needs(&layouts, &needs, &ranges);
        if in_order || !split.1.is_empty() {
            let most = ordered_range(budget).min(largest_range);
            ranges = cut(&base, most);
            split = split_needs(&layouts, &needs, &ranges);
        }
        let (folded, ordered) = split;
        let per_range: BTreeSet<Algorithm> = folded.iter().map(|need| need.algorithm).collect();
        ReadPlan { size, layouts, ranges, per_range: per_range.into_iter().collect(), folded, ordered }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the GETs ask for, in order, covering the object once. An empty object has one empty range.
    pub fn ranges(&self) -> &[ByteRange] {
        &self.ranges
    }

    /// Algorithms to compute over each range.
    pub fn per_range(&self) -> &[Algorithm] {
        &self.per_range
    }

    /// Digests that must be computed over the object in order of offset.
    pub fn ordered(&self) -> &[Need] {
        &self.ordered
    }

    /// Every list of digests that the plan yields.
    pub fn needs(&self) -> impl Iterator<Item = Need> {
        self.folded.iter().chain(&self.ordered).copied()
    }

    pub fn layout(&self, need: Need) -> Option<&PartLayout> {
        self.layouts.get(need.layout)
    }

    /// Stands for the ranges and the digests: two plans with the same one are the same.
    pub fn fingerprint(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut add = |list: &mut dyn Iterator<Item = u64>| {
            for number in list {
                hasher.update(&number.to_le_bytes());
            }
            // No offset is as large, so this ends a list.
            hasher.update(&u64::MAX.to_le_bytes());
        };
        let position =
            |algorithm: &Algorithm| Algorithm::ALL.iter().position(|one| one == algorithm).unwrap_or(0) as u64;
        add(&mut self.ranges.iter().map(|range| range.end()));
        add(&mut self.per_range.iter().map(position));
        for need in &self.ordered {
            add(&mut std::iter::once(position(&need.algorithm)));
            add(&mut self.layout(*need).into_iter().flat_map(|layout| layout.ends().iter().copied()));
        }
        hasher.finish()
    }

    /// The same plan without what needs every byte in order.
    pub fn without_ordered(mut self) -> Self {
        self.ordered.clear();
        self
    }

    /// The digests that ranges give once they are there: for each need, one entry a part,
    /// absent where a range of it is missing.
    ///
    /// `of_range` answers with the digests of a range, in the order of [`Self::per_range`].
    pub fn fold_ranges<'a>(
        &self,
        of_range: impl Fn(usize) -> Option<&'a [Digest]>,
    ) -> Vec<(Need, Vec<Option<Digest>>)> {
        self.folded
            .iter()
            .map(|need| {
                let column = self.per_range.iter().position(|algorithm| *algorithm == need.algorithm);
                let digest_of = |index: usize| of_range(index)?.get(column?).copied();
                let parts = self.layouts.get(need.layout).map(PartLayout::parts).into_iter().flatten();
                let digests = parts.map(|part| self.fold_part(need.algorithm, part, &digest_of)).collect();
                (*need, digests)
            })
            .collect()
    }

    fn fold_part(
        &self,
        algorithm: Algorithm,
        part: ByteRange,
        digest_of: &impl Fn(usize) -> Option<Digest>,
    ) -> Option<Digest> {
        if part.is_empty() && self.size > 0 {
            return Some(Hasher::digest(algorithm, b""));
        }
        let first = self.ranges.partition_point(|range| range.end() <= part.start() && self.size > 0);
        if self.ranges.get(first) == Some(&part) {
            return digest_of(first);
        }
        let mut pieces = Vec::new();
        for (index, range) in self.ranges.iter().enumerate().skip(first) {
            if range.start() >= part.end() {
                break;
            }
            pieces.push((*range, digest_of(index)?));
        }
        fold(algorithm, part, &pieces)
    }

    /// Ranges that share bytes with `range`.
    pub fn ranges_touching(&self, range: ByteRange) -> Vec<usize> {
        self.ranges
            .iter()
            .enumerate()
            .filter(|(_, own)| own.start() < range.end() && range.start() < own.end())
            .map(|(index, _)| index)
            .collect()
    }
}

/// The layout whose parts the ranges follow: of those with several parts, the one that most
/// digests that do not fold go by, else the first one.
fn main_layout(layouts: &[PartLayout], needs: &[Need]) -> Option<usize> {
    let weight = |layout: usize| needs.iter().filter(|need| need.layout == layout && !need.algorithm.folds()).count();
    let several = layouts.iter().enumerate().filter(|(_, layout)| layout.count() > 1);
    several.map(|(index, _)| index).max_by_key(|index| (weight(*index), std::cmp::Reverse(*index)))
}

/// Every range in flight has its room, or the oldest could wait for younger ones.
fn ordered_range(budget: Budget) -> u64 {
    let share = budget.waiting_room / budget.concurrency.max(1) as u64;
    // Room is counted in whole KiB, rounded up for each range.
    (share / KIB * KIB).clamp(SMALLEST_RANGE, USUAL_RANGE)
}

/// The parts, each cut into equal pieces of `most` bytes.
fn cut(layout: &PartLayout, most: u64) -> Vec<ByteRange> {
    let mut ranges = Vec::with_capacity(layout.count());
    for part in layout.parts() {
        let mut start = part.start();
        loop {
            let end = start.saturating_add(most.max(1)).min(part.end());
            ranges.extend(ByteRange::new(start, end));
            start = end;
            if start >= part.end() {
                break;
            }
        }
    }
    ranges
}

/// Needs that ranges give by themselves, and needs that must be computed in order.
fn split_needs(layouts: &[PartLayout], needs: &[Need], ranges: &[ByteRange]) -> (Vec<Need>, Vec<Need>) {
    let ends: Vec<u64> = ranges.iter().map(|range| range.end()).collect();
    needs.iter().partition(|need| {
        let Some(layout) = layouts.get(need.layout) else { return false };
        if need.algorithm.folds() {
            layout.ends().iter().all(|end| ends.binary_search(end).is_ok())
        } else {
            layout.ends() == ends
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::GIB;

    const BUDGET: Budget =
        Budget { concurrency: 16, grow_to: 16, range_bytes: None, waiting_room: 160 * MIB, lanes_room: 10 * MIB };

    fn plan(size: u64, wanted: &[(Algorithm, PartLayout)]) -> ReadPlan {
        ReadPlan::new(size, wanted, BUDGET)
    }

    #[test]
    fn by_part_and_folded_digests_need_no_order() {
        let parts = PartLayout::uniform(GIB + 5, 8 * MIB);
        let plan = plan(
            GIB + 5,
            &[
                (Algorithm::Md5, parts.clone()),
                (Algorithm::Crc64Nvme, PartLayout::whole(GIB + 5)),
                (Algorithm::Sha256, parts),
            ],
        );
        assert_eq!(plan.ranges().len(), 129);
        assert!(plan.ordered().is_empty());
        assert_eq!(plan.per_range(), [Algorithm::Crc64Nvme, Algorithm::Sha256, Algorithm::Md5]);
    }

    #[test]
    fn large_parts_are_one_stream_each_where_their_digest_does_not_fold() {
        let parts = PartLayout::uniform(10 * GIB, GIB);
        assert_eq!(plan(10 * GIB, &[(Algorithm::Md5, parts.clone())]).ranges().len(), 10);
        assert_eq!(plan(10 * GIB, &[(Algorithm::Crc32c, parts)]).ranges().len(), 640);
    }

    #[test]
    fn a_whole_hash_goes_in_order_and_its_ranges_fit_the_memory() {
        let whole = PartLayout::whole(10 * GIB);
        let plan = plan(10 * GIB, &[(Algorithm::Sha256, whole), (Algorithm::Md5, PartLayout::uniform(10 * GIB, GIB))]);
        assert_eq!(plan.ordered().len(), 2, "the large parts can no longer be ranges");
        assert!(plan.ranges().iter().all(|range| range.len() <= 10 * MIB));
    }

    #[test]
    fn a_small_object_is_one_range_and_needs_no_order() {
        let plan = plan(5 * MIB, &[(Algorithm::Sha256, PartLayout::whole(5 * MIB))]);
        assert_eq!(plan.ranges(), [ByteRange::whole(5 * MIB)]);
        assert!(plan.ordered().is_empty());
    }

    #[test]
    fn other_candidates_go_in_order() {
        let size = 90 * MIB;
        let plan = plan(
            size,
            &[
                (Algorithm::Md5, PartLayout::uniform(size, 8 * MIB)),
                (Algorithm::Md5, PartLayout::uniform(size, 5 * MIB)),
            ],
        );
        assert_eq!(plan.ordered(), [Need { algorithm: Algorithm::Md5, layout: 1 }]);
    }

    #[test]
    fn an_empty_object_has_one_empty_range() {
        let plan = plan(0, &[(Algorithm::Md5, PartLayout::whole(0))]);
        assert_eq!(plan.ranges(), [ByteRange::whole(0)]);
        let digest = Hasher::digest(Algorithm::Md5, b"");
        let digests = plan.fold_ranges(|_| Some(std::slice::from_ref(&digest)));
        assert_eq!(digests[0].1, vec![Some(digest)]);
    }

    #[test]
    fn ranges_asked_for_are_not_endless() {
        let budget = Budget { range_bytes: Some(4096), ..BUDGET };
        let whole = [(Algorithm::Crc32, PartLayout::whole(50_000 * GIB))];
        let plan = ReadPlan::new(50_000 * GIB, &whole, budget);
        assert!((900_000..=1_000_000).contains(&plan.ranges().len()), "{}", plan.ranges().len());
        assert_eq!(ReadPlan::new(GIB, &whole, budget).ranges().len(), 262_144);
    }

    fn wanted() -> impl Strategy<Value = (u64, Vec<(Algorithm, PartLayout)>)> {
        (
            proptest::collection::vec(0u64..3000, 1..40),
            proptest::sample::subsequence(Algorithm::ALL.to_vec(), 0..5),
            1u64..4000,
        )
            .prop_map(|(sizes, algorithms, part)| {
                let size = sizes.iter().sum();
                let layouts = [
                    PartLayout::from_sizes(size, sizes).unwrap(),
                    PartLayout::whole(size),
                    PartLayout::uniform(size, part),
                ];
                let wanted =
                    algorithms.iter().enumerate().map(|(i, algorithm)| (*algorithm, layouts[i % 3].clone())).collect();
                (size, wanted)
            })
    }

    proptest! {
        #[test]
        fn ranges_cover_the_object_once((size, wanted) in wanted(), range_bytes in proptest::option::of(1u64..5000)) {
            let plan = ReadPlan::new(size, &wanted, Budget { range_bytes, ..BUDGET });
            let mut at = 0;
            for range in plan.ranges() {
                prop_assert_eq!(range.start(), at);
                at = range.end();
            }
            prop_assert_eq!(at, size);
        }

        #[test]
        fn folded_digests_equal_direct_ones((size, wanted) in wanted(), range_bytes in proptest::option::of(1u64..5000)) {
            let data: Vec<u8> = (0..size).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 11) as u8).collect();
            let slice = |range: ByteRange| &data[range.start() as usize..range.end() as usize];
            let plan = ReadPlan::new(size, &wanted, Budget { range_bytes, ..BUDGET });
            let of_ranges: Vec<Vec<Digest>> = plan
                .ranges()
                .iter()
                .map(|range| plan.per_range().iter().map(|a| Hasher::digest(*a, slice(*range))).collect())
                .collect();
            let folded = plan.fold_ranges(|index| of_ranges.get(index).map(Vec::as_slice));
            prop_assert_eq!(folded.len() + plan.ordered().len(), {
                let mut distinct: Vec<_> = Vec::new();
                for one in &wanted { if !distinct.contains(one) { distinct.push(one.clone()); } }
                distinct.len()
            });
            for (need, digests) in folded {
                let layout = plan.layout(need).unwrap();
                let direct: Vec<_> = layout.parts().map(|part| Some(Hasher::digest(need.algorithm, slice(part)))).collect();
                prop_assert_eq!(digests, direct);
            }
        }
    }

    #[test]
    fn ranges_that_share_bytes_touch() {
        let plan = plan(40 * MIB, &[(Algorithm::Md5, PartLayout::uniform(40 * MIB, 10 * MIB))]);
        let touching = |start, end| plan.ranges_touching(ByteRange::new(start, end).unwrap());
        assert_eq!(touching(10 * MIB, 20 * MIB), [1]);
        assert_eq!(touching(10 * MIB - 1, 20 * MIB + 1), [0, 1, 2]);
        assert_eq!(touching(39 * MIB, 40 * MIB), [3]);
        assert_eq!((plan.size(), plan.needs().count()), (40 * MIB, 1));
    }

    #[test]
    fn the_fingerprint_tells_plans_apart() {
        let layout = |part| PartLayout::uniform(40 * MIB, part);
        let print = |wanted: &[(Algorithm, PartLayout)]| plan(40 * MIB, wanted).fingerprint();
        let one = print(&[(Algorithm::Md5, layout(8 * MIB))]);
        assert_eq!(one, print(&[(Algorithm::Md5, layout(8 * MIB))]));
        for other in [
            print(&[(Algorithm::Sha1, layout(8 * MIB))]),
            print(&[(Algorithm::Md5, layout(5 * MIB))]),
            print(&[(Algorithm::Md5, layout(8 * MIB)), (Algorithm::Sha1, layout(8 * MIB))]),
            print(&[(Algorithm::Md5, layout(8 * MIB)), (Algorithm::Md5, layout(5 * MIB))]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn ranges_follow_the_layout_that_most_digests_go_by() {
        let (most, other, size) =
            (PartLayout::uniform(40 * MIB, 8 * MIB), PartLayout::uniform(40 * MIB, 5 * MIB), 40 * MIB);
        let wanted = [(Algorithm::Md5, other), (Algorithm::Md5, most.clone()), (Algorithm::Sha1, most.clone())];
        assert_eq!(main_layout(&[wanted[0].1.clone(), most.clone()], &needs_of(&[(0, 0), (0, 1), (1, 1)])), Some(1));
        assert_eq!(main_layout(&[PartLayout::whole(size)], &needs_of(&[(0, 0)])), None, "one part is no layout");
        let plan = plan(size, &wanted);
        assert!(plan.ordered().iter().all(|need| plan.layout(*need) != Some(&most)));
    }

    fn needs_of(list: &[(usize, usize)]) -> Vec<Need> {
        let algorithms = [Algorithm::Md5, Algorithm::Sha1];
        list.iter().map(|(algorithm, layout)| Need { algorithm: algorithms[*algorithm], layout: *layout }).collect()
    }

    #[test]
    fn bytes_in_order_come_in_ranges_that_fit_the_room() {
        let parts = [(Algorithm::Md5, PartLayout::uniform(GIB, 512 * MIB))];
        assert_eq!(ReadPlan::new(GIB, &parts, BUDGET).ranges().len(), 2);
        let plan = ReadPlan::in_order(GIB, &parts, BUDGET);
        assert!(plan.ranges().iter().all(|range| range.len() <= 10 * MIB));
    }
}
