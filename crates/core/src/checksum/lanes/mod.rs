//! Hashes several streams of one algorithm together: MD5 and SHA-512 in the lanes of vector
//! registers, SHA-256 in pairs.
//!
//! Each step depends on the step before it, so a single stream leaves much of a core idle. Independent streams fill it.

mod kernel;
mod queue;
mod scheduler;
mod sha256;
mod sha512;

pub use kernel::{Kernel, Md5Lanes};
pub use scheduler::{LaneHasher, LaneScheduler, LaneStream, Room};
pub use sha256::Sha256Pairs;
pub use sha512::Sha512Lanes;
