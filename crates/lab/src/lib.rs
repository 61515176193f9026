//! A local endpoint that plays the part of S3, EC2 and the EBS direct APIs for stored AMIs, and the
//! calls to STS, KMS, SSM and Service Quotas that precede a store or a restore.
//!
//! It serves two purposes: trying commands without an AWS account, and testing them with chosen
//! damage and faults. It follows S3's rules for ETags, checksums, part layouts, versions, archive
//! classes and permissions. It does not verify signatures and listens on loopback addresses only;
//! never use it to keep data.
//!
//! All digests come from other libraries than the verifier's, so that a bug in one library cannot
//! hide in both. This crate therefore uses only `units` and `ident` of `stored-ami-core`.
//!
//! [`Lab`] is the entry point. `docs/lab.md` describes the supported calls and the faults.

mod access;
mod account;
mod action;
mod calls;
pub mod checksum;
mod cloud;
mod content;
mod control;
mod deny;
mod dispatch;
mod ebs;
pub mod ec2;
mod fault;
mod handle;
pub mod image;
mod jobs;
mod local;
mod noise;
mod operation;
mod ops;
mod options;
mod pace;
pub mod pack;
mod presigned;
mod query;
mod record;
mod server;
mod service;
mod shared;
mod store;
mod sync;
mod wire;

pub use action::Action;
pub use calls::CallRecord;
pub use cloud::account::AccountState;
pub use content::{ChecksumChoice, PartSizes, SyntheticError, SyntheticSpec};
pub use deny::Deny;
pub use fault::{Fault, FaultRule, ParseFaultsError, parse_faults};
pub use handle::{Lab, LabError};
pub use operation::Operation;
pub use options::{LabOptions, TaskPace};
pub use record::{Encryption, ObjectRecord, PartRecord, RestoreState, Retention};
pub use store::{BucketOptions, Versioning};
