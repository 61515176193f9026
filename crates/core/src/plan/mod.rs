//! Planning: which ranges to read and how to hash them, so that the references can be judged.
//!
//! [`stored_references`] turns the values that a server stores into [`Reference`]s, whose [`Claim`]s may hold
//! under the layouts of a [`KnownLayout`]. [`ReadPlan::new`] takes the digests that the claims need and
//! chooses the ranges and the order of hashing, within the memory of a [`Budget`]. The crate `stored-ami`
//! executes the plan; [`RangeDigests`] and [`ReadProgress`] hold its results.

mod budget;
mod collect;
mod known;
mod layout;
mod left;
mod progress;
mod range_digests;
mod ranges;
mod read_plan;
mod reference;
mod sample;
mod solver;
mod spans;
mod state;
mod tuning;

pub use budget::{Budget, Concurrency, Limits, PlanTooLarge, TooLittleMemory};
pub use collect::{References, checksum_claim, etag_claim, settle, stored_references};
pub use known::{KnownLayout, Witness};
pub use layout::{Basis, LayoutError, LayoutShape, PartLayout};
pub use left::left_references;
pub use progress::{ReadProgress, SerialDigestState};
pub use range_digests::RangeDigests;
pub use ranges::Ranges;
pub use read_plan::{Need, ReadPlan};
pub use reference::{AlgorithmCertainty, Candidate, Claim, Reference};
pub use sample::{ParseSampleError, Sample};
pub use solver::{MAX_CANDIDATES, uniform_candidates};
pub use spans::Spans;
pub use tuning::Tuning;
