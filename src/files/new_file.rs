use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::place::{folder_of, resolved};
use super::write::{Rights, new_file};

/// A file that gets its name only when it is complete.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Creates a temporary file beside `path`, of `size` bytes.
    ///
    /// # Errors
    ///
    /// There is something at `path`, or the file cannot be created or has no room there.
    pub fn create(path: &Path, size: u64) -> io::Result<Self> {
        let path = resolved(path)?;
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = new_file(folder_of(&path), &path, Rights::Private)?;
        file.as_file().set_len(size)?;
        Ok(NewFile { file, path })
    }

    /// Writes bytes at an offset.
    ///
    /// # Errors
    ///
    /// The bytes cannot be written, for example because the disk is full.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.as_file().write_all_at(bytes, offset)
    }

    /// Gives the file its name, when all its bytes are on the disk. Overwrites nothing.
    ///
    /// # Errors
    ///
    /// The file cannot be synced, or there is something at its path.
    pub fn finish(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        let folder = folder_of(&self.path).to_owned();
        self.file.persist_noclobber(&self.path)?;
        // The new name is durable only when the directory is synced.
        File::open(folder)?.sync_all()
    }
}
