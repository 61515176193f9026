//! A rehearsal endpoint on loopback: S3 and EC2 as far as stored AMIs need them, and what of STS, KMS,
//! SSM and Service Quotas is asked before a store or a restore.
//!
//! People try commands against it without an account, and tests run against
//! it with damage and faults they chose. It keeps S3's rules of ETags,
//! checksums, part layouts, versions, archive classes and permissions; it does
//! not verify signatures, and it protects nothing.
//!
//! All its digests come from other libraries than the verifier's, so that one
//! error cannot pass in both.

mod access;
mod account;
mod action;
mod calls;
pub mod checksum;
mod cloud;
mod content;
mod deny;
mod dispatch;
pub mod ec2;
mod fault;
mod handle;
pub mod image;
mod local;
mod noise;
mod operation;
mod ops;
mod options;
mod pace;
pub mod pack;
mod query;
mod server;
mod service;
mod shared;
mod store;
mod sync;
mod wire;

pub use account::AccountState;
pub use action::Action;
pub use calls::CallRecord;
pub use content::{ChecksumChoice, PartSizes, SyntheticError, SyntheticSpec};
pub use deny::Deny;
pub use fault::{Fault, FaultRule, ParseFaultsError, parse_faults};
pub use handle::{Lab, LabError};
pub use operation::Operation;
pub use options::{LabOptions, TaskPace};
pub use store::{BucketOptions, Encryption, ObjectRecord, PartRecord, RestoreState, Retention, Versioning};
