use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::report::{self, Row};
use crate::checksum::{Algorithm, ChecksumType, Hasher};
use crate::jobs::{Job, State};
use crate::record::Encryption;
use crate::shared::Shared;
use crate::store::Object;
use crate::sync::lock;
use crate::wire::percent;
use stored_ami_core::units::ByteRange;

/// Lets a job get on, and ends it where it is time.
pub(super) async fn step(shared: &Arc<Shared>, id: &str) {
    let due = lock(&shared.jobs).look(id, shared.options.tasks);
    let Some(job) = due else { return };
    let ended = match &job.fails {
        Some(reason) => Err(reason.clone()),
        None => run(shared, id, &job).await,
    };
    match ended {
        Ok(counts) => lock(&shared.jobs).end(id, State::Complete, counts),
        Err(reason) => lock(&shared.jobs).end(id, State::Failed(reason), (0, 0)),
    }
}

/// Computes all checksums and writes the report. Returns the numbers of objects that succeeded and failed.
async fn run(shared: &Arc<Shared>, id: &str, job: &Job) -> Result<(u64, u64), String> {
    let request = &job.request;
    if request.report.expected_bucket_owner.as_deref().is_some_and(|owner| owner != shared.options.account) {
        return Err("AccessDenied: the bucket of the report belongs to another account".to_owned());
    }
    let manifest = manifest(shared, job).await?;
    let wanted = request.operation.computes.checksum_algorithm.as_str();
    let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == wanted);
    let algorithm = algorithm.ok_or("InvalidRequest: the algorithm is not known")?;
    let scope = ChecksumType::from_name(&request.operation.computes.checksum_type);
    let scope = scope.ok_or("InvalidRequest: the type of the checksum is not known")?;
    let mut rows = Vec::new();
    for line in manifest.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [bucket, key, rest @ ..] = fields.as_slice() else {
            return Err("InvalidManifestContent: a row has too few columns".to_owned());
        };
        let version = rest.first().filter(|version| !version.is_empty()).map(|version| (*version).to_owned());
        let outcome = compute(shared, (bucket, key, version.as_deref()), (algorithm, scope)).await;
        rows.push(Row { bucket: (*bucket).to_owned(), key: (*key).to_owned(), version, outcome });
    }
    if rows.is_empty() {
        return Err("InvalidManifestContent: the manifest is empty".to_owned());
    }
    let failed = rows.iter().filter(|row| row.outcome.is_err()).count() as u64;
    report::write(shared, id, request, &rows).map_err(|error| format!("InternalError: {error}"))?;
    Ok((rows.len() as u64 - failed, failed))
}

/// The text of the manifest, if the object still has the ETag that the job names.
async fn manifest(shared: &Shared, job: &Job) -> Result<String, String> {
    let location = &job.request.manifest.location;
    let place = location.object_arn.rsplit(":::").next().and_then(|place| place.split_once('/'));
    let (bucket, key) = place.ok_or("InvalidManifestContent: the manifest is no object")?;
    let found = find(shared, bucket, key, location.object_version_id.as_deref());
    let object = found.ok_or("InvalidManifestContent: there is no manifest")?;
    if object.record.etag != location.etag {
        return Err("InvalidManifestContent: the manifest has another ETag".to_owned());
    }
    String::from_utf8(bytes(&object).await?.concat()).map_err(|error| format!("InvalidManifestContent: {error}"))
}

fn find(shared: &Shared, bucket: &str, key: &str, version: Option<&str>) -> Option<Object> {
    let store = shared.store();
    let found = store.buckets.get(bucket)?.find(key, version)?;
    (!found.record.delete_marker).then(|| found.clone())
}

async fn bytes(object: &Object) -> Result<Vec<Bytes>, String> {
    let reader = object.content.open().map_err(|error| error.to_string())?;
    let Some(range) = ByteRange::new(0, object.content.len()) else { return Ok(Vec::new()) };
    reader.frames(range).try_collect().await.map_err(|error| error.to_string())
}

/// What a row says of an object: its ETag and its checksum, or the status, the code and the message of an error.
async fn compute(
    shared: &Shared,
    (bucket, key, version): (&str, &str, Option<&str>),
    (algorithm, scope): (Algorithm, ChecksumType),
) -> report::Outcome {
    let decoded = String::from_utf8_lossy(&percent::decode(key)).into_owned();
    let failed = |status: u16, code: &str, message: &str| (status, code.to_owned(), message.to_owned());
    if shared.denies("s3:GetObject", &decoded) {
        return Err(failed(403, "AccessDenied", "Access Denied"));
    }
    let object = find(shared, bucket, &decoded, version);
    let object = object.ok_or_else(|| failed(404, "NoSuchKey", "The specified key does not exist."))?;
    if matches!(object.record.encryption, Encryption::Customer { .. }) {
        return Err(failed(400, "InvalidRequest", "The object is encrypted with a customer key."));
    }
    let frames = bytes(&object).await.map_err(|error| failed(500, "InternalError", &error))?;
    let digest = match scope {
        ChecksumType::FullObject => {
            let mut hasher = Hasher::new(algorithm);
            frames.iter().for_each(|frame| hasher.update(frame));
            hasher.finish()
        }
        ChecksumType::Composite => composite(&object, &frames.concat(), algorithm),
    };
    Ok(report::Computed { etag: object.record.etag, base64: STANDARD.encode(&digest), hex: hex::encode_upper(&digest) })
}

fn composite(object: &Object, bytes: &[u8], algorithm: Algorithm) -> Vec<u8> {
    let mut hasher = Hasher::new(algorithm);
    for part in &object.record.parts {
        let (start, size) = object.record.part_range(part.number).unwrap_or_default();
        let (start, end) = (start as usize, (start + size) as usize);
        hasher.update(&Hasher::of(algorithm, bytes.get(start..end).unwrap_or_default()));
    }
    hasher.finish()
}
