use std::io;

use serde::{Deserialize, Serialize};

use super::entry::RestoreIdentity;
use super::{Journal, MOST_FILES, folder};
use crate::files::InputKind;
use crate::verdict::Verdict;

const SCHEMA: &str = "stored-ami/journal-drill/1";

/// An AMI or a snapshot that a drill saw being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeResource {
    /// Its id.
    pub id: String,
    /// Time of its creation as EC2 states it. Ids are never used again; this is a second witness.
    pub created: String,
}

/// How a drill ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concluded {
    /// The verdict of the run that ended it.
    pub verdict: Verdict,
    /// Time of that verdict (RFC 3339).
    pub at: String,
}

/// The journal entry of a drill. It is written before the restore is called, and removed when nothing of the drill is
/// left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillEntry {
    schema: String,
    /// The restore of the drill.
    pub restore: RestoreIdentity,
    /// Time of the first call (RFC 3339).
    pub called_at: String,
    /// Time at which the AMI was first seen to be available (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_at: Option<String>,
    /// The AMI, when it was described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<MadeResource>,
    /// Its snapshots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<MadeResource>,
    /// Present if what it made was kept on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Concluded>,
    /// Present once removing has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removing: Option<Concluded>,
}

impl DrillEntry {
    /// The entry of a drill whose restore is about to be called.
    pub fn new(restore: RestoreIdentity, called_at: String) -> Self {
        let schema = SCHEMA.to_owned();
        DrillEntry {
            schema,
            restore,
            called_at,
            available_at: None,
            image: None,
            snapshots: Vec::new(),
            kept: None,
            removing: None,
        }
    }

    /// How the drill ended. Nothing of it is proved again: only removing is left to do.
    pub fn concluded(&self) -> Option<&Concluded> {
        self.removing.as_ref().or(self.kept.as_ref())
    }

    /// Whether the drill saw the AMI with this id and time of creation being made.
    pub fn has_made(&self, id: &str, created: Option<&str>) -> bool {
        self.image.as_ref().is_some_and(|made| made.id == id && Some(made.created.as_str()) == created)
    }
}

fn file_name(token: &str) -> String {
    format!("drill-{token}.json")
}

impl Journal {
    /// Path of the entry of a drill.
    pub fn drill_path(&self, token: &str) -> std::path::PathBuf {
        self.folder().join(file_name(token))
    }

    /// Reads the entry of a drill; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not the entry of this drill.
    pub fn read_drill(&self, token: &str) -> io::Result<Option<DrillEntry>> {
        let wrong = |problem: String| io::Error::other(format!("{} {problem}; move it away", file_name(token)));
        let text = match folder::read_small(&self.drill_path(token), InputKind::JournalEntry.most_bytes()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let entry: DrillEntry =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("is no journal entry: {error}")))?;
        if entry.schema != SCHEMA || entry.restore.token() != token {
            return Err(wrong("is the entry of another drill or version".to_owned()));
        }
        Ok(Some(entry))
    }

    /// All entries of drills.
    ///
    /// # Errors
    ///
    /// An entry cannot be read, or the folder holds too many files: one may name what is to be removed.
    pub fn drills(&self) -> io::Result<Vec<DrillEntry>> {
        let files = match std::fs::read_dir(self.folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let names: Vec<_> = files.flatten().take(MOST_FILES + 1).map(|file| file.file_name()).collect();
        if names.len() > MOST_FILES {
            return Err(io::Error::other(format!("holds more than {MOST_FILES} files; move old entries away")));
        }
        let tokens = names
            .into_iter()
            .filter_map(|name| Some(name.to_str()?.strip_prefix("drill-")?.strip_suffix(".json")?.to_owned()));
        tokens.filter_map(|token| self.read_drill(&token).transpose()).collect()
    }

    /// Writes the entry of a drill. Returns when it is on disk.
    ///
    /// # Errors
    ///
    /// The folder is not safe, or the entry cannot be written.
    pub fn write_drill(&self, entry: &DrillEntry) -> io::Result<()> {
        folder::create(self.folder())?;
        let text = serde_json::to_string(entry)? + "\n";
        folder::write_private(self.folder(), &file_name(&entry.restore.token()), text.as_bytes())?;
        folder::tidy(self.folder(), MOST_FILES);
        Ok(())
    }

    /// Removes the entry of a drill of which nothing is left.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn forget_drill(&self, token: &str) -> io::Result<()> {
        match std::fs::remove_file(self.drill_path(token)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::identity;

    #[test]
    fn an_entry_is_read_only_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("j"));
        let mut entry = DrillEntry::new(identity(), "2026-01-01T00:00:00Z".to_owned());
        let token = entry.restore.token();
        assert_eq!(journal.read_drill(&token).unwrap(), None);
        entry.image = Some(MadeResource { id: "ami-1".to_owned(), created: "then".to_owned() });
        journal.write_drill(&entry).unwrap();
        assert_eq!(journal.read_drill(&token).unwrap(), Some(entry.clone()));
        assert_eq!(journal.drills().unwrap(), std::slice::from_ref(&entry));
        assert_eq!(journal.entries().entries, [], "it is no entry of a restore");
        assert!(entry.has_made("ami-1", Some("then")));
        assert!(!entry.has_made("ami-1", None) && !entry.has_made("ami-2", Some("then")));
        let other = "0".repeat(32);
        std::fs::copy(journal.drill_path(&token), journal.drill_path(&other)).unwrap();
        assert!(journal.read_drill(&other).unwrap_err().to_string().contains("another drill"));
        journal.forget_drill(&token).unwrap();
        journal.forget_drill(&token).unwrap();
        assert_eq!(journal.read_drill(&token).unwrap(), None);
    }
}
