//! `preflight`: all that can be checked before a store or a restore. Every check runs; none stops another.

mod restore;
mod store;

pub use restore::{RestorePreflight, RestorePreflightRequest, VerifiedNow, preflight_restore};
pub(super) use restore::{SOURCE_TAG, restore_tags, size_without_source};
pub use store::{StorePreflightRequest, preflight_store};

pub(super) use store::{size_of, survey_stored};

use tokio::join;

use super::ObjectServices;
use super::ask::asked;
use crate::checks::preflight::BucketSurvey;

/// The settings of the bucket, side by side. `protection` asks for what only a store needs.
async fn survey_bucket(services: &ObjectServices, protection: bool) -> BucketSurvey {
    use crate::facts::Fact;
    let bucket = &services.bucket;
    let protected = async {
        if !protection {
            return (Fact::NotApplicable, Fact::NotApplicable);
        }
        let (encryption, blocked) = join!(bucket.encryption(), bucket.public_access_blocked());
        (
            asked(encryption, "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
            asked(blocked, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        )
    };
    let (facts, versioning, (encryption, public_access_blocked)) =
        join!(bucket.facts(), bucket.versioning(), protected);
    BucketSurvey {
        name: bucket.name().to_owned(),
        facts: asked(facts, "HeadBucket", "s3:ListBucket"),
        versioning: asked(versioning, "GetBucketVersioning", "s3:GetBucketVersioning"),
        encryption,
        public_access_blocked,
    }
}
