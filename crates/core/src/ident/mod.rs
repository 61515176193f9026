//! Identifiers: targets, AMI ids and names, ETags, object identities.

mod ami_id;
mod bucket_path;
mod encoded;
mod etag;
mod identity;
mod image_name;
mod object_id;
mod prefix;
mod presigned;
mod problem;
mod redact;
mod shell;
mod target;
mod typed;
mod uri;
mod web;

pub use ami_id::{AmiId, ParseAmiIdError, is_snapshot_id};
pub use bucket_path::{BucketPath, ParseBucketPathError};
pub use encoded::decoded_key;
pub use etag::{ETag, ETagForm, Strength};
pub use identity::{Difference, IdentityField, ObjectIdentity, Same, Why, lasting_version};
pub use image_name::{ImageName, ParseImageNameError};
pub use object_id::ObjectId;
pub use prefix::{ParsePrefixError, Prefix, PrefixProblem};
pub use presigned::PresignedUrl;
pub use problem::{ParseTargetError, PresignedProblem, TargetProblem};
pub use redact::{holds_signature, redact_urls};
pub use shell::{ascii_command, command_words, is_terminal_control, shell_option, shell_word};
pub use target::Target;
pub use typed::{TypedTarget, VersionChoice};
pub use uri::ObjectUri;
