use std::collections::BTreeSet;

use super::{Budget, Limits, PartLayout, PlanTooLarge, Ranges, state};
use crate::checksum::{Algorithm, Digest, Hasher, fold};
use crate::units::ByteRange;

/// One list of digests to compute: one algorithm over each part of a layout. The digest of the whole object
/// is that of a layout with one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The algorithm of the digests.
    pub algorithm: Algorithm,
    /// Position among the layouts of the plan; see [`ReadPlan::layout`].
    pub layout: usize,
}

/// The ranges to read and how to hash them, for a set of needs.
///
/// Each need is computed in one of two ways. If every part of its layout consists of whole ranges and the
/// algorithm combines (see [`Algorithm::folds`]), or every part is one range, each range is hashed as it
/// arrives and the digests are combined afterwards ([`fold_ranges`](Self::fold_ranges)). All other needs are
/// hashed in order of offset ([`ordered`](Self::ordered)).
///
/// A plan takes the same memory for an object of any size, because its ranges are computed.
/// [`fits`](Self::fits) checks the memory of a read by it.
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
    purpose: Purpose,
    along: Option<PartLayout>,
}

/// The use of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Digests,
    /// A consumer besides the hashers needs all bytes in order.
    InOrder,
    /// Only some ranges are read, so nothing can be hashed in order.
    Sample,
}

