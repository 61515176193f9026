//! What was about to be started, kept on disk, so that a run that was killed can be taken up and nothing is started
//! twice. The lock itself is the name of the AMI, which EC2 holds; the journal tells where to look.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Hasher};
use crate::files::write_whole;

const SCHEMA: &str = "stored-ami/journal/1";

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

    /// Seconds from the call to the end, where it ended well and was followed to its end.
    pub fn seconds(&self) -> Option<f64> {
        let (called, ended): (jiff::Timestamp, jiff::Timestamp) =
            (self.called_at.parse().ok()?, self.ended_at.as_ref()?.parse().ok()?);
        (self.step == Step::Available).then(|| ended.duration_since(called).as_secs_f64())
    }
}

/// A folder with one file for each restore.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

impl Journal {
    pub fn new(folder: PathBuf) -> Self {
        Journal { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, token: &str) -> PathBuf {
        self.folder.join(format!("restore-{token}.json"))
    }

    /// `None` where there is no entry. A file that cannot be read is an error: it may hold the AMI's id.
    pub fn read(&self, token: &str) -> io::Result<Option<Entry>> {
        match std::fs::read(self.path(token)) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns when the entry is on disk.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let text = serde_json::to_string(entry)? + "\n";
        write_whole(&self.path(&entry.restore.token()), text.as_bytes())
    }

    /// Takes an entry away: EC2 refused the call.
    pub fn forget(&self, token: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path(token)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All entries that can be read.
    pub fn entries(&self) -> Vec<Entry> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let read =
            |file: io::Result<std::fs::DirEntry>| serde_json::from_slice(&std::fs::read(file.ok()?.path()).ok()?).ok();
        files.filter_map(read).collect()
    }

    /// The entry of an AMI that a restore of this journal made.
    pub fn of_image(&self, image: &str) -> Option<Entry> {
        self.entries().into_iter().find(|entry| entry.image.as_deref() == Some(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> RestoreIdentity {
        let text = |text: &str| text.to_owned();
        RestoreIdentity {
            bucket: text("b"),
            key: text("k"),
            etag: text("e"),
            account: text("1"),
            region: text("r"),
            name: text("n"),
        }
    }

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

    #[test]
    fn entries_are_kept_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("deep/er"));
        assert!(journal.entries().is_empty());
        let mut entry = Entry::new(identity(), "2026-01-01T00:00:00Z".into(), Some(5));
        let token = entry.restore.token();
        assert_eq!(journal.read(&token).unwrap(), None);
        journal.write(&entry).unwrap();
        assert_eq!(journal.read(&token).unwrap(), Some(entry.clone()));
        assert_eq!(entry.seconds(), None);
        (entry.step, entry.image, entry.ended_at) =
            (Step::Available, Some("ami-1".into()), Some("2026-01-01T00:01:40Z".into()));
        journal.write(&entry).unwrap();
        assert_eq!(entry.seconds(), Some(100.0));
        assert_eq!(journal.entries(), [entry.clone()]);
        assert_eq!(journal.of_image("ami-1"), Some(entry));
        std::fs::write(journal.path(&token), "half").unwrap();
        assert!(journal.read(&token).is_err());
    }
}
