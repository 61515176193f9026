//! Hashes several streams of one algorithm together: MD5 in the lanes of vector registers, SHA-256 in pairs.
//!
//! Each step depends on the step before it, so a single stream leaves much of a core idle. Independent streams fill it.

mod kernel;
mod queue;
mod scheduler;
mod sha256;

pub use kernel::{Kernel, Md5Lanes};
pub use scheduler::{LaneHasher, LaneScheduler, LaneStream, Room};
pub use sha256::Sha256Pairs;
