use std::sync::Arc;

use crate::units::ByteRange;

/// Where the parts of an object end.
///
/// Parts of equal size are computed and not stored, so such a layout takes the same memory for any number of
/// parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartLayout(Ends);

/// A layout has exactly one representation: [`Ends::Listed`] never holds what [`Ends::Uniform`] can express,
/// so equal layouts compare equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Ends {
    /// Parts of `part` bytes; the last one has the rest. `part` is 0 only for an empty object.
    Uniform { size: u64, part: u64 },
    /// Ascending end offsets; the last one is the size of the object. Never empty.
    Listed(Arc<[u64]>),
}

/// How a layout is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// The server stated every part, or there is only one.
    Proved {
        /// The source, for the report.
        by: &'static str,
    },
    /// It fits the size and the number of parts, and nothing contradicts it.
    Assumed {
        /// The source of the assumption, for the report.
        from: &'static str,
    },
}

/// The sizes of the parts, summarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutShape {
    /// All parts have `part` bytes except the last, which has `last`.
    Uniform {
        /// Bytes of each part but the last.
        part: u64,
        /// Bytes of the last part.
        last: u64,
    },
    /// Parts of different sizes.
    Uneven {
        /// Bytes of the smallest part.
        smallest: u64,
        /// Bytes of the largest part.
        largest: u64,
    },
}

/// Sizes of parts that do not form a layout of the object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The list is empty.
    #[error("no parts")]
    NoParts,
    /// The sizes do not add up to the size of the object.
    #[error("parts of {sum} bytes in all, the object has {size}")]
    WrongSum {
        /// Sum of the parts in bytes.
        sum: u64,
        /// Size of the object in bytes.
        size: u64,
    },
    /// The sum of the sizes exceeds `u64`.
    #[error("parts of more bytes in all than can be counted")]
    TooLarge,
}

impl PartLayout {
    /// The object as one part.
    pub fn whole(size: u64) -> Self {
        PartLayout(Ends::Uniform { size, part: size })
    }

    /// Parts of `part` bytes each; the last one may be smaller. An empty object has one empty part.
    pub fn uniform(size: u64, part: u64) -> Self {
        PartLayout(Ends::Uniform { size, part: part.max(1).min(size) })
    }

    /// A layout from the sizes of all parts, in order.
    ///
    /// # Errors
    ///
    /// When there are no parts or their sizes do not add up to `size`.
    pub fn from_sizes(size: u64, parts: impl IntoIterator<Item = u64>) -> Result<Self, LayoutError> {
        let mut end = 0u64;
        let mut ends = Vec::new();
        for part in parts {
            end = end.checked_add(part).ok_or(LayoutError::TooLarge)?;
            ends.push(end);
        }
        match (ends.first(), ends.last()) {
            (Some(first), Some(sum)) if *sum == size => {
                let uniform = Self::uniform(size, *first);
                let same = uniform.count() == ends.len() && uniform.ends().eq(ends.iter().copied());
                Ok(if same { uniform } else { PartLayout(Ends::Listed(ends.into())) })
            }
            (_, Some(sum)) => Err(LayoutError::WrongSum { sum: *sum, size }),
            (_, None) => Err(LayoutError::NoParts),
        }
    }

