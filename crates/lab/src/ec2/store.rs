use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parameters::tags;
use crate::checksum::{Algorithm, ChecksumType, Hasher, StoredChecksum, multipart_etag};
use crate::cloud::ec2::{ImageRecord, Progress, TaskRecord};
use crate::content::{BlockWriter, Content, Source};
use crate::pack;
use crate::query::{Parameters, ServiceError};
use crate::record::{Encryption, ObjectRecord, PartRecord};
use crate::shared::{ACCOUNT, Shared};
use crate::store::{Object, Upload, Versioning};
use crate::sync::lock;
use stored_ami_core::units::MIB;

const PART: usize = 8 * MIB as usize;
/// AWS states GB; GiB here, because the lab's AMIs have whole ones.
const LARGEST: u64 = 5_000;

/// What a restore needs besides the bytes; packed before them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Packed {
    pub image: String,
    pub region: String,
    pub name: String,
    pub description: String,
    pub architecture: String,
    pub virtualization: String,
    pub boot_mode: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub volumes: Vec<PackedVolume>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PackedVolume {
    pub device: String,
    pub size: Option<u64>,
    pub full_bytes: Option<u64>,
    pub tags: BTreeMap<String, String>,
}

fn refused(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidRequest", message)
}

pub(super) async fn create(
    shared: &Arc<Shared>,
    region: &str,
    parameters: &Parameters,
) -> Result<String, ServiceError> {
    let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let (id, place) = (text("ImageId"), text("Bucket"));
    let (bucket, path) = place.split_once('/').unwrap_or((&place, ""));
    let path = path.trim_matches('/');
    let key = if path.is_empty() { format!("{id}.bin") } else { format!("{path}/{id}.bin") };
    let object_tags = tags(parameters, "S3ObjectTag");
    if object_tags.len() > 10 {
        return Err(refused("An object can have at most 10 tags."));
    }
    let (packed, images) = admit(shared, region, &id)?;
    place_is_free(shared, region, bucket, &id)?;
    let bytes = object_of(&packed, images).await?;
    let metadata = [
        ("lab-ami-name", packed.name),
        ("lab-ami-description", packed.description),
        ("lab-ami-registered", Timestamp::now().to_string()),
        ("lab-ami-owner", ACCOUNT.to_owned()),
        ("lab-ami-stored", Timestamp::now().to_string()),
    ];
    let upload = shared.fresh_id();
    let mut cloud = lock(&shared.cloud);
    let fails = if cloud.fail_stores.is_empty() { None } else { Some(cloud.fail_stores.remove(0)) };
    let task = TaskRecord {
        image: id,
        bucket: bucket.to_owned(),
        key: key.clone(),
        started: Timestamp::now(),
        state: "InProgress".to_owned(),
        progress: 0,
        failure: None,
        pace: Progress::start(),
        fails,
        packed: Arc::new(bytes),
        tags: object_tags,
        metadata: metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        upload: upload.clone(),
    };
    let draft = record(shared, &task, "null".to_owned());
    let entry =
        Upload { initiated: task.started, draft, checksum: None, checksum_chosen: false, parts: BTreeMap::new() };
    if let Some(bucket) = shared.store().buckets.get_mut(bucket) {
        bucket.uploads.insert(upload, entry);
    }
    cloud.region(region).tasks.push(task);
    Ok(format!("<objectKey>{}</objectKey>", quick_xml::escape::escape(&key)))
}

/// The bytes of the stored object.
async fn object_of(packed: &Packed, snapshots: Vec<super::SnapshotRecord>) -> Result<Vec<u8>, ServiceError> {
    let header = serde_json::to_vec(packed).map_err(|error| refused(error.to_string()))?;
    let bytes = tokio::task::spawn_blocking(move || {
        let mut parts = vec![(header.len() as u64, std::io::Cursor::new(header))];
        for snapshot in snapshots {
            let bytes = snapshot.bytes()?;
            parts.push((bytes.len() as u64, std::io::Cursor::new(bytes)));
        }
        let mut out = Vec::new();
        pack::pack(parts, &mut out)?;
        std::io::Result::Ok(out)
    });
    bytes.await.map_err(|error| refused(error.to_string()))?.map_err(|error| refused(error.to_string()))
}

