use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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

    /// Writes beside the target and links, so that no reader sees a part of the file, and no file is replaced.
    pub(super) fn put(&self, name: &str, content: &Path) -> Result<bool, String> {
        self.put_whole(name, content).map_err(|error| error.to_string())
    }

    fn put_whole(&self, name: &str, content: &Path) -> io::Result<bool> {
        fs::create_dir_all(&self.folder)?;
        let mut file = NamedTempFile::new_in(&self.folder)?;
        io::copy(&mut File::open(content)?, &mut file)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(self.folder.join(name)) {
            Ok(_) => {}
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error.error),
        }
        // The new name is durable only when the directory is synced.
        File::open(&self.folder)?.sync_all()?;
        Ok(true)
    }
}
