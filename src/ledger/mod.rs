//! The history of proofs of an archive, in one SQLite file: entries are only ever added, and each carries the digest of
//! the one before it, so that what was removed or altered later is found.

mod chain;
mod error;
mod file;
mod schema;
mod shared;
mod wait;

pub use chain::{Head, ParseHeadError};
pub use error::LedgerError;
pub use file::{Kept, Ledger};
pub use shared::SharedLedger;
pub use wait::hurry_when;
