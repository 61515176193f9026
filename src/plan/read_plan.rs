use std::collections::BTreeSet;

use super::budget::SMALLEST_RANGE;
use super::range_digests::packed_bytes;
use super::{Budget, PartLayout, PlanTooLarge, Ranges};
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
///
/// A plan takes the same memory for an object of any size: its ranges are computed. What a reading by it keeps is
/// bounded too; see [`ReadPlan::fits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlan {
    size: u64,
    layouts: Vec<PartLayout>,
    ranges: Ranges,
    per_range: Vec<Algorithm>,
    folded: Vec<Need>,
    ordered: Vec<Need>,
    state_bytes: u64,
    waiting_room: u64,
}

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Digests,
    /// Somebody besides wants all bytes in order.
    InOrder,
    /// Not every range is read, so nothing can be computed in order.
    Sample,
}

/// S3 advises ranges of 8 to 16 MB (*S3 performance design patterns*).
const USUAL_RANGE: u64 = 16 * MIB;
/// Ranges of one object at the most, roughly: larger objects get larger ranges.
const MOST_RANGES: u64 = 10_000;
/// And whatever was asked for.
const MOST_RANGES_ASKED_FOR: u64 = 1_000_000;
/// The digests of a range are held by the reading, by a snapshot of it, and as the text of a checkpoint.
const RANGE_COPIES: u64 = 3;
/// A digest of a part is held by its reference, by who computes it, by the result, and by a checkpoint.
const PART_BYTES: u64 = 4 * size_of::<Option<Digest>>() as u64;
/// A range of a sample is a stretch of its own among those chosen and among those read.
const SAMPLED_RANGE_BYTES: u64 = 2 * size_of::<std::ops::Range<usize>>() as u64;
/// Less is lost in what a budget rounds.
const LITTLE: u64 = 256 * KIB;

