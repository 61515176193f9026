use crate::checks::preflight::{RestorePace, ServiceLimits};
use crate::ident::ObjectUri;
use crate::manifest::Manifest;
use crate::record::Record;
use crate::verdict::{CheckId, CheckName, Verdict};

/// Parameters of the preflight of a restore.
#[derive(Debug, Clone)]
pub struct RestorePreflightRequest {
    /// The object to restore from.
    pub target: ObjectUri,
    /// The name of the new AMI; `None` to derive it from the source.
    pub name: Option<String>,
    /// The record of the store, with the name of its file.
    pub record: Option<(String, Record)>,
    /// The manifest of an earlier verification, with the name of its file.
    pub manifest: Option<(String, Manifest)>,
    /// Total size of the volumes in bytes, as given by the user.
    pub logical_size: Option<u64>,
    /// Result of a verification in this run.
    pub verified: Option<VerifiedNow>,
    /// The pace of earlier restores by this user.
    pub pace: Option<RestorePace>,
    /// Limits of the service.
    pub limits: ServiceLimits,
    /// Required checks that may be unknown.
    pub accept: Vec<CheckName>,
}

impl RestorePreflightRequest {
    /// The preflight of a restore of this object, with the documented limits and nothing else known about it.
    pub fn new(target: ObjectUri) -> Self {
        RestorePreflightRequest {
            target,
            name: None,
            record: None,
            manifest: None,
            logical_size: None,
            verified: None,
            pace: None,
            limits: ServiceLimits::default(),
            accept: Vec::new(),
        }
    }
}

/// Result of a verification in this run.
#[derive(Debug, Clone)]
pub struct VerifiedNow {
    /// Its verdict.
    pub verdict: Verdict,
    /// The references that every byte matched.
    pub proved_by: Vec<CheckId>,
    /// Its result as text.
    pub detail: String,
    /// ETag of the object that was verified.
    pub etag: Option<String>,
    /// Whether the bytes are damaged, and not only different from a value that was given.
    pub is_damaged: bool,
}
