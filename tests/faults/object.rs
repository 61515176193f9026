//! The objects that faults are played against.

use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{ChecksumChoice, PartSizes, SyntheticSpec};

/// Bytes of a part. Guesses from size and count find it: 4 KiB are the unit.
pub const PART: u64 = 96 << 10;
pub const PARTS: u64 = 5;
/// The last part is shorter.
pub const SIZE: u64 = PARTS * PART - 10_000;
/// The byte that is damaged at rest, in the middle part.
pub const DAMAGED: u64 = 2 * PART + 50_000;

/// What an object is stored with, which decides what is asked and how damage is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// CRC64NVME over the whole; several GETs at once.
    Whole,
    /// SHA-256 by part, which places damage; one GET after the other.
    ByPart,
    /// Its ETag alone, so everything hangs on where the parts end; one GET after the other.
    ETag,
}

impl Object {
    pub const ALL: [Object; 3] = [Object::Whole, Object::ByPart, Object::ETag];

    pub fn spec(self) -> SyntheticSpec {
        let checksum = match self {
            Object::Whole => ChecksumChoice::Default(Algorithm::Crc64Nvme),
            Object::ByPart => ChecksumChoice::Typed(Algorithm::Sha256, ChecksumType::Composite),
            Object::ETag => ChecksumChoice::None,
        };
        SyntheticSpec { size: SIZE, parts: PartSizes::Uniform(PART), seed: 11, checksum }
    }

    pub fn connections(self) -> usize {
        if self == Object::Whole { 3 } else { 1 }
    }
}
