use std::io;
use std::path::{Path, PathBuf};

use crate::copy::CopyState;
use crate::files::{FileProblem, InputError, InputKind, NamedLock, read_text, remove_whole, write_whole};

/// The file with the state of an unfinished copy.
#[derive(Debug, Clone)]
pub struct CopyStateFile(PathBuf);

impl CopyStateFile {
    /// The file at `path`, which need not exist.
    pub fn new(path: &Path) -> Self {
        CopyStateFile(path.to_owned())
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps other runs from the upload of the file until the lock is dropped.
    ///
    /// # Errors
    ///
    /// Another run holds it, or it cannot be requested; the text is for the user.
    pub fn lock(&self) -> Result<NamedLock, String> {
        let name = self.0.display();
        match NamedLock::of(&self.0) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => {
                Err(format!("{name}: another run uses it now, and its upload; wait for that, or name another file"))
            }
            Err(error) => Err(FileProblem::of(&self.0, error).to_string()),
        }
    }

    /// Reads the state; `None` if the file does not exist.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not such a state; the text is for the user.
    pub fn read(&self) -> Result<Option<CopyState>, String> {
        let named = |problem: String| format!("{}: {problem}", self.0.display());
        match read_text(&self.0, InputKind::Checkpoint) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => CopyState::from_json(&text).map(Some).map_err(|error| named(error.to_string())),
            Err(InputError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(error.to_string())),
        }
    }

    /// Replaces the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, state: &CopyState) -> io::Result<()> {
        write_whole(&self.0, state.to_json()?.as_bytes())
    }

    /// Removes the file.
    ///
    /// # Errors
    ///
    /// The file exists and cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        remove_whole(&self.0)
    }
}
