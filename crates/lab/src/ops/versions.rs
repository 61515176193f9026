use serde::{Deserialize, Serialize};

use super::buckets::{OWNER, Owner};
use super::list::{self, CommonPrefix, LONGEST_PAGE, PageRequest};
use super::lookup;
use crate::checksum::{Algorithm, ChecksumType};
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::store::Versioning;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Reply, S3Error, S3Request, dates};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versions<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    name: &'a str,
    prefix: String,
    key_marker: String,
    max_keys: usize,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_key_marker: Option<String>,
    version: Vec<Version>,
    delete_marker: Vec<Marker>,
    common_prefixes: Vec<CommonPrefix>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    key: String,
    version_id: String,
    is_latest: bool,
    last_modified: String,
    #[serde(rename = "ETag", serialize_with = "xml::quoted")]
    etag: String,
    size: u64,
    storage_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<ChecksumType>,
    owner: Owner,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Marker {
    key: String,
    version_id: String,
    is_latest: bool,
    last_modified: String,
    owner: Owner,
}

/// ListObjectVersions, newest version of a key first. A page ends between
/// two keys, never inside one, so that it may be longer than asked for.
pub(super) fn list(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let bucket = lookup::bucket(&store, &request.bucket)?;
    let text = |name: &str| request.query(name).unwrap_or_default();
    let max_keys = request.number("max-keys")?.unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
    let keys = bucket.objects.iter().map(|(key, versions)| (key.as_str(), versions));
    let wanted = PageRequest {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        after: text("key-marker"),
        resumes: true,
        max: max_keys,
    };
    let page = list::page(keys, &wanted);
    let encode = list::encoder(request);
    let mut listing = Versions {
        xmlns: Namespace,
        name: &request.bucket,
        prefix: encode(text("prefix")),
        key_marker: encode(text("key-marker")),
        max_keys,
        is_truncated: page.next.is_some(),
        encoding_type: request.query("encoding-type"),
        next_key_marker: page.next.map(&encode),
        version: Vec::new(),
        delete_marker: Vec::new(),
        common_prefixes: page.prefixes.iter().map(|prefix| CommonPrefix { prefix: encode(prefix) }).collect(),
    };
    for versions in page.entries {
        for (age, object) in versions.iter().rev().enumerate() {
            listing.add(&object.record, age == 0, &encode);
        }
    }
    Reply::xml("ListVersionsResult", &listing)
}

impl Versions<'_> {
    fn add(&mut self, record: &ObjectRecord, is_latest: bool, encode: impl Fn(&str) -> String) {
        let (key, version_id) = (encode(&record.key), record.version_id.clone());
        let last_modified = dates::iso(record.last_modified);
        if record.delete_marker {
            self.delete_marker.push(Marker { key, version_id, is_latest, last_modified, owner: OWNER });
            return;
        }
        self.version.push(Version {
            key,
            version_id,
            is_latest,
            last_modified,
            etag: record.etag.clone(),
            size: record.size,
            storage_class: record.storage_class.clone(),
            checksum_algorithm: record.checksum.as_ref().map(|stored| stored.algorithm),
            checksum_type: record.checksum.as_ref().map(|stored| stored.kind),
            owner: OWNER,
        });
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    #[serde(rename = "@xmlns", skip_deserializing)]
    xmlns: Namespace,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

/// GetBucketVersioning.
pub(super) fn get(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let status = match lookup::bucket(&store, &request.bucket)?.options.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled".to_owned()),
        Versioning::Suspended => Some("Suspended".to_owned()),
    };
    Reply::subresource("VersioningConfiguration", &Configuration { xmlns: Namespace, status })
}

/// PutBucketVersioning.
pub(super) fn put(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let versioning = match xml::read::<Configuration>(body)?.status.as_deref() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(crate::wire::Code::MalformedXml.error()),
    };
    shared.store().change_bucket(&request.bucket, |bucket| bucket.options.versioning = versioning)?;
    Ok(Reply::empty(http::StatusCode::OK))
}
