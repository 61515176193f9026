use jiff::Timestamp;

use super::{Amount, Source, StorageClass};

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

/// The kind of a cost line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostItem {
    /// Storage for a month.
    Keep,
    /// Reading every byte once.
    Read,
    /// Restoring from an archive class for reading.
    BringBack,
    /// Storing an AMI as an object.
    Store,
    /// Restoring an AMI from an object.
    Restore,
    /// Data transfer to the internet.
    CopyOut,
    /// Moving to another storage class.
    Move,
    /// Deletion before the minimum storage duration of the class.
    EarlyDeletion,
}

impl CostItem {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            CostItem::Keep => "keep",
            CostItem::Read => "read",
            CostItem::BringBack => "bring_back",
            CostItem::Store => "store",
            CostItem::Restore => "restore",
            CostItem::CopyOut => "copy_out",
            CostItem::Move => "move",
            CostItem::EarlyDeletion => "early_deletion",
        }
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
