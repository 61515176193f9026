//! Whether a new file can be written, and why it could not be.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::place::{folder_of, resolved};
use crate::units::ByteSize;

/// The folder of a new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that this user can write there; `None` if the file system does not state it.
    pub free: Option<u64>,
}

/// Why a file cannot be created or written: its path, the cause, and what to do.
#[derive(Debug)]
pub struct FileProblem {
    path: PathBuf,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    NoFolder(PathBuf),
    NotAFolder(PathBuf),
    NoRoom { folder: PathBuf, needed: u64, free: u64 },
    Folder { folder: PathBuf, error: io::Error },
    Write(io::Error),
}

impl FileProblem {
    /// The problem behind an error of creating, writing or completing the file at `path`.
    pub fn of(path: &Path, error: io::Error) -> Self {
        FileProblem { path: path.to_owned(), cause: Cause::Write(error) }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.cause {
            Cause::NoFolder(folder) => {
                write!(f, "the folder {} does not exist; create it, or name another file", folder.display())
            }
            Cause::NotAFolder(folder) => {
                write!(f, "{} is not a folder; name a file in a folder", folder.display())
            }
            Cause::NoRoom { folder, needed, free } => write!(
                f,
                "{} are needed and {} are free in {}; free some space, or name a file on another disk",
                ByteSize(*needed),
                ByteSize(*free),
                folder.display()
            ),
            Cause::Folder { folder, error } => {
                write!(f, "the folder {}: {}; {}", folder.display(), said(error), advice(error))
            }
            Cause::Write(error) => write!(f, "{}; {}", said(error), advice(error)),
        }
    }
}

impl std::error::Error for FileProblem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Folder { error, .. } | Cause::Write(error) => Some(error),
            Cause::NoFolder(_) | Cause::NotAFolder(_) | Cause::NoRoom { .. } => None,
        }
    }
}

/// The text of the system, without the path of a temporary file.
fn said(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None => match error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
            Some(inner) => said(inner),
            None => error.kind().to_string(),
        },
    }
}

fn advice(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => "change the permissions, or name another file",
        Kind::ReadOnlyFilesystem => "the file system is read-only: name a file on another one",
        Kind::StorageFull | Kind::QuotaExceeded => "free some space, or name a file on another disk",
        Kind::FileTooLarge => "the file system or `ulimit -f` allows no file of this size",
        Kind::AlreadyExists => "name another file, or move this one away",
        Kind::NotFound => "the folder is gone: create it, or name another file",
        _ => "check the disk, or name another file",
    }
}

/// Checks, without writing, whether a file of `size` bytes can be created at `path`.
///
/// # Errors
///
/// The folder does not exist, may not be written, or has no room.
pub fn room_for(path: &Path, size: u64) -> Result<Room, FileProblem> {
    let problem = |cause| FileProblem { path: path.to_owned(), cause };
    let leads_to = resolved(path).map_err(|error| problem(Cause::Write(error)))?;
    let folder = folder_of(&leads_to).to_owned();
    match folder.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(problem(Cause::NoFolder(folder))),
        Err(error) => return Err(problem(Cause::Folder { folder, error })),
        Ok(found) if !found.is_dir() => return Err(problem(Cause::NotAFolder(folder))),
        Ok(_) => {}
    }
    if let Err(code) = access(&folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        return Err(problem(Cause::Folder { folder, error: code.into() }));
    }
    let free = statvfs(&folder).ok().map(|disk| disk.blocks_available().saturating_mul(disk.fragment_size()));
    match free {
        Some(free) if free < size => Err(problem(Cause::NoRoom { folder, needed: size, free })),
        free => Ok(Room { folder, free }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &Path, size: u64) -> String {
        room_for(path, size).unwrap_err().to_string()
    }

    #[test]
    fn the_folder_must_be_there_and_have_room() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let room = room_for(&at("new.bin"), 1).unwrap();
        assert_eq!(room.folder, home.path());
        assert!(room.free.is_some_and(|free| free > 0));
        std::fs::write(at("file"), b"x").unwrap();
        let missing = problem(&at("none/new.bin"), 1);
        assert!(missing.contains("/none does not exist; create it, or name another file"), "{missing}");
        let file = problem(&at("file/new.bin"), 1);
        assert!(file.contains("/file is not a folder"), "{file}");
        let full = problem(&at("new.bin"), 1 << 62);
        assert!(full.contains(" are needed and ") && full.contains("free some space"), "{full}");
        assert!(!at("new.bin").exists() && std::fs::read_dir(home.path()).unwrap().count() == 1, "nothing is written");
    }

    #[test]
    fn an_error_names_path_cause_and_what_to_do() {
        let of = |code| FileProblem::of(Path::new("/d/x"), io::Error::from_raw_os_error(code)).to_string();
        assert_eq!(
            of(nix::libc::ENOSPC),
            "/d/x: No space left on device (os error 28); free some space, or name a file on another disk"
        );
        assert_eq!(
            of(nix::libc::EACCES),
            "/d/x: Permission denied (os error 13); change the permissions, or name another file"
        );
    }
}
