use std::fmt;

use super::{RetrievalTier, StorageClass};

/// Something that has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// In Intelligent-Tiering that of its frequent tier.
    Storage(StorageClass),
    TieringInfrequent,
    TieringArchiveInstant,
    /// Intelligent-Tiering's fee by object.
    Monitoring,
    Put(StorageClass),
    Get(StorageClass),
    /// By a lifecycle rule, into the class.
    Transition(StorageClass),
    /// Reading from a class that can be read at once and charges for it.
    Retrieval(StorageClass),
    BringBack(StorageClass, RetrievalTier),
    BringBackRequest(StorageClass, RetrievalTier),
    /// To the internet.
    TransferOut,
    GetBlock,
    PutBlock,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A GB is 10⁹ bytes.
    GbMonth,
    Gb,
    ObjectMonth,
    Request,
    /// 512 KiB of a snapshot.
    Block,
}

impl Item {
    pub fn unit(self) -> Unit {
        match self {
            Item::Storage(_) | Item::TieringInfrequent | Item::TieringArchiveInstant => Unit::GbMonth,
            Item::Monitoring => Unit::ObjectMonth,
            Item::Put(_) | Item::Get(_) | Item::Transition(_) | Item::BringBackRequest(..) => Unit::Request,
            Item::Retrieval(_) | Item::BringBack(..) | Item::TransferOut => Unit::Gb,
            Item::GetBlock | Item::PutBlock => Unit::Block,
        }
    }
}

impl Unit {
    /// Prices of small things are written for a thousand of them.
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
        }
    }
}
