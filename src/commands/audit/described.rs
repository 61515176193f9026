use std::collections::BTreeMap;

use crate::checks::preflight::LogicalSize;
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::ident::AmiId;
use crate::image::ImageService;

/// What EC2 tells of the AMI that copies are held against.
pub(super) enum Described {
    There(Box<Source>),
    /// There is none that this account can see.
    None,
    /// In words, why that is not known.
    NotKnown(String),
}

pub(super) struct Source {
    pub image: ImageFacts,
    pub size: LogicalSize,
    pub region: String,
}

/// Describes the AMI and its snapshots. Snapshots that cannot be described leave their sizes to those of the volumes.
pub(super) async fn describe(images: Option<&dyn ImageService>, id: &AmiId) -> Described {
    let Some(images) = images else {
        return Described::NotKnown("EC2 was not asked, for it takes signed requests".to_owned());
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
