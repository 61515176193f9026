use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

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

/// The lock of a file that is replaced as a whole, and therefore cannot be locked itself. It is that of an empty file
/// beside it, `.NAME.lock`, which is removed at the end.
#[derive(Debug)]
pub struct NamedLock {
    path: PathBuf,
    /// Locked until it is closed.
    _file: File,
}

impl NamedLock {
    /// Requests the lock of the file at `path`, which need not exist, without waiting. The lock is `None` if the file
    /// system has no locks, and [`Locking`] says so.
    ///
    /// # Errors
    ///
    /// The file beside it cannot be created or locked.
    pub fn of(path: &Path) -> io::Result<(Option<Self>, Locking)> {
        let path = resolved(path)?;
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".lock");
        let path = folder_of(&path).join(name);
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match try_lock(&file)? {
                Locking::Held => {}
                other => return Ok((None, other)),
            }
            // The holder before may have removed it between the two calls.
            let is_there = fs::metadata(&path)
                .is_ok_and(|there| file.metadata().is_ok_and(|own| Place::of_open(&own) == Place::of_open(&there)));
            if is_there {
                return Ok((Some(NamedLock { path, _file: file }), Locking::Held));
            }
        }
    }
}

impl Drop for NamedLock {
    fn drop(&mut self) {
        // A file that cannot be removed does no harm.
        drop(fs::remove_file(&self.path));
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
        let (held, locking) = NamedLock::of(&at("state")).unwrap();
        assert!(held.is_some() && locking == Locking::Held);
        super::super::write_whole(&at("state"), b"1").unwrap();
        for spelling in [at("state"), at("link"), at(".").join("state")] {
            let (other, locking) = NamedLock::of(&spelling).unwrap();
            assert!(other.is_none() && locking == Locking::Elsewhere, "{spelling:?}");
        }
        assert!(NamedLock::of(&at("other")).unwrap().0.is_some());
        drop(held);
        assert!(!at(".state.lock").exists() && NamedLock::of(&at("link")).unwrap().0.is_some());
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
