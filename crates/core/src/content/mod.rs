//! Analysis of an object's bytes: statistics of sampled windows, and decoding as a compressed stream.
//!
//! [`ProbePlan`], [`WindowCapture`], [`Probe`] and [`Probed`] estimate entropy and compressibility from a
//! sample. [`Stream`] decodes zstd, gzip and zlib. Both take bytes that the caller has read; nothing here
//! does I/O. The results describe the content and never count as proof of integrity.

mod probe;
mod stream;

pub use probe::{Content, Estimate, Gauge, Measure, Probe, ProbePlan, Probed, Region, WindowCapture, seed};
pub use stream::{Decoded, End, Format, Limits, Stream};