impl ReadPlan {
    /// Plans one pass over an object of `size` bytes that yields every digest in `wanted`.
    ///
    /// Ranges end where the parts of one layout end: the layout that the most digests use. Digests that
    /// combine, or whose part is one range, are computed in any order of arrival; the others are computed in
    /// order. If the digests of all ranges would exceed the memory, all digests are computed in order.
    pub fn new(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::Digests)
    }

    /// As [`Self::new`], for a read that also passes all bytes in order to another consumer.
    pub fn in_order(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::InOrder)
    }

    /// As [`Self::new`], with ranges that never cross a boundary between parts of `along`.
    pub fn along(size: u64, wanted: &[(Algorithm, PartLayout)], along: &PartLayout, budget: Budget) -> Self {
        Self::cut_along(size, wanted, budget, Purpose::Digests, Some(along))
    }

    /// As [`Self::new`], for a read of some of the ranges, without the digests that need every byte in order.
    pub fn of_sample(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget) -> Self {
        Self::planned(size, wanted, budget, Purpose::Sample)
    }

    /// As [`Self::of_sample`], with ranges that never cross a boundary between parts of `along`.
    pub fn of_runs(size: u64, wanted: &[(Algorithm, PartLayout)], along: &PartLayout, budget: Budget) -> Self {
        Self::cut_along(size, wanted, budget, Purpose::Sample, Some(along))
    }

    fn planned(size: u64, wanted: &[(Algorithm, PartLayout)], budget: Budget, purpose: Purpose) -> Self {
        Self::cut_along(size, wanted, budget, purpose, None)
    }

    fn cut_along(
        size: u64,
        wanted: &[(Algorithm, PartLayout)],
        budget: Budget,
        purpose: Purpose,
        along: Option<&PartLayout>,
    ) -> Self {
        let (layouts, needs) = distinct(wanted);
        Self::arranged(size, (layouts, needs), budget, (purpose, along))
    }

    fn arranged(
        size: u64,
        (layouts, needs): (Vec<PartLayout>, Vec<Need>),
        budget: Budget,
        (purpose, along): (Purpose, Option<&PartLayout>),
    ) -> Self {
        let main = match along {
            Some(along) => layouts.iter().position(|layout| layout == along),
            None => main_layout(&layouts, &needs),
        };
        let is_sampled = purpose == Purpose::Sample;
        let of_main = main.and_then(|main| layouts.get(main));
        let base = along.or(of_main).cloned().unwrap_or(PartLayout::whole(size));
        let of_parts = state::bytes_of_parts(&layouts, needs.iter().filter_map(|need| layouts.get(need.layout)));
        // For pieces of parts, only digests that combine are kept. Each part may add one range.
        let of_piece =
            state::bytes_per_range(&algorithms(needs.iter().filter(|need| need.algorithm.folds())), is_sampled);
        let of_ends = of_piece.saturating_mul(base.count() as u64);
        let largest_range = state::largest_range(size, of_piece, of_parts.saturating_add(of_ends), budget);

        // Plan first as if nothing had to be hashed in order; the result shows whether something must.
        let parts_stay_whole = |need: &Need| Some(need.layout) == main && !need.algorithm.folds();
        let stream_parts = needs.iter().any(parts_stay_whole);
        let mut ranges = Ranges::cut(base.clone(), if stream_parts { u64::MAX } else { largest_range });
        let (mut folded, mut ordered) = split_needs(&layouts, &needs, &ranges);
        let of_ranges = |ranges: &Ranges, per_range: &[Algorithm]| {
            state::bytes_per_range(per_range, is_sampled).saturating_mul(ranges.len() as u64)
        };
        let mut waiting_room = budget.waiting_room;
        if is_sampled {
            ordered.clear();
        } else if purpose == Purpose::InOrder || !ordered.is_empty() {
            waiting_room = waiting_room.saturating_sub(of_parts.saturating_sub(state::uncounted(budget)));
            ranges = Ranges::cut(base, state::ordered_range(waiting_room, budget).min(largest_range));
            (folded, ordered) = split_needs(&layouts, &needs, &ranges);
            // Ranges are small here, so a large object has very many of them.
            if of_ranges(&ranges, &algorithms(&folded)) > state::uncounted(budget) {
                (folded, ordered) = (Vec::new(), needs);
            }
        }
        let per_range = algorithms(&folded);
        let state_bytes = of_parts.saturating_add(of_ranges(&ranges, &per_range));
        let along = along.cloned();
        ReadPlan { size, layouts, ranges, per_range, folded, ordered, state_bytes, waiting_room, purpose, along }
    }

    /// The plan of the same digests in another budget.
    fn replanned(&self, budget: Budget) -> Self {
        let needs = (self.layouts.clone(), self.needs().collect());
        Self::arranged(self.size, needs, budget, (self.purpose, self.along.as_ref()))
    }

    /// Checks that the state of a read by this plan fits the memory of the budget.
    ///
    /// # Errors
    ///
    /// When it does not fit; the error names the memory that is needed.
    pub fn fits(&self, budget: Budget) -> Result<(), PlanTooLarge> {
        let Err(too_large) = self.fits_as_planned(budget) else { return Ok(()) };
        // With more memory the plan is another one, which may need more than this one.
        let mut needed = too_large.needed;
        while let Ok(more) = (Limits { max_memory: needed, ..budget.limits }).budget()
            && let Err(still) = self.replanned(more).fits_as_planned(more)
            && still.needed > needed
        {
            needed = still.needed;
        }
        Err(PlanTooLarge { needed, ..too_large })
    }

    fn fits_as_planned(&self, budget: Budget) -> Result<(), PlanTooLarge> {
        let in_order = self.ranges.len() > 1 && !self.ordered.is_empty();
        budget.check_fits(self.state_bytes.saturating_sub(state::uncounted(budget)), in_order)
    }

    /// Size of the object in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The ranges of the GET requests, in order. They cover the object once; an empty object has one empty
    /// range.
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// The algorithms to compute over each range.
    pub fn per_range(&self) -> &[Algorithm] {
        &self.per_range
    }

    /// The digests that must be computed in order of offset.
    pub fn ordered(&self) -> &[Need] {
        &self.ordered
    }

    /// All lists of digests that the plan yields.
    pub fn needs(&self) -> impl Iterator<Item = Need> {
        self.folded.iter().chain(&self.ordered).copied()
    }

    /// The layout of a need; `None` if the need belongs to another plan.
    pub fn layout(&self, need: Need) -> Option<&PartLayout> {
        self.layouts.get(need.layout)
    }

    /// Bytes that may be buffered for hashing in order, besides the state of the read.
    pub fn waiting_room(&self) -> u64 {
        self.waiting_room
    }

    /// A SHA-256 of the ranges and digests. Plans with the same fingerprint are interchangeable, so a
    /// checkpoint of one can be resumed with the other.
    pub fn fingerprint(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let position =
            |algorithm: &Algorithm| Algorithm::ALL.iter().position(|one| one == algorithm).unwrap_or(0) as u64;
        let (parts, piece) = self.ranges.cut_from();
        hash_list(&mut hasher, [self.size, piece]);
        hash_layout(&mut hasher, parts);
        hash_list(&mut hasher, self.per_range.iter().map(position));
        for need in &self.ordered {
            hash_list(&mut hasher, [position(&need.algorithm)]);
            self.layout(*need).into_iter().for_each(|layout| hash_layout(&mut hasher, layout));
        }
        hasher.finish()
    }

    /// Combines the digests of ranges into those of the parts: for each need, one entry per part, `None` if a
    /// range of the part is missing.
    ///
    /// `of_range` returns the digest of a range, given its position and the position of the algorithm in
    /// [`Self::per_range`].
    pub fn fold_ranges(&self, of_range: impl Fn(usize, usize) -> Option<Digest>) -> Vec<(Need, Vec<Option<Digest>>)> {
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
        /// Number of pieces to combine at a time, so that the pieces of a part with very many ranges are not
        /// all held at once.
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

    /// Number of bytes that adjacent ranges cover together.
    pub fn bytes_of(&self, span: std::ops::Range<usize>) -> u64 {
        self.ranges.stretch(span).map_or(0, ByteRange::len)
    }

    /// The ranges that overlap `range`.
    pub fn ranges_touching(&self, range: ByteRange) -> std::ops::Range<usize> {
        let first = self.ranges.partition_point(|own| own.end() <= range.start());
        first..self.ranges.partition_point(|own| own.start() < range.end()).max(first)
    }
}

