//! Inspect, verify and audit stored AMI objects in S3 without restoring them, and check a restore before it is started.
//!
//! AWS packs an EBS-backed AMI into one S3 object (`CreateStoreImageTask`). This library reads such objects by parallel
//! ranged GETs and compares every byte with every reference that is known: checksums and ETag that S3 stores, values
//! that the caller gives, manifests of earlier runs. The format inside the object is not published, so no result says
//! that an object *is* an AMI.
//!
//! The command line tool of the same name is built on this library (feature `cli`). Without that feature the library
//! needs neither its argument parser nor its renderers:
//!
//! ```toml
//! [dependencies]
//! stored-ami = { version = "0.1", default-features = false, features = ["s3"] }
//! ```
//!
//! | Feature | What it adds |
//! |---|---|
//! | `s3` | objects in S3 and in servers with its API; without it only local files and custom sources |
//! | `ec2` | AMIs: preflights, `store`, `restore`, prices of snapshots |
//! | `cli` | modules `cli` and `render`, and the binary |
//! | `lab` | the commands `lab` and `demo`, with `cli`; tests use the crate `stored-ami-lab` directly |
//! | `parquet` | `ledger export --format parquet`, with `cli` |
//!
//! # Verify an object
//!
//! [`Session`] is an object with a clock, retries and a monitor that is notified of each request. [`verify()`] reads it once, reads
//! again what differs, and returns a report: a [`Verdict`](verdict::Verdict), and a finding with its evidence or its
//! reason for each reference. `Unknown` is a result of its own: the bytes are
//! neither proved nor refuted, and the reason says why.
//!
//! ```
//! # #[cfg(all(feature = "s3", feature = "lab"))]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use stored_ami::source::s3::S3Options;
//! use stored_ami::verdict::Verdict;
//! use stored_ami::{CancellationToken, VerifyOptions, open, verify};
//! # use stored_ami_lab::{BucketOptions, Lab, LabOptions, ec2::{ImageSpec, VolumeSpec}};
//! # let lab = Lab::start(LabOptions::default()).await?;
//! # lab.create_bucket("archive", BucketOptions::default())?;
//! # let volumes = vec![VolumeSpec { bytes: 8 << 20, ..VolumeSpec::new("/dev/sda1", 8) }];
//! # let id = Some("ami-0123456789abcdef0".to_owned());
//! # lab.create_image("us-east-1", ImageSpec { id, volumes, ..ImageSpec::new("golden") });
//! # lab.store_image("us-east-1", "ami-0123456789abcdef0", "archive").await?;
//! # let options = S3Options {
//! #     region: Some("us-east-1".to_owned()),
//! #     endpoint_url: Some(lab.endpoint()),
//! #     no_sign_request: true,
//! #     ..S3Options::default()
//! # };
//! # /*
//! let options = S3Options::default(); // the usual AWS environment, profile and Region
//! # */
//!
//! let session = open(&"s3://archive/ami-0123456789abcdef0.bin".parse()?, options).await?;
//! let verified = verify(&session, &VerifyOptions::default(), &CancellationToken::new()).await?;
//! assert_eq!(verified.report.verdict, Verdict::Pass);
//! for finding in &verified.report.findings {
//!     println!("{} {}: {:?}", finding.verdict, finding.check, finding.observed);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "s3", feature = "lab")))]
//! # fn main() {}
//! ```
//!
//! [`inspect()`] reports what can be known without reading the object: facts, stored checksums, which of them a
//! verification could use and why not the others.
//!
//! # Audit buckets
//!
//! [`audit()`] lists prefixes, examines each stored AMI object at a [`Level`](audit::Level), and emits a report per object.
//! With a [`Ledger`](ledger::Ledger) it remembers what was proved, and finds what was replaced or lost since.
//! `examples/audit.rs` audits two prefixes.
//!
//! # Check a restore
//!
//! [`preflight_restore()`] runs every documented check that can run before `CreateRestoreImageTask`, and starts nothing. It
//! takes [`RegionServices`] over a connection (feature `ec2`) or over clients of your own
//! ([`RegionClients`](commands::RegionClients)); see `examples/restore_preflight.rs`.
//!
//! # Other sources of bytes
//!
//! Anything that implements [`ObjectSource`] can be inspected and verified. [`source::memory`] is one for tests, and
//! `examples/custom_source.rs` shows one.
//!
//! # Errors and panics
//!
//! [`SourceError`](source::SourceError) keeps its cause and has a kind that says what the caller can do. What a server or
//! a file contains never ends the process: lints deny `unwrap`, indexing and `panic!` in the whole crate.
//!
//! # Stability
//!
//! The items at the root of the crate, the modules of `stored_ami_core`, [`source`] with what is in it, and [`ledger`] are the interface. Other modules are public for the binary and the tests, and may change in any release.

#![warn(missing_docs, unreachable_pub)]
// Bytes of servers and files reach most of this crate: nothing that they hold may end the process.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub use stored_ami_core::{
    audit, batch, blocks, checks, checksum, content, copy, facts, ident, manifest, plan, price, record, report, sealed,
    units, verdict,
};
pub use tokio_util::sync::CancellationToken;

pub use commands::audit::{AuditError, AuditRequest, AuditServices, Scope, audit};
pub use commands::inspect::{InspectOptions, inspect};
pub use commands::preflight::{RestorePreflight, RestorePreflightRequest, preflight_restore};
pub use commands::verify::{Verified, VerifyError, VerifyOptions, verify};
pub use commands::{ObjectServices, RegionServices};
#[cfg(feature = "s3")]
pub use source::open;
pub use source::{Context, ObjectSource, Session};

pub mod account;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod commands;
pub mod fetch;
pub mod files;
pub mod image;
#[cfg(feature = "batch")]
pub mod jobs;
pub mod journal;
pub mod ledger;
pub mod machine;
pub mod progress;
#[cfg(feature = "cli")]
pub mod render;
#[cfg(feature = "ebs")]
pub mod snapshot;
pub mod source;
mod sync;
