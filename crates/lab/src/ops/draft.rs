//! Metadata of a new object, from the headers of a write.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::lookup;
use crate::checksum::{Algorithm, not_an_md5};
use crate::record::{Encryption, ObjectRecord, Retention};
use crate::shared::{ACCOUNT, Shared};
use crate::store::Versioning;
use crate::wire::{Code, S3Error, S3Request, percent};

const SYSTEM_HEADERS: [&str; 5] =
    ["content-type", "content-language", "expires", "cache-control", "content-disposition"];

/// A record without the fields that depend on the bytes.
pub(super) fn record(shared: &Shared, request: &S3Request) -> Result<ObjectRecord, S3Error> {
    let options = lookup::bucket(&shared.store(), &request.bucket)?.options.clone();
    let versioning = options.versioning;
    let mut headers: BTreeMap<String, String> = SYSTEM_HEADERS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), request.header(name)?.to_owned())))
        .collect();
    headers.entry("content-type".to_owned()).or_insert_with(|| "binary/octet-stream".to_owned());
    // The framing of an upload is no property of the object.
    let encoding: Vec<&str> = request
        .header("content-encoding")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
        .collect();
    if !encoding.is_empty() {
        headers.insert("content-encoding".to_owned(), encoding.join(","));
    }
    Ok(ObjectRecord {
        key: request.key.clone(),
        version_id: match versioning {
            Versioning::Enabled => shared.fresh_id(),
            Versioning::Never | Versioning::Suspended => "null".to_owned(),
        },
        delete_marker: false,
        size: 0,
        etag: String::new(),
        last_modified: Timestamp::now(),
        checksum: None,
        parts: Vec::new(),
        headers,
        metadata: metadata(request),
        missing_meta: 0,
        storage_class: request.header("x-amz-storage-class").unwrap_or("STANDARD").to_owned(),
        archive_status: None,
        restore: None,
        encryption: encryption(shared, request, options.kms_key)?,
        tags: request.header("x-amz-tagging").map(tags).unwrap_or_default(),
        retention: retention(request, options.object_lock)?,
        legal_hold: request.header("x-amz-object-lock-legal-hold").map(str::to_owned),
        replication_status: None,
        expiration: None,
    })
}

pub(super) fn metadata(request: &S3Request) -> BTreeMap<String, String> {
    request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        })
        .collect()
}

fn encryption(shared: &Shared, request: &S3Request, default: Option<String>) -> Result<Encryption, S3Error> {
    if let Some(key_md5) = lookup::customer_key_md5(request, "x-amz-server-side-encryption-customer-")? {
        return Ok(Encryption::Customer { key_md5 });
    }
    let key_id = || match request.header("x-amz-server-side-encryption-aws-kms-key-id") {
        Some(id) => id.to_owned(),
        None => format!("arn:aws:kms:{}:{ACCOUNT}:key/aws-managed-s3-key", shared.options.region),
    };
    match request.header("x-amz-server-side-encryption") {
        None if default.is_some() => Ok(Encryption::Kms { key_id: default.unwrap_or_default(), bucket_key: false }),
        None | Some("AES256") => Ok(Encryption::S3),
        Some("aws:kms") => {
            let bucket_key = request.is_true("x-amz-server-side-encryption-bucket-key-enabled");
            Ok(Encryption::Kms { key_id: key_id(), bucket_key })
        }
        Some("aws:kms:dsse") => Ok(Encryption::Dsse { key_id: key_id() }),
        Some(_) => Err(Code::InvalidArgument.because("The encryption method specified is not supported")),
    }
}

fn retention(request: &S3Request, can_lock: bool) -> Result<Option<Retention>, S3Error> {
    let asked = ["x-amz-object-lock-mode", "x-amz-object-lock-legal-hold"];
    if !can_lock && asked.into_iter().any(|name| request.header(name).is_some()) {
        return Err(Code::InvalidRequest.because("Bucket is missing Object Lock Configuration"));
    }
    let Some(mode) = request.header("x-amz-object-lock-mode") else { return Ok(None) };
    let until = request.header("x-amz-object-lock-retain-until-date").and_then(|text| text.parse().ok());
    let retain_until = until.ok_or_else(|| Code::InvalidArgument.because("A retain until date is needed"))?;
    Ok(Some(Retention { mode: mode.to_owned(), retain_until }))
}

/// Tags as a query string, the form of the header `x-amz-tagging`.
fn tags(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (percent::decode_query(key), percent::decode_query(value)))
        .collect()
}

/// The ETag of bytes with this MD5 under this encryption.
pub(super) fn etag(md5: &[u8], encryption: &Encryption) -> String {
    match encryption {
        _ if encryption.etag_is_md5() => hex::encode(md5),
        other => not_an_md5(md5, other.header_value().unwrap_or("SSE-C")),
    }
}

/// The algorithm a client names for the bytes it sends: by a value in front
/// of them, by a trailer behind them, or by the SDKs' own header.
pub(super) fn client_algorithm(request: &S3Request) -> Option<Algorithm> {
    Algorithm::ALL
        .into_iter()
        .find(|algorithm| {
            let name = algorithm.header();
            let trailer = request.header("x-amz-trailer").unwrap_or_default();
            request.headers.contains_key(&name)
                || trailer.split(',').any(|trailer| trailer.trim().eq_ignore_ascii_case(name.as_str()))
        })
        .or_else(|| Algorithm::from_name(request.header("x-amz-sdk-checksum-algorithm")?))
}

/// Whether a checksum comes with the bytes, in front of them or behind them.
pub(super) fn sends_checksum(request: &S3Request) -> bool {
    request.header("x-amz-trailer").is_some()
        || Algorithm::ALL.iter().any(|algorithm| request.headers.contains_key(algorithm.header()))
}

/// Whether an object is to be stored without any checksum.
pub(super) fn no_checksum(shared: &Shared, request: &S3Request, client_chose: bool) -> bool {
    request.is_true("x-lab-no-checksum") || (!client_chose && !shared.options.default_checksum)
}
