//! `restore`: starts a restore after its preflight, once, and follows it to its end.

mod follow;
mod start;

pub use follow::{follow_restore, point_alias};
pub use start::{Prepared, prepare_restore, start_restore};
