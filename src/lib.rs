//! Inspect and verify stored AMI objects without restoring them.

pub mod ident;
#[cfg(feature = "lab")]
pub mod lab;
pub mod units;
