//! `fingerprint` and `prove`: the content of AMIs, block by block.

mod doubt;
mod expected;
mod file;
mod fingerprint;
mod listing;
mod pairs;
mod plan;
mod prove;
mod reader;
mod request;
mod survey;
mod task;

pub use expected::identify;
pub use file::{DigestFile, DigestFileError};
pub use fingerprint::{Fingerprint, Fingerprinted};
pub use plan::estimate_of_record;
pub use prove::Prove;
pub use request::{ExpectedContent, ProveRequest};
pub use survey::BlockServices;

/// Blocks per second that are read by default: half of what an account may read, because backup products share it.
pub const DEFAULT_RATE: u32 = 500;
/// Blocks per second that an account may read (EBS quotas, *GetSnapshotBlock requests per account*).
pub const MOST_RATE: u32 = 1_000;
/// Blocks that are read at the same time: a second's worth of them at 1,000 per second and 48 ms for each.
const CONCURRENCY: usize = 48;
