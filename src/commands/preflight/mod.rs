//! `preflight`: all checks that can run before a store or a restore. A failed check does not stop the others.

mod region;
mod request;
mod restore;
mod size;
mod store;

pub use region::RegionSurvey;
pub use request::{RestorePreflightRequest, VerifiedNow};
pub use restore::{RestorePreflight, preflight_restore, preflight_restore_in};
pub(super) use restore::{SOURCE_TAG, restore_tags};
pub(super) use size::size_without_source;
pub use store::{StorePreflightRequest, preflight_store};

pub(super) use store::{size_of, stores_in_progress, survey_stored};

use tokio::join;

use super::ObjectServices;
use super::ask::asked;
use crate::checks::preflight::BucketSurvey;

/// Requests the settings of the bucket concurrently. `protection` adds those that only a store needs.
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
