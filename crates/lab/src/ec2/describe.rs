use std::collections::BTreeMap;

use super::parameters::{Filters, is_true, list, page};
use super::xml::Xml;
use crate::cloud::ec2::{Ec2State, ImageRecord, SnapshotRecord};
use crate::query::{Parameters, ServiceError};
use crate::shared::ACCOUNT;

fn owned_by(owners: &[String], owner: &str) -> bool {
    owners.is_empty() || owners.iter().any(|wanted| wanted == owner || (wanted == "self" && owner == ACCOUNT))
}

pub(super) fn images(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let (ids, owners, users) =
        (list(parameters, "ImageId"), list(parameters, "Owner"), list(parameters, "ExecutableBy"));
    if let Some(missing) = ids.iter().find(|id| !state.images.get(*id).is_some_and(visible)) {
        let message = format!("The image id '[{missing}]' does not exist");
        return Err(ServiceError::new("InvalidAMIID.NotFound", message));
    }
    let filters = Filters::of(parameters);
    let disabled = is_true(parameters, "IncludeDisabled") || !ids.is_empty();
    let mut found = Vec::new();
    for image in state.images.values().filter(|image| visible(image)) {
        let launchable = users.is_empty()
            || users.iter().any(|user| match user.as_str() {
                "all" => image.public,
                user => (user == "self" || user == ACCOUNT) && image.shared,
            });
        let wanted = (ids.is_empty() || ids.contains(&image.id))
            && owned_by(&owners, &image.owner)
            && launchable
            && (disabled || image.state != "disabled");
        if wanted && filters.hold(&image.tags, |name| image_value(image, name))? {
            found.push(image);
        }
    }
    let (found, next) = page(found, parameters, 1000)?;
    let mut xml = Xml::default();
    xml.items("imagesSet", found, write_image).option("nextToken", next);
    Ok(xml.finish())
}

fn visible(image: &ImageRecord) -> bool {
    image.owner == ACCOUNT || image.shared || image.public
}

fn image_value(image: &ImageRecord, name: &str) -> Option<String> {
    Some(match name {
        "image-id" => image.id.clone(),
        "name" => image.name.clone(),
        "state" => image.state.clone(),
        "source-image-id" => image.source_image.clone().unwrap_or_default(),
        "source-image-region" => image.source_region.clone().unwrap_or_default(),
        "is-public" => image.public.to_string(),
        "owner-id" => image.owner.clone(),
        "virtualization-type" => image.virtualization.clone(),
        "root-device-type" => image.root_device_type.clone(),
        "architecture" => image.architecture.clone(),
        "description" => image.description.clone(),
        _ => return None,
    })
}

fn write_image(xml: &mut Xml, image: &ImageRecord) {
    xml.text("imageId", &image.id)
        .text("imageLocation", format!("{}/{}", image.owner, image.name))
        .text("imageState", &image.state)
        .text("imageOwnerId", &image.owner)
        .text("isPublic", image.public)
        .text("architecture", &image.architecture)
        .text("imageType", "machine")
        .text("name", &image.name)
        .text("description", &image.description)
        .text("rootDeviceType", &image.root_device_type)
        .option("rootDeviceName", image.mappings.first().map(|mapping| &mapping.device))
        .text("virtualizationType", &image.virtualization)
        .text("hypervisor", "xen")
        .text("creationDate", image.created)
        .text("deregistrationProtection", if image.protected { "enabled-without-cooldown" } else { "disabled" })
        .option("bootMode", image.boot_mode.as_ref())
        .option("sourceImageId", image.source_image.as_ref())
        .option("sourceImageRegion", image.source_region.as_ref())
        .option("sourceInstanceId", image.source_instance.as_ref());
    if let Some(reason) = &image.state_reason {
        xml.inside("stateReason", |xml| {
            xml.text("code", "Server.InternalError").text("message", reason);
        });
    }
    xml.inside("blockDeviceMapping", |xml| {
        for mapping in &image.mappings {
            xml.inside("item", |xml| {
                xml.text("deviceName", &mapping.device).inside("ebs", |xml| {
                    xml.option("snapshotId", Some(&mapping.snapshot).filter(|id| !id.is_empty()))
                        .option("volumeSize", mapping.size)
                        .text("deleteOnTermination", true)
                        .text("volumeType", "gp3");
                });
            });
        }
        for number in 0..image.ephemeral {
            xml.inside("item", |xml| {
                xml.text("deviceName", format!("/dev/sde{number}")).text("virtualName", format!("ephemeral{number}"));
            });
        }
    });
    xml.tags(&image.tags);
}

