use jiff::Timestamp;

use super::{Amount, Source, StorageClass};
use crate::text::words;

/// What to estimate the cost of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Size of the stored object or file in bytes; `None` before a store.
    pub bytes: Option<u64>,
    /// Storage class in S3's spelling; `None` outside S3.
    pub class: Option<String>,
    /// Current archive tier of Intelligent-Tiering.
    pub archive_status: Option<String>,
    /// Bytes of all volumes before compression.
    pub volumes: Option<u64>,
    /// Bytes of the blocks written to the volumes.
    pub written: Option<u64>,
    /// Why neither of the two is known, for the report.
    pub no_size: String,
    /// Number of requests to read every byte once.
    pub requests: Option<u64>,
    /// Number of parts of the stored object.
    pub parts: Option<u32>,
    /// Time of last modification.
    pub modified: Option<Timestamp>,
    /// Time of the estimate.
    pub now: Timestamp,
}

impl Subject {
    pub(super) fn class(&self) -> Option<StorageClass> {
        self.class.as_deref().and_then(StorageClass::from_name)
    }

    pub(super) fn is_in(&self, class: StorageClass) -> bool {
        self.class() == Some(class)
    }
}

words! {
    /// What is paid for.
    pub enum CostItem {
        /// A month.
        Keep = "keep",
        /// Every byte once.
        Read = "read",
        /// From an archive class, so that it can be read.
        BringBack = "bring_back",
        /// The readable copy of an archived object, for some days.
        TemporaryCopy = "temporary_copy",
        /// An AMI into an object.
        Store = "store",
        /// An object into an AMI.
        Restore = "restore",
        /// To the internet.
        CopyOut = "copy_out",
        /// The requests that write a copy.
        Write = "write",
        /// Every byte of a copy, after it was written.
        ReadBack = "read_back",
        /// Checksums that S3 computes at rest.
        ComputeChecksum = "compute_checksum",
        /// The fee for a job of S3 Batch Operations.
        BatchJob = "batch_job",
        /// The fee for the objects of such a job.
        BatchObjects = "batch_objects",
        /// Into another storage class.
        Move = "move",
        /// The rest of the class's minimum, if it were deleted now.
        EarlyDeletion = "early_deletion",
    }
}

/// One line of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct CostLine {
    /// What is charged.
    pub item: CostItem,
    /// The class, the tier, or the API call.
    pub of: String,
    /// Whether the object is in this class.
    pub here: bool,
    /// The amount, or why it is unknown, for the report.
    pub amount: Result<Amount, String>,
    /// The computation, for the report.
    pub basis: String,
    /// The documented duration; `None` if there is none.
    pub takes: Option<String>,
    /// The distinct sources of the prices.
    pub sources: Vec<Source>,
}
