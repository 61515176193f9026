//! Facts and digests against references: judgements. Pure.

mod digests;
mod judge;

pub use digests::Digests;
pub use judge::{Judgement, judge};
