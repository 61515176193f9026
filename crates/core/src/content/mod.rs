//! What the bytes of an object are like, and what they are when read as a stream. Pure: it sees bytes and asks nobody.

mod probe;
mod stream;

pub use probe::{Content, Estimate, Gauge, Measure, Probe, ProbePlan, Probed, Region, WindowCapture, seed};
pub use stream::{Decoded, End, Format, Limits, Stream};
