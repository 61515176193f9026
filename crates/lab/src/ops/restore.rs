use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::lookup;
use crate::options::TaskPace;
use crate::record::{ObjectRecord, RestoreState};
use crate::shared::Shared;
use crate::wire::{Code, Reply, S3Error, S3Request, xml};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreRequest {
    days: Option<i64>,
    glacier_job_parameters: Option<JobParameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JobParameters {
    tier: String,
}

/// Most days of a copy; beyond, no time can be computed.
const MOST_DAYS: i64 = 36_500;

fn is_frozen(record: &ObjectRecord) -> bool {
    matches!(record.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE") || record.archive_status.is_some()
}

/// RestoreObject: the restore is in progress until the pace of tasks ends it.
pub(super) fn restore(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: RestoreRequest = xml::read(body)?;
    advance(shared, request);
    let mut store = shared.store();
    let record = &lookup::object(&store, shared, request)?.record;
    check(record, &wanted)?;
    let now = Timestamp::now();
    let days = record.archive_status.is_none().then(|| wanted.days.unwrap_or(1).clamp(1, MOST_DAYS));
    let (status, state) = match &record.restore {
        Some(RestoreState::Ongoing | RestoreState::Requested { .. }) => {
            return Err(Code::RestoreAlreadyInProgress.error());
        }
        Some(RestoreState::Done { .. }) => {
            (StatusCode::OK, RestoreState::Done { expires: end(now, days.unwrap_or(MOST_DAYS)) })
        }
        None => (StatusCode::ACCEPTED, RestoreState::Requested { at: now, looks: 0, days }),
    };
    store.change(&request.bucket, &request.key, request.version_id(), |object| object.record.restore = Some(state))?;
    Ok(Reply::empty(status))
}

/// Whether the object can be restored so. S3 documents which tiers a class has; the code of this refusal is the lab's
/// choice.
fn check(record: &ObjectRecord, wanted: &RestoreRequest) -> Result<(), S3Error> {
    let in_active_tier = record.storage_class == "INTELLIGENT_TIERING" && record.archive_status.is_none();
    if in_active_tier {
        return Err(Code::ObjectAlreadyInActiveTier.error());
    }
    if !is_frozen(record) {
        return Err(Code::InvalidObjectState
            .because("Restore is not allowed for the object's current storage class")
            .with(|detail| detail.storage_class = Some(record.storage_class.clone())));
    }
    let is_deep =
        record.storage_class == "DEEP_ARCHIVE" || record.archive_status.as_deref() == Some("DEEP_ARCHIVE_ACCESS");
    match wanted.glacier_job_parameters.as_ref().map(|parameters| parameters.tier.as_str()) {
        Some("Expedited") if is_deep => Err(Code::InvalidArgument.because("no Expedited retrieval from this class")),
        None | Some("Expedited" | "Standard" | "Bulk") if record.archive_status.is_some() && wanted.days.is_some() => {
            Err(Code::InvalidArgument.because("an object in Intelligent-Tiering takes no Days"))
        }
        None | Some("Expedited" | "Standard" | "Bulk") => Ok(()),
        Some(_) => Err(Code::MalformedXml.error()),
    }
}

fn end(from: Timestamp, days: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
}

/// Lets a restore get on: by the clock, or by one step for each HEAD of the object.
pub(super) fn advance(shared: &Shared, request: &S3Request) {
    let (pace, now) = (shared.options.tasks, Timestamp::now());
    let mut store = shared.store();
    let found = store.buckets.get(&request.bucket).and_then(|bucket| bucket.find(&request.key, request.version_id()));
    let Some(RestoreState::Requested { at, looks, days }) = found.and_then(|object| object.record.restore.clone())
    else {
        return;
    };
    let looks = looks + u32::from(request.is_head());
    let is_done = match pace {
        TaskPace::Time(time) => SignedDuration::try_from(time).is_ok_and(|time| now.duration_since(at) >= time),
        TaskPace::Polls(polls) => looks > polls,
    };
    // A failing disk shows at the next write.
    let _ = store.change(&request.bucket, &request.key, request.version_id(), |object| match (is_done, days) {
        (false, _) => object.record.restore = Some(RestoreState::Requested { at, looks, days }),
        (true, Some(days)) => object.record.restore = Some(RestoreState::Done { expires: end(now, days) }),
        // The object returns to the frequent access tier.
        (true, None) => (object.record.restore, object.record.archive_status) = (None, None),
    });
}
