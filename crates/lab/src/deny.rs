use serde::{Deserialize, Serialize};

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

    /// For keys that begin with `prefix` only.
    pub fn under(mut self, prefix: &str) -> Self {
        self.key_prefix = prefix.to_owned();
        self
    }

    pub(crate) fn covers(&self, action: &str, key: &str) -> bool {
        self.action.eq_ignore_ascii_case(action) && key.starts_with(&self.key_prefix)
    }
}
