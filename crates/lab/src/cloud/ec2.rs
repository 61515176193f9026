use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::blocks::{BLOCK, Content, LARGEST};
use crate::options::TaskPace;

/// What EC2 holds in one Region.
#[derive(Debug, Clone, Default)]
pub struct Ec2State {
    /// By AMI id.
    pub images: BTreeMap<String, ImageRecord>,
    /// By snapshot id.
    pub snapshots: BTreeMap<String, SnapshotRecord>,
    /// Store tasks, the newest last.
    pub tasks: Vec<TaskRecord>,
    /// Whether new volumes are encrypted (`EnableEbsEncryptionByDefault`).
    pub encrypt_by_default: bool,
    /// Default KMS key for EBS encryption; `None` for `alias/aws/ebs`.
    pub default_key: Option<String>,
    /// The AMI that each instance was launched from, by instance id.
    pub instances: BTreeMap<String, String>,
    /// The snapshot that each volume was made from, by volume id.
    pub volumes: BTreeMap<String, String>,
    /// How long the Recycle Bin keeps every AMI that is deregistered and every snapshot that is deleted; `None` without
    /// such a rule.
    pub retention: Option<SignedDuration>,
    /// AMIs in the Recycle Bin, by id.
    pub recycled_images: BTreeMap<String, Recycled>,
    /// Snapshots in the Recycle Bin, by id.
    pub recycled_snapshots: BTreeMap<String, Recycled>,
}

/// An AMI or a snapshot in the Recycle Bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recycled {
    /// When it was deregistered or deleted.
    pub entered: Timestamp,
    /// When it is permanently deleted.
    pub exits: Timestamp,
}

impl Recycled {
    /// Something that is removed now and kept for this time.
    pub fn now(retention: SignedDuration) -> Self {
        let entered = Timestamp::now();
        Recycled { entered, exits: entered.saturating_add(retention).unwrap_or(Timestamp::MAX) }
    }
}

/// An AMI.
#[derive(Debug, Clone)]
pub struct ImageRecord {
    /// `ami-` and 17 hexadecimal digits.
    pub id: String,
    /// Unique in an account and a Region.
    pub name: String,
    /// Free text.
    pub description: String,
    /// `pending`, `available`, `failed` or another state of EC2.
    pub state: String,
    /// Why the AMI is in state `failed`.
    pub state_reason: Option<String>,
    /// Account number of the owner.
    pub owner: String,
    /// Whether launch permission is given to everybody.
    pub public: bool,
    /// Whether it is shared directly with the lab's account.
    pub shared: bool,
    /// Accounts that may launch it.
    pub launchable_by: Vec<String>,
    /// Whether EC2 refuses to deregister it.
    pub protected: bool,
    /// `ebs` or `instance-store`.
    pub root_device_type: String,
    /// `hvm` or `paravirtual`.
    pub virtualization: String,
    /// `x86_64`, `arm64` or another name of EC2.
    pub architecture: String,
    /// `uefi`, `legacy-bios` or `uefi-preferred`.
    pub boot_mode: Option<String>,
    /// Time of creation.
    pub created: Timestamp,
    /// The AMI from which this one was copied or restored.
    pub source_image: Option<String>,
    /// The Region of that AMI.
    pub source_region: Option<String>,
    /// The instance from which the AMI was created.
    pub source_instance: Option<String>,
    /// Its EBS volumes.
    pub mappings: Vec<Mapping>,
    /// Number of mappings without an EBS volume.
    pub ephemeral: usize,
    /// Tags of the AMI.
    pub tags: BTreeMap<String, String>,
    pub(crate) progress: Option<Progress>,
    /// Reason with which the restore will fail.
    pub(crate) fails: Option<String>,
}

/// An EBS volume of an AMI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Device name, such as `/dev/sda1`.
    pub device: String,
    /// Id of the snapshot behind the volume.
    pub snapshot: String,
    /// Size in GiB.
    pub size: Option<u64>,
}

/// An EBS snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotRecord {
    /// `snap-` and 17 hexadecimal digits.
    pub id: String,
    /// `pending`, `completed`, `error` or another state of EC2.
    pub state: String,
    /// Account number of the owner.
    pub owner: String,
    /// Size in GiB.
    pub size: Option<u64>,
    /// `FullSnapshotSizeInBytes`: the size of the written blocks.
    pub full_bytes: Option<u64>,
    /// Whether a KMS key encrypts it.
    pub encrypted: bool,
    /// ARN of that key.
    pub key: Option<String>,
    /// Progress in percent.
    pub progress: u8,
    /// `standard` or `archive`.
    pub tier: String,
    /// Free text; EC2 names the source of a copy here.
    pub description: String,
    /// Time of creation.
    pub started: Timestamp,
    /// Whether it is shared directly with the lab's account.
    pub shared: bool,
    /// Accounts that may make volumes of it.
    pub usable_by: Vec<String>,
    /// Tags of the snapshot.
    pub tags: BTreeMap<String, String>,
    pub(crate) content: Content,
    /// Bits that a test flipped, by offset.
    pub(crate) flips: BTreeMap<u64, u8>,
    /// The snapshot that this one continues.
    pub(crate) parent: Option<String>,
}

