use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;

use super::parameters::tags;
use super::store::{Packed, PackedVolume};
use crate::account;
use crate::cloud::blocks::Content;
use crate::cloud::ec2::{Ec2State, ImageRecord, Mapping, Progress, SnapshotRecord};
use crate::image::DiskImage;
use crate::pack;
use crate::query::{Parameters, ServiceError};
use crate::shared::{ACCOUNT, Shared};
use crate::sync::lock;
use stored_ami_core::units::ByteRange;

pub(super) async fn create(
    shared: &Arc<Shared>,
    region: &str,
    parameters: &Parameters,
) -> Result<String, ServiceError> {
    let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let (bucket, key) = (text("Bucket"), text("ObjectKey"));
    let bytes = read(shared, region, &bucket, &key).await?;
    let unpacked = tokio::task::spawn_blocking(move || unpack(&bytes)).await;
    let not_ours = || {
        ServiceError::new(
            "Lab.NotAStoredImage",
            "The object was not stored by the lab; the code AWS answers with is not published.",
        )
    };
    let (packed, images) = unpacked.map_err(|_| not_ours())?.ok_or_else(not_ours)?;
    let name = parameters.get("Name").cloned().unwrap_or_else(|| packed.name.clone());
    legal(&name)?;
    let mut cloud = lock(&shared.cloud);
    let fails = if cloud.fail_restores.is_empty() { None } else { Some(cloud.fail_restores.remove(0)) };
    let fails = fails.or_else(|| images.as_ref().err().cloned());
    let state = cloud.region(region);
    admit(state, &name, shared.options.restore_limit)?;
    let key_arn =
        state.encrypt_by_default.then(|| state.default_key.clone().unwrap_or_else(|| account::default_key(region)));
    let mut mappings = Vec::new();
    let mut contents = images.unwrap_or_default().into_iter();
    for volume in &packed.volumes {
        let id = shared.resource_id("snap");
        let content = Content::Kept(Arc::new(contents.next().unwrap_or_default()));
        let record = SnapshotRecord {
            tags: with(volume.tags.clone(), specified(parameters, "snapshot")),
            ..snapshot(id.clone(), volume, key_arn.clone(), content)
        };
        mappings.push(Mapping { device: volume.device.clone(), snapshot: id.clone(), size: volume.size });
        state.snapshots.insert(id, record);
    }
    let id = shared.resource_id("ami");
    let requested = specified(parameters, "image");
    let image = ImageRecord { name, mappings, fails, ..image(id.clone(), packed) };
    state.images.insert(id.clone(), ImageRecord { tags: with(image.tags, requested), ..image });
    Ok(format!("<imageId>{id}</imageId>"))
}

/// Whether a restore under this name may begin.
fn admit(state: &Ec2State, name: &str, limit: u64) -> Result<(), ServiceError> {
    if let Some(holder) = state.images.values().find(|image| image.name == name && image.owner == ACCOUNT) {
        let message = format!("AMI name {name} is already in use by AMI {}", holder.id);
        return Err(ServiceError::new("InvalidAMIName.Duplicate", message));
    }
    let pending = state.images.values().filter(|image| image.state == "pending" && image.progress.is_some());
    let busy: u64 = pending.map(|image| state.gib(image)).sum();
    if busy >= limit {
        let message = format!("{busy} GB are being restored; the code AWS answers with is not published.");
        return Err(ServiceError::new("Lab.InProgressLimitExceeded", message));
    }
    Ok(())
}

/// The snapshot of a volume whose restore has just begun; `key` encrypts it.
fn snapshot(id: String, volume: &PackedVolume, key: Option<String>, content: Content) -> SnapshotRecord {
    SnapshotRecord {
        id,
        state: "pending".to_owned(),
        owner: ACCOUNT.to_owned(),
        size: volume.size,
        full_bytes: volume.full_bytes,
        encrypted: key.is_some(),
        key,
        progress: 0,
        tier: "standard".to_owned(),
        description: "restored by the lab".to_owned(),
        started: Timestamp::now(),
        shared: false,
        usable_by: Vec::new(),
        tags: volume.tags.clone(),
        content,
        flips: Default::default(),
        parent: None,
    }
}

