use std::collections::BTreeMap;

use jiff::Timestamp;

use super::TaskState;

/// An AMI, as DescribeImages tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFacts {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    /// `pending`, `available`, `failed` and others; empty where it is not stated.
    pub state: String,
    pub state_reason: Option<String>,
    /// Account.
    pub owner: String,
    pub public: bool,
    /// `ebs` or `instance-store`.
    pub root_device_type: Option<String>,
    /// `hvm` or `paravirtual`.
    pub virtualization: Option<String>,
    pub architecture: Option<String>,
    pub boot_mode: Option<String>,
    /// As EC2 writes it.
    pub created: Option<String>,
    pub source_image: Option<String>,
    pub source_region: Option<String>,
    /// Set for AMIs made of an instance by CreateImage.
    pub source_instance: Option<String>,
    /// Device name of the root volume.
    pub root_device: Option<String>,
    /// Device names that the AMI maps to nothing (`NoDevice`).
    pub removed: Vec<String>,
    /// EBS mappings, in the order of the AMI.
    pub volumes: Vec<VolumeFacts>,
    /// Mappings that are not EBS volumes.
    pub other_mappings: usize,
    pub tags: BTreeMap<String, String>,
}

/// An EBS volume in the block device mapping of an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeFacts {
    /// Device name.
    pub device: String,
    pub snapshot: Option<String>,
    /// Size of the volume that an instance gets, in GiB.
    pub gib: Option<u64>,
    /// What is stated in place of a size and can be none: 0 or a negative number.
    pub odd_gib: Option<i64>,
    pub encrypted: Option<bool>,
}

/// A snapshot, as DescribeSnapshots tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotFacts {
    pub id: String,
    /// `pending`, `completed`, `error`, `recoverable`, `recovering`; empty where it is not stated.
    pub state: String,
    pub owner: String,
    /// Size of the volume it was made of, in GiB.
    pub gib: Option<u64>,
    /// What is stated in place of a size and can be none: 0 or a negative number.
    pub odd_gib: Option<i64>,
    /// `FullSnapshotSizeInBytes`: bytes of all blocks that were written when it was made.
    pub full_bytes: Option<u64>,
    /// `None` where it is not stated.
    pub encrypted: Option<bool>,
    pub kms_key: Option<String>,
    /// Percent, while it is pending.
    pub progress: Option<u8>,
    /// `standard` or `archive`.
    pub tier: Option<String>,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// A store task, as DescribeStoreImageTasks tells it. There is no other handle on it than the AMI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreTask {
    pub image: String,
    pub bucket: String,
    pub key: String,
    /// `InProgress`, `Completed` or `Failed`; others are passed on.
    pub state: String,
    /// Percent; an estimate.
    pub progress: Option<u8>,
    pub failure: Option<String>,
    pub started: Option<Timestamp>,
}

impl StoreTask {
    /// `None` where the word for its state is not known: it may go on, and may have ended.
    pub fn in_progress(&self) -> Option<bool> {
        match TaskState::of(&self.state) {
            TaskState::InProgress => Some(true),
            TaskState::Completed | TaskState::Failed => Some(false),
            TaskState::Other(_) => None,
        }
    }

    /// Whether it stores into this bucket, under whatever path.
    pub fn is_into(&self, bucket: &str) -> bool {
        self.bucket.split('/').next() == Some(bucket)
    }
}

/// EBS encryption by default of an account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EbsDefault {
    pub encrypted: bool,
    /// The key new snapshots are encrypted with.
    pub key: Option<String>,
}
