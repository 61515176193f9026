//! Inspect and verify stored AMI objects without restoring them.

pub mod checks;
pub mod checksum;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod facts;
pub mod fetch;
pub mod ident;
#[cfg(feature = "lab")]
pub mod lab;
pub mod manifest;
pub mod plan;
pub mod progress;
pub mod render;
pub mod report;
pub mod source;
pub mod units;
pub mod verdict;
