//! Holds the manifest that S3 reads against the planned one.

use crate::batch::{ManifestPlace, PlannedJob};
use crate::checksum::{Algorithm, Hasher};
use crate::facts::ObjectFacts;
use crate::source::{Session, SourceError};

/// Whether an object has the bytes of the planned manifest. It is read only if its ETag is not the planned MD5, because
/// an ETag under KMS is no MD5.
pub(super) async fn is_planned(session: &Session, facts: &ObjectFacts, job: &PlannedJob) -> Result<bool, SourceError> {
    if facts.size != job.manifest_bytes {
        return Ok(false);
    }
    if facts.id.etag.as_ref().is_some_and(|etag| etag.as_str() == job.manifest_md5) {
        return Ok(true);
    }
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let add = |bytes: &[u8]| {
        hasher.update(bytes);
        Ok(())
    };
    session.read_whole(facts, add).await?;
    Ok(hasher.finish().hex() == job.manifest_sha256)
}

/// Whether the object at the place of a job's manifest still has the ETag with which S3 read it, and the planned bytes.
pub(super) async fn check(session: &Session, place: &ManifestPlace, job: &PlannedJob) -> Result<bool, SourceError> {
    let facts = session.head().await?;
    let is_same = facts.id.etag.as_ref().is_some_and(|etag| etag.is_strong() && *etag == place.etag);
    Ok(is_same && is_planned(session, &facts, job).await?)
}
