use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::files::write_new;

/// Results in a folder that all machines share.
pub(super) struct FolderResults {
    folder: PathBuf,
}

impl FolderResults {
    pub(super) fn new(folder: &Path) -> Self {
        FolderResults { folder: folder.to_owned() }
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(&self.folder).map_err(|error| error.to_string())?;
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(|error| error.to_string())?.file_name().into_string());
        }
        Ok(names)
    }

    pub(super) fn fetch(&self, name: &str) -> Result<Option<File>, String> {
        match File::open(self.folder.join(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes a file whole, unless it exists. What killed writers of names that begin with `family` left is removed.
    pub(super) fn put(&self, name: &str, content: &Path, family: &str) -> Result<bool, String> {
        let write = || {
            fs::create_dir_all(&self.folder)?;
            write_new(&self.folder.join(name), &mut File::open(content)?, family)
        };
        write().map_err(|error: io::Error| error.to_string())
    }
}
