use std::fmt;

use super::{RetrievalTier, StorageClass};

/// A billed item with a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Storage for a month; for Intelligent-Tiering, in its frequent access tier.
    Storage(StorageClass),
    /// Storage in the infrequent access tier of Intelligent-Tiering.
    TieringInfrequent,
    /// Storage in the archive instant access tier of Intelligent-Tiering.
    TieringArchiveInstant,
    /// Monitoring fee of Intelligent-Tiering per object.
    Monitoring,
    /// A PUT, COPY, POST or LIST request.
    Put(StorageClass),
    /// A GET or other read request.
    Get(StorageClass),
    /// A transition into the class by a lifecycle rule.
    Transition(StorageClass),
    /// Reading data from a class that can be read at once but charges for it.
    Retrieval(StorageClass),
    /// Data restored from an archive class in a tier.
    BringBack(StorageClass, RetrievalTier),
    /// A request to restore from an archive class in a tier.
    BringBackRequest(StorageClass, RetrievalTier),
    /// Data transfer to the internet.
    TransferOut,
    /// `GetSnapshotBlock` of the EBS direct APIs.
    GetBlock,
    /// `PutSnapshotBlock` of the EBS direct APIs.
    PutBlock,
    /// `ListSnapshotBlocks` of the EBS direct APIs.
    ListBlocks,
    /// Data of which S3 Batch Operations computes a checksum.
    ComputeChecksum,
    /// A job of S3 Batch Operations.
    BatchJob,
    /// An object of such a job.
    BatchObject,
}

/// The unit of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A GB (10⁹ bytes) for a month.
    GbMonth,
    Gb,
    ObjectMonth,
    Request,
    /// A block of 512 KiB of a snapshot.
    Block,
    Job,
}

impl Item {
    /// The unit of the item's price.
    pub fn unit(self) -> Unit {
        match self {
            Item::Storage(_) | Item::TieringInfrequent | Item::TieringArchiveInstant => Unit::GbMonth,
            Item::Monitoring => Unit::ObjectMonth,
            Item::Put(_)
            | Item::Get(_)
            | Item::Transition(_)
            | Item::BringBackRequest(..)
            | Item::ListBlocks
            | Item::BatchObject => Unit::Request,
            Item::Retrieval(_) | Item::BringBack(..) | Item::TransferOut | Item::ComputeChecksum => Unit::Gb,
            Item::BatchJob => Unit::Job,
            Item::GetBlock | Item::PutBlock => Unit::Block,
        }
    }
}

impl Unit {
    /// Whether prices are published per thousand units.
    pub fn by_thousands(self) -> bool {
        matches!(self, Unit::ObjectMonth | Unit::Request | Unit::Block)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Storage(StorageClass::IntelligentTiering) => f.write_str("INTELLIGENT_TIERING, frequent tier"),
            Item::Storage(class) => write!(f, "storage in {class}"),
            Item::TieringInfrequent => f.write_str("INTELLIGENT_TIERING, infrequent tier"),
            Item::TieringArchiveInstant => f.write_str("INTELLIGENT_TIERING, archive instant tier"),
            Item::Monitoring => f.write_str("monitoring by INTELLIGENT_TIERING"),
            Item::Put(class) => write!(f, "a PUT to {class}"),
            Item::Get(class) => write!(f, "a GET from {class}"),
            Item::Transition(class) => write!(f, "a transition to {class}"),
            Item::Retrieval(class) => write!(f, "reading from {class}"),
            Item::BringBack(class, tier) => write!(f, "{} retrieval from {class}", tier.name()),
            Item::BringBackRequest(class, tier) => write!(f, "a request for {} retrieval from {class}", tier.name()),
            Item::TransferOut => f.write_str("transfer to the internet"),
            Item::GetBlock => f.write_str("GetSnapshotBlock"),
            Item::PutBlock => f.write_str("PutSnapshotBlock"),
            Item::ListBlocks => f.write_str("ListSnapshotBlocks"),
            Item::ComputeChecksum => f.write_str("computing checksums at rest"),
            Item::BatchJob => f.write_str("a job of S3 Batch Operations"),
            Item::BatchObject => f.write_str("an object of a job of S3 Batch Operations"),
        }
    }
}
