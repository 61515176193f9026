//! Faults on purpose: what goes wrong, where, and how often. Counted; where chance is wanted, it comes from a seed.

mod apply;
mod chance;
mod file;
mod kind;
mod rule;

pub(crate) use apply::{before, late};
pub use file::{ParseFaultsError, parse_faults};
pub use kind::Fault;
pub use rule::FaultRule;
pub(crate) use rule::{Script, Seen};
