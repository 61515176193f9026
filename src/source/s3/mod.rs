//! Objects in S3 and in servers that speak its protocol.

mod access;
mod answer;
mod archive;
mod ask;
mod bounded;
mod bucket;
mod buckets;
mod causes;
mod checkup;
mod clock;
mod connect;
mod context;
mod document;
mod empty;
mod error;
mod head;
mod headers;
mod http;
mod lifecycle;
#[cfg(any(feature = "batch", feature = "ebs"))]
mod limited;
mod listing;
mod never;
mod object;
mod owner;
mod parse;
mod presigned;
mod proxies;
mod reading;
mod reply;
mod role;
mod said;
mod setting_error;
mod settings;
mod shape;
mod traced;
mod upload;
mod whole;

pub use archive::S3Archive;
pub use bucket::S3Bucket;
pub use buckets::Buckets;
pub use checkup::{Answered, Checkup, Origins};
pub use connect::{Connection, S3Options, SseCustomerKey};
pub use object::S3Object;
pub use presigned::PresignedObject;
pub use role::RoleToAssume;
#[cfg(feature = "ec2")]
pub(crate) use setting_error::wrong_setting;
pub use settings::SettingsScope;
pub use upload::S3Upload;

#[cfg(feature = "ec2")]
pub(crate) use error::translate;
#[cfg(any(feature = "batch", feature = "ebs"))]
pub(crate) use limited::LimitedResponses;
#[cfg(feature = "ec2")]
pub(crate) use settings::Service;
#[cfg(feature = "ec2")]
pub(crate) use traced::Traced;
#[cfg(feature = "ec2")]
pub(crate) use whole::{Broken, Most, whole};
