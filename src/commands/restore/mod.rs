//! `restore`: runs the preflight, starts the restore once, and follows it until it ends.

mod alias;
mod follow;
mod holder;
mod identify;
mod origin;
mod queue;
mod request;
mod start;

pub use follow::follow_restore;
pub use identify::identify_restore;
pub use queue::RestoreQueue;
pub use request::{FollowRequest, Origin};
pub use start::{Begun, How, Prepared, prepare_restore, prepare_restore_in, prepare_restore_of_drill, start_restore};
