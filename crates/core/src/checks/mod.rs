//! Judging: comparing facts and digests with references.
//!
//! [`judge`] compares one reference with the [`Digests`] of one read. [`contradiction`] adds a finding if
//! references disagree. The caller reads a mismatch a second time, unless the user chose `--no-reread`. If the
//! mismatch is reproduced, the finding fails; if the two reads differ, it is unknown with
//! [`Reason::UnstableRead`](crate::verdict::Reason::UnstableRead).
//! [`removals`] applies lifecycle rules, [`preflight`] the conditions of a store or a restore, [`thaw`] those of making a
//! readable copy of an archived object.

mod bound;
mod contradiction;
mod demand;
mod digests;
mod empty;
mod judge;
mod lifecycle;
pub mod preflight;
mod ratio;
pub mod thaw;

pub use bound::{Bound, BoundBy, Measured, Surroundings, bound};
pub use contradiction::{contradict, contradiction};
pub use demand::demanded;
pub use digests::Digests;
pub use empty::wrong_size;
pub use judge::{Judgement, held_by_part, judge};
pub use lifecycle::{LifecycleSubject, Removal, Removals, VersionState, horizon, removals};
pub use ratio::{MissingBasis, Ratio, RatioBasis, Ratios, SizeContradiction};
