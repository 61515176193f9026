//! The calls of Object Lock.

use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lookup;
use crate::record;
use crate::shared::Shared;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Reply, S3Error, S3Request, dates};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retention {
    #[serde(rename = "@xmlns", skip_deserializing)]
    xmlns: Namespace,
    mode: String,
    retain_until_date: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LegalHold {
    #[serde(rename = "@xmlns", skip_deserializing)]
    xmlns: Namespace,
    status: String,
}

fn not_locked() -> S3Error {
    S3Error::new(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

/// GetObjectRetention.
pub(super) fn retention(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let retention = lookup::object(&store, shared, request)?.record.retention.as_ref().ok_or_else(not_locked)?;
    let document = Retention {
        xmlns: Namespace,
        mode: retention.mode.clone(),
        retain_until_date: dates::iso(retention.retain_until),
    };
    Reply::subresource("Retention", &document)
}

/// PutObjectRetention.
pub(super) fn put_retention(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: Retention = xml::read(body)?;
    let retain_until: Timestamp =
        wanted.retain_until_date.parse().map_err(|_| crate::wire::Code::MalformedXml.error())?;
    let retention = record::Retention { mode: wanted.mode, retain_until };
    lookup::change(shared, request, |record| record.retention = Some(retention))?;
    Ok(Reply::empty(StatusCode::OK))
}

/// GetObjectLegalHold.
pub(super) fn legal_hold(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let status = lookup::object(&store, shared, request)?.record.legal_hold.clone().ok_or_else(not_locked)?;
    Reply::subresource("LegalHold", &LegalHold { xmlns: Namespace, status })
}

/// PutObjectLegalHold.
pub(super) fn put_legal_hold(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: LegalHold = xml::read(body)?;
    lookup::change(shared, request, |record| record.legal_hold = Some(wanted.status))?;
    Ok(Reply::empty(StatusCode::OK))
}
