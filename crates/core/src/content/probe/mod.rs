//! What a sample of small windows says of all bytes of an object.
//!
//! A [`ProbePlan`] draws the windows. While the object is read, a [`WindowCapture`] on every range keeps the bytes of windows; a
//! [`Probe`] puts them together and measures each window as soon as it is complete; a [`Probed`] says what that comes
//! to for the object, with intervals that hold for every mixture of contents.

mod capture;
mod class;
mod estimate;
mod measure;
mod plan;
mod probed;

pub use capture::{Probe, WindowCapture};
pub use class::Content;
pub use estimate::Estimate;
pub use measure::{Gauge, Measure};
pub use plan::{ProbePlan, seed};
pub use probed::{Probed, Region};

#[cfg(test)]
mod tests;
