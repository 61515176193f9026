use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{lookup, no_content};
use crate::shared::Shared;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Reply, S3Error, S3Request};

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Tagging {
    #[serde(rename = "@xmlns", skip_deserializing)]
    xmlns: Namespace,
    #[serde(default)]
    tag_set: TagSet,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct TagSet {
    #[serde(default)]
    tag: Vec<Tag>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// GetObjectTagging.
pub(super) fn get(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let record = &lookup::object(&store, shared, request)?.record;
    let tag = record.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    Reply::subresource("Tagging", &Tagging { xmlns: Namespace, tag_set: TagSet { tag } })
}

/// PutObjectTagging.
pub(super) fn put(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let tagging: Tagging = xml::read(body)?;
    let tags = tagging.tag_set.tag.into_iter().map(|tag| (tag.key, tag.value)).collect();
    lookup::change(shared, request, |record| record.tags = tags)?;
    Ok(Reply::empty(StatusCode::OK))
}

/// DeleteObjectTagging.
pub(super) fn delete(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    lookup::change(shared, request, |record| record.tags.clear())?;
    Ok(no_content())
}
