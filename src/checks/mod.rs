//! Facts and digests against references: judgements. Pure.

mod digests;
mod judge;
pub mod preflight;

pub use digests::Digests;
pub use judge::{Judgement, judge};
