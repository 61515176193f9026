//! How the objects are divided into parts, and the places of harm.

use bytes::Bytes;

use crate::common::data;

/// The part layout of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One PUT. The blocks that are harmed exist only in the test, not in S3.
    Single,
    /// Parts of one size except for the last; the size is not one of the guessed ones.
    Uniform,
    /// The first part fits no uniform layout.
    Uneven,
    /// The first part fits a uniform layout, the others do not.
    Disguised,
    /// Parts of a size that is among the guessed ones.
    Guessable,
    /// The last part is empty.
    EmptyEnd,
    /// A multipart upload of one part.
    OnePart,
}

/// A place of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    First,
    Middle,
    Last,
    Tiny,
    Huge,
    /// The end of the middle part, and the start of the one after it.
    Boundary,
}

use Place::{Boundary, First, Huge, Last, Middle, Tiny};

impl Shape {
    /// Sizes of the parts, in bytes.
    pub fn cut(self) -> Vec<usize> {
        match self {
            Shape::Uniform => vec![20_011, 20_011, 20_011, 20_011, 9_973],
            Shape::Single | Shape::Uneven => vec![35_011, 23, 61_001, 12_007, 9_001, 31_013],
            Shape::Disguised => vec![30_011, 25_013, 19, 52_027],
            Shape::Guessable => vec![20_480, 20_480, 20_480, 20_480, 12_345],
            Shape::EmptyEnd => vec![30_011, 25_013, 0],
            Shape::OnePart => vec![70_001],
        }
    }

    /// The part at each place, counted from 0; for a boundary, the part before it.
    pub fn places(self) -> &'static [(Place, usize)] {
        match self {
            Shape::Uniform | Shape::Guessable => &[(First, 0), (Middle, 2), (Last, 4), (Boundary, 2)],
            Shape::Single | Shape::Uneven => &[(First, 0), (Tiny, 1), (Huge, 2), (Middle, 3), (Last, 5), (Boundary, 3)],
            Shape::Disguised => &[(First, 0), (Middle, 1), (Tiny, 2), (Huge, 3), (Last, 3), (Boundary, 1)],
            Shape::EmptyEnd => &[(First, 0), (Last, 1), (Boundary, 0)],
            Shape::OnePart => &[(First, 0), (Middle, 0), (Last, 0)],
        }
    }

    /// The part at a place, counted from 0.
    pub fn part(self, place: Place) -> usize {
        self.places().iter().find(|(known, _)| *known == place).expect("a place of this shape").1
    }

    pub fn bytes(self) -> Bytes {
        data(self as u64 + 1, self.cut().iter().sum()).into()
    }
}

/// Starts and sizes of parts.
pub fn ranges(cut: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    cut.iter().scan(0, |end, size| {
        *end += size;
        Some((*end - size, *size))
    })
}

/// The parts of `bytes`; truncated if `bytes` is too short.
pub fn parts<'a>(bytes: &'a [u8], cut: &[usize]) -> Vec<&'a [u8]> {
    let end = bytes.len();
    ranges(cut).map(|(start, size)| &bytes[start.min(end)..(start + size).min(end)]).collect()
}

/// Parts of `part` bytes, except for the last.
pub fn uniform(size: usize, part: usize) -> Vec<usize> {
    (0..size.div_ceil(part)).map(|index| part.min(size - index * part)).collect()
}
