use std::fs::{File, TryLockError};
use std::io;

use nix::errno::Errno;

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

#[cfg(test)]
mod tests {
    use super::*;

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