fn hash_list(hasher: &mut Hasher, list: impl IntoIterator<Item = u64>) {
    for number in list {
        hasher.update(&number.to_le_bytes());
    }
    // No offset has this value, so it ends a list.
    hasher.update(&u64::MAX.to_le_bytes());
}

/// A layout of one size is identified by that size, any other by its end offsets.
fn hash_layout(hasher: &mut Hasher, layout: &PartLayout) {
    if layout.is_listed() {
        hash_list(hasher, layout.ends());
    } else {
        let part = layout.part(0).map(ByteRange::len).unwrap_or_default();
        hash_list(hasher, [u64::MAX, layout.size(), part]);
    }
}

/// The distinct layouts, and the distinct needs.
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

fn algorithms<'a>(needs: impl IntoIterator<Item = &'a Need>) -> Vec<Algorithm> {
    let distinct: BTreeSet<Algorithm> = needs.into_iter().map(|need| need.algorithm).collect();
    distinct.into_iter().collect()
}

/// The layout whose parts the ranges follow: of the layouts with several parts, the one with the most digests
/// that do not combine; otherwise the first.
fn main_layout(layouts: &[PartLayout], needs: &[Need]) -> Option<usize> {
    let weight = |layout: usize| needs.iter().filter(|need| need.layout == layout && !need.algorithm.folds()).count();
    let several = layouts.iter().enumerate().filter(|(_, layout)| layout.count() > 1);
    several.map(|(index, _)| index).max_by_key(|index| (weight(*index), std::cmp::Reverse(*index)))
}

/// Separates the needs that digests of ranges can satisfy from those that must be computed in order.
fn split_needs(layouts: &[PartLayout], needs: &[Need], ranges: &Ranges) -> (Vec<Need>, Vec<Need>) {
    needs.iter().partition(|need| {
        let Some(layout) = layouts.get(need.layout) else { return false };
        if need.algorithm.folds() { ranges.align_with(layout) } else { ranges.are_parts_of(layout) }
    })
}

#[cfg(test)]
mod tests;
