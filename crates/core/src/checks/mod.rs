//! Facts and digests against references: judgements. Pure.

mod bound;
mod contradiction;
mod demand;
mod digests;
mod empty;
mod judge;
mod lifecycle;
pub mod preflight;
mod ratio;

pub use bound::{Bound, BoundBy, Measured, Surroundings, bound};
pub use contradiction::contradiction;
pub use demand::demanded;
pub use digests::Digests;
pub use empty::wrong_size;
pub use judge::{Judgement, held_by_part, judge};
pub use lifecycle::{LifecycleSubject, Removal, Removals, VersionState, horizon, removals};
pub use ratio::{MissingBasis, Ratio, RatioBasis, Ratios};
