//! Many streams of one algorithm side by side, one in each lane of a vector register. A stream by itself waits for
//! its own last step all the time; sixteen of them keep a core busy.

mod kernel;
mod queue;
mod scheduler;

pub use kernel::{Kernel, Md5Lanes};
pub use scheduler::{LaneScheduler, LaneStream, Room};
