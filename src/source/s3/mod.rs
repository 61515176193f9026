//! Objects in S3 and in servers that speak its protocol.

mod bounded;
mod connect;
mod error;
mod object;
mod parse;

pub use connect::{Connection, S3Options, SseCustomerKey};
pub use object::S3Object;
