use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::lookup;
use crate::record::RestoreState;
use crate::shared::Shared;
use crate::wire::{Code, Reply, S3Error, S3Request, xml};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreRequest {
    days: Option<i64>,
}

/// RestoreObject: the restore is in progress, and stays so until
/// `Lab::with_object` sets another state; the lab does not simulate hours of waiting.
pub(super) fn restore(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: RestoreRequest = xml::read(body)?;
    let days = wanted.days.unwrap_or(1).clamp(1, 36_500);
    let expires = Timestamp::now()
        .checked_add(SignedDuration::from_hours(24 * days))
        .map_err(|_| Code::InvalidArgument.error())?;
    let mut store = shared.store();
    let record = &lookup::object(&store, shared, request)?.record;
    let frozen = matches!(record.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE") || record.archive_status.is_some();
    if !frozen {
        return Err(Code::InvalidObjectState
            .because("Restore is not allowed for the object's current storage class")
            .with(|detail| detail.storage_class = Some(record.storage_class.clone())));
    }
    let (status, state) = match &record.restore {
        Some(RestoreState::Ongoing) => return Err(Code::RestoreAlreadyInProgress.error()),
        Some(RestoreState::Done { .. }) => (StatusCode::OK, RestoreState::Done { expires }),
        None => (StatusCode::ACCEPTED, RestoreState::Ongoing),
    };
    store.change(&request.bucket, &request.key, request.version_id(), |object| object.record.restore = Some(state))?;
    Ok(Reply::empty(status))
}