impl SnapshotRecord {
    /// The content of a volume created from the snapshot, without trailing zeros.
    ///
    /// # Errors
    ///
    /// The content is synthetic, and too large for memory.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = self.content.bytes()?;
        for (offset, mask) in &self.flips {
            let at = usize::try_from(*offset).unwrap_or(usize::MAX);
            if at >= bytes.len() && at < LARGEST {
                bytes.resize(at + 1, 0);
            }
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= mask;
            }
        }
        Ok(bytes)
    }

    /// The bytes of a block, or `None` if it was never written.
    pub(crate) fn block(&self, index: u32) -> Option<Vec<u8>> {
        let start = u64::from(index) * BLOCK as u64;
        let mut flips = self.flips.range(start..start + BLOCK as u64).peekable();
        let mut block = match self.content.block(index) {
            Some(block) => block,
            None if flips.peek().is_some() => vec![0; BLOCK],
            None => return None,
        };
        for (offset, mask) in flips {
            if let Some(byte) = block.get_mut((offset - start) as usize) {
                *byte ^= mask;
            }
        }
        Some(block)
    }

    /// At most `most` blocks that were written, from `start` on.
    pub(crate) fn written(&self, start: u32, most: usize) -> Vec<u32> {
        let mut found = self.content.written(start, most);
        let flipped = self.flips.keys().map(|offset| (offset / BLOCK as u64) as u32).filter(|index| *index >= start);
        found.extend(flipped);
        found.sort_unstable();
        found.dedup();
        found.truncate(most);
        found
    }
}

/// A store task.
#[derive(Debug, Clone)]
pub struct TaskRecord {
    /// Id of the AMI that is stored.
    pub image: String,
    /// The target bucket.
    pub bucket: String,
    /// The target key, with any path.
    pub key: String,
    /// Time of the call.
    pub started: Timestamp,
    /// `InProgress`, `Completed` or `Failed`.
    pub state: String,
    /// Progress in percent.
    pub progress: u8,
    /// Reason of a failed task.
    pub failure: Option<String>,
    pub(crate) pace: Progress,
    pub(crate) fails: Option<String>,
    pub(crate) packed: Arc<Vec<u8>>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) upload: String,
}

/// Progress of a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub since: Instant,
    pub polls: u32,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Progress { since: Instant::now(), polls: 0 }
    }

    /// From 0 to 1.
    pub(crate) fn fraction(self, pace: TaskPace) -> f64 {
        match pace {
            TaskPace::Polls(0) => 1.0,
            TaskPace::Polls(polls) => f64::from(self.polls) / f64::from(polls),
            TaskPace::Time(time) if time.is_zero() => 1.0,
            TaskPace::Time(time) => self.since.elapsed().as_secs_f64() / time.as_secs_f64(),
        }
        .min(1.0)
    }
}

impl Ec2State {
    pub(crate) fn step_restores(&mut self, pace: TaskPace) {
        for image in self.images.values_mut().filter(|image| image.state == "pending") {
            let Some(progress) = &mut image.progress else { continue };
            progress.polls += 1;
            let fraction = progress.fraction(pace);
            let ended = fraction >= 1.0;
            for mapping in &image.mappings {
                let Some(snapshot) = self.snapshots.get_mut(&mapping.snapshot) else { continue };
                snapshot.progress = (fraction * 100.0) as u8;
                if ended {
                    snapshot.state = if image.fails.is_some() { "error" } else { "completed" }.to_owned();
                }
            }
            if ended {
                image.state = if image.fails.is_some() { "failed" } else { "available" }.to_owned();
                image.state_reason.clone_from(&image.fails);
            }
        }
    }

    /// Total size of the volumes of an AMI in GiB.
    pub(crate) fn gib(&self, image: &ImageRecord) -> u64 {
        let size = |mapping: &Mapping| {
            mapping.size.max(self.snapshots.get(&mapping.snapshot).and_then(|snapshot| snapshot.size)).unwrap_or(0)
        };
        image.mappings.iter().map(size).sum()
    }
}
