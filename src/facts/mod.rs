//! What a server told us: parsed, and not yet believed.

mod content_range;
mod fact;
mod object;
mod recognise;
mod reply;
mod restore;

pub use content_range::{ContentRange, ParseContentRangeError};
pub use fact::Fact;
pub use object::{AttributeFacts, Encryption, LockFacts, ObjectFacts, PartFacts};
pub use recognise::{Recognised, recognise};
pub use reply::{ReplyHead, ReplyProblem, check_reply};
pub use restore::{ParseRestoreError, Readability, RestoreState, readability};
