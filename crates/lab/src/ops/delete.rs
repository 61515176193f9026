use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{lookup, no_content};
use crate::content::{Content, Source};
use crate::record::{Encryption, ObjectRecord};
use crate::shared::Shared;
use crate::store::{Object, Store, Versioning};
use crate::wire::xml::{self, Namespace};
use crate::wire::{Code, Reply, S3Error, S3Request};

/// What a delete did: the version it removed or the marker it left.
struct Deleted {
    version_id: Option<String>,
    marker: bool,
}

/// DeleteObject.
pub(super) fn object(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let deleted = delete(shared, &mut shared.store(), &request.bucket, &request.key, request.version_id())?;
    let mut reply = no_content();
    if let Some(id) = deleted.version_id {
        reply.set("x-amz-version-id", id);
    }
    if deleted.marker {
        reply.set("x-amz-delete-marker", "true");
    }
    Ok(reply)
}

/// Deletes the object of a request, as another client would.
pub(crate) fn vanish(shared: &Shared, request: &S3Request) -> Result<(), S3Error> {
    delete(shared, &mut shared.store(), &request.bucket, &request.key, None)?;
    Ok(())
}

/// Without a version id a versioned bucket gets a delete marker; deleting
/// what is not there is no error.
fn delete(
    shared: &Shared,
    store: &mut Store,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Deleted, S3Error> {
    let holder = lookup::bucket(store, bucket)?;
    let versioning = holder.options.versioning;
    let target = match (version_id, versioning) {
        (Some(id), _) => id,
        (None, Versioning::Never) => "null",
        (None, Versioning::Enabled | Versioning::Suspended) => {
            let id = if versioning == Versioning::Enabled { shared.fresh_id() } else { "null".to_owned() };
            let record = marker(key, id.clone());
            store.place(bucket, Object { record, content: Content::new(Source::Memory(Default::default())) })?;
            return Ok(Deleted { version_id: Some(id), marker: true });
        }
    };
    let found = holder.find(key, Some(target)).map(|object| &object.record);
    let now = Timestamp::now();
    let held = found.is_some_and(|record| {
        record.legal_hold.as_deref() == Some("ON")
            || record.retention.as_ref().is_some_and(|retention| retention.retain_until > now)
    });
    if held {
        return Err(Code::AccessDenied.because("Access Denied because object protected by object lock."));
    }
    let marker = found.is_some_and(|record| record.delete_marker);
    store.remove(bucket, key, target)?;
    Ok(Deleted { version_id: version_id.map(str::to_owned), marker })
}

fn marker(key: &str, version_id: String) -> ObjectRecord {
    ObjectRecord {
        key: key.to_owned(),
        version_id,
        delete_marker: true,
        size: 0,
        etag: String::new(),
        last_modified: Timestamp::now(),
        checksum: None,
        parts: Vec::new(),
        headers: Default::default(),
        metadata: Default::default(),
        missing_meta: 0,
        storage_class: "STANDARD".to_owned(),
        archive_status: None,
        restore: None,
        encryption: Encryption::None,
        tags: Vec::new(),
        retention: None,
        legal_hold: None,
        replication_status: None,
        expiration: None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    #[serde(default)]
    quiet: bool,
    #[serde(rename = "Object", default)]
    objects: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    key: String,
    version_id: Option<String>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct DeleteResult {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    deleted: Vec<DeletedEntry>,
    error: Vec<ErrorEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeletedEntry {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_marker: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_marker_version_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorEntry {
    key: String,
    code: &'static str,
    message: String,
}

/// DeleteObjects.
pub(super) fn objects(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: Delete = xml::read(body)?;
    let mut result = DeleteResult::default();
    let mut store = shared.store();
    for Target { key, version_id } in wanted.objects {
        let action = if version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let done = if shared.denies(action, &key) {
            Err(Code::AccessDenied.error())
        } else {
            delete(shared, &mut store, &request.bucket, &key, version_id.as_deref())
        };
        match done {
            Err(error) => result.error.push(ErrorEntry { key, code: error.code, message: error.message }),
            Ok(_) if wanted.quiet => {}
            Ok(done) => result.deleted.push(DeletedEntry {
                key,
                delete_marker: done.marker.then_some(true),
                delete_marker_version_id: done.version_id.filter(|_| done.marker),
                version_id,
            }),
        }
    }
    let mut reply = Reply::xml("DeleteResult", &result)?;
    reply.status = StatusCode::OK;
    Ok(reply)
}
