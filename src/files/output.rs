use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::O_NONBLOCK;

use super::kind::{OutputKind, is_ours};
use super::place::{folder_of, resolved};
use super::type_name;
use super::write::{new_file, remove_leftovers};

/// Bytes that are written beside an output and removed again, to detect a full disk.
const TRIAL: usize = 4 << 10;

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The path is empty.
    #[error("an empty name")]
    NoName,
    /// The path leads to a file of an unsuitable type.
    #[error("is {0}, and a file is needed")]
    Special(&'static str),
    /// The directory does not exist or cannot be written to.
    #[error("{}", of_folder(.0))]
    Folder(io::Error),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    NotWritable(io::Error),
    /// The file exists and is not an output of this kind.
    #[error("exists and is not {} that stored-ami wrote; --force overwrites it", kind.name())]
    Foreign {
        /// What was to be written.
        kind: OutputKind,
    },
}

fn of_folder(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist; create it, or name another file".to_owned(),
        _ => format!("its folder: {error}"),
    }
}

/// Checks before any work whether an output can be written, and whether an existing file may be overwritten: an empty
/// file, one that was written as this kind of output, or any file with `force`. Existing outputs are not changed.
///
/// Removes temporary files that killed writers of the same output left beside it.
///
/// # Errors
///
/// See [`OutputError`]. Later failures remain possible: the disk may fill up meanwhile.
pub fn try_output(path: &Path, kind: OutputKind, force: bool) -> Result<(), OutputError> {
    if path.as_os_str().is_empty() {
        return Err(OutputError::NoName);
    }
    let path = resolved(path).map_err(OutputError::NotWritable)?;
    match fs::metadata(&path) {
        Ok(there) if kind.needs_regular_file() && !there.is_file() => {
            return Err(OutputError::Special(type_name(there.file_type())));
        }
        // Not even opened: closing a pipe again would end the input of its reader.
        Ok(there) if there.file_type().is_fifo() => return Ok(()),
        Ok(there) if there.file_type().is_char_device() => {
            let opened = OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&path);
            return opened.map(drop).map_err(OutputError::NotWritable);
        }
        Ok(there) if !there.is_file() => return Err(OutputError::Special(type_name(there.file_type()))),
        Ok(there) => {
            OpenOptions::new().write(true).open(&path).map_err(OutputError::NotWritable)?;
            let ours = || is_ours(kind, File::open(&path)?);
            if there.len() > 0 && !force && !ours().map_err(OutputError::NotWritable)? {
                return Err(OutputError::Foreign { kind });
            }
        }
        Err(_) if names_a_directory(&path) => {
            return Err(OutputError::Special("the name of a directory"));
        }
        Err(_) => {}
    }
    let folder = folder_of(&path);
    let found = fs::metadata(folder).map_err(OutputError::Folder)?;
    if !found.is_dir() {
        return Err(OutputError::Folder(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    remove_leftovers(&path);
    let trial = || new_file(folder, &path, kind.rights())?.write_all(&[0; TRIAL]);
    trial().map_err(|error| match there(&path) {
        true => OutputError::NotWritable(error),
        false => OutputError::Folder(error),
    })
}

/// Whether a path can only name a directory. `Path` itself drops a trailing `.`.
fn names_a_directory(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().rsplit(|byte| *byte == b'/').next();
    last.is_none_or(|last| matches!(last, b"" | b"." | b".."))
}

fn there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
