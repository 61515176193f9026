use std::collections::BTreeMap;

use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{BlockDeviceMapping, Image, Snapshot, StoreImageTaskResult, Tag};
use jiff::Timestamp;

use crate::facts::{ImageFacts, SnapshotFacts, StoreTask, VolumeFacts};
use crate::image::Recycled;

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn time(stated: Option<&DateTime>) -> Option<Timestamp> {
    stated.and_then(|time| Timestamp::from_nanosecond(time.as_nanos()).ok())
}

/// A size in GiB, or the stated number if it is 0 or negative.
fn gib(stated: Option<i32>) -> (Option<u64>, Option<i64>) {
    match stated {
        Some(gib @ 1..) => (u64::try_from(gib).ok(), None),
        odd => (None, odd.map(i64::from)),
    }
}

/// `None` for `NoDevice`, which removes a device from the mapping whatever else is stated about it.
fn volume(mapping: &BlockDeviceMapping) -> Option<VolumeFacts> {
    let ebs = mapping.ebs().filter(|_| mapping.no_device().is_none())?;
    let (gib, odd_gib) = gib(ebs.volume_size());
    Some(VolumeFacts {
        device: mapping.device_name().unwrap_or_default().to_owned(),
        snapshot: owned(ebs.snapshot_id()),
        gib,
        odd_gib,
        encrypted: ebs.encrypted(),
    })
}

/// Facts of an AMI from a response.
pub(super) fn image(image: &Image) -> ImageFacts {
    let mappings = image.block_device_mappings();
    let volumes: Vec<VolumeFacts> = mappings.iter().filter_map(volume).collect();
    let removed = mappings.iter().filter(|mapping| mapping.no_device().is_some());
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
        root_device: owned(image.root_device_name()),
        removed: removed.filter_map(|mapping| owned(mapping.device_name())).collect(),
        other_mappings: mappings.len() - volumes.len(),
        deregistration_protection: owned(image.deregistration_protection()),
        volumes,
        tags: tags(image.tags()),
    }
}

/// Facts of a snapshot from a response.
pub(super) fn snapshot(snapshot: &Snapshot) -> SnapshotFacts {
    let (gib, odd_gib) = gib(snapshot.volume_size());
    SnapshotFacts {
        id: snapshot.snapshot_id().unwrap_or_default().to_owned(),
        state: snapshot.state().map(|state| state.as_str()).unwrap_or_default().to_owned(),
        owner: snapshot.owner_id().unwrap_or_default().to_owned(),
        gib,
        odd_gib,
        full_bytes: snapshot.full_snapshot_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok()),
        encrypted: snapshot.encrypted(),
        kms_key: owned(snapshot.kms_key_id()),
        progress: snapshot.progress().and_then(|text| text.trim_end_matches('%').parse().ok()),
        tier: snapshot.storage_tier().map(|tier| tier.as_str().to_owned()),
        description: owned(snapshot.description()),
        started: time(snapshot.start_time()),
        tags: tags(snapshot.tags()),
    }
}

/// A store task from a response.
pub(super) fn store_task(task: &StoreImageTaskResult) -> StoreTask {
    StoreTask {
        image: task.ami_id().unwrap_or_default().to_owned(),
        bucket: task.bucket().unwrap_or_default().to_owned(),
        key: task.s3object_key().unwrap_or_default().to_owned(),
        state: task.store_task_state().unwrap_or_default().to_owned(),
        progress: task.progress_percentage().and_then(|percent| u8::try_from(percent).ok()),
        failure: owned(task.store_task_failure_reason()).filter(|reason| !reason.is_empty()),
        started: time(task.task_start_time()),
    }
}

/// An entry of the Recycle Bin; `None` for one without an id.
pub(super) fn recycled(id: Option<&str>, exit: Option<&DateTime>) -> Option<Recycled> {
    Some(Recycled { id: owned(id)?, until: time(exit) })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::EbsBlockDevice;

    use super::*;

    #[test]
    fn what_can_be_no_size_is_none_and_is_kept() {
        for (stated, expected) in [
            (Some(1), (Some(1), None)),
            (Some(i32::MAX), (Some(2_147_483_647), None)),
            (Some(0), (None, Some(0))),
            (Some(-5), (None, Some(-5))),
            (Some(i32::MIN), (None, Some(-2_147_483_648))),
            (None, (None, None)),
        ] {
            assert_eq!(gib(stated), expected, "{stated:?}");
            let snapshot = snapshot(&Snapshot::builder().set_volume_size(stated).build());
            assert_eq!((snapshot.gib, snapshot.odd_gib), expected, "{stated:?}");
            assert_eq!(snapshot.encrypted, None);
        }
    }

    #[test]
    fn a_removed_device_is_no_volume() {
        let mapping = |device: &str| {
            BlockDeviceMapping::builder()
                .device_name(device)
                .ebs(EbsBlockDevice::builder().volume_size(8).snapshot_id("snap-1").build())
        };
        let made = Image::builder()
            .root_device_name("/dev/sda1")
            .block_device_mappings(mapping("/dev/sda1").no_device("").build())
            .block_device_mappings(mapping("/dev/sdb").build())
            .build();
        let facts = image(&made);
        let devices: Vec<&str> = facts.volumes.iter().map(|volume| volume.device.as_str()).collect();
        assert_eq!((devices, facts.removed, facts.other_mappings), (vec!["/dev/sdb"], vec!["/dev/sda1".to_owned()], 1));
        assert_eq!(facts.root_device.as_deref(), Some("/dev/sda1"));
    }
}
