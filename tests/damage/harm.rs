//! Changes to a stored object, or to its reference values.

use bytes::Bytes;
use stored_ami::checksum::Algorithm;

use crate::claim::digest;
use crate::shape::{Place, Shape, parts, ranges};

/// A change to an object or to its reference values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    None,
    /// User metadata and tags change; the bytes are intact.
    Metadata,
    /// One bit is flipped.
    Flip(Place),
    /// A run of bytes is zeroed.
    Zero(Place),
    /// The object ends inside the part, or at the start of the last one; S3 states the new size.
    Truncate(Place),
    /// Bytes are appended; S3 states the new size.
    Extend,
    /// The part and the one after it are swapped.
    Swap(Place),
    /// The part is removed.
    Drop(Place),
    /// The part is repeated.
    Twice(Place),
    /// Bytes are replaced such that this CRC over them is unchanged.
    Forge(Algorithm, Place),
    /// The bytes are intact, but all references except the ETag are of older bytes.
    Stale(Place),
    /// The same, but only the value over all bytes; those of the parts are correct.
    StaleTotal,
    /// The bytes are intact, but the ETag is of older bytes.
    WrongETag(Place),
    /// The object has fewer bytes than S3 states.
    Short,
    /// The object has more bytes than S3 states.
    Long,
    /// The stored bytes are intact; one is changed in transit, once.
    Wire,
}

/// An object with its references, as given to `verify`.
pub struct Case {
    pub harm: Harm,
    /// Sizes of the parts as written.
    pub written: Vec<usize>,
    /// Sizes of the parts as S3 states them. Their starts are unchanged, and the last part ends with the bytes.
    pub told: Vec<usize>,
    /// Size in bytes, as S3 states it.
    pub stated_size: usize,
    /// The stored bytes.
    pub held: Bytes,
    /// The bytes that the ETag was computed from.
    pub etag_of: Bytes,
    /// The bytes that the other references' values of parts were computed from.
    pub parts_of: Bytes,
    /// The bytes that the value over all bytes was computed from.
    pub total_of: Bytes,
}

impl Harm {
    /// All harms for an object of this shape.
    pub fn all(shape: Shape) -> Vec<Harm> {
        let mut all = vec![Harm::None, Harm::Metadata, Harm::Short, Harm::Long, Harm::Wire];
        // If the list of parts contradicts the total, each part is asked for its size, which is impossible for an empty
        // part.
        all.extend((shape != Shape::EmptyEnd).then_some(Harm::StaleTotal));
        for (place, _) in shape.places().iter().copied() {
            all.extend([Harm::Flip(place), Harm::Zero(place), Harm::Stale(place), Harm::WrongETag(place)]);
            let crcs = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme];
            all.extend(crcs.map(|crc| Harm::Forge(crc, place)));
        }
        if shape == Shape::EmptyEnd {
            return all;
        }
        all.extend([Harm::Extend, Harm::Truncate(Place::Middle), Harm::Truncate(Place::Last)]);
        if shape.cut().len() > 1 {
            all.push(Harm::Truncate(Place::Boundary));
            for (place, _) in shape.places().iter().copied().filter(|(place, _)| *place != Place::Boundary) {
                all.extend([Harm::Swap(place), Harm::Drop(place), Harm::Twice(place)]);
            }
        }
        all
    }

    /// The object and its references after this harm.
    pub fn case(self, shape: Shape) -> Case {
        let (right, written) = (shape.bytes(), shape.cut());
        let older = |place| edit(&right, flips(shape, place));
        let held = match self {
            Harm::None | Harm::Metadata | Harm::Stale(_) | Harm::StaleTotal | Harm::WrongETag(_) | Harm::Wire => {
                right.clone()
            }
            Harm::Flip(place) => edit(&right, flips(shape, place).take(1)),
            Harm::Zero(place) => {
                let (start, length) = around(shape, place, 16);
                edit(&right, (start..start + length).map(|at| (at, right[at])))
            }
            Harm::Forge(crc, place) => forge(&right, crc, shape, place),
            Harm::Truncate(place) => right.slice(..end(shape, place)),
            Harm::Short => right.slice(..end(shape, Place::Last)),
            Harm::Extend | Harm::Long => [&right[..], b"further"].concat().into(),
            Harm::Swap(place) => rearrange(&right, shape, place, |parts, at| {
                let next = (at + 1) % parts.len();
                parts.swap(at, next);
            }),
            Harm::Drop(place) => rearrange(&right, shape, place, |parts, at| {
                parts.remove(at);
            }),
            Harm::Twice(place) => rearrange(&right, shape, place, |parts, at| parts.insert(at, parts[at])),
        };
        let changed = held != right;
        let of_bytes = matches!(
            self,
            Harm::Flip(_)
                | Harm::Zero(_)
                | Harm::Forge(..)
                | Harm::Truncate(_)
                | Harm::Short
                | Harm::Extend
                | Harm::Long
                | Harm::Swap(_)
                | Harm::Drop(_)
                | Harm::Twice(_)
        );
        assert_eq!(changed, of_bytes, "{self:?} of {shape:?} does what its name says");
        let stated_size = if matches!(self, Harm::Short | Harm::Long) { right.len() } else { held.len() };
        let (mut etag_of, mut parts_of, mut total_of) = (right.clone(), right.clone(), right.clone());
        match self {
            Harm::WrongETag(place) => etag_of = older(place),
            Harm::Stale(place) => (parts_of, total_of) = (older(place), older(place)),
            Harm::StaleTotal => total_of = older(Place::First),
            _ => {}
        }
        let told = cut_again(&written, stated_size);
        Case { harm: self, written, told, stated_size, held, etag_of, parts_of, total_of }
    }
}