    /// Size of the object in bytes.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Ends::Uniform { size, .. } => *size,
            Ends::Listed(ends) => ends.last().copied().unwrap_or_default(),
        }
    }

    /// The number of parts, at least one.
    pub fn count(&self) -> usize {
        match &self.0 {
            Ends::Uniform { size, part } => usize::try_from(size.div_ceil((*part).max(1))).unwrap_or(usize::MAX).max(1),
            Ends::Listed(ends) => ends.len(),
        }
    }

    /// The parts, in order.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = ByteRange> + '_ {
        (0..self.count()).map(|index| self.part(index).unwrap_or(ByteRange::whole(0)))
    }

    /// The part at a zero-based position.
    pub fn part(&self, index: usize) -> Option<ByteRange> {
        let start = match index.checked_sub(1) {
            Some(before) => self.end(before)?,
            None => 0,
        };
        ByteRange::new(start, self.end(index)?)
    }

    /// The end offset of the part at a zero-based position.
    pub fn end(&self, index: usize) -> Option<u64> {
        match &self.0 {
            Ends::Uniform { size, part } => {
                (index < self.count()).then(|| part.saturating_mul(index as u64 + 1).min(*size))
            }
            Ends::Listed(ends) => ends.get(index).copied(),
        }
    }

    /// The end offsets of the parts, in order.
    pub fn ends(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        (0..self.count()).map(|index| self.end(index).unwrap_or_default())
    }

    /// The number of parts that end at or before an offset.
    pub fn ended_by(&self, offset: u64) -> usize {
        match &self.0 {
            Ends::Uniform { size, .. } if offset >= *size => self.count(),
            Ends::Uniform { part, .. } => usize::try_from(offset / (*part).max(1)).unwrap_or(usize::MAX),
            Ends::Listed(ends) => ends.partition_point(|end| *end <= offset),
        }
    }

    /// Whether the end offsets are stored as a list.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.0, Ends::Listed(_))
    }

    /// Bytes that the list of offsets takes in memory.
    pub(super) fn listed_bytes(&self) -> u64 {
        match &self.0 {
            Ends::Uniform { .. } => 0,
            Ends::Listed(ends) => size_of_val::<[u64]>(ends) as u64,
        }
    }

    /// The sizes of the parts, summarised for a report.
    pub fn shape(&self) -> LayoutShape {
        let sizes = || self.parts().map(ByteRange::len);
        let first = self.part(0).map(ByteRange::len).unwrap_or_default();
        let last = self.part(self.count() - 1).map(ByteRange::len).unwrap_or_default();
        let uniform = match &self.0 {
            Ends::Uniform { .. } => true,
            Ends::Listed(_) => last <= first && sizes().take(self.count() - 1).all(|size| size == first),
        };
        if uniform {
            LayoutShape::Uniform { part: first, last }
        } else {
            LayoutShape::Uneven {
                smallest: sizes().min().unwrap_or_default(),
                largest: sizes().max().unwrap_or_default(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes_are_uniform_or_uneven() {
        assert_eq!(PartLayout::uniform(20, 8).shape(), LayoutShape::Uniform { part: 8, last: 4 });
        assert_eq!(PartLayout::whole(20).shape(), LayoutShape::Uniform { part: 20, last: 20 });
        assert_eq!(PartLayout::uniform(0, 8).count(), 1);
        let uneven = PartLayout::from_sizes(20, [8, 5, 7]).unwrap();
        assert_eq!(uneven.shape(), LayoutShape::Uneven { smallest: 5, largest: 8 });
        let longer_end = PartLayout::from_sizes(20, [8, 12]).unwrap();
        assert_eq!(longer_end.shape(), LayoutShape::Uneven { smallest: 8, largest: 12 });
    }

    #[test]
    fn parts_must_make_up_the_object() {
        assert_eq!(PartLayout::from_sizes(20, []), Err(LayoutError::NoParts));
        assert_eq!(PartLayout::from_sizes(20, [8, 8]), Err(LayoutError::WrongSum { sum: 16, size: 20 }));
        // A saturating sum would accept parts for an object of the maximum size.
        assert_eq!(PartLayout::from_sizes(u64::MAX, [u64::MAX, 21]), Err(LayoutError::TooLarge));
    }

    #[test]
    fn one_layout_has_one_form() {
        assert_eq!(PartLayout::from_sizes(20, [8, 8, 4]), Ok(PartLayout::uniform(20, 8)));
        assert_eq!(PartLayout::from_sizes(20, [20]), Ok(PartLayout::whole(20)));
        assert_eq!(PartLayout::from_sizes(0, [0]), Ok(PartLayout::uniform(0, 5)));
        assert_eq!(PartLayout::uniform(20, 25), PartLayout::whole(20));
        assert_ne!(PartLayout::from_sizes(16, [8, 8, 0]), Ok(PartLayout::uniform(16, 8)));
        assert_ne!(PartLayout::from_sizes(0, [0, 0]), Ok(PartLayout::whole(0)));
    }

    /// Layouts of the largest sizes that a server can state take no more memory than small ones.
    #[test]
    fn parts_of_one_size_are_not_listed() {
        for size in [1 << 40, (1 << 63) - 1, u64::MAX] {
            let layout = PartLayout::uniform(size, 3);
            assert_eq!((layout.size(), layout.count() as u64, layout.listed_bytes()), (size, size.div_ceil(3), 0));
            let last = layout.count() - 1;
            assert_eq!(layout.part(last).map(ByteRange::end), Some(size));
            assert_eq!((layout.part(last + 1), layout.end(last + 1)), (None, None));
            assert_eq!((layout.ended_by(size - 1), layout.ended_by(size)), (last, last + 1));
            assert!(matches!(layout.shape(), LayoutShape::Uniform { part: 3, .. }));
        }
    }

    proptest! {
        /// The computed parts equal those of a list.
        #[test]
        fn computed_parts_are_those_of_a_list(size in 0u64..5000, part in 0u64..700, at in 0u64..5100) {
            let mut ends: Vec<u64> = (1..).map(|n| n * part.max(1)).take_while(|end| *end < size).collect();
            ends.push(size);
            let layout = PartLayout::uniform(size, part);
            prop_assert_eq!(layout.ends().collect::<Vec<_>>(), ends.clone());
            prop_assert_eq!(layout.ended_by(at), ends.iter().filter(|end| **end <= at).count());
            let sizes = ends.iter().scan(0, |start, end| Some(end - std::mem::replace(start, *end)));
            prop_assert_eq!(PartLayout::from_sizes(size, sizes), Ok(layout));
        }

        #[test]
        fn parts_cover_the_object_once(sizes in proptest::collection::vec(1u64..1_000_000, 1..50)) {
            let size = sizes.iter().sum();
            let layout = PartLayout::from_sizes(size, sizes.iter().copied()).unwrap();
            let mut at = 0;
            for (part, expected) in layout.parts().zip(&sizes) {
                prop_assert_eq!((part.start(), part.len()), (at, *expected));
                at = part.end();
            }
            prop_assert_eq!((at, layout.count()), (size, sizes.len()));
        }
    }
}
