use serde::Serialize;

use super::elements::ChecksumElements;
use super::{headers, lookup};
use crate::checksum::ChecksumType;
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::wire::xml::Namespace;
use crate::wire::{Code, Reply, S3Error, S3Request, dates};

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    #[serde(rename = "ETag", skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<ChecksumElements>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_parts: Option<Parts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    parts_count: usize,
    #[serde(flatten)]
    page: Option<Page>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    part: Vec<Part>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    part_number: u32,
    size: u64,
    #[serde(flatten)]
    checksum: ChecksumElements,
}

/// GetObjectAttributes.
pub(super) fn get(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let record = &lookup::object(&store, shared, request)?.record;
    lookup::check_customer_key(record, request)?;
    if record.encryption.needs_kms() && shared.denies("kms:Decrypt", &record.key) {
        return Err(Code::AccessDenied.error());
    }
    // A client may send one header with commas or several headers.
    let wanted: Vec<&str> = request
        .headers
        .get_all("x-amz-object-attributes")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut attributes = Attributes::default();
    if wanted.is_empty() {
        return Err(Code::InvalidArgument.because("x-amz-object-attributes must name at least one attribute"));
    }
    for name in wanted {
        match name {
            "ETag" => attributes.etag = Some(record.etag.clone()),
            "Checksum" => attributes.checksum = record.checksum.as_ref().map(ChecksumElements::bare),
            "ObjectParts" => attributes.object_parts = parts(record, request)?,
            "StorageClass" => {
                attributes.storage_class = Some(record.storage_class.clone()).filter(|class| class != "STANDARD");
            }
            "ObjectSize" => attributes.object_size = Some(record.size),
            _ => return Err(Code::InvalidArgument.because("Invalid attribute name specified.")),
        }
    }
    let mut reply = Reply::subresource("GetObjectAttributesResponse", &attributes)?;
    reply.set("last-modified", dates::http(record.last_modified));
    headers::version(&mut reply, record);
    Ok(reply)
}

/// Only COMPOSITE objects list their parts; for others, the answer states only their number.
fn parts(record: &ObjectRecord, request: &S3Request) -> Result<Option<Parts>, S3Error> {
    if !record.is_multipart() {
        return Ok(None);
    }
    let parts_count = record.parts.len();
    let Some(stored) = record.checksum.as_ref().filter(|stored| stored.kind == ChecksumType::Composite) else {
        return Ok(Some(Parts { parts_count, page: None }));
    };
    let number = |name| -> Result<Option<u32>, S3Error> {
        let text = request.header(name);
        text.map(|text| text.parse().map_err(|_| Code::InvalidArgument.because(format!("{name} must be a number"))))
            .transpose()
    };
    let marker = number("x-amz-part-number-marker")?.unwrap_or(0);
    let max_parts = number("x-amz-max-parts")?.unwrap_or(1000).min(1000) as usize;
    let behind = || record.parts.iter().filter(|part| part.number > marker);
    let part: Vec<Part> = behind()
        .take(max_parts)
        .map(|part| Part {
            part_number: part.number,
            size: part.size,
            checksum: part
                .checksum
                .as_ref()
                .map(|value| ChecksumElements::value(stored.algorithm, value.clone()))
                .unwrap_or_default(),
        })
        .collect();
    let page = Page {
        part_number_marker: marker,
        next_part_number_marker: part.last().map_or(marker, |part| part.part_number),
        max_parts,
        is_truncated: behind().count() > part.len(),
        part,
    };
    Ok(Some(Parts { parts_count, page: Some(page) }))
}
