//! EC2 by AWS's SDK.

mod bounded;
mod parse;
mod service;

pub use service::Ec2;