/// Bits to flip at a place: one, or one on each side of a boundary.
fn flips(shape: Shape, place: Place) -> impl Iterator<Item = (usize, u8)> {
    let (start, length) = around(shape, place, usize::MAX);
    let bits = match place {
        // The first and last byte of objects and parts, where range errors occur.
        Place::First => [Some((start, 0x01)), None],
        Place::Last => [Some((start + length - 1, 0x80)), None],
        Place::Boundary => {
            let second = ranges(&shape.cut()).nth(shape.part(place) + 1).unwrap().0;
            [Some((second, 0x01)), Some((second - 1, 0x10))]
        }
        Place::Middle | Place::Tiny | Place::Huge => [Some((start + length / 2, 0x08)), None],
    };
    bits.into_iter().flatten()
}

/// Start and length of a run of at most `most` bytes in the middle of a place.
fn around(shape: Shape, place: Place, most: usize) -> (usize, usize) {
    let all: Vec<(usize, usize)> = ranges(&shape.cut()).collect();
    let (start, size) = all[shape.part(place)];
    if place == Place::Boundary {
        let half = (most / 2).min(size).min(all[shape.part(place) + 1].1);
        return (start + size - half, 2 * half);
    }
    let length = most.min(size);
    (start + (size - length) / 2, length)
}

/// The end of an object that is truncated at a place.
fn end(shape: Shape, place: Place) -> usize {
    let all: Vec<(usize, usize)> = ranges(&shape.cut()).collect();
    let (last, size) = all[all.len() - 1];
    match place {
        Place::Boundary => last,
        Place::Last => (last + size) - 5,
        other => all[shape.part(other)].0 + all[shape.part(other)].1 / 2,
    }
}

fn edit(bytes: &Bytes, flips: impl Iterator<Item = (usize, u8)>) -> Bytes {
    let mut edited = bytes.to_vec();
    flips.for_each(|(at, mask)| edited[at] ^= mask);
    edited.into()
}

fn rearrange(bytes: &Bytes, shape: Shape, place: Place, change: impl FnOnce(&mut Vec<&[u8]>, usize)) -> Bytes {
    let mut pieces = parts(bytes, &shape.cut());
    change(&mut pieces, shape.part(place));
    pieces.concat().into()
}

/// Adding a multiple of the generator polynomial to a message does not change its CRC. This adds the polynomial itself,
/// its highest power first; reflected CRCs process the lowest bit of a byte first.
fn forge(bytes: &Bytes, crc: Algorithm, shape: Shape, place: Place) -> Bytes {
    let (polynomial, width): (u64, usize) = match crc {
        Algorithm::Crc32 => (0xEDB8_8320, 4),
        Algorithm::Crc32c => (0x82F6_3B78, 4),
        _ => (0x9A6C_9329_AC4B_C9B5, 8),
    };
    let pattern = (u128::from(polynomial) << 1 | 1).to_le_bytes();
    let (start, length) = around(shape, place, width + 2);
    assert!(length > width, "{place:?} of {shape:?} has room");
    let forged = edit(bytes, (start..).zip(pattern).take(width + 1));
    assert_eq!(digest(crc, &forged), digest(crc, bytes));
    forged
}

/// The parts of an object with another size: starts are unchanged, parts without bytes are dropped, and the last one
/// takes the rest.
fn cut_again(written: &[usize], size: usize) -> Vec<usize> {
    let mut left = size;
    let mut told: Vec<usize> = Vec::new();
    for part in written {
        if left == 0 && *part > 0 {
            break;
        }
        told.push((*part).min(left));
        left -= told[told.len() - 1];
    }
    *told.last_mut().unwrap() += left;
    told
}