/// The AMI as it was stored, whose restore has just begun.
fn image(id: String, packed: Packed) -> ImageRecord {
    ImageRecord {
        id,
        name: packed.name,
        description: packed.description,
        state: "pending".to_owned(),
        state_reason: None,
        owner: ACCOUNT.to_owned(),
        public: false,
        shared: false,
        launchable_by: Vec::new(),
        protected: false,
        root_device_type: "ebs".to_owned(),
        virtualization: packed.virtualization,
        architecture: packed.architecture,
        boot_mode: packed.boot_mode,
        created: Timestamp::now(),
        source_image: Some(packed.image),
        source_region: Some(packed.region),
        source_instance: None,
        mappings: Vec::new(),
        ephemeral: 0,
        tags: packed.tags,
        progress: Some(Progress::start()),
        fails: None,
    }
}

type Tags = std::collections::BTreeMap<String, String>;

/// The tags in the object merged with the requested ones; what AWS does is not published.
fn with(mut kept: Tags, asked: Tags) -> Tags {
    kept.extend(asked);
    kept
}

fn specified(parameters: &Parameters, resource: &str) -> Tags {
    let of = |number: u32| {
        let kind = parameters.get(&format!("TagSpecification.{number}.ResourceType"))?;
        Some((kind.clone(), tags(parameters, &format!("TagSpecification.{number}.Tag"))))
    };
    (1..).map_while(of).filter(|(kind, _)| kind == resource).flat_map(|(_, tags)| tags).collect()
}

fn legal(name: &str) -> Result<(), ServiceError> {
    let alphabet = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if (3..=128).contains(&name.len()) && name.chars().all(alphabet) {
        return Ok(());
    }
    let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'";
    Err(ServiceError::new("InvalidAMIName.Malformed", message))
}

/// All bytes of the current version of the object.
async fn read(shared: &Shared, region: &str, bucket: &str, key: &str) -> Result<Vec<u8>, ServiceError> {
    let (reader, size) = {
        let store = shared.store();
        let found = store.buckets.get(bucket);
        let found = found.ok_or_else(|| ServiceError::new("NoSuchBucket", "The specified bucket does not exist"))?;
        if found.region != region {
            let message = format!("The bucket is in {}; the code AWS answers with is not published.", found.region);
            return Err(ServiceError::new("Lab.WrongRegion", message));
        }
        let object = found.find(key, None).filter(|object| !object.record.delete_marker);
        let object = object.ok_or_else(|| ServiceError::new("NoSuchKey", "The specified key does not exist."))?;
        if object.record.is_archived(Timestamp::now()) {
            return Err(ServiceError::new("InvalidObjectState", "The object is archived."));
        }
        let reader = object.content.open().map_err(|error| ServiceError::new("InternalError", error.to_string()))?;
        (reader, object.content.len())
    };
    let mut bytes = Vec::new();
    let mut frames = reader.frames(ByteRange::whole(size));
    while let Some(frame) =
        frames.try_next().await.map_err(|error| ServiceError::new("InternalError", error.to_string()))?
    {
        bytes.extend_from_slice(&frame);
    }
    Ok(bytes)
}

/// Collects an unpacked image.
struct Into(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Into {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(last) = lock(&self.0).last_mut() {
            last.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The bytes of each volume, or why they cannot be restored.
type Volumes = Result<Vec<Vec<u8>>, String>;

/// What the object says of the AMI, and its volumes. Damage after the head shows only in the restore.
/// `None` for an object that is not the lab's.
fn unpack(bytes: &[u8]) -> Option<(Packed, Volumes)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let all = pack::unpack(bytes, |_, _| {
        lock(&found).push(Vec::new());
        Ok(Into(found.clone()))
    });
    let mut found = std::mem::take(&mut *lock(&found));
    if found.is_empty() {
        return None;
    }
    let packed: Packed = serde_json::from_slice(&found.remove(0)).ok()?;
    let whole =
        found.len() == packed.volumes.len() && found.iter().all(|image| image.len() as u64 >= DiskImage::SMALLEST);
    let images = match all {
        Ok(()) if whole => Ok(found),
        Ok(()) => Err("The stored image is incomplete.".to_owned()),
        Err(error) => Err(format!("The stored image cannot be read: {error}")),
    };
    Some((packed, images))
}