/// Starts a store task and ends it.
pub(crate) async fn store_at_once(
    shared: &Arc<Shared>,
    region: &str,
    image: &str,
    bucket: &str,
) -> Result<(), ServiceError> {
    let parameters = [("ImageId", image), ("Bucket", bucket)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    create(shared, region, &parameters.into()).await?;
    let started = |tasks: &[TaskRecord]| tasks.iter().rposition(|task| task.image == image && task.bucket == bucket);
    let index = started(&lock(&shared.cloud).region(region).tasks);
    let index = index.ok_or_else(|| refused("The task is gone."))?;
    complete(shared, region, index);
    let mut cloud = lock(&shared.cloud);
    match cloud.region(region).tasks.get(index).and_then(|task| task.failure.clone()) {
        Some(reason) => Err(refused(reason)),
        None => Ok(()),
    }
}

/// Checks the documented rules and returns the AMI with its snapshots.
fn admit(shared: &Shared, region: &str, id: &str) -> Result<(Packed, Vec<super::SnapshotRecord>), ServiceError> {
    let mut cloud = lock(&shared.cloud);
    let state = cloud.region(region);
    let Some(image) = state.images.get(id) else {
        // The code that is publicly known for ids that do not exist.
        return Err(ServiceError::new("InvalidAMIID.Malformed", format!("Invalid id: \"{id}\"")));
    };
    if image.state != "available" {
        return Err(ServiceError::new("InvalidAMIID.Unavailable", format!("The AMI {id} is {}", image.state)));
    }
    if image.root_device_type != "ebs" || image.virtualization == "paravirtual" {
        return Err(refused("Only EBS-backed AMIs that are not paravirtual can be stored."));
    }
    let snapshots: Vec<_> = image.mappings.iter().map(|mapping| state.snapshots.get(&mapping.snapshot)).collect();
    let snapshots: Vec<super::SnapshotRecord> = snapshots
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| refused("A snapshot of the AMI does not exist."))?
        .into_iter()
        .cloned()
        .collect();
    let ours = |owner: &str, shared: bool| owner == ACCOUNT || shared;
    if !ours(&image.owner, image.shared) || snapshots.iter().any(|snapshot| !ours(&snapshot.owner, snapshot.shared)) {
        return Err(ServiceError {
            status: 403,
            ..ServiceError::new("AuthFailure", "You do not have permission to access the storage of this ami")
        });
    }
    if snapshots.iter().any(|snapshot| snapshot.state != "completed" || snapshot.tier == "archive") {
        return Err(refused("A snapshot of the AMI is not completed, or archived."));
    }
    if state.gib(image) > LARGEST {
        return Err(refused("The AMI is larger than 5,000 GB."));
    }
    if state.tasks.iter().any(|task| task.image == id && task.state == "InProgress") {
        return Err(refused(
            "A CreateStoreImageTask is already in progress for the AMI. You can't run multiple concurrent store image requests for the same AMI.",
        ));
    }
    let running = state.tasks.iter().filter(|task| task.state == "InProgress");
    let busy: u64 = running.filter_map(|task| state.images.get(&task.image)).map(|image| state.gib(image)).sum();
    if busy >= shared.options.store_limit {
        let message = format!("{busy} GB are being stored; the code AWS answers with is not published.");
        return Err(ServiceError::new("Lab.InProgressLimitExceeded", message));
    }
    Ok((description(region, image, &snapshots), snapshots))
}

fn description(region: &str, image: &ImageRecord, snapshots: &[super::SnapshotRecord]) -> Packed {
    let volumes = image.mappings.iter().zip(snapshots).map(|(mapping, snapshot)| PackedVolume {
        device: mapping.device.clone(),
        size: mapping.size.max(snapshot.size),
        full_bytes: snapshot.full_bytes,
        tags: snapshot.tags.clone(),
    });
    Packed {
        image: image.id.clone(),
        region: region.to_owned(),
        name: image.name.clone(),
        description: image.description.clone(),
        architecture: image.architecture.clone(),
        virtualization: image.virtualization.clone(),
        boot_mode: image.boot_mode.clone(),
        tags: image.tags.clone(),
        volumes: volumes.collect(),
    }
}

