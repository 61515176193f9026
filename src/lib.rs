//! Inspect and verify stored AMI objects without restoring them.

// Bytes of servers and files reach most of this crate: nothing that they hold may end the process.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub use stored_ami_core::{
    audit, checks, checksum, content, facts, ident, manifest, plan, price, record, report, sealed, units, verdict,
};

pub mod account;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod commands;
pub mod fetch;
pub mod files;
pub mod image;
pub mod journal;
pub mod ledger;
pub mod machine;
pub mod progress;
#[cfg(feature = "cli")]
pub mod render;
pub mod source;
mod sync;
