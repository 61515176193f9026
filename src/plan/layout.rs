use crate::units::ByteRange;

/// Where the parts of an object end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartLayout {
    /// Offsets, rising; the last one is the size of the object. Never empty.
    ends: Vec<u64>,
}

/// How a layout is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Every part was listed or asked, or there is only one.
    Proved { by: &'static str },
    /// Fits the size and the number of parts, and nothing contradicts it.
    Assumed { from: &'static str },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutShape {
    /// All parts have `part` bytes but the last, which has `last`.
    Uniform {
        part: u64,
        last: u64,
    },
    Uneven {
        smallest: u64,
        largest: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("no parts")]
    NoParts,
    #[error("parts of {sum} bytes in all, the object has {size}")]
    WrongSum { sum: u64, size: u64 },
    #[error("parts of more bytes in all than can be counted")]
    TooLarge,
}

impl PartLayout {
    /// The object as one part.
    pub fn whole(size: u64) -> Self {
        PartLayout { ends: vec![size] }
    }

    /// Parts of `part` bytes each, the last one smaller or equal. An empty object has one empty part.
    pub fn uniform(size: u64, part: u64) -> Self {
        let mut ends = Vec::new();
        let mut end = 0u64;
        while end < size {
            end = end.saturating_add(part.max(1)).min(size);
            ends.push(end);
        }
        if ends.is_empty() {
            ends.push(0);
        }
        PartLayout { ends }
    }

    /// Parts in order; they must make up the object.
    pub fn from_sizes(size: u64, parts: impl IntoIterator<Item = u64>) -> Result<Self, LayoutError> {
        let mut end = 0u64;
        let mut ends = Vec::new();
        for part in parts {
            end = end.checked_add(part).ok_or(LayoutError::TooLarge)?;
            ends.push(end);
        }
        match ends.last() {
            None => Err(LayoutError::NoParts),
            Some(sum) if *sum != size => Err(LayoutError::WrongSum { sum: *sum, size }),
            Some(_) => Ok(PartLayout { ends }),
        }
    }

    /// Bytes of the object.
    pub fn size(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The parts, in order.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = ByteRange> + '_ {
        (0..self.ends.len()).map(|index| self.part(index).unwrap_or(ByteRange::whole(0)))
    }

    /// The part at a zero-based position.
    pub fn part(&self, index: usize) -> Option<ByteRange> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        ByteRange::new(start, *self.ends.get(index)?)
    }

    /// Offsets at which parts end.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    pub fn shape(&self) -> LayoutShape {
        let sizes = || self.parts().map(ByteRange::len);
        let first = sizes().next().unwrap_or_default();
        let last = sizes().last().unwrap_or_default();
        if last <= first && sizes().take(self.count() - 1).all(|size| size == first) {
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
    fn shapes() {
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
        // A sum that stopped at the largest number would make up an object of that size.
        assert_eq!(PartLayout::from_sizes(u64::MAX, [u64::MAX, 21]), Err(LayoutError::TooLarge));
    }

    proptest! {
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
