//! What things are called: targets, AMI ids, ETags, object identities.

mod ami_id;
mod etag;
mod object_id;
mod target;
mod uri;

pub use ami_id::AmiId;
pub use etag::{ETag, ETagForm};
pub use object_id::ObjectId;
pub use target::Target;
pub use uri::{ObjectUri, ParseTargetError};
