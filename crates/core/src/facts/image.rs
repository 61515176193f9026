use std::collections::BTreeMap;

use jiff::Timestamp;

use super::TaskState;

/// An AMI (`DescribeImages`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFacts {
    /// Id of the AMI.
    pub id: String,
    /// Name of the AMI.
    pub name: Option<String>,
    /// Description of the AMI.
    pub description: Option<String>,
    /// `ImageState`: `pending`, `available`, `failed` and others; empty if not stated.
    pub state: String,
    /// Why the AMI failed.
    pub state_reason: Option<String>,
    /// Account that owns the AMI.
    pub owner: String,
    /// Whether every account may launch it.
    pub public: bool,
    /// `ebs` or `instance-store`.
    pub root_device_type: Option<String>,
    /// `hvm` or `paravirtual`.
    pub virtualization: Option<String>,
    /// Architecture, such as `x86_64`.
    pub architecture: Option<String>,
    /// Boot mode, such as `uefi`.
    pub boot_mode: Option<String>,
    /// Time of creation as EC2 writes it.
    pub created: Option<String>,
    /// The AMI that it was copied from.
    pub source_image: Option<String>,
    /// Region of the AMI that it was copied from.
    pub source_region: Option<String>,
    /// The instance that CreateImage made it from.
    pub source_instance: Option<String>,
    /// Device name of the root volume.
    pub root_device: Option<String>,
    /// Device names that the AMI leaves unmapped (`NoDevice`).
    pub removed: Vec<String>,
    /// EBS mappings, in the order of the AMI.
    pub volumes: Vec<VolumeFacts>,
    /// Number of mappings that are not EBS volumes.
    pub other_mappings: usize,
    /// Whether EC2 refuses to deregister the AMI, as EC2 writes it: `disabled`, or a word that begins with `enabled`.
    pub deregistration_protection: Option<String>,
    /// Tags of the AMI.
    pub tags: BTreeMap<String, String>,
}

/// An EBS volume in the block device mapping of an AMI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeFacts {
    /// Device name.
    pub device: String,
    /// Id of the snapshot.
    pub snapshot: Option<String>,
    /// Size of the volume that an instance gets, in GiB.
    pub gib: Option<u64>,
    /// An impossible size that the server stated: 0 or a negative number of GiB.
    pub odd_gib: Option<i64>,
    /// Whether the volume is encrypted; `None` if not stated.
    pub encrypted: Option<bool>,
}

/// A snapshot (`DescribeSnapshots`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotFacts {
    /// Id of the snapshot.
    pub id: String,
    /// `SnapshotState`: `pending`, `completed`, `error`, `recoverable` or `recovering`; empty if not stated.
    pub state: String,
    /// Account that owns the snapshot.
    pub owner: String,
    /// Size of the volume it was made from, in GiB.
    pub gib: Option<u64>,
    /// An impossible size that the server stated: 0 or a negative number of GiB.
    pub odd_gib: Option<i64>,
    /// `FullSnapshotSizeInBytes`: bytes of all blocks that were written when the snapshot was made.
    pub full_bytes: Option<u64>,
    /// Whether the snapshot is encrypted; `None` if not stated.
    pub encrypted: Option<bool>,
    /// ARN of the KMS key that encrypts it.
    pub kms_key: Option<String>,
    /// Progress in percent while it is pending.
    pub progress: Option<u8>,
    /// `standard` or `archive`.
    pub tier: Option<String>,
    /// Description of the snapshot.
    pub description: Option<String>,
    /// Time at which the snapshot was begun.
    pub started: Option<Timestamp>,
    /// Tags of the snapshot.
    pub tags: BTreeMap<String, String>,
}

/// A store task (`DescribeStoreImageTasks`). EC2 identifies it only by the AMI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreTask {
    /// Id of the AMI.
    pub image: String,
    /// Bucket, possibly followed by a path.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// `InProgress`, `Completed` or `Failed`; other values are passed on.
    pub state: String,
    /// Estimated progress in percent.
    pub progress: Option<u8>,
    /// Why the task failed.
    pub failure: Option<String>,
    /// Start of the task.
    pub started: Option<Timestamp>,
}

impl StoreTask {
    /// Whether the task is in progress; `None` if its state is not a known word, because the task may then
    /// still be in progress or have ended.
    pub fn in_progress(&self) -> Option<bool> {
        match TaskState::of(&self.state) {
            TaskState::InProgress => Some(true),
            TaskState::Completed | TaskState::Failed => Some(false),
            TaskState::Other(_) => None,
        }
    }

    /// Whether it stores into this bucket, under any path.
    pub fn is_into(&self, bucket: &str) -> bool {
        self.bucket.split('/').next() == Some(bucket)
    }
}

/// EBS encryption by default of an account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EbsDefault {
    /// Whether new volumes and snapshots are encrypted by default.
    pub encrypted: bool,
    /// The key that encrypts them.
    pub key: Option<String>,
}
