use super::CopyEnds;
use crate::checks::{LifecycleSubject, VersionState, removals};
use crate::copy::{CopyCheck, CopyFinding, Sameness, sameness};
use crate::facts::{ObjectFacts, Versioning};
use crate::source::{ErrorKind, SourceError};

/// What is at the destination.
pub(super) enum Place {
    /// No object.
    Free,
    /// An object.
    Holds(Box<ObjectFacts>, Sameness),
    /// Not permitted to be asked; the reason, for the user. S3 answers so for a missing key, too.
    NotKnown(String),
}

/// Asks what is at the key of the destination.
///
/// # Errors
///
/// The destination cannot be asked.
pub(super) async fn place(ends: &CopyEnds, source: &ObjectFacts) -> Result<Place, SourceError> {
    match ends.destination.head().await {
        Ok(facts) => {
            let same = sameness(source, &facts);
            Ok(Place::Holds(Box::new(facts), same))
        }
        Err(error) if error.kind == ErrorKind::NotFound && error.code.as_deref() != Some("NoSuchBucket") => {
            Ok(Place::Free)
        }
        Err(error) if error.kind == ErrorKind::Denied => Ok(Place::NotKnown(denied(ends, &error))),
        Err(error) => Err(error),
    }
}

/// A refusal at the destination, with the usual reason if it is one.
fn denied(ends: &CopyEnds, error: &SourceError) -> String {
    let owner = ends.to.expected_bucket_owner.as_deref().filter(|_| error.kind == ErrorKind::Denied);
    match owner {
        Some(owner) => format!(
            "{}; the bucket must belong to {owner}, --to-expected-bucket-owner names another account",
            error.explain()
        ),
        None => error.explain(),
    }
}

pub(super) fn occupied(same: &Sameness, facts: &ObjectFacts) -> CopyFinding {
    let etag = facts.id.etag.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    match same {
        Sameness::Same(by) => CopyFinding::pass(CopyCheck::Absent, format!("the same object is there: {by}")),
        Sameness::Different(how) => {
            CopyFinding::fail(CopyCheck::Absent, format!("another object is there, with ETag {etag}: {how}"))
        }
        Sameness::CannotTell => CopyFinding::open(
            CopyCheck::Absent,
            format!("an object is there, with ETag {etag}, and nothing shows whether it is the same"),
        ),
    }
}

/// The bucket's settings, as far as they concern the copy.
pub(super) async fn settings(ends: &CopyEnds, source: &ObjectFacts, own_uploads: usize) -> Vec<CopyFinding> {
    let (bucket, public, versioning, encryption, lifecycle, uploads) = tokio::join!(
        ends.bucket.facts(),
        ends.bucket.public_access_blocked(),
        ends.bucket.versioning(),
        ends.bucket.encryption(),
        lifecycle(ends, source),
        uploads(ends, own_uploads),
    );
    let bucket = match bucket {
        Ok(facts) => {
            let region = facts.region.unwrap_or_else(|| "not stated".to_owned());
            CopyFinding::pass(CopyCheck::Bucket, format!("{} exists, Region {region}", ends.bucket.name()))
        }
        Err(error) if error.kind == ErrorKind::NotFound => CopyFinding::fail(CopyCheck::Bucket, error.explain()),
        Err(error) => CopyFinding::open(CopyCheck::Bucket, denied(ends, &error)),
    };
    let public = match public {
        Ok(true) => CopyFinding::pass(CopyCheck::Public, "Block Public Access is on"),
        Ok(false) => CopyFinding::open(
            CopyCheck::Public,
            "Block Public Access of the bucket is not completely on; whether a policy makes it public is not known",
        ),
        Err(error) => CopyFinding::open(CopyCheck::Public, format!("GetPublicAccessBlock: {}", error.explain())),
    };
    let versioning = match versioning {
        Ok(Versioning::Enabled) => CopyFinding::pass(CopyCheck::Versioning, "enabled"),
        Ok(other) => CopyFinding::aside(CopyCheck::Versioning, format!("{other:?}: a later write replaces the copy")),
        Err(error) => CopyFinding::aside(CopyCheck::Versioning, error.explain()),
    };
    let encryption = match encryption {
        Ok(default) => {
            let key = default.key.map(|key| format!(", key {key}")).unwrap_or_default();
            CopyFinding::pass(CopyCheck::BucketEncryption, format!("{}{key}", default.algorithm))
        }
        Err(error) => CopyFinding::aside(CopyCheck::BucketEncryption, error.explain()),
    };
    vec![bucket, public, uploads, versioning, encryption, lifecycle]
}

async fn lifecycle(ends: &CopyEnds, source: &ObjectFacts) -> CopyFinding {
    let check = CopyCheck::Lifecycle;
    let rules = match ends.bucket.lifecycle().await {
        Ok(rules) => rules,
        Err(error) => return CopyFinding::aside(check, error.explain()),
    };
    let now = ends.destination.context().clock.now();
    let subject = LifecycleSubject {
        key: &ends.upload.uri().key,
        size: source.size,
        made: Some(now),
        tags: None,
        standing: VersionState::Current,
        lock: None,
    };
    let found = removals(&rules, &subject, now);
    match (found.first, found.unclear.first()) {
        (Some(removal), _) => {
            CopyFinding::fail(check, format!("a rule would remove the copy at {}: {}", removal.at, removal.by))
        }
        (None, Some(removal)) => {
            CopyFinding::open(check, format!("a rule may remove the copy at {}: {}", removal.at, removal.by))
        }
        (None, None) => CopyFinding::pass(check, "no rule removes the copy"),
    }
}

/// `own` is the number of uploads of this key that this copy goes on with.
async fn uploads(ends: &CopyEnds, own: usize) -> CopyFinding {
    let key = &ends.upload.uri().key;
    match ends.bucket.uploads(key).await {
        Ok(uploads) => match uploads.iter().filter(|upload| upload.key == *key).count().saturating_sub(own) {
            0 => CopyFinding::pass(CopyCheck::Uploads, "no other upload of this key is in progress"),
            count => CopyFinding::open(
                CopyCheck::Uploads,
                format!("{count} other uploads of this key are in progress: another writer, or one that was left"),
            ),
        },
        Err(error) => CopyFinding::aside(CopyCheck::Uploads, error.explain()),
    }
}
