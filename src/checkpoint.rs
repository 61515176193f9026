//! The file of a [`Checkpoint`].

use std::io;
use std::path::{Path, PathBuf};

pub use stored_ami_core::checkpoint::{Checkpoint, CheckpointError, CheckpointObject};

use crate::files::{InputError, InputKind, read_text, remove_whole, write_whole};

/// The file that a checkpoint is kept in.
#[derive(Debug, Clone)]
pub struct CheckpointFile(PathBuf);

impl CheckpointFile {
    pub fn new(path: &Path) -> Self {
        CheckpointFile(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `None` where there is none yet.
    pub fn read(&self) -> Result<Option<String>, InputError> {
        match read_text(&self.0, InputKind::Checkpoint) {
            Ok(text) => Ok(Some(text)),
            Err(InputError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it in the place of what is there, and answers with the bytes that it takes.
    pub fn write(&self, checkpoint: &Checkpoint) -> io::Result<u64> {
        let text = checkpoint.to_json()?;
        // What could not be read again is no checkpoint.
        if text.len() as u64 > InputKind::Checkpoint.most_bytes() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        write_whole(&self.0, text.as_bytes())?;
        Ok(text.len() as u64)
    }

    /// What is finished needs no checkpoint.
    pub fn remove(&self) -> io::Result<()> {
        remove_whole(&self.0)
    }
}
