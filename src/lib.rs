//! Inspect and verify stored AMI objects without restoring them.

pub mod checks;
pub mod checksum;
pub mod facts;
pub mod ident;
#[cfg(feature = "lab")]
pub mod lab;
pub mod plan;
pub mod units;
pub mod verdict;
