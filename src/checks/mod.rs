//! Facts and digests against references: judgements. Pure.

mod bound;
mod digests;
mod judge;
pub mod preflight;
mod ratio;

pub use bound::{Bound, BoundBy, Measured, Surroundings, bound};
pub use digests::Digests;
pub use judge::{Judgement, held_by_part, judge};
pub use ratio::{MissingBasis, Ratio, RatioBasis, Ratios};
