//! Counted faults: what goes wrong, where, and how often. Nothing is random.

mod apply;
mod rule;

pub(crate) use apply::{before, late};
pub(crate) use rule::Script;
pub use rule::{Fault, FaultRule};
