//! What is done to an object at rest, or to the values it is held against.

use bytes::Bytes;
use stored_ami::checksum::Algorithm;

use crate::claim::digest;
use crate::shape::{Place, Shape, parts, ranges};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    None,
    /// User metadata and tags are others; the bytes are right.
    Metadata,
    /// One bit is flipped.
    Flip(Place),
    /// A run of bytes is zero.
    Zero(Place),
    /// The object ends inside the part, or at the beginning of the last one; S3 states the new size.
    Truncate(Place),
    /// Bytes are added at the end; S3 states the new size.
    Extend,
    /// The part and the one behind it are exchanged.
    Swap(Place),
    Drop(Place),
    Twice(Place),
    /// Bytes are replaced so that this CRC of them stays what it was.
    Forge(Algorithm, Place),
    /// The bytes are right, and what they are held against, the ETag apart, is of older bytes.
    Stale(Place),
    /// The same, and only the value over everything: those of the parts are right.
    StaleTotal,
    /// The bytes are right, and the ETag is that of older ones.
    WrongETag(Place),
    /// There are fewer bytes than S3 states.
    Short,
    /// There are more bytes than S3 states.
    Long,
    /// The bytes at rest are right; one is changed on its way, once.
    Wire,
}

/// An object with its references, as a `verify` meets them.
pub struct Case {
    pub harm: Harm,
    /// Sizes of the parts as they were written.
    pub written: Vec<usize>,
    /// Sizes of the parts as S3 tells them. They begin where they did, and the last one ends where the bytes do.
    pub told: Vec<usize>,
    pub stated_size: usize,
    /// The bytes at rest.
    pub held: Bytes,
    /// The bytes that the ETag was made of.
    pub etag_of: Bytes,
    /// Those that the value of each part was made of, by all other references.
    pub parts_of: Bytes,
    /// Those that the value over everything was made of.
    pub total_of: Bytes,
}

impl Harm {
    /// Everything that can be done to an object of this shape.
    pub fn all(shape: Shape) -> Vec<Harm> {
        let mut all = vec![Harm::None, Harm::Metadata, Harm::Short, Harm::Long, Harm::Wire];
        // A list of parts that contradicts its total is asked for part by part, and an empty part cannot be asked for.
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

/// Bits to flip at a place: one, or at a boundary one on each side.
fn flips(shape: Shape, place: Place) -> impl Iterator<Item = (usize, u8)> {
    let (start, length) = around(shape, place, usize::MAX);
    let bits = match place {
        // The very ends of the object and of its parts, where ranges go wrong.
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

/// Where an object that is cut off at a place ends.
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

/// A multiple of the generator polynomial added to a message leaves its CRC as it was. What is added here is the
/// polynomial itself, its highest power first; reflected CRCs take the lowest bit of a byte first.
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

/// The parts of an object that has other bytes now: none of them is moved, those that are left without a byte are
/// gone, and the last one takes what there is.
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
