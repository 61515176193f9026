use std::sync::Arc;

use super::PartLayout;
use crate::units::ByteRange;

/// The ranges that the GET requests of a plan ask for: the parts of a layout, each cut into pieces. They are
/// computed and not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    parts: PartLayout,
    /// Bytes of a piece; the last piece of a part has the rest.
    piece: u64,
    pieces: Pieces,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pieces {
    /// Every part has the same number of pieces, except the last part.
    Each { pieces: usize, last: usize },
    /// For each part, the number of pieces up to its end.
    Listed(Arc<[usize]>),
}

impl Ranges {
    /// Cuts each part into pieces of `piece` bytes. An empty part is one piece.
    pub(super) fn cut(parts: PartLayout, piece: u64) -> Self {
        let piece = piece.max(1);
        let pieces_of = |part: Option<ByteRange>| {
            let bytes = part.map(ByteRange::len).unwrap_or_default();
            usize::try_from(bytes.div_ceil(piece)).unwrap_or(usize::MAX).max(1)
        };
        let pieces = if parts.is_listed() {
            let counts = parts.parts().scan(0usize, |sum, part| {
                *sum = sum.saturating_add(pieces_of(Some(part)));
                Some(*sum)
            });
            Pieces::Listed(counts.collect())
        } else {
            Pieces::Each { pieces: pieces_of(parts.part(0)), last: pieces_of(parts.part(parts.count() - 1)) }
        };
        Ranges { parts, piece, pieces }
    }

    /// The number of ranges, at least one.
    pub fn len(&self) -> usize {
        match &self.pieces {
            Pieces::Each { pieces, last } => (self.parts.count() - 1).saturating_mul(*pieces).saturating_add(*last),
            Pieces::Listed(counts) => counts.last().copied().unwrap_or(1),
        }
    }

    /// Always false: an empty object has one empty range.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The range at a zero-based position.
    pub fn get(&self, index: usize) -> Option<ByteRange> {
        let (part, before) = match &self.pieces {
            Pieces::Each { pieces, .. } => {
                let part = (index / pieces).min(self.parts.count() - 1);
                (part, part.saturating_mul(*pieces))
            }
            Pieces::Listed(counts) => {
                let part = counts.partition_point(|count| *count <= index);
                (part, part.checked_sub(1).and_then(|part| counts.get(part)).copied().unwrap_or_default())
            }
        };
        let part = self.parts.part(part)?;
        let piece = index.checked_sub(before)? as u64;
        let start = part.start().checked_add(piece.checked_mul(self.piece)?)?;
        let inside = start < part.end() || (piece == 0 && part.is_empty());
        let range = ByteRange::new(start, start.saturating_add(self.piece).min(part.end()));
        range.filter(|_| inside)
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ByteRange> + '_ {
        (0..self.len()).map(|index| self.get(index).unwrap_or(ByteRange::whole(0)))
    }

    /// The bytes that adjacent ranges cover together; `None` if the span is empty or out of bounds.
    pub fn stretch(&self, span: std::ops::Range<usize>) -> Option<ByteRange> {
        let last = span.end.checked_sub(1).filter(|last| span.start <= *last)?;
        ByteRange::new(self.get(span.start)?.start(), self.get(last)?.end())
    }

    /// The position of the first range for which `holds` is false. It must be true for all ranges before and
    /// false for all after.
    pub fn partition_point(&self, holds: impl Fn(ByteRange) -> bool) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if self.get(middle).is_some_and(&holds) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Whether a range ends at an offset.
    pub fn ends_at(&self, offset: u64) -> bool {
        self.get(self.partition_point(|range| range.end() < offset)).is_some_and(|range| range.end() == offset)
    }

    /// Whether the ranges are exactly the parts of a layout.
    pub fn are_parts_of(&self, layout: &PartLayout) -> bool {
        let as_many = self.len() == layout.count();
        as_many && (self.parts == *layout || self.iter().eq(layout.parts()))
    }

    /// Whether each part of a layout consists of whole ranges.
    pub fn align_with(&self, layout: &PartLayout) -> bool {
        self.parts == *layout || layout.ends().all(|end| self.ends_at(end))
    }

    /// The layout that was cut, and the bytes of a piece.
    pub(super) fn cut_from(&self) -> (&PartLayout, u64) {
        (&self.parts, self.piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The ranges as a list.
    fn listed(layout: &PartLayout, piece: u64) -> Vec<ByteRange> {
        let mut ranges = Vec::new();
        for part in layout.parts() {
            let mut start = part.start();
            loop {
                let end = start.saturating_add(piece.max(1)).min(part.end());
                ranges.extend(ByteRange::new(start, end));
                start = end;
                if start >= part.end() {
                    break;
                }
            }
        }
        ranges
    }

    proptest! {
        #[test]
        fn computed_ranges_are_those_of_a_list(
            sizes in proptest::collection::vec(0u64..300, 1..12),
            part in 1u64..400,
            piece in 0u64..200,
            at in 0u64..4000,
        ) {
            let size = sizes.iter().sum();
            for layout in [PartLayout::uniform(size, part), PartLayout::from_sizes(size, sizes.clone()).unwrap()] {
                let (ranges, list) = (Ranges::cut(layout.clone(), piece), listed(&layout, piece));
                prop_assert_eq!(ranges.iter().collect::<Vec<_>>(), list.clone());
                prop_assert_eq!((ranges.len(), ranges.get(list.len())), (list.len(), None));
                prop_assert_eq!(ranges.ends_at(at), list.iter().any(|range| range.end() == at));
                let behind = ranges.partition_point(|range| range.end() <= at);
                prop_assert_eq!(behind, list.partition_point(|range| range.end() <= at));
                prop_assert_eq!(ranges.are_parts_of(&layout), list == layout.parts().collect::<Vec<_>>());
                let other = PartLayout::uniform(size, piece);
                let ends = |end| list.iter().any(|range| range.end() == end);
                prop_assert!(ranges.align_with(&layout));
                prop_assert_eq!(ranges.align_with(&other), other.ends().all(ends));
                prop_assert_eq!(ranges.are_parts_of(&other), list == other.parts().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn of_the_largest_objects_they_cost_nothing() {
        for size in [1 << 42, (1 << 63) - 1, u64::MAX] {
            let ranges = Ranges::cut(PartLayout::whole(size), 65_536);
            assert_eq!(ranges.len() as u64, size.div_ceil(65_536));
            assert_eq!(ranges.get(ranges.len() - 1).map(ByteRange::end), Some(size));
            assert_eq!(ranges.get(ranges.len()), None);
            assert!(ranges.ends_at(size) && ranges.ends_at(65_536) && !ranges.ends_at(65_537));
        }
        let one_byte = Ranges::cut(PartLayout::uniform(u64::MAX, 1), 1);
        assert_eq!((one_byte.len(), one_byte.get(7)), (usize::MAX, ByteRange::new(7, 8)));
    }
}
