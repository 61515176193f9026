//! Hashes many streams of one algorithm in the lanes of vector registers.
//!
//! Each step of MD5 depends on the step before it, so a single stream leaves most of a core idle. Independent
//! streams in the lanes of a register fill it.

mod kernel;
mod queue;
mod scheduler;

pub use kernel::{Kernel, Md5Lanes};
pub use scheduler::{LaneScheduler, LaneStream, Room};
