use std::collections::BTreeMap;

use aws_sdk_ec2::types::{BlockDeviceMapping, Image, Snapshot, StoreImageTaskResult, Tag};
use jiff::Timestamp;

use crate::facts::{ImageFacts, SnapshotFacts, StoreTask, VolumeFacts};

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn volume(mapping: &BlockDeviceMapping) -> Option<VolumeFacts> {
    let ebs = mapping.ebs()?;
    Some(VolumeFacts {
        device: mapping.device_name().unwrap_or_default().to_owned(),
        snapshot: owned(ebs.snapshot_id()),
        gib: ebs.volume_size().and_then(|gib| u64::try_from(gib).ok()),
        encrypted: ebs.encrypted(),
    })
}

pub(super) fn image(image: &Image) -> ImageFacts {
    let mappings = image.block_device_mappings();
    let volumes: Vec<VolumeFacts> = mappings.iter().filter_map(volume).collect();
    ImageFacts {
        id: image.image_id().unwrap_or_default().to_owned(),
        name: owned(image.name()),
        description: owned(image.description()),
        state: image.state().map(|state| state.as_str()).unwrap_or_default().to_owned(),
        state_reason: image.state_reason().and_then(|reason| owned(reason.message())),
        owner: image.owner_id().unwrap_or_default().to_owned(),
        public: image.public() == Some(true),
        root_device_type: image.root_device_type().map(|kind| kind.as_str().to_owned()),
        virtualization: image.virtualization_type().map(|kind| kind.as_str().to_owned()),
        architecture: image.architecture().map(|architecture| architecture.as_str().to_owned()),
        boot_mode: image.boot_mode().map(|mode| mode.as_str().to_owned()),
        created: owned(image.creation_date()),
        source_image: owned(image.source_image_id()),
        source_region: owned(image.source_image_region()),
        source_instance: owned(image.source_instance_id()),
        other_mappings: mappings.len() - volumes.len(),
        volumes,
        tags: tags(image.tags()),
    }
}

pub(super) fn snapshot(snapshot: &Snapshot) -> SnapshotFacts {
    SnapshotFacts {
        id: snapshot.snapshot_id().unwrap_or_default().to_owned(),
        state: snapshot.state().map(|state| state.as_str()).unwrap_or_default().to_owned(),
        owner: snapshot.owner_id().unwrap_or_default().to_owned(),
        gib: snapshot.volume_size().and_then(|gib| u64::try_from(gib).ok()),
        full_bytes: snapshot.full_snapshot_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok()),
        encrypted: snapshot.encrypted() == Some(true),
        kms_key: owned(snapshot.kms_key_id()),
        progress: snapshot.progress().and_then(|text| text.trim_end_matches('%').parse().ok()),
        tier: snapshot.storage_tier().map(|tier| tier.as_str().to_owned()),
        description: owned(snapshot.description()),
        tags: tags(snapshot.tags()),
    }
}

pub(super) fn store_task(task: &StoreImageTaskResult) -> StoreTask {
    StoreTask {
        image: task.ami_id().unwrap_or_default().to_owned(),
        bucket: task.bucket().unwrap_or_default().to_owned(),
        key: task.s3object_key().unwrap_or_default().to_owned(),
        state: task.store_task_state().unwrap_or_default().to_owned(),
        progress: task.progress_percentage().and_then(|percent| u8::try_from(percent).ok()),
        failure: owned(task.store_task_failure_reason()).filter(|reason| !reason.is_empty()),
        started: task.task_start_time().and_then(|time| Timestamp::from_second(time.secs()).ok()),
    }
}
