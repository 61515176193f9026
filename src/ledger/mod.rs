//! The history of proofs of an archive, in one SQLite file. Entries are only appended, and each contains the digest of
//! its predecessor, so that later changes and removals are detected.

mod chain;
mod error;
mod file;
mod schema;
mod scratch;
mod shared;
mod wait;

pub use chain::{Head, ParseHeadError};
pub use error::LedgerError;
pub use file::{Kept, Ledger};
pub use scratch::{Place, QueuePosition, Scratch, ScratchLine, ScratchObservation};
pub use shared::SharedLedger;
pub use wait::hurry_when;
