//! EC2 with the AWS SDK.

mod bounded;
mod parse;
mod service;

pub use service::Ec2;
