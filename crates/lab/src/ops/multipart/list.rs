use serde::Serialize;

use super::super::elements::ChecksumElements;
use super::super::list::{self, LONGEST_PAGE};
use super::super::lookup;
use crate::checksum::{Algorithm, ChecksumType, StoredChecksum};
use crate::shared::Shared;
use crate::store::UploadedPart;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Reply, S3Error, S3Request, dates};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    bucket: &'a str,
    prefix: String,
    key_marker: String,
    upload_id_marker: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_key_marker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_upload_id_marker: Option<String>,
    max_uploads: usize,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'a str>,
    upload: Vec<UploadEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadEntry {
    key: String,
    upload_id: String,
    initiated: String,
    storage_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<ChecksumType>,
}

/// ListMultipartUploads, by key and then by upload id.
pub(in crate::ops) fn uploads(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let bucket = lookup::bucket(&store, &request.bucket)?;
    let text = |name: &str| request.query(name).unwrap_or_default();
    let (prefix, marker) = (text("prefix"), (text("key-marker"), text("upload-id-marker")));
    let max_uploads = request.number("max-uploads")?.unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
    let behind = |key: &str, id: &str| match marker {
        (after, "") => key > after,
        after => (key, id) > after,
    };
    let mut found: Vec<_> = bucket
        .uploads
        .iter()
        .map(|(id, upload)| (upload.draft.key.as_str(), id.as_str(), upload))
        .filter(|(key, id, _)| key.starts_with(prefix) && behind(key, id))
        .collect();
    found.sort_by_key(|(key, id, _)| (*key, *id));
    let is_truncated = found.len() > max_uploads;
    found.truncate(max_uploads);
    let last = found.last().filter(|_| is_truncated);
    let encode = list::encoder(request);
    let document = Uploads {
        xmlns: Namespace,
        bucket: &request.bucket,
        prefix: encode(prefix),
        key_marker: encode(marker.0),
        upload_id_marker: marker.1,
        next_key_marker: last.map(|(key, _, _)| encode(key)),
        next_upload_id_marker: last.map(|(_, id, _)| (*id).to_owned()),
        max_uploads,
        is_truncated,
        encoding_type: request.query("encoding-type"),
        upload: found
            .iter()
            .map(|(key, id, upload)| {
                let chosen = upload.checksum.filter(|_| upload.checksum_chosen);
                UploadEntry {
                    key: encode(key),
                    upload_id: (*id).to_owned(),
                    initiated: dates::iso(upload.initiated),
                    storage_class: upload.draft.storage_class.clone(),
                    checksum_algorithm: chosen.map(|(algorithm, _)| algorithm),
                    checksum_type: chosen.map(|(_, kind)| kind),
                }
            })
            .collect(),
    };
    Reply::xml("ListMultipartUploadsResult", &document)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parts<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    bucket: &'a str,
    key: &'a str,
    upload_id: &'a str,
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    storage_class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<ChecksumType>,
    part: Vec<PartEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartEntry {
    part_number: u32,
    last_modified: String,
    #[serde(rename = "ETag", serialize_with = "xml::quoted")]
    etag: String,
    size: u64,
    #[serde(flatten)]
    checksum: ChecksumElements,
}

/// ListParts.
pub(in crate::ops) fn parts(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let mut store = shared.store();
    let upload = super::find(&mut store, request)?;
    let marker = request.number("part-number-marker")?.unwrap_or(0);
    let max_parts = request.number("max-parts")?.unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
    let chosen = upload.checksum.filter(|_| upload.checksum_chosen);
    let behind = || upload.parts.iter().filter(|(number, _)| **number > marker);
    let entry = |(number, part): (&u32, &UploadedPart)| PartEntry {
        part_number: *number,
        last_modified: dates::iso(part.last_modified),
        etag: part.etag.clone(),
        size: part.size,
        checksum: match (chosen, &part.digest) {
            (Some((algorithm, _)), Some(digest)) => {
                ChecksumElements::bare(&StoredChecksum::full(algorithm, digest)).without_type()
            }
            _ => ChecksumElements::default(),
        },
    };
    let part: Vec<PartEntry> = behind().take(max_parts).map(entry).collect();
    let document = Parts {
        xmlns: Namespace,
        bucket: &request.bucket,
        key: &request.key,
        upload_id: request.query("uploadId").unwrap_or_default(),
        part_number_marker: marker,
        next_part_number_marker: part.last().map_or(marker, |part| part.part_number),
        max_parts,
        is_truncated: behind().count() > part.len(),
        storage_class: &upload.draft.storage_class,
        checksum_algorithm: chosen.map(|(algorithm, _)| algorithm),
        checksum_type: chosen.map(|(_, kind)| kind),
        part,
    };
    Reply::xml("ListPartsResult", &document)
}
