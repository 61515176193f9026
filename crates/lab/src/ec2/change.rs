use super::parameters::{list, tags as tags_of};
use crate::cloud::ec2::{Ec2State, Recycled};
use crate::query::{Parameters, ServiceError};
use crate::shared::ACCOUNT;

const DONE: &str = "<return>true</return>";

pub(super) fn deregister(state: &mut Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let id = parameters.get("ImageId").cloned().unwrap_or_default();
    let owned = state.images.get(&id).filter(|image| image.owner == ACCOUNT);
    let missing = || ServiceError::new("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"));
    if owned.ok_or_else(missing)?.protected {
        let message = format!("{id} is protected from being deregistered; the code AWS answers with is not published.");
        return Err(ServiceError::new("OperationNotPermitted", message));
    }
    state.images.remove(&id);
    if let Some(retention) = state.retention {
        state.recycled_images.insert(id, Recycled::now(retention));
    }
    Ok(DONE.to_owned())
}

pub(super) fn delete_snapshot(state: &mut Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let id = parameters.get("SnapshotId").cloned().unwrap_or_default();
    let used = |image: &&super::ImageRecord| image.mappings.iter().any(|mapping| mapping.snapshot == id);
    if let Some(image) = state.images.values().find(used) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(ServiceError::new("InvalidSnapshot.InUse", message));
    }
    let missing = || ServiceError::new("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."));
    state.snapshots.remove(&id).ok_or_else(missing)?;
    if let Some(retention) = state.retention {
        state.recycled_snapshots.insert(id, Recycled::now(retention));
    }
    Ok(DONE.to_owned())
}

/// Adds or removes tags.
pub(super) fn tags(state: &mut Ec2State, parameters: &Parameters, set: bool) -> Result<String, ServiceError> {
    let changes = tags_of(parameters, "Tag");
    for id in list(parameters, "ResourceId") {
        let tags = match (state.images.get_mut(&id), state.snapshots.get_mut(&id)) {
            (Some(image), _) => &mut image.tags,
            (_, Some(snapshot)) => &mut snapshot.tags,
            _ => return Err(ServiceError::new("InvalidID", format!("The ID '{id}' is not valid"))),
        };
        for (key, value) in &changes {
            if set {
                tags.insert(key.clone(), value.clone());
            } else {
                tags.remove(key);
            }
        }
    }
    Ok(DONE.to_owned())
}
