//! Objects in S3 and in servers that speak its protocol.

mod bounded;
mod bucket;
mod connect;
mod error;
mod http;
mod lifecycle;
mod listing;
mod object;
mod parse;

pub use bucket::S3Bucket;
pub use connect::{Connection, S3Options, SseCustomerKey};
pub use object::S3Object;

#[cfg(feature = "ec2")]
pub(crate) use error::translate;
