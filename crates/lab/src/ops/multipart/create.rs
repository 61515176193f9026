use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{draft, headers, no_content};
use super::no_such_upload;
use crate::checksum::{Algorithm, ChecksumType};
use crate::shared::Shared;
use crate::store::Upload;
use crate::wire::xml::Namespace;
use crate::wire::{Code, Reply, S3Error, S3Request};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Initiated<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    bucket: &'a str,
    key: &'a str,
    upload_id: &'a str,
}

/// CreateMultipartUpload.
pub(in crate::ops) fn create(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let draft = draft::record(shared, request)?;
    let chosen = chosen_checksum(request)?;
    let checksum = if draft::no_checksum(shared, request, chosen.is_some()) {
        None
    } else {
        Some(chosen.unwrap_or((Algorithm::Crc64Nvme, ChecksumType::FullObject)))
    };
    let id = shared.fresh_id();
    let document = Initiated { xmlns: Namespace, bucket: &request.bucket, key: &request.key, upload_id: &id };
    let mut reply = Reply::xml("InitiateMultipartUploadResult", &document)?;
    headers::encryption(&mut reply, &draft.encryption);
    if let Some((algorithm, kind)) = chosen {
        reply.set("x-amz-checksum-algorithm", algorithm.name());
        reply.set("x-amz-checksum-type", kind.name());
    }
    let upload = Upload {
        initiated: draft.last_modified,
        draft,
        checksum,
        checksum_chosen: chosen.is_some(),
        parts: BTreeMap::new(),
    };
    if let Some(bucket) = shared.store().buckets.get_mut(&request.bucket) {
        bucket.uploads.insert(id, upload);
    }
    Ok(reply)
}

fn chosen_checksum(request: &S3Request) -> Result<Option<(Algorithm, ChecksumType)>, S3Error> {
    let Some(name) = request.header("x-amz-checksum-algorithm") else { return Ok(None) };
    let algorithm = Algorithm::from_name(name)
        .ok_or_else(|| Code::InvalidRequest.because("Checksum algorithm provided is unsupported."))?;
    let kind = match request.header("x-amz-checksum-type") {
        None => algorithm.multipart_types().first().copied(),
        Some(name) => ChecksumType::from_name(name).filter(|kind| algorithm.multipart_types().contains(kind)),
    };
    let kind = kind.ok_or_else(|| {
        Code::InvalidRequest.because(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            request.header("x-amz-checksum-type").unwrap_or_default(),
            algorithm.name().to_lowercase()
        ))
    })?;
    Ok(Some((algorithm, kind)))
}

/// AbortMultipartUpload.
pub(in crate::ops) fn abort(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let mut store = shared.store();
    super::find(&mut store, request)?;
    let id = request.query("uploadId").unwrap_or_default();
    let removed = store.buckets.get_mut(&request.bucket).and_then(|bucket| bucket.uploads.remove(id));
    let upload = removed.ok_or_else(|| no_such_upload(request))?;
    for part in upload.parts.into_values() {
        part.source.delete_file()?;
    }
    Ok(no_content())
}
