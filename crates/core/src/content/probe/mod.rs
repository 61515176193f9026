//! Estimates properties of a whole object from a sample of small windows.
//!
//! A [`ProbePlan`] draws the windows. While the object is read, a [`WindowCapture`] on every range copies the
//! bytes of the windows. A [`Probe`] assembles them and measures each window as soon as it is complete. A
//! [`Probed`] holds the estimates for the object, with intervals that hold for every mixture of contents.

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
