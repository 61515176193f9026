use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::image::DiskImage;
use crate::options::TaskPace;

/// Everything EC2 keeps in one Region.
#[derive(Debug, Clone, Default)]
pub struct Ec2State {
    pub images: BTreeMap<String, ImageRecord>,
    pub snapshots: BTreeMap<String, SnapshotRecord>,
    /// The newest last.
    pub tasks: Vec<TaskRecord>,
    pub encrypt_by_default: bool,
    pub default_key: Option<String>,
}

/// An AMI.
#[derive(Debug, Clone)]
pub struct ImageRecord {
    pub id: String,
    pub name: String,
    pub description: String,
    pub state: String,
    pub state_reason: Option<String>,
    pub owner: String,
    pub public: bool,
    /// With the lab's account by name.
    pub shared: bool,
    pub root_device_type: String,
    pub virtualization: String,
    pub architecture: String,
    pub boot_mode: Option<String>,
    pub created: Timestamp,
    pub source_image: Option<String>,
    pub source_region: Option<String>,
    pub source_instance: Option<String>,
    pub mappings: Vec<Mapping>,
    /// Mappings that are no EBS volumes.
    pub ephemeral: usize,
    pub tags: BTreeMap<String, String>,
    pub(crate) progress: Option<Progress>,
    /// Why the restore will fail in the end.
    pub(crate) fails: Option<String>,
}

/// An EBS volume of an AMI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub device: String,
    pub snapshot: String,
    /// GiB.
    pub size: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct SnapshotRecord {
    pub id: String,
    pub state: String,
    pub owner: String,
    /// GiB.
    pub size: Option<u64>,
    pub full_bytes: Option<u64>,
    pub encrypted: bool,
    pub key: Option<String>,
    /// Percent.
    pub progress: u8,
    pub tier: String,
    pub description: String,
    pub started: Timestamp,
    /// With the lab's account by name.
    pub shared: bool,
    pub tags: BTreeMap<String, String>,
    pub(crate) content: Content,
}

/// The bytes behind a snapshot: far fewer than its nominal size.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Generated(DiskImage),
    Kept(Arc<Vec<u8>>),
}

impl SnapshotRecord {
    /// The bytes a volume made of it would hold, without the zeros behind them.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match &self.content {
            Content::Generated(image) => io::Read::read_to_end(&mut image.reader(), &mut bytes).map(drop)?,
            Content::Kept(kept) => bytes.clone_from(kept),
        }
        Ok(bytes)
    }
}

/// A store task.
#[derive(Debug, Clone)]
pub struct TaskRecord {
    pub image: String,
    pub bucket: String,
    pub key: String,
    pub started: Timestamp,
    pub state: String,
    /// Percent.
    pub progress: u8,
    pub failure: Option<String>,
    pub(crate) pace: Progress,
    pub(crate) fails: Option<String>,
    pub(crate) packed: Arc<Vec<u8>>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) upload: String,
}

/// How far work in progress is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub since: Instant,
    pub polls: u32,
}

impl Progress {
    pub fn start() -> Self {
        Progress { since: Instant::now(), polls: 0 }
    }

    /// From 0 to 1.
    pub(super) fn fraction(self, pace: TaskPace) -> f64 {
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
    pub(super) fn step_restores(&mut self, pace: TaskPace) {
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

    /// Sizes of the volumes of an AMI together, in GiB.
    pub(crate) fn gib(&self, image: &ImageRecord) -> u64 {
        let size = |mapping: &Mapping| {
            mapping.size.max(self.snapshots.get(&mapping.snapshot).and_then(|snapshot| snapshot.size)).unwrap_or(0)
        };
        image.mappings.iter().map(size).sum()
    }
}
