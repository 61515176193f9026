use serde::{Deserialize, Serialize};

use super::action::Action;

/// The actions of S3 that requests to the lab need.
const OF_S3: [&str; 38] = [
    "s3:AbortMultipartUpload",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:ListAllMyBuckets",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:RestoreObject",
];

/// Denies an IAM action, as a policy with `"Effect": "Deny"` would.
///
/// Actions are those of the *Service Authorization Reference*: for example
/// `s3:GetObject`, `s3:ListBucket`, `s3:GetObjectAttributes`,
/// `s3:GetObjectTagging`, `s3:GetObjectVersion`, `s3:GetObjectRetention`,
/// `kms:Decrypt`, `ec2:CreateRestoreImageTask`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deny {
    action: String,
    /// Keys it applies to; actions on buckets have the empty key.
    key_prefix: String,
}

impl Deny {
    /// For every bucket and key.
    pub fn action(action: &str) -> Self {
        Deny { action: action.to_owned(), key_prefix: String::new() }
    }

    /// Every action that the lab asks for, sorted. An action that is not among these denies nothing.
    pub fn actions() -> Vec<&'static str> {
        let mut actions: Vec<&str> = OF_S3.into_iter().chain(Action::ALL.iter().map(|call| call.iam())).collect();
        actions.push("kms:Decrypt");
        actions.sort_unstable();
        actions.dedup();
        actions
    }

    /// For keys that begin with `prefix` only.
    pub fn under(mut self, prefix: &str) -> Self {
        self.key_prefix = prefix.to_owned();
        self
    }

    pub(crate) fn covers(&self, action: &str, key: &str) -> bool {
        self.action.eq_ignore_ascii_case(action) && key.starts_with(&self.key_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_is_asked_for_is_known() {
        let asked = include_str!("operation.rs").split('"').filter(|text| text.starts_with("s3:"));
        let known = Deny::actions();
        assert!(asked.clone().count() > 40);
        asked.for_each(|action| assert!(known.contains(&action), "{action}"));
        for action in ["ec2:CreateStoreImageTask", "kms:Decrypt", "sts:GetCallerIdentity"] {
            assert!(known.contains(&action), "{action}");
        }
    }
}
