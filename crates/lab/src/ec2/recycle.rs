//! What the Recycle Bin keeps of AMIs that were deregistered and snapshots that were deleted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::parameters::{list, page};
use super::xml::Xml;
use crate::cloud::ec2::{Ec2State, Recycled};
use crate::query::{Parameters, ServiceError};

/// What AWS answers for an id that is not in the Recycle Bin is not published; here, it is not listed.
fn listed(
    bin: &BTreeMap<String, Recycled>,
    parameters: &Parameters,
    (set, id_name): (&str, &str),
    asked: &[String],
) -> Result<String, ServiceError> {
    let now = Timestamp::now();
    let kept = bin.iter().filter(|(id, kept)| kept.exits > now && (asked.is_empty() || asked.contains(id)));
    let (found, next) = page(kept.collect(), parameters, 1000)?;
    let mut xml = Xml::default();
    xml.items(set, found, |xml, (id, kept)| {
        xml.text(id_name, id).text("recycleBinEnterTime", kept.entered).text("recycleBinExitTime", kept.exits);
    })
    .option("nextToken", next);
    Ok(xml.finish())
}

pub(super) fn images(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let asked = list(parameters, "ImageId");
    if asked.len() > 20 {
        return Err(ServiceError::new("InvalidParameterValue", "At most 20 image ids"));
    }
    listed(&state.recycled_images, parameters, ("imageSet", "imageId"), &asked)
}

pub(super) fn snapshots(state: &Ec2State, parameters: &Parameters) -> Result<String, ServiceError> {
    let asked = list(parameters, "SnapshotId");
    listed(&state.recycled_snapshots, parameters, ("snapshotSet", "snapshotId"), &asked)
}
