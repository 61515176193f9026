//! Quantities with their units: bytes, byte ranges, part numbers, throughput.

mod part_number;
mod range;
mod size;
mod throughput;

pub use part_number::PartNumber;
pub use range::ByteRange;
pub use size::{ByteSize, GIB, KIB, MIB};
pub use throughput::Throughput;

/// Why a quantity typed by a person could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not {expected}")]
pub struct ParseUnitError {
    pub input: String,
    pub expected: &'static str,
}
