//! Quantities with their units: byte counts, byte ranges, part numbers, throughput, durations.

mod count;
mod part_number;
mod range;
mod size;
mod throughput;
mod time;

pub use count::{counted, noun};
pub use part_number::PartNumber;
pub use range::ByteRange;
pub use size::{ByteSize, GIB, KIB, MIB};
pub use throughput::Throughput;
pub use time::duration;

/// A quantity typed by a user could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not {expected}")]
pub struct ParseUnitError {
    /// The text as typed.
    pub input: String,
    /// A description of the accepted syntax, for the error message.
    pub expected: &'static str,
}
