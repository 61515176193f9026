//! Multipart uploads.

mod assemble;
mod complete;
mod create;
mod list;
mod upload;

pub(super) use complete::complete;
pub(super) use create::{abort, create};
pub(super) use list::{parts, uploads};
pub(super) use upload::{keep_part, upload_algorithm, upload_part};

use crate::store::{Store, Upload};
use crate::wire::{Code, S3Error, S3Request};

pub(super) fn no_such_upload(request: &S3Request) -> S3Error {
    let id = request.query("uploadId").map(str::to_owned);
    Code::NoSuchUpload.error().with(|detail| detail.upload_id = id)
}

/// The upload a request names.
pub(super) fn find<'a>(store: &'a mut Store, request: &S3Request) -> Result<&'a mut Upload, S3Error> {
    let id = request.query("uploadId").unwrap_or_default();
    store
        .buckets
        .get_mut(&request.bucket)
        .and_then(|bucket| bucket.uploads.get_mut(id))
        .filter(|upload| upload.draft.key == request.key)
        .ok_or_else(|| no_such_upload(request))
}
