//! `restore`: starts a restore after its preflight, once, and follows it to its end.

mod alias;
mod follow;
mod holder;
mod origin;
mod start;

pub use follow::{FollowRequest, follow_restore};
pub use origin::Origin;
pub use start::{Begun, How, Prepared, prepare_restore, start_restore};
