use tokio::join;

use super::{AuditRequest, AuditServices, judged};
use crate::audit::BucketState;
use crate::commands::ask::asked;
use crate::facts::Fact;
use crate::report::{AuditedBucketReport, FindingReport};

/// Checks the settings of a bucket; `None` if the policy has no rules for buckets.
pub(super) async fn bucket(
    services: &AuditServices,
    request: &AuditRequest,
    name: &str,
) -> Option<AuditedBucketReport> {
    let bucket = services.archive.bucket(name, services.context.clone());
    let wish = &request.policy.bucket;
    let versioning = async {
        if !wish.versioning {
            return Fact::NotApplicable;
        }
        asked(bucket.versioning().await, "GetBucketVersioning", "s3:GetBucketVersioning")
    };
    let public = async {
        if !wish.public_access_blocked {
            return Fact::NotApplicable;
        }
        asked(bucket.public_access_blocked().await, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock")
    };
    let encryption = async {
        if wish.encryption.is_empty() {
            return Fact::NotApplicable;
        }
        asked(bucket.encryption().await, "GetBucketEncryption", "s3:GetEncryptionConfiguration")
    };
    let (versioning, public_access_blocked, encryption) = join!(versioning, public, encryption);
    let findings = request.policy.judge_bucket(&BucketState { versioning, public_access_blocked, encryption });
    if findings.is_empty() {
        return None;
    }
    let findings: Vec<FindingReport> = findings.iter().map(FindingReport::from).collect();
    Some(AuditedBucketReport {
        bucket: name.to_owned(),
        verdict: judged::verdict(&findings, true),
        exit_code: judged::exit(&findings),
        findings,
    })
}
