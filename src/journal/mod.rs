//! The journal of restores. It records on disk what is about to be started, so that a killed run can be resumed and
//! nothing is started twice. The lock itself is the name of the AMI, which EC2 keeps unique; the journal says where to
//! look.

mod drill;
mod entry;
mod folder;

use std::io;
use std::path::{Path, PathBuf};

pub use drill::{Concluded, DrillEntry, MadeResource};
pub use entry::{Entry, RestoreIdentity, Step};
pub use folder::{FolderError, FolderProblem};

use crate::files::InputKind;

/// Limit of files that are examined in a folder.
const MOST_FILES: usize = 10_000;

/// A folder with one file per restore.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// The entries of a journal, and messages about ignored files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entries {
    /// The entries that can be read.
    pub entries: Vec<Entry>,
    /// For each ignored file, why it was ignored.
    pub left_out: Vec<String>,
}

impl Journal {
    /// The journal in `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Journal { folder }
    }

    /// The folder of the journal.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs work on the journal on a thread for blocking work, because every write waits for the disk. Work that has
    /// started is completed even if the future is dropped.
    ///
    /// # Errors
    ///
    /// The error of the work, or that it panicked.
    pub async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let own = self.clone();
        tokio::task::spawn_blocking(move || work(&own)).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// [`Journal::read`] for asynchronous callers.
    ///
    /// # Errors
    ///
    /// As for [`Journal::read`].
    pub async fn read_aside(&self, token: String) -> io::Result<Option<Entry>> {
        self.aside(move |journal| journal.read(&token)).await
    }

    /// [`Journal::write`] for asynchronous callers.
    ///
    /// # Errors
    ///
    /// As for [`Journal::write`].
    pub async fn write_aside(&self, entry: Entry) -> io::Result<()> {
        self.aside(move |journal| journal.write(&entry)).await
    }

    /// Checks that only this user can change the folder, or that it can be created so.
    ///
    /// # Errors
    ///
    /// The folder belongs to another user, others can write to it, or a link of another user leads to it.
    pub fn check(&self) -> Result<(), FolderError> {
        folder::check(&self.folder)
    }

    /// Path of the entry of a restore.
    pub fn path(&self, token: &str) -> PathBuf {
        self.folder.join(file_name(token))
    }

    /// Reads the entry of a restore; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, in which case it may still contain the id of an AMI, or it is not the entry of this
    /// restore.
    pub fn read(&self, token: &str) -> io::Result<Option<Entry>> {
        let named =
            |problem: &dyn std::error::Error| io::Error::other(format!("{} {problem}; move it away", file_name(token)));
        match folder::read_small(&self.path(token), InputKind::JournalEntry.most_bytes()) {
            Ok(text) => Entry::parse(&text, token).map(Some).map_err(|error| named(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&error)),
        }
    }

    /// Writes an entry. Returns when it is on disk.
    ///
    /// # Errors
    ///
    /// The folder is not safe, or the entry cannot be written.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        folder::create(&self.folder)?;
        let text = serde_json::to_string(entry)? + "\n";
        folder::write_private(&self.folder, &file_name(&entry.restore.token()), text.as_bytes())?;
        folder::tidy(&self.folder, MOST_FILES);
        Ok(())
    }

    /// Removes an entry, after EC2 refused the call.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn forget(&self, token: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path(token)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All entries. If others can change the folder, no entry is read.
    pub fn entries(&self) -> Entries {
        let mut found = Entries::default();
        if let Err(problem) = self.check() {
            found.left_out.push(problem.to_string());
            return found;
        }
        let Ok(files) = std::fs::read_dir(&self.folder) else { return found };
        for file in files.flatten().take(MOST_FILES) {
            let name = file.file_name();
            let Some(token) = name.to_str().and_then(token_of) else { continue };
            match self.read(token) {
                Ok(entry) => found.entries.extend(entry),
                Err(problem) => found.left_out.push(problem.to_string()),
            }
        }
        found
    }
}

fn file_name(token: &str) -> String {
    format!("restore-{token}.json")
}

fn token_of(file_name: &str) -> Option<&str> {
    file_name.strip_prefix("restore-")?.strip_suffix(".json")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(super) fn identity() -> RestoreIdentity {
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
    fn entries_are_kept_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("deep/er"));
        assert_eq!(journal.entries(), Entries::default());
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
        assert_eq!(journal.entries().entries, [entry.clone()]);
        std::fs::write(journal.path(&token), "half").unwrap();
        assert!(journal.read(&token).is_err());
    }

    /// An entry is valid only under the name of its token and with the schema of this version.
    #[test]
    fn entries_of_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().to_owned());
        let entry = Entry::new(identity(), "2026-01-01T00:00:00Z".into(), None);
        let (token, text) = (entry.restore.token(), serde_json::to_string(&entry).unwrap());
        let other = RestoreIdentity { name: "other".into(), ..identity() }.token();
        for (name, text, problem) in [
            (&token, text.clone(), None),
            (&other, text.clone(), Some("is the entry of another restore (s3://b/k as `n`)")),
            (&token, text.replace("\"b\"", "\"c\""), Some("is the entry of another restore (s3://c/k as `n`)")),
            (&token, text.replace("journal/1", "journal/2"), Some("has the schema `stored-ami/journal/2`")),
            (&token, text.replace("calling", "dreaming"), Some("is no journal entry")),
            (&token, String::new(), Some("is no journal entry")),
            (&token, " ".repeat(70_000) + &text, Some("is larger than 65536 bytes")),
        ] {
            std::fs::write(journal.path(name), &text).unwrap();
            let all = journal.entries();
            match problem {
                None => {
                    assert_eq!((journal.read(name).unwrap(), all.entries), (Some(entry.clone()), vec![entry.clone()]))
                }
                Some(problem) => {
                    assert!(journal.read(name).unwrap_err().to_string().contains(problem), "{problem}");
                    assert_eq!((all.entries.len(), all.left_out.len()), (0, 1), "{problem}");
                    assert!(all.left_out[0].contains(problem), "{all:?}");
                }
            }
            std::fs::remove_file(journal.path(name)).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("state/stored-ami"));
        let entry = Entry::new(identity(), "2026-01-01T00:00:00Z".into(), None);
        let path = journal.path(&entry.restore.token());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        journal.write(&entry).unwrap();
        assert_eq!((mode(journal.folder()), mode(&path)), (0o700, 0o600));
        // A pipe in its place is replaced and not written to.
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(journal.read(&entry.restore.token()).unwrap_err().to_string().contains("not a regular file"));
        journal.write(&entry).unwrap();
        assert_eq!(journal.entries().entries, std::slice::from_ref(&entry));
        std::fs::set_permissions(journal.folder(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(journal.check().is_err() && journal.write(&entry).is_err());
        assert_eq!((journal.entries().entries.len(), journal.entries().left_out.len()), (0, 1));
    }

    #[test]
    fn what_killed_writers_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().to_owned());
        let left = |name: &str, age: u64| {
            let path = folder.path().join(name);
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
            path
        };
        let (old, new) = (left(".restore-0.json.a.unfinished", 7200), left(".restore-0.json.b.unfinished", 10));
        let foreign = left(".other.unfinished", 7200);
        journal.write(&Entry::new(identity(), "2026-01-01T00:00:00Z".into(), None)).unwrap();
        assert_eq!([old, new, foreign].map(|path| path.exists()), [false, true, true]);
    }
}
