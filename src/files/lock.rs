use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

use super::place::{Place, folder_of, resolved};

/// Whether other processes are kept from writing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// This process holds the lock.
    Held,
    /// Another process holds the lock.
    Elsewhere,
    /// The file system has no locks, for example NFS without a lock daemon.
    NotSupported,
}

/// Requests the lock of a file, without waiting for it.
///
/// # Errors
///
/// The request failed for another reason than [`Locking`] names.
pub fn try_lock(file: &File) -> io::Result<Locking> {
    answered(file.try_lock())
}

fn answered(answer: Result<(), TryLockError>) -> io::Result<Locking> {
    let error = match answer {
        Ok(()) => return Ok(Locking::Held),
        Err(TryLockError::WouldBlock) => return Ok(Locking::Elsewhere),
        Err(TryLockError::Error(error)) => error,
    };
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP) => Ok(Locking::NotSupported),
        _ => Err(error),
    }
}

/// Attempts to lock a file that others remove.
const ATTEMPTS: usize = 64;

/// The lock of a file that is replaced as a whole, and therefore cannot be locked itself. It is that of an empty file
/// beside it, `.NAME.stored-ami-lock`, which is removed at the end. A file with content is never opened for that.
#[derive(Debug)]
pub struct NamedLock {
    path: PathBuf,
    /// Locked until it is closed.
    file: File,
}

impl NamedLock {
    /// Requests the lock of the file at `path`, which need not exist, without waiting; `None` if another process holds it. A
    /// file system without locks keeps nobody away.
    ///
    /// # Errors
    ///
    /// The file beside it cannot be created or locked.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let path = resolved(path)?;
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".stored-ami-lock");
        let path = folder_of(&path).join(name);
        for _ in 0..ATTEMPTS {
            let mut options = OpenOptions::new();
            // A pipe would wait for its reader.
            options.write(true).create(true).truncate(false).mode(0o600).custom_flags(O_NOFOLLOW | O_NONBLOCK);
            let file = options.open(&path)?;
            if !is_empty_file(&file) {
                let problem = "is no empty file, and so no lock of stored-ami; move it away, or name another file";
                return Err(io::Error::other(format!("{} {problem}", path.display())));
            }
            let locking = try_lock(&file)?;
            if locking == Locking::Elsewhere {
                return Ok(None);
            }
            // The holder before may have removed it between the two calls.
            let is_there =
                Place::of(&path).is_ok_and(|there| file.metadata().is_ok_and(|own| Place::of_open(&own) == there));
            if is_there || locking == Locking::NotSupported {
                return Ok(Some(NamedLock { path, file }));
            }
        }
        Err(io::Error::other("other runs create and remove its lock again and again"))
    }
}

fn is_empty_file(file: &File) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.len() == 0)
}

impl Drop for NamedLock {
    fn drop(&mut self) {
        // A file that cannot be removed does no harm.
        if is_empty_file(&self.file) {
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_is_locked_under_every_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(at("state"), at("link")).unwrap();
        let held = NamedLock::of(&at("state")).unwrap();
        assert!(held.is_some());
        super::super::write_whole(&at("state"), b"1").unwrap();
        for spelling in [at("state"), at("link"), at(".").join("state")] {
            assert!(NamedLock::of(&spelling).unwrap().is_none(), "{spelling:?}");
        }
        assert!(NamedLock::of(&at("other")).unwrap().is_some());
        drop(held);
        assert!(!at(".state.stored-ami-lock").exists() && NamedLock::of(&at("link")).unwrap().is_some());
    }

    #[test]
    fn a_file_of_somebody_else_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".a.stored-ami-lock"), "precious").unwrap();
        fs::write(at("precious"), "precious").unwrap();
        std::os::unix::fs::symlink(at("precious"), at(".b.stored-ami-lock")).unwrap();
        nix::unistd::mkfifo(&at(".c.stored-ami-lock"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["a", "b", "c"] {
            assert!(NamedLock::of(&at(name)).is_err(), "{name}");
            assert!(fs::symlink_metadata(at(&format!(".{name}.stored-ami-lock"))).is_ok(), "{name}");
        }
        assert_eq!(fs::read(at(".a.stored-ami-lock")).unwrap(), b"precious");
        // What was written into it meanwhile stays.
        let held = NamedLock::of(&at("d")).unwrap();
        fs::write(at(".d.stored-ami-lock"), "precious").unwrap();
        drop(held);
        assert_eq!(fs::read(at(".d.stored-ami-lock")).unwrap(), b"precious");
    }

    #[test]
    fn a_file_system_without_locks_is_no_error() {
        let failed = |code: Errno| Err(TryLockError::Error(io::Error::from_raw_os_error(code as i32)));
        assert_eq!(answered(Ok(())).unwrap(), Locking::Held);
        assert_eq!(answered(Err(TryLockError::WouldBlock)).unwrap(), Locking::Elsewhere);
        for code in [Errno::ENOLCK, Errno::ENOSYS, Errno::EOPNOTSUPP] {
            assert_eq!(answered(failed(code)).unwrap(), Locking::NotSupported, "{code}");
        }
        assert!(answered(failed(Errno::EIO)).is_err());
    }
}
