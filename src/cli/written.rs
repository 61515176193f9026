//! The files that a command wrote, which are named at its end.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::report::{FileKind, WrittenFile};
use crate::sync::lock;

/// Collects the files of one command, whatever part of it writes them. Clones share one collection.
#[derive(Debug, Clone, Default)]
pub(super) struct WrittenFiles(Arc<Mutex<Vec<(PathBuf, FileKind)>>>);

impl WrittenFiles {
    /// Adds a file that was written. A file that is written again keeps its place.
    pub(super) fn add(&self, path: &Path, kind: FileKind) {
        let mut files = lock(&self.0);
        if !files.iter().any(|(known, _)| known == path) {
            files.push((path.to_owned(), kind));
        }
    }

    /// Takes a file back whose earlier content is there again.
    #[cfg(feature = "ec2")]
    pub(super) fn forget(&self, path: &Path) {
        lock(&self.0).retain(|(known, _)| known != path);
    }

    /// The files that are still there, in the order of their first write. The state of finished work is removed.
    pub(super) fn list(&self) -> Vec<WrittenFile> {
        let files = lock(&self.0);
        let there = files.iter().filter(|(path, _)| path.exists());
        there.map(|(path, kind)| WrittenFile { path: path.display().to_string(), kind: *kind }).collect()
    }

    /// [`WrittenFiles::list`], once: later calls return nothing.
    pub(super) fn take(&self) -> Vec<WrittenFile> {
        let files = self.list();
        lock(&self.0).clear();
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_once_and_not_if_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let files = WrittenFiles::default();
        for name in ["b", "a", "b", "gone"] {
            std::fs::write(at(name), "x").unwrap();
            files.clone().add(&at(name), FileKind::Manifest);
        }
        std::fs::remove_file(at("gone")).unwrap();
        let names =
            |files: Vec<WrittenFile>| files.into_iter().map(|file| PathBuf::from(file.path)).collect::<Vec<_>>();
        assert_eq!(names(files.list()), [at("b"), at("a")]);
        assert_eq!(names(files.take()), [at("b"), at("a")]);
        assert_eq!(files.list(), []);
    }
}
