use serde::{Deserialize, Serialize};

use crate::checks::preflight::OwnershipClaim;
use crate::checksum::{Algorithm, Hasher};

/// Schema of journal entries.
pub(super) const SCHEMA: &str = "stored-ami/journal/1";

/// Identity of a restore. Two restores with equal fields are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreIdentity {
    /// Bucket of the stored object.
    pub bucket: String,
    /// Key of the stored object.
    pub key: String,
    /// ETag of the stored object.
    pub etag: String,
    /// Id of the account that restores.
    pub account: String,
    /// Region of the restore.
    pub region: String,
    /// Name of the new AMI.
    pub name: String,
}

impl RestoreIdentity {
    /// 32 hexadecimal digits of a SHA-256 over all fields; the value of the tag on the AMI.
    pub fn token(&self) -> String {
        let fields = [&self.bucket, &self.key, &self.etag, &self.account, &self.region, &self.name];
        // Each field is preceded by its length, so that different lists of fields give different texts.
        let text: String = fields.iter().map(|field| format!("{}:{field}", field.len())).collect();
        let mut digest = Hasher::digest(Algorithm::Sha256, text.as_bytes()).hex();
        digest.truncate(32);
        digest
    }

    /// What an AMI must show to be the result of this restore. `noted` is the id from EC2's response to the call, if it
    /// is known.
    pub fn claim(&self, noted: Option<&str>) -> OwnershipClaim {
        OwnershipClaim {
            token: self.token(),
            name: self.name.clone(),
            key: self.key.clone(),
            noted: noted.map(str::to_owned),
        }
    }
}

/// Progress of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The call is being made; it is not known whether EC2 received it.
    Calling,
    /// EC2 accepted the call.
    Started,
    /// The AMI is available.
    Available,
    /// The restore failed.
    Failed,
}

/// Why a file is not the entry that its name states.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryError {
    #[error("is no journal entry: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("has the schema `{schema}`, and this version reads `{reads}`", reads = SCHEMA)]
    Schema { schema: String },
    #[error("is the entry of another restore (s3://{bucket}/{key} as `{name}`)")]
    OtherRestore { bucket: String, key: String, name: String },
}

/// The journal entry of one restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Schema of the entry.
    pub schema: String,
    /// The restore.
    pub restore: RestoreIdentity,
    /// How far it has come.
    pub step: Step,
    /// Id of the new AMI, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Time of the call (RFC 3339).
    pub called_at: String,
    /// Time of the end, if it is known (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Total size of the AMI's volumes in bytes, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
}

impl Entry {
    /// The entry of a call that is about to be made.
    pub fn new(restore: RestoreIdentity, called_at: String, volume_bytes: Option<u64>) -> Self {
        let schema = SCHEMA.to_owned();
        Entry { schema, restore, step: Step::Calling, image: None, called_at, ended_at: None, volume_bytes }
    }

    /// Parses the entry of the restore with this token. A file that was copied or renamed says nothing about the
    /// restore in its name, and is refused.
    ///
    /// # Errors
    ///
    /// The text is no entry, has another schema, or belongs to another restore.
    pub(super) fn parse(text: &[u8], token: &str) -> Result<Self, EntryError> {
        let entry: Entry = serde_json::from_slice(text)?;
        if entry.schema != SCHEMA {
            return Err(EntryError::Schema { schema: entry.schema });
        }
        if entry.restore.token() != token {
            let RestoreIdentity { bucket, key, name, .. } = entry.restore;
            return Err(EntryError::OtherRestore { bucket, key, name });
        }
        Ok(entry)
    }

    /// Whether the call may have been carried out and its end is not recorded.
    pub fn is_open(&self) -> bool {
        matches!(self.step, Step::Calling | Step::Started)
    }

    /// Seconds from the call to the end, if the AMI became available and its end was recorded.
    pub fn seconds(&self) -> Option<f64> {
        let (called, ended): (jiff::Timestamp, jiff::Timestamp) =
            (self.called_at.parse().ok()?, self.ended_at.as_ref()?.parse().ok()?);
        (self.step == Step::Available).then(|| ended.duration_since(called).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::identity;

    #[test]
    fn every_field_makes_another_restore() {
        let base = identity();
        let other = || "x".to_owned();
        let all = [
            base.clone(),
            RestoreIdentity { bucket: other(), ..base.clone() },
            RestoreIdentity { key: other(), ..base.clone() },
            RestoreIdentity { etag: other(), ..base.clone() },
            RestoreIdentity { account: other(), ..base.clone() },
            RestoreIdentity { region: other(), ..base.clone() },
            RestoreIdentity { name: other(), ..base.clone() },
            // The same characters, divided differently.
            RestoreIdentity { bucket: "bk".into(), key: String::new(), ..base },
        ];
        let tokens: std::collections::BTreeSet<String> = all.iter().map(RestoreIdentity::token).collect();
        assert_eq!(tokens.len(), all.len());
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