pub(super) fn snapshots(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let (ids, owners) = (list(parameters, "SnapshotId"), list(parameters, "Owner"));
    let users = list(parameters, "RestorableBy");
    // The lab does not know which foreign snapshots are public: it shows those it has.
    if let Some(missing) = ids.iter().find(|id| !state.snapshots.contains_key(*id)) {
        let message = format!("The snapshot '{missing}' does not exist.");
        return Err(ServiceError::new("InvalidSnapshot.NotFound", message));
    }
    let filters = Filters::of(parameters);
    let mut found = Vec::new();
    for snapshot in state.snapshots.values() {
        let restorable = users.is_empty() || snapshot.owner == ACCOUNT || snapshot.shared;
        let wanted = (ids.is_empty() || ids.contains(&snapshot.id)) && owned_by(&owners, &snapshot.owner) && restorable;
        if wanted && filters.hold(&snapshot.tags, |name| snapshot_value(snapshot, name))? {
            found.push(snapshot);
        }
    }
    let (found, next) = page(found, parameters, 1000)?;
    let mut xml = Xml::default();
    xml.items("snapshotSet", found, write_snapshot).option("nextToken", next);
    Ok(xml.finish())
}

fn snapshot_value(snapshot: &SnapshotRecord, name: &str) -> Option<String> {
    Some(match name {
        "snapshot-id" => snapshot.id.clone(),
        "status" => snapshot.state.clone(),
        "storage-tier" => snapshot.tier.clone(),
        "owner-id" => snapshot.owner.clone(),
        "description" => snapshot.description.clone(),
        "encrypted" => snapshot.encrypted.to_string(),
        "volume-size" => snapshot.size.map(|size| size.to_string()).unwrap_or_default(),
        _ => return None,
    })
}

fn write_snapshot(xml: &mut Xml, snapshot: &SnapshotRecord) {
    xml.text("snapshotId", &snapshot.id)
        .text("volumeId", "vol-ffffffff")
        .text("status", &snapshot.state)
        .text("startTime", snapshot.started)
        .text("progress", format!("{}%", snapshot.progress))
        .text("ownerId", &snapshot.owner)
        .option("volumeSize", snapshot.size)
        .text("description", &snapshot.description)
        .text("encrypted", snapshot.encrypted)
        .option("kmsKeyId", snapshot.key.as_ref())
        .text("storageTier", &snapshot.tier)
        .option("fullSnapshotSizeInBytes", snapshot.full_bytes);
    xml.tags(&snapshot.tags);
}

/// Newest first; asked by id, only the newest of each AMI, and filters do not count.
pub(super) fn store_tasks(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let ids = list(parameters, "ImageId");
    if ids.len() > 20 || (!ids.is_empty() && parameters.contains_key("MaxResults")) {
        let message = "At most 20 image ids, and no MaxResults beside them";
        return Err(ServiceError::new("InvalidParameterCombination", message));
    }
    let mut found = Vec::new();
    let filters = Filters::of(parameters);
    for task in state.tasks.iter().rev() {
        let wanted = if ids.is_empty() {
            filters.hold(&BTreeMap::new(), |name| match name {
                "task-state" => Some(task.state.clone()),
                "bucket" => Some(task.bucket.clone()),
                _ => None,
            })?
        } else {
            ids.contains(&task.image) && !found.iter().any(|known: &&super::TaskRecord| known.image == task.image)
        };
        if wanted {
            found.push(task);
        }
    }
    let (found, next) = page(found, parameters, 200)?;
    let mut xml = Xml::default();
    xml.items("storeImageTaskResultSet", found, |xml, task| {
        xml.text("amiId", &task.image)
            .text("taskStartTime", task.started)
            .text("bucket", &task.bucket)
            .text("s3objectKey", &task.key)
            .text("progressPercentage", task.progress)
            .text("storeTaskState", &task.state)
            .option("storeTaskFailureReason", task.failure.as_ref());
    })
    .option("nextToken", next);
    Ok(xml.finish())
}

pub(super) fn tags(state: &Ec2State) -> String {
    let images = state.images.values().map(|image| (&image.id, "image", &image.tags));
    let snapshots = state.snapshots.values().map(|snapshot| (&snapshot.id, "snapshot", &snapshot.tags));
    let all = images.chain(snapshots).flat_map(|(id, kind, tags)| tags.iter().map(move |tag| (id, kind, tag)));
    let mut xml = Xml::default();
    xml.items("tagSet", all, |xml, (id, kind, (key, value))| {
        xml.text("resourceId", id).text("resourceType", kind).text("key", key).text("value", value);
    });
    xml.finish()
}

pub(super) fn regions(own: &str) -> String {
    let mut xml = Xml::default();
    xml.items("regionInfo", [own], |xml, name| {
        xml.text("regionName", name)
            .text("regionEndpoint", format!("ec2.{name}.amazonaws.com"))
            .text("optInStatus", "opt-in-not-required");
    });
    xml.finish()
}
