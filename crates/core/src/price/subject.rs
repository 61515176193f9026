use jiff::Timestamp;

use super::{Amount, Source, StorageClass};
use crate::text::words;

/// What is to be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Of the stored object or file; `None` before a store.
    pub bytes: Option<u64>,
    /// S3's word for the storage class; `None` where it is not in S3.
    pub class: Option<String>,
    /// The archive tier of Intelligent-Tiering that it is in.
    pub archive_status: Option<String>,
    /// Bytes of all volumes before compression.
    pub volumes: Option<u64>,
    /// Bytes of the blocks that were written to them.
    pub written: Option<u64>,
    /// Why neither of the two is known.
    pub no_size: String,
    /// Requests that reading every byte once takes.
    pub requests: Option<u64>,
    /// Parts that it was stored in.
    pub parts: Option<u32>,
    pub modified: Option<Timestamp>,
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
    /// What a line is about.
    pub enum CostItem {
        /// A month.
        Keep = "keep",
        /// Every byte once.
        Read = "read",
        /// From an archive class, so that it can be read.
        BringBack = "bring_back",
        /// An AMI into an object.
        Store = "store",
        /// An object into an AMI.
        Restore = "restore",
        /// To the internet.
        CopyOut = "copy_out",
        /// Into another storage class.
        Move = "move",
        /// The rest of the class's minimum, if it were deleted now.
        EarlyDeletion = "early_deletion",
    }
}

/// One estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct CostLine {
    pub item: CostItem,
    /// The class, the tier, or the call.
    pub of: String,
    /// Whether the object is in this class.
    pub here: bool,
    /// In words why it is not known, where it is not.
    pub amount: Result<Amount, String>,
    /// How it is computed.
    pub basis: String,
    /// The documented time; `None` where none is known, or none matters.
    pub takes: Option<String>,
    /// Of the prices, each once.
    pub sources: Vec<Source>,
}
