use super::parameters::tags;
use super::spec::{ImageSpec, VolumeSpec};
use crate::checksum::{Algorithm, Hasher};
use crate::cloud::ec2::{Ec2State, Progress};
use crate::query::{Parameters, ServiceError};
use crate::shared::ACCOUNT;

/// An id derived from the existing ones, without clock or randomness.
fn fresh(kind: &str, region: &str, count: usize) -> String {
    let digest = hex::encode(Hasher::of(Algorithm::Sha256, format!("{kind} {region} {count}").as_bytes()));
    format!("{kind}-0{}", digest.get(..16).unwrap_or_default())
}

fn name_is_free(state: &Ec2State, name: &str) -> Result<(), ServiceError> {
    match state.images.values().find(|image| image.name == name && image.owner == ACCOUNT) {
        None => Ok(()),
        Some(holder) => {
            let message = format!("AMI name {name} is already in use by AMI {}", holder.id);
            Err(ServiceError::new("InvalidAMIName.Duplicate", message))
        }
    }
}

/// A mapping without a snapshot gets a generated one, because a new lab has none.
pub(super) fn image(state: &mut Ec2State, region: &str, parameters: &Parameters) -> Result<String, ServiceError> {
    let text = |name: &str| parameters.get(name).cloned();
    let name = text("Name").unwrap_or_default();
    name_is_free(state, &name)?;
    let mut spec = ImageSpec::new(&name);
    spec.volumes.clear();
    spec.tags = tags(parameters, "TagSpecification.1.Tag");
    let mut given = Vec::new();
    for number in 1.. {
        let of = |field: &str| parameters.get(&format!("BlockDeviceMapping.{number}.{field}"));
        let Some(device) = of("DeviceName") else { break };
        let size = of("Ebs.VolumeSize").and_then(|size| size.parse().ok());
        match of("Ebs.SnapshotId") {
            Some(id) => {
                let missing =
                    || ServiceError::new("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."));
                let snapshot = state.snapshots.get(id).ok_or_else(missing)?;
                given.push(super::Mapping {
                    device: device.clone(),
                    snapshot: id.clone(),
                    size: size.or(snapshot.size),
                });
            }
            None => spec.volumes.push(VolumeSpec::new(device, size.unwrap_or(8))),
        }
    }
    let count = std::cell::Cell::new(state.snapshots.len() + state.images.len());
    let id = spec.make(state, |kind| {
        count.set(count.get() + 1);
        fresh(kind, region, count.get())
    });
    if let Some(image) = state.images.get_mut(&id) {
        image.mappings.extend(given);
        image.description = text("Description").unwrap_or_default();
        image.architecture = text("Architecture").unwrap_or("x86_64".to_owned());
        image.virtualization = text("VirtualizationType").unwrap_or("paravirtual".to_owned());
        image.boot_mode = text("BootMode");
    }
    Ok(format!("<imageId>{id}</imageId>"))
}

/// A copy in the same Region, with snapshots of its own.
pub(super) fn copy(state: &mut Ec2State, region: &str, parameters: &Parameters) -> Result<String, ServiceError> {
    let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let (name, source) = (text("Name"), text("SourceImageId"));
    name_is_free(state, &name)?;
    let missing = || ServiceError::new("InvalidAMIID.NotFound", format!("The image id '[{source}]' does not exist"));
    let mut image = state.images.get(&source).cloned().ok_or_else(missing)?;
    let id = fresh("ami", region, state.images.len() + state.snapshots.len() + 1);
    for (number, mapping) in image.mappings.iter_mut().enumerate() {
        let Some(mut snapshot) = state.snapshots.get(&mapping.snapshot).cloned() else { continue };
        snapshot.id = fresh("snap", &id, number);
        snapshot.description = format!(
            "Copied for DestinationAmi {id} from SourceAmi {source} for SourceSnapshot {}. Task created on 0.",
            mapping.snapshot
        );
        (snapshot.state, snapshot.progress) = ("pending".to_owned(), 0);
        mapping.snapshot.clone_from(&snapshot.id);
        state.snapshots.insert(snapshot.id.clone(), snapshot);
    }
    (image.id, image.name, image.owner) = (id.clone(), name, ACCOUNT.to_owned());
    (image.state, image.progress) = ("pending".to_owned(), Some(Progress::start()));
    (image.source_image, image.source_region) = (Some(source), Some(region.to_owned()));
    state.images.insert(id.clone(), image);
    Ok(format!("<imageId>{id}</imageId>"))
}
