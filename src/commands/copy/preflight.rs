//! The questions about a destination before the first byte is written. None of them writes.

use crate::commands::ask::asked;
use crate::copy::{AccessSurvey, DestinationSurvey, SameName};
use crate::facts::{Fact, UploadFacts, Walk};
use crate::source::{BucketService, SourceError};

/// Asks about the bucket, with eight requests where Block Public Access is on and ten otherwise, and more only where
/// uploads of the key fill several pages.
pub(super) async fn survey(bucket: &dyn BucketService, key: &str) -> DestinationSurvey {
    let (facts, access, versioning, encryption, object_lock, lifecycle, uploads, others) = tokio::join!(
        bucket.facts(),
        access(bucket),
        bucket.versioning(),
        bucket.encryption(),
        bucket.object_lock(),
        bucket.lifecycle(),
        uploads(bucket, key),
        same_name(bucket, key),
    );
    DestinationSurvey {
        bucket: bucket.name().to_owned(),
        facts: asked(facts, "HeadBucket", "s3:ListBucket"),
        access,
        versioning: asked(versioning, "GetBucketVersioning", "s3:GetBucketVersioning"),
        encryption: asked(encryption, "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        object_lock: asked(object_lock, "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
        lifecycle: asked(lifecycle, "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
        uploads: asked(uploads, "ListMultipartUploads", "s3:ListBucketMultipartUploads"),
        others: asked(others, "ListObjectsV2", "s3:ListBucket"),
    }
}

/// Policy and ACL decide only where Block Public Access is not completely on.
async fn access(bucket: &dyn BucketService) -> AccessSurvey {
    let answer = bucket.public_access_blocked().await;
    let blocked = asked(answer, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock");
    if blocked.value() == Some(&true) {
        return AccessSurvey { blocked, policy: Fact::NotApplicable, grants: Fact::NotApplicable };
    }
    let (policy, grants) = tokio::join!(bucket.policy_is_public(), bucket.public_grants());
    AccessSurvey {
        blocked,
        policy: asked(policy, "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus"),
        grants: asked(grants, "GetBucketAcl", "s3:GetBucketAcl"),
    }
}

/// Unfinished uploads of the key itself.
async fn uploads(bucket: &dyn BucketService, key: &str) -> Result<Vec<UploadFacts>, SourceError> {
    let mut uploads = bucket.uploads(key).await?;
    uploads.retain(|upload| upload.key == key);
    Ok(uploads)
}

/// Objects of the same name under the first folder of the key, in the first page of its listing.
async fn same_name(bucket: &dyn BucketService, key: &str) -> Result<SameName, SourceError> {
    let under = key.split_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let name = key.rsplit('/').next().unwrap_or(key);
    let mut walk = Walk::new(bucket.name(), &under);
    let page = bucket.list(&mut walk).await?;
    let named = page.objects.into_iter().map(|object| object.key).filter(|key| key.rsplit('/').next() == Some(name));
    Ok(SameName { keys: named.collect(), is_all: walk.is_over(), under })
}