/// Checks that the bucket is in the Region and holds no copy under any path.
fn place_is_free(shared: &Shared, region: &str, bucket: &str, id: &str) -> Result<(), ServiceError> {
    let store = shared.store();
    let found = store.buckets.get(bucket);
    let found = found.ok_or_else(|| ServiceError::new("NoSuchBucket", "The specified bucket does not exist"))?;
    if found.region != region {
        let message = format!("The bucket is in {}; the code AWS answers with is not published.", found.region);
        return Err(ServiceError::new("Lab.WrongRegion", message));
    }
    let file = format!("{id}.bin");
    if found.objects.keys().any(|key| key.rsplit('/').next() == Some(&file) && found.holds(key)) {
        return Err(refused(
            "The AMI already exists in the bucket. You can't create multiple copies of an AMI in the same S3 bucket.",
        ));
    }
    Ok(())
}

fn record(shared: &Shared, task: &TaskRecord, version_id: String) -> ObjectRecord {
    let parts: Vec<(u32, &[u8])> = (1..).zip(task.packed.chunks(PART)).collect();
    let parts: Vec<PartRecord> = parts
        .into_iter()
        .map(|(number, bytes)| PartRecord::new(number, bytes.len() as u64, &Hasher::of(Algorithm::Md5, bytes), None))
        .collect();
    let digest = || Hasher::of(Algorithm::Crc64Nvme, &task.packed);
    ObjectRecord {
        key: task.key.clone(),
        version_id,
        delete_marker: false,
        size: task.packed.len() as u64,
        etag: multipart_etag(parts.iter().map(|part| part.etag.as_str())),
        last_modified: Timestamp::now(),
        checksum: shared.options.default_checksum.then(|| StoredChecksum {
            kind: ChecksumType::FullObject,
            ..StoredChecksum::full(Algorithm::Crc64Nvme, &digest())
        }),
        parts,
        headers: [("content-type".to_owned(), "application/octet-stream".to_owned())].into(),
        metadata: task.metadata.clone(),
        missing_meta: 0,
        storage_class: "STANDARD".to_owned(),
        archive_status: None,
        restore: None,
        encryption: Encryption::S3,
        tags: task.tags.clone().into_iter().collect(),
        retention: None,
        legal_hold: None,
        replication_status: None,
        expiration: None,
    }
}

/// Ends a task: the object appears, or the upload is aborted.
pub(super) fn complete(shared: &Arc<Shared>, region: &str, index: usize) {
    let mut cloud = lock(&shared.cloud);
    let Some(task) = cloud.region(region).tasks.get_mut(index).filter(|task| task.state == "InProgress") else {
        return;
    };
    let ended = match &task.fails {
        Some(reason) => Err(reason.clone()),
        None => put(shared, task).map_err(|error| error.to_string()),
    };
    if let Some(bucket) = shared.store().buckets.get_mut(&task.bucket) {
        bucket.uploads.remove(&task.upload);
    }
    match ended {
        Ok(()) => (task.state, task.progress) = ("Completed".to_owned(), 100),
        Err(reason) => (task.state, task.failure) = ("Failed".to_owned(), Some(reason)),
    }
}

fn put(shared: &Shared, task: &TaskRecord) -> std::io::Result<()> {
    let versioning = shared.store().buckets.get(&task.bucket).map(|bucket| bucket.options.versioning);
    let version = if versioning == Some(Versioning::Enabled) { shared.fresh_id() } else { "null".to_owned() };
    let incoming = shared.store().folder.as_ref().map(|folder| folder.incoming());
    let source = match incoming {
        Some(path) => {
            std::fs::write(&path, task.packed.as_slice())?;
            Source::File { path, len: task.packed.len() as u64 }
        }
        None => {
            let mut blocks = BlockWriter::default();
            blocks.write(&task.packed);
            Source::Memory(blocks.finish())
        }
    };
    let object = Object { record: record(shared, task, version), content: Content::new(source) };
    shared.store().place(&task.bucket, object)
}
