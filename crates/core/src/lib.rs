//! The pure part of `stored-ami`: values and functions that plan a read, hash and fold its bytes, and judge what a
//! server states. Nothing here does I/O, waits, or panics over what comes from outside.

pub mod audit;
pub mod checkpoint;
pub mod checks;
pub mod checksum;
pub mod content;
pub mod facts;
#[doc(hidden)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is the finding"
)]
pub mod fuzzing;
pub mod ident;
pub mod manifest;
pub mod plan;
pub mod price;
pub mod record;
pub mod report;
pub mod sealed;
mod text;
pub mod units;
pub mod verdict;
