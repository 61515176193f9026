//! `restore`: starts a restore after its preflight, once, and follows it to its end.

mod alias;
mod follow;
mod holder;
mod origin;
mod request;
mod start;

pub use follow::follow_restore;
pub use request::{FollowRequest, Origin};
pub use start::{Begun, How, Prepared, prepare_restore, start_restore};
