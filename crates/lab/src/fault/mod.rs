//! Injected faults: what goes wrong, where, and how often. Random faults follow from a seed.

mod apply;
mod chance;
mod file;
mod kind;
mod rule;
mod seen;

pub(crate) use apply::{before, late};
pub use file::{ParseFaultsError, parse_faults};
pub use kind::Fault;
pub use rule::FaultRule;
pub(crate) use rule::Script;
pub(crate) use seen::Seen;
