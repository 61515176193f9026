//! The file of a [`Checkpoint`].

use std::io;
use std::path::{Path, PathBuf};

pub use stored_ami_core::checkpoint::{Checkpoint, CheckpointError, CheckpointObject};

use crate::files::{InputError, InputKind, read_text, remove_whole, write_whole};

/// The file in which a checkpoint is stored.
#[derive(Debug, Clone)]
pub struct CheckpointFile(PathBuf);

impl CheckpointFile {
    /// The checkpoint file at `path`, which need not exist.
    pub fn new(path: &Path) -> Self {
        CheckpointFile(path.to_owned())
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The text of the checkpoint; `None` if the file does not exist.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, or is not UTF-8.
    pub fn read(&self) -> Result<Option<String>, InputError> {
        match read_text(&self.0, InputKind::Checkpoint) {
            Ok(text) => Ok(Some(text)),
            Err(InputError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file. Returns the number of bytes written.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or would be too large to be read again.
    pub fn write(&self, checkpoint: &Checkpoint) -> io::Result<u64> {
        let text = checkpoint.to_json()?;
        // A larger file could not be read again.
        if text.len() as u64 > InputKind::Checkpoint.most_bytes() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        write_whole(&self.0, text.as_bytes())?;
        Ok(text.len() as u64)
    }

    /// Removes the file, when the read is complete.
    ///
    /// # Errors
    ///
    /// The file exists and cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        remove_whole(&self.0)
    }
}
