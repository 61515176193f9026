use serde::{Deserialize, Serialize};

use crate::checks::preflight::OwnershipClaim;
use crate::checksum::{Algorithm, Hasher};

pub(super) const SCHEMA: &str = "stored-ami/journal/1";

/// What makes two restores the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreIdentity {
    pub bucket: String,
    pub key: String,
    pub etag: String,
    pub account: String,
    pub region: String,
    pub name: String,
}

impl RestoreIdentity {
    /// 32 hexadecimal digits that stand for all of it; the value of the tag of the AMI.
    pub fn token(&self) -> String {
        let fields = [&self.bucket, &self.key, &self.etag, &self.account, &self.region, &self.name];
        // Each field with its length before it, so that no two lists of fields give the same text.
        let text: String = fields.iter().map(|field| format!("{}:{field}", field.len())).collect();
        let mut digest = Hasher::digest(Algorithm::Sha256, text.as_bytes()).hex();
        digest.truncate(32);
        digest
    }

    /// What an AMI must show to be the work of this restore; `noted` is the id in EC2's answer to the call, where it
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

/// How far a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The call is being made; whether EC2 has it is not known.
    Calling,
    Started,
    Available,
    Failed,
}

/// Why a file is not the entry that its name says.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryError {
    #[error("is no journal entry: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("has the schema `{schema}`, and this version reads `{reads}`", reads = SCHEMA)]
    Schema { schema: String },
    #[error("is the entry of another restore (s3://{bucket}/{key} as `{name}`)")]
    OtherRestore { bucket: String, key: String, name: String },
}

/// One restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub schema: String,
    pub restore: RestoreIdentity,
    pub step: Step,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// RFC 3339.
    pub called_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Of the volumes of the AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
}

impl Entry {
    pub fn new(restore: RestoreIdentity, called_at: String, volume_bytes: Option<u64>) -> Self {
        let schema = SCHEMA.to_owned();
        Entry { schema, restore, step: Step::Calling, image: None, called_at, ended_at: None, volume_bytes }
    }

    /// Reads the entry of the restore with this token. A file that was copied or renamed says nothing about the restore
    /// whose name it bears.
    ///
    /// # Errors
    ///
    /// The text is no entry, is of another schema, or belongs to another restore.
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

    /// Whether the call may have been carried out without its end being known.
    pub fn is_open(&self) -> bool {
        matches!(self.step, Step::Calling | Step::Started)
    }

    /// Seconds from the call to the end, where it ended well and was followed to its end.
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
            // The same letters, divided otherwise.
            RestoreIdentity { bucket: "bk".into(), key: String::new(), ..base },
        ];
        let tokens: std::collections::BTreeSet<String> = all.iter().map(RestoreIdentity::token).collect();
        assert_eq!(tokens.len(), all.len());
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
