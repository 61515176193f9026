use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checksum::{Algorithm, Hasher};
use crate::record::{Encryption, ObjectRecord};
use crate::shared::Shared;
use crate::store::{Bucket, Object, Store};
use crate::wire::{Code, S3Error, S3Request, dates};

pub(super) fn bucket<'a>(store: &'a Store, name: &str) -> Result<&'a Bucket, S3Error> {
    store.buckets.get(name).ok_or_else(|| no_such_bucket(name))
}

pub(crate) fn no_such_bucket(name: &str) -> S3Error {
    Code::NoSuchBucket.error().with(|detail| detail.bucket_name = Some(name.to_owned()))
}

/// The object version a request names. What is missing shows as 404 only to
/// those who may list the bucket.
pub(super) fn object<'a>(store: &'a Store, shared: &Shared, request: &S3Request) -> Result<&'a Object, S3Error> {
    find(store, shared, &request.bucket, &request.key, request.version_id())
}

pub(super) fn find<'a>(
    store: &'a Store,
    shared: &Shared,
    bucket_name: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<&'a Object, S3Error> {
    let found = bucket(store, bucket_name)?.find(key, version_id);
    let missing = || {
        if shared.denies("s3:ListBucket", key) {
            return Code::AccessDenied.error();
        }
        let code = if version_id.is_some() { Code::NoSuchVersion } else { Code::NoSuchKey };
        code.error().with(|detail| {
            detail.key = Some(key.to_owned());
            detail.version_id = version_id.map(str::to_owned);
        })
    };
    match found {
        None => Err(missing()),
        Some(object) if !object.record.delete_marker => Ok(object),
        Some(marker) => {
            let error = match version_id {
                None => missing(),
                Some(_) => Code::MethodNotAllowed
                    .error()
                    .header("allow", "DELETE")
                    .header("last-modified", dates::http(marker.record.last_modified)),
            };
            Err(error
                .header("x-amz-delete-marker", "true")
                .header("x-amz-version-id", marker.record.version_id.clone()))
        }
    }
}

/// SSE-C objects are opened by their key alone. Keys are compared by MD5 and
/// neither kept nor logged.
pub(super) fn check_customer_key(record: &ObjectRecord, request: &S3Request) -> Result<(), S3Error> {
    check_key(record, request, "x-amz-server-side-encryption-customer-")
}

/// The same for the source of a copy, whose key has headers of its own.
pub(super) fn check_source_key(record: &ObjectRecord, request: &S3Request) -> Result<(), S3Error> {
    check_key(record, request, "x-amz-copy-source-server-side-encryption-customer-")
}

fn check_key(record: &ObjectRecord, request: &S3Request, prefix: &str) -> Result<(), S3Error> {
    let given = customer_key_md5(request, prefix)?;
    match (&record.encryption, given) {
        (Encryption::Customer { .. }, None) => Err(Code::InvalidRequest.because(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
        )),
        (Encryption::Customer { key_md5 }, Some(given)) if *key_md5 != given => Err(Code::AccessDenied.error()),
        (Encryption::Customer { .. }, Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => Err(Code::InvalidRequest.because("The encryption parameters are not applicable to this object.")),
    }
}

/// The MD5, in base64, of the key in the request's SSE-C headers.
pub(super) fn customer_key_md5(request: &S3Request, prefix: &str) -> Result<Option<String>, S3Error> {
    let header = |name: &str| request.header(&format!("{prefix}{name}"));
    let (algorithm, key, md5) = (header("algorithm"), header("key"), header("key-md5"));
    let (algorithm, key, md5) = match (algorithm, key, md5) {
        (None, None, None) => return Ok(None),
        (Some(algorithm), Some(key), Some(md5)) => (algorithm, key, md5),
        _ => {
            return Err(Code::InvalidArgument
                .because("Requests with customer provided keys must name the algorithm, the key and its MD5."));
        }
    };
    let key = STANDARD.decode(key).unwrap_or_default();
    if algorithm != "AES256" || key.len() != 32 || STANDARD.encode(Hasher::of(Algorithm::Md5, &key)) != md5 {
        return Err(Code::InvalidArgument.because("The secret key was invalid for the specified algorithm."));
    }
    Ok(Some(md5.to_owned()))
}

/// Changes and saves the record of the version that a request names.
pub(super) fn change(
    shared: &Shared,
    request: &S3Request,
    change: impl FnOnce(&mut ObjectRecord),
) -> Result<(), S3Error> {
    let mut store = shared.store();
    object(&store, shared, request)?;
    store.change(&request.bucket, &request.key, request.version_id(), |object| change(&mut object.record))?;
    Ok(())
}