impl ReadPlan {
    /// Plans one pass over an object of `size` bytes that yields every digest wanted.
    ///
    /// Ranges end where the parts of the layout end that most digests go by. Digests
    /// that fold, or whose part is one range, are computed in any order of arrival;
    /// only the others must be computed in order. Where ranges are too many for the
    /// memory that their digests would take, all digests are computed in order.
    pub fn new(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::Digests)
    }

    /// The same where besides somebody wants all bytes in order.
    pub fn in_order(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::InOrder)
    }

    /// The same where some of the ranges will be read, without what needs every byte in order.
    pub fn of_sample(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::Sample)
    }

    fn planned(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget, purpose: Purpose) -> Self {
        let (layouts, needs) = distinct(wanted);
        let main = main_layout(&layouts, &needs);
        let largest_range = largest_range(size, &needs, budget, purpose);

        // First as if nothing had to go in order; that decides whether something must.
        let parts_stay_whole = |need: &Need| Some(need.layout) == main && !need.algorithm.folds();
        let base = main.and_then(|main| layouts.get(main)).cloned().unwrap_or(PartLayout::whole(size));
        let stream_parts = needs.iter().any(parts_stay_whole);
        let mut ranges = Ranges::cut(base.clone(), if stream_parts { u64::MAX } else { largest_range });
        let (mut folded, mut ordered) = split_needs(&layouts, &needs, &ranges);
        let lists = lists_bytes(&layouts, &needs);
        let mut waiting_room = budget.waiting_room;
        if purpose == Purpose::Sample {
            ordered.clear();
        } else if purpose == Purpose::InOrder || !ordered.is_empty() {
            waiting_room = waiting_room.saturating_sub(lists.saturating_sub(little(budget)));
            ranges = Ranges::cut(base, ordered_range(waiting_room, budget).min(largest_range));
            (folded, ordered) = split_needs(&layouts, &needs, &ranges);
            // Ranges are small here, and of a large object very many.
            if ranges_bytes(&ranges, &algorithms(&folded)) > little(budget) {
                (folded, ordered) = (Vec::new(), needs);
            }
        }
        let per_range = algorithms(&folded);
        let sampled = if purpose == Purpose::Sample { SAMPLED_RANGE_BYTES.saturating_mul(ranges.len() as u64) } else { 0 };
        let state_bytes = lists.saturating_add(ranges_bytes(&ranges, &per_range)).saturating_add(sampled);
        ReadPlan { size, layouts, ranges, per_range, folded, ordered, state_bytes, waiting_room }
    }

    /// Whether what a reading by this plan keeps has room in the memory it was planned for.
    ///
    /// # Errors
    ///
    /// How much memory is needed, where it has not.
    pub fn fits(&self, budget: Budget) -> Result<(), PlanTooLarge> {
        let in_order = self.ranges.len() > 1 && !self.ordered.is_empty();
        budget.holds(self.state_bytes.saturating_sub(little(budget)), in_order)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the GETs ask for, in order, covering the object once. An empty object has one empty range.
    pub fn ranges(&self) -> &Ranges {
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

    /// Bytes that may wait to be hashed in order, beside what the reading keeps.
    pub fn waiting_room(&self) -> u64 {
        self.waiting_room
    }

    /// Stands for the ranges and the digests: two plans with the same one are the same.
    pub fn fingerprint(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let position =
            |algorithm: &Algorithm| Algorithm::ALL.iter().position(|one| one == algorithm).unwrap_or(0) as u64;
        let (parts, piece) = self.ranges.cut_from();
        add(&mut hasher, [self.size, piece]);
        add_layout(&mut hasher, parts);
        add(&mut hasher, self.per_range.iter().map(position));
        for need in &self.ordered {
            add(&mut hasher, [position(&need.algorithm)]);
            self.layout(*need).into_iter().for_each(|layout| add_layout(&mut hasher, layout));
        }
        hasher.finish()
    }

    /// The digests that ranges give once they are there: for each need, one entry a part,
    /// absent where a range of it is missing.
    ///
    /// `of_range` answers with a digest of a range, by its position and that of the algorithm
    /// in [`Self::per_range`].
    pub fn fold_ranges(
        &self,
        of_range: impl Fn(usize, usize) -> Option<Digest>,
    ) -> Vec<(Need, Vec<Option<Digest>>)> {
        self.folded
            .iter()
            .map(|need| {
                let column = self.per_range.iter().position(|algorithm| *algorithm == need.algorithm);
                let digest_of = |index: usize| of_range(index, column?);
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
        /// What is folded at a time, so that the pieces of a part with very many ranges are not all held at once.
        const AT_ONCE: usize = 1024;
        if part.is_empty() && self.size > 0 {
            return Some(Hasher::digest(algorithm, b""));
        }
        let first = self.ranges.partition_point(|range| range.end() <= part.start() && self.size > 0);
        if self.ranges.get(first) == Some(part) {
            return digest_of(first);
        }
        let mut pieces: Vec<(ByteRange, Digest)> = Vec::new();
        let mut at = part.start();
        for index in first.. {
            let Some(range) = self.ranges.get(index).filter(|range| range.start() < part.end()) else { break };
            if pieces.len() == AT_ONCE {
                let so_far = ByteRange::new(part.start(), at)?;
                pieces = vec![(so_far, fold(algorithm, so_far, &pieces)?)];
            }
            pieces.push((range, digest_of(index)?));
            at = range.end();
        }
        fold(algorithm, part, &pieces)
    }

    /// Bytes of ranges that follow on each other.
    pub fn bytes_of(&self, span: std::ops::Range<usize>) -> u64 {
        self.ranges.stretch(span).map_or(0, ByteRange::len)
    }

    /// Ranges that share bytes with `range`.
    pub fn ranges_touching(&self, range: ByteRange) -> std::ops::Range<usize> {
        let first = self.ranges.partition_point(|own| own.end() <= range.start());
        first..self.ranges.partition_point(|own| own.start() < range.end()).max(first)
    }
}

fn add(hasher: &mut Hasher, list: impl IntoIterator<Item = u64>) {
    for number in list {
        hasher.update(&number.to_le_bytes());
    }
    // No offset is as large, so this ends a list.
    hasher.update(&u64::MAX.to_le_bytes());
}

/// A layout of one size is told by it; any other by its ends.
fn add_layout(hasher: &mut Hasher, layout: &PartLayout) {
    if layout.is_listed() {
        add(hasher, layout.ends());
    } else {
        let part = layout.part(0).map(ByteRange::len).unwrap_or_default();
        add(hasher, [u64::MAX, layout.size(), part]);
    }
}

/// The layouts that are wanted, and what is wanted of each, everything once.
fn distinct(wanted: &[(Algorithm, PartLayout)]) -> (Vec<PartLayout>, Vec<Need>) {
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
    (layouts, needs)
}

fn algorithms(needs: &[Need]) -> Vec<Algorithm> {
    let distinct: BTreeSet<Algorithm> = needs.iter().map(|need| need.algorithm).collect();
    distinct.into_iter().collect()
}

/// The layout whose parts the ranges follow: of those with several parts, the one that most
/// digests that do not fold go by, else the first one.
fn main_layout(layouts: &[PartLayout], needs: &[Need]) -> Option<usize> {
    let weight = |layout: usize| needs.iter().filter(|need| need.layout == layout && !need.algorithm.folds()).count();
    let several = layouts.iter().enumerate().filter(|(_, layout)| layout.count() > 1);
    several.map(|(index, _)| index).max_by_key(|index| (weight(*index), std::cmp::Reverse(*index)))
}

/// Bytes of a range where the proof leaves the choice: more for a larger object, so that what is kept of each range
/// takes no more than half of what may wait.
fn largest_range(size: u64, needs: &[Need], budget: Budget, purpose: Purpose) -> u64 {
    let sampled = if purpose == Purpose::Sample { SAMPLED_RANGE_BYTES } else { 0 };
    let each = RANGE_COPIES * packed_bytes(&algorithms(needs)) as u64 + sampled;
    let most = (budget.waiting_room / 2 / each.max(1)).max(1);
    match budget.range_bytes {
        Some(bytes) => bytes.max(size.div_ceil(MOST_RANGES_ASKED_FOR.min(most))),
        None => USUAL_RANGE.max(size.div_ceil(MOST_RANGES.min(most))),
    }
}

/// Every range in flight has its room, or the oldest could wait for younger ones.
fn ordered_range(waiting_room: u64, budget: Budget) -> u64 {
    let share = waiting_room / budget.concurrency.max(1) as u64;
    // Room is counted in whole KiB, rounded up for each range.
    (share / KIB * KIB).clamp(SMALLEST_RANGE, USUAL_RANGE)
}

fn little(budget: Budget) -> u64 {
    LITTLE.max(budget.waiting_room / 32)
}

/// Bytes that a reading keeps of ranges.
fn ranges_bytes(ranges: &Ranges, per_range: &[Algorithm]) -> u64 {
    (RANGE_COPIES * packed_bytes(per_range) as u64).saturating_mul(ranges.len() as u64)
}

/// Bytes that a reading keeps of parts.
fn lists_bytes(layouts: &[PartLayout], needs: &[Need]) -> u64 {
    let listed = layouts.iter().map(PartLayout::listed_bytes);
    let parts = needs.iter().filter_map(|need| layouts.get(need.layout)).map(|layout| layout.count() as u64);
    listed.chain(parts.map(|count| count.saturating_mul(PART_BYTES))).fold(0, u64::saturating_add)
}

/// Needs that ranges give by themselves, and needs that must be computed in order.
fn split_needs(layouts: &[PartLayout], needs: &[Need], ranges: &Ranges) -> (Vec<Need>, Vec<Need>) {
    needs.iter().partition(|need| {
        let Some(layout) = layouts.get(need.layout) else { return false };
        if need.algorithm.folds() { ranges.make_up(layout) } else { ranges.are(layout) }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{Concurrency, Limits};
    use crate::units::GIB;

    const BUDGET: Budget = Budget {
        concurrency: 16,
        grow_to: 16,
        range_bytes: None,
        waiting_room: 160 * MIB,
        lanes_room: 10 * MIB,
        limits: Limits { concurrency: Concurrency::Adaptive, range_bytes: None, max_memory: 256 * MIB },
    };

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
        assert_eq!(plan.ranges().iter().collect::<Vec<_>>(), [ByteRange::whole(5 * MIB)]);
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
        assert_eq!(plan.ranges().iter().collect::<Vec<_>>(), [ByteRange::whole(0)]);
        let digest = Hasher::digest(Algorithm::Md5, b"");
        let digests = plan.fold_ranges(|_, _| Some(digest));
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

    /// Sizes beyond all that S3 admits, as a HEAD may state them and a sparse file may have them.
    const ABSURD: [u64; 4] = [4 << 40, 10 << 40, (1 << 63) - 1, u64::MAX];

    /// A list of ranges would have up to 2^48 entries here.
    #[test]
    fn the_memory_of_a_reading_does_not_go_by_the_size_of_the_object() {
        let budget = Limits { max_memory: 64 * MIB, ..Limits::default() }.budget().unwrap();
        for size in ABSURD {
            let whole = |algorithm| (algorithm, PartLayout::whole(size));
            let parts = |algorithm| (algorithm, PartLayout::uniform(size, size.div_ceil(10_000)));
            for wanted in [
                vec![whole(Algorithm::Sha256)],
                vec![whole(Algorithm::Crc64Nvme)],
                vec![whole(Algorithm::Sha256), whole(Algorithm::Crc64Nvme)],
                vec![parts(Algorithm::Md5)],
                vec![parts(Algorithm::Md5), whole(Algorithm::Sha256), whole(Algorithm::Crc32)],
                vec![],
            ] {
                for range_bytes in [None, Some(4096)] {
                    let budget = Budget { range_bytes, ..budget };
                    for new in [ReadPlan::new, ReadPlan::in_order, ReadPlan::of_sample] {
                        let plan = new(size, &wanted, budget);
                        assert_eq!(plan.fits(budget), Ok(()), "{size}: {wanted:?}");
                        assert!(plan.state_bytes <= budget.waiting_room, "{size}: {wanted:?}");
                        let last = plan.ranges().get(plan.ranges().len() - 1);
                        assert_eq!(last.map(ByteRange::end), Some(size));
                        plan.fingerprint();
                    }
                }
            }
        }
    }

    #[test]
    fn too_many_ranges_for_their_digests_go_in_order_without_any() {
        let size = 4 << 40;
        let whole = [Algorithm::Crc64Nvme, Algorithm::Sha256].map(|algorithm| (algorithm, PartLayout::whole(size)));
        let plan = plan(size, &whole);
        assert_eq!((plan.per_range(), plan.ordered().len()), (&[][..], 2));
        let small = super::ReadPlan::new(GIB, &whole.map(|(algorithm, _)| (algorithm, PartLayout::whole(GIB))), BUDGET);
        assert_eq!((small.per_range(), small.ordered().len()), (&[Algorithm::Crc64Nvme][..], 1));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_needed_then_fits() {
        let size = 1 << 43;
        let layouts = (0..8).map(|more| PartLayout::uniform(size, size.div_ceil(10_000) + more * 8));
        let wanted: Vec<_> = layouts.map(|layout| (Algorithm::Md5, layout)).collect();
        let of = |max_memory| {
            let budget = Limits { max_memory, ..Limits::default() }.budget().unwrap();
            ReadPlan::new(size, &wanted, budget).fits(budget)
        };
        let refused = of(40 * MIB).unwrap_err();
        assert_eq!(refused.max_memory, 40 * MIB);
        assert!(refused.to_string().contains("at least"), "{refused}");
        assert_eq!(of(refused.needed), Ok(()));
        assert!(of(refused.needed - 4 * MIB).is_err(), "{refused}");
        assert_eq!(of(256 * MIB), Ok(()));
        // More parts than can be counted are refused and not tried.
        let endless = [(Algorithm::Md5, PartLayout::uniform(u64::MAX, 1))];
        let budget = Limits::default().budget().unwrap();
        assert!(ReadPlan::new(u64::MAX, &endless, budget).fits(budget).is_err());
    }

    #[test]
    fn a_sample_is_not_cut_small_for_what_would_go_in_order() {
        let whole = [(Algorithm::Sha256, PartLayout::whole(10 * GIB))];
        let plan = ReadPlan::of_sample(10 * GIB, &whole, BUDGET);
        assert_eq!((plan.ranges().len(), plan.needs().count()), (640, 0));
    }

    #[test]
    fn a_part_of_very_many_ranges_folds_like_any_other() {
        let data: Vec<u8> = (0..20_000_u32).map(|at| (at * 31 / 7) as u8).collect();
        let budget = Budget { range_bytes: Some(7), ..BUDGET };
        let plan = ReadPlan::new(20_000, &[(Algorithm::Crc64Nvme, PartLayout::whole(20_000))], budget);
        assert_eq!(plan.ranges().len(), 2858);
        let slice = |range: ByteRange| &data[range.start() as usize..range.end() as usize];
        let of = |index| Some(Hasher::digest(Algorithm::Crc64Nvme, slice(plan.ranges().get(index)?)));
        assert_eq!(plan.fold_ranges(|index, _| of(index))[0].1, [Some(Hasher::digest(Algorithm::Crc64Nvme, &data))]);
        let holed = plan.fold_ranges(|index, _| of(index).filter(|_| index != 2000));
        assert_eq!(holed[0].1, [None]);
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
            for range in plan.ranges().iter() {
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
                .map(|range| plan.per_range().iter().map(|a| Hasher::digest(*a, slice(range))).collect())
                .collect();
            let folded = plan.fold_ranges(|index, column| of_ranges.get(index)?.get(column).copied());
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
        assert_eq!(touching(10 * MIB, 20 * MIB), 1..2);
        assert_eq!(touching(10 * MIB - 1, 20 * MIB + 1), 0..3);
        assert_eq!(touching(39 * MIB, 40 * MIB), 3..4);
        assert_eq!(touching(40 * MIB, 40 * MIB), 4..4);
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
