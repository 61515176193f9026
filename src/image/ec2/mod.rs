//! EC2 with the AWS SDK.

mod bounded;
mod parse;
mod removal;
mod service;

pub use service::Ec2;
