//! Judges a destination before the first byte is written.

mod access;
mod bucket;
mod lifecycle;
mod untested;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::access::public;
use self::bucket::{bucket_encryption, bucket_exists, kms_key, object_lock, other_path, uploads, versioning};
use self::lifecycle::{abort_rule, readable_later, removal};
use self::untested::untested;
use super::{CopyFinding, CopyTime, LockRequest, WriteMode};
use crate::facts::{BucketEncryption, BucketFacts, BucketLock, Fact, LifecycleRule, UploadFacts, Versioning};

/// Answers about the bucket of a destination.
#[derive(Debug, Clone)]
pub struct DestinationSurvey {
    /// Name of the bucket.
    pub bucket: String,
    /// Existence and Region.
    pub facts: Fact<BucketFacts>,
    /// Whether others can read it.
    pub access: AccessSurvey,
    /// Versioning.
    pub versioning: Fact<Versioning>,
    /// Default encryption.
    pub encryption: Fact<BucketEncryption>,
    /// Object Lock; absent if it was never enabled.
    pub object_lock: Fact<BucketLock>,
    /// Lifecycle rules.
    pub lifecycle: Fact<Vec<LifecycleRule>>,
    /// Unfinished uploads of the key of the copy.
    pub uploads: Fact<Vec<UploadFacts>>,
    /// Objects of the same name under other paths.
    pub others: Fact<SameName>,
}

/// Answers about public access to a bucket.
#[derive(Debug, Clone)]
pub struct AccessSurvey {
    /// Whether all four settings of Block Public Access are on.
    pub blocked: Fact<bool>,
    /// Whether the policy makes the bucket public; absent if there is no policy, not applicable if access is blocked.
    pub policy: Fact<bool>,
    /// Grants of the ACL to everybody; not applicable if access is blocked.
    pub grants: Fact<Vec<String>>,
}

/// Objects with the name of the copy, found in one page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameName {
    /// Prefix of the listing.
    pub under: String,
    /// Their keys.
    pub keys: Vec<String>,
    /// Whether the page was the whole listing.
    pub is_all: bool,
}

/// The object that a copy would write.
#[derive(Debug, Clone)]
pub struct PlannedObject<'a> {
    /// Key.
    pub key: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// How it is written.
    pub mode: WriteMode,
    /// Storage class in S3's spelling; `None` for that of the bucket.
    pub storage_class: Option<&'a str>,
    /// KMS key that was named.
    pub kms_key: Option<&'a str>,
    /// Tags.
    pub tags: &'a BTreeMap<String, String>,
    /// Object Lock that was asked for.
    pub lock: &'a LockRequest,
    /// Estimated time of the transfer.
    pub time: CopyTime,
    /// Number of uploads of the key that this copy goes on with.
    pub own_uploads: usize,
    /// The time of the check.
    pub now: Timestamp,
}

/// Everything that is known of a destination before the first write, and what only a write can show.
pub fn judge_destination(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> Vec<CopyFinding> {
    let mut findings = vec![
        bucket_exists(survey),
        public(&survey.access),
        uploads(survey, planned),
        other_path(survey, planned),
        versioning(survey),
        object_lock(survey, planned),
        bucket_encryption(survey),
    ];
    findings.extend(kms_key(survey, planned));
    findings.push(removal(survey, planned));
    findings.extend(abort_rule(survey, planned));
    findings.push(readable_later(survey, planned));
    findings.extend(untested(planned));
    findings
}
