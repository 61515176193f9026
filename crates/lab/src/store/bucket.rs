use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Upload;
use crate::content::Content;
use crate::record::ObjectRecord;

/// Versioning state of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Versioning {
    /// Versioning was never enabled.
    #[default]
    Never,
    /// Every write makes a new version.
    Enabled,
    /// New writes replace the version `null`.
    Suspended,
}

/// Settings of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketOptions {
    /// `None` for the lab's own Region.
    pub region: Option<String>,
    /// Versioning state.
    pub versioning: Versioning,
    /// Whether readers must send `x-amz-request-payer: requester`.
    pub requester_pays: bool,
    /// Whether unsigned requests are refused.
    pub private: bool,
    /// The lifecycle configuration as XML. The lab never acts on it.
    #[serde(default)]
    pub lifecycle: Option<String>,
    /// Whether a policy makes the bucket public (GetBucketPolicyStatus).
    #[serde(default)]
    pub public_policy: bool,
    /// Whether the ACL grants everybody READ (GetBucketAcl).
    #[serde(default)]
    pub public_acl: bool,
    /// Whether objects can be locked as they are written.
    #[serde(default)]
    pub object_lock: bool,
    /// KMS key of the default encryption; `None` for SSE-S3.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// A header without which the policy of the bucket denies writes of objects, with its value.
    #[serde(default)]
    pub demands: Option<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    pub region: String,
    pub options: BucketOptions,
    pub created: Timestamp,
    /// The versions of each key, the newest last.
    pub objects: BTreeMap<String, Vec<Object>>,
    pub uploads: BTreeMap<String, Upload>,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub record: ObjectRecord,
    pub content: Content,
}

impl Bucket {
    pub(crate) fn new(lab_region: &str, options: BucketOptions, created: Timestamp) -> Self {
        let region = options.region.clone().unwrap_or_else(|| lab_region.to_owned());
        Bucket { region, options, created, objects: BTreeMap::new(), uploads: BTreeMap::new() }
    }

    /// The newest version, or the one asked for; it may be a delete marker.
    pub(crate) fn find(&self, key: &str, version_id: Option<&str>) -> Option<&Object> {
        let versions = self.objects.get(key)?;
        match version_id {
            None => versions.last(),
            Some(id) => versions.iter().find(|version| version.record.version_id == id),
        }
    }

    pub(crate) fn find_mut(&mut self, key: &str, version_id: Option<&str>) -> Option<&mut Object> {
        let versions = self.objects.get_mut(key)?;
        match version_id {
            None => versions.last_mut(),
            Some(id) => versions.iter_mut().find(|version| version.record.version_id == id),
        }
    }

    /// Whether the newest version of the key is an object.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.find(key, None).is_some_and(|object| !object.record.delete_marker)
    }
}
