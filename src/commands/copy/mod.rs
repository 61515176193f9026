//! `copy`: reads an object once, proves its bytes, and writes them as an object with the same parts.
//!
//! Nothing is sent before [`prepare_copy`] has described both ends. [`carry_out`] then reads the source as `verify`
//! does, and sends the same bytes as parts. The parts become an object only after the references of the source matched
//! and the destination confirmed the parts.

mod after;
mod by_server;
mod destination;
mod end;
mod entries;
mod estimate;
mod finish;
mod parts;
mod preflight;
mod prepare;
mod properties;
mod replace;
mod resume;
mod run;
mod sender;
mod state_file;
mod streamed;
mod there;
mod to_file;
mod trailers;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use prepare::PreparedCopy;
pub use resume::prepare_copy;
pub use run::carry_out;
pub use state_file::CopyStateFile;
pub use to_file::{FileCopyRequest, copy_to_file};

use crate::commands::verify::VerifyOptions;
use crate::copy::{CopyCheck, LockRequest};
use crate::facts::Service;
use crate::ident::ETag;
use crate::ledger::SharedLedger;
use crate::price::CopyPrices;
use crate::report::EndReport;
use crate::source::{BucketService, Session, UploadService};

/// Name of the metadata that marks an object as written by one run of `copy`.
pub const COPY_ID: &str = "stored-ami-copy";

/// Tags of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChoice {
    /// Those of the source.
    Copy,
    /// None.
    None,
    /// Those of the source, with these added or replaced.
    With(BTreeMap<String, String>),
}

/// What to copy, and how.
#[derive(Clone)]
pub struct CopyRequest {
    /// References of the source, and limits of the read. Its budget is a share of the memory.
    pub verify: VerifyOptions,
    /// Bytes of parts that may be held in memory.
    pub part_room: u64,
    /// Whether the metadata of the source goes with the copy.
    pub metadata: bool,
    /// Tags of the copy.
    pub tags: TagChoice,
    /// Storage class in S3's spelling; `None` for the default.
    pub storage_class: Option<String>,
    /// KMS key for SSE-KMS; `None` for the encryption of the bucket.
    pub kms_key: Option<String>,
    /// Object Lock of the copy.
    pub lock: LockRequest,
    /// Replace the object at the destination, if it has this ETag.
    pub replace_if: Option<ETag>,
    /// Write the copy also if nothing proves the bytes of the source, as long as nothing refutes them.
    pub unproved: bool,
    /// Let the server copy the bytes (UploadPartCopy) instead of reading and sending them.
    pub by_server: bool,
    /// Read the copy afterwards.
    pub verify_destination: bool,
    /// Keeps the upload of an unfinished copy, and goes on with one.
    pub resume: Option<CopyStateFile>,
    /// Records the reads and the copy.
    pub ledger: Option<SharedLedger>,
    /// Prices for the estimate.
    pub prices: CopyPrices,
    /// Required checks that may be unknown.
    pub accept: Vec<CopyCheck>,
}

/// Both ends of a copy. Each has its own connection.
#[derive(Clone)]
pub struct CopyEnds {
    /// The source.
    pub source: Session,
    /// Who reads the source.
    pub from: EndReport,
    /// The object at the destination.
    pub destination: Session,
    /// The bucket at the destination.
    pub bucket: Arc<dyn BucketService>,
    /// Writes the object.
    pub upload: Arc<dyn UploadService>,
    /// Writes an object beside the destination, to see whether the server heeds the conditions of a write.
    pub probe: Arc<dyn UploadService>,
    /// Who writes the copy.
    pub to: EndReport,
    /// The service at the destination.
    pub service: Service,
    /// The URL of S3 at the destination, if a setting names one.
    pub endpoint: Option<String>,
}
