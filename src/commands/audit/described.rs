use std::collections::BTreeMap;

use crate::checks::preflight::LogicalSize;
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::ident::AmiId;
use crate::image::ImageService;

/// Result of describing the AMI that copies are compared with.
pub(super) enum Described {
    There(Box<Source>),
    /// The account sees no such AMI.
    None,
    /// The reason why it could not be described.
    NotKnown(String),
}

pub(super) struct Source {
    /// The AMI as EC2 describes it.
    pub image: ImageFacts,
    /// Its size before compression.
    pub size: LogicalSize,
    /// The Region it is in.
    pub region: String,
}

/// Describes the AMI and its snapshots. If the snapshots cannot be described, the sizes of the volumes are used.
pub(super) async fn describe(images: Option<&dyn ImageService>, id: &AmiId) -> Described {
    let Some(images) = images else {
        return Described::NotKnown("EC2 was not asked, because it accepts only signed requests".to_owned());
    };
    let found = match images.images(&[id.to_string()]).await {
        Ok(found) => found,
        Err(error) => return Described::NotKnown(error.explain()),
    };
    let Some(image) = found.into_iter().find(|image| image.id == id.as_str()) else { return Described::None };
    let ids: Vec<String> = image.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
    let snapshots = images.snapshots(&ids).await.unwrap_or_default();
    let known: BTreeMap<&str, &SnapshotFacts> =
        snapshots.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
    let size = LogicalSize::of_image(&image, &known);
    Described::There(Box::new(Source { image, size, region: images.region().to_owned() }))
}
