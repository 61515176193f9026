//! How the objects are written, and where in them harm is done.

use bytes::Bytes;

use crate::common::data;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One PUT. The blocks that harm is done to are the test's alone; S3 knows of none.
    Single,
    /// Parts of one size but for the last, a size that no writer is known for.
    Uniform,
    /// The first part fits no uniform layout.
    Uneven,
    /// The first part fits a uniform layout, the others do not.
    Disguised,
    /// Parts of a size that is among those that are guessed.
    Guessable,
    /// The last part has no bytes.
    EmptyEnd,
    /// A multipart upload of one part.
    OnePart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    First,
    Middle,
    Last,
    Tiny,
    Huge,
    /// The end of the middle part, and the beginning of the one behind it.
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

    /// The part at each place, counted from 0; the one before it, where the place is a boundary.
    pub fn places(self) -> &'static [(Place, usize)] {
        match self {
            Shape::Uniform | Shape::Guessable => &[(First, 0), (Middle, 2), (Last, 4), (Boundary, 2)],
            Shape::Single | Shape::Uneven => &[(First, 0), (Tiny, 1), (Huge, 2), (Middle, 3), (Last, 5), (Boundary, 3)],
            Shape::Disguised => &[(First, 0), (Middle, 1), (Tiny, 2), (Huge, 3), (Last, 3), (Boundary, 1)],
            Shape::EmptyEnd => &[(First, 0), (Last, 1), (Boundary, 0)],
            Shape::OnePart => &[(First, 0), (Middle, 0), (Last, 0)],
        }
    }

    pub fn part(self, place: Place) -> usize {
        self.places().iter().find(|(known, _)| *known == place).expect("a place of this shape").1
    }

    pub fn bytes(self) -> Bytes {
        data(self as u64 + 1, self.cut().iter().sum()).into()
    }
}

/// Where the parts of a cut begin and how long they are.
pub fn ranges(cut: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    cut.iter().scan(0, |end, size| {
        *end += size;
        Some((*end - size, *size))
    })
}

/// The parts of `bytes` by a cut; those that `bytes` is too short for are cut short.
pub fn parts<'a>(bytes: &'a [u8], cut: &[usize]) -> Vec<&'a [u8]> {
    let end = bytes.len();
    ranges(cut).map(|(start, size)| &bytes[start.min(end)..(start + size).min(end)]).collect()
}

/// All parts of `part` bytes but the last.
pub fn uniform(size: usize, part: usize) -> Vec<usize> {
    (0..size.div_ceil(part)).map(|index| part.min(size - index * part)).collect()
}
