//! The objects that the faults are applied to.

use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{ChecksumChoice, PartSizes, SyntheticSpec};

/// Bytes of a part. A multiple of 4 KiB, so that guesses from size and count include it.
pub const PART: u64 = 96 << 10;
pub const PARTS: u64 = 5;
/// The last part is shorter.
pub const SIZE: u64 = PARTS * PART - 10_000;
/// Offset of the byte damaged at rest, in the middle part.
pub const DAMAGED: u64 = 2 * PART + 50_000;

/// The references of an object, which determine the requests and how damage is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// CRC64NVME over the whole object; several concurrent GETs.
    Whole,
    /// Composite SHA-256, which locates damage; one GET at a time.
    ByPart,
    /// Only its ETag, so that everything depends on the layout; one GET at a time.
    ETag,
}

impl Object {
    pub const ALL: [Object; 3] = [Object::Whole, Object::ByPart, Object::ETag];

    /// The specification of the object for the lab.
    pub fn spec(self) -> SyntheticSpec {
        let checksum = match self {
            Object::Whole => ChecksumChoice::Default(Algorithm::Crc64Nvme),
            Object::ByPart => ChecksumChoice::Typed(Algorithm::Sha256, ChecksumType::Composite),
            Object::ETag => ChecksumChoice::None,
        };
        SyntheticSpec { size: SIZE, parts: PartSizes::Uniform(PART), seed: 11, checksum }
    }

    /// Number of concurrent GETs that it is read with.
    pub fn connections(self) -> usize {
        if self == Object::Whole { 3 } else { 1 }
    }
}
