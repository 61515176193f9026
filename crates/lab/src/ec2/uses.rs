//! What keeps an AMI or a snapshot in use.

use super::parameters::Filters;
use super::xml::Xml;
use crate::cloud::ec2::Ec2State;
use crate::query::{Parameters, ServiceError};
use crate::shared::ACCOUNT;

/// The pairs whose second part a filter of this name allows.
fn of<'a>(
    all: impl Iterator<Item = (&'a String, &'a String)>,
    parameters: &Parameters,
    filter: &str,
) -> Vec<(&'a String, &'a String)> {
    let filters = Filters::of(parameters);
    let holds =
        |value: &str| filters.hold(&Default::default(), |name| Some(if name == filter { value } else { "" }.into()));
    all.filter(|(_, value)| holds(value).unwrap_or(false)).collect()
}

pub(super) fn instances(state: &Ec2State, parameters: &Parameters) -> String {
    let mut xml = Xml::default();
    xml.items("reservationSet", of(state.instances.iter(), parameters, "image-id"), |xml, (id, image)| {
        xml.text("reservationId", "r-0").text("ownerId", ACCOUNT).items("instancesSet", [id], |xml, id| {
            xml.text("instanceId", id).text("imageId", image);
            xml.inside("instanceState", |xml| {
                xml.text("code", 16).text("name", "running");
            });
        });
    });
    xml.finish()
}

pub(super) fn volumes(state: &Ec2State, parameters: &Parameters) -> String {
    let mut xml = Xml::default();
    xml.items("volumeSet", of(state.volumes.iter(), parameters, "snapshot-id"), |xml, (id, snapshot)| {
        xml.text("volumeId", id).text("snapshotId", snapshot).text("status", "available");
    });
    xml.finish()
}

fn permissions(kind: &str, public: bool, accounts: &[String]) -> String {
    let mut xml = Xml::default();
    let everybody = public.then_some(("group", "all"));
    let named = accounts.iter().map(|account| ("userId", account.as_str()));
    xml.items(kind, everybody.into_iter().chain(named), |xml, (name, value)| {
        xml.text(name, value);
    });
    xml.finish()
}

pub(super) fn launch_permissions(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let id = parameters.get("ImageId").cloned().unwrap_or_default();
    let missing = || ServiceError::new("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"));
    let image = state.images.get(&id).ok_or_else(missing)?;
    Ok(permissions("launchPermission", image.public, &image.launchable_by))
}

pub(super) fn volume_permissions(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let id = parameters.get("SnapshotId").cloned().unwrap_or_default();
    let missing = || ServiceError::new("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."));
    let snapshot = state.snapshots.get(&id).ok_or_else(missing)?;
    Ok(permissions("createVolumePermission", false, &snapshot.usable_by))
}
