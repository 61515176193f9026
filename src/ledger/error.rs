use rusqlite::{Error, ErrorCode};

/// Why a ledger cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("is no ledger of stored-ami: {0}")]
    Foreign(String),
    #[error("was written by a newer version of stored-ami (format {0}); use that one")]
    Newer(i64),
    #[error("is damaged: {0}; put it aside, and begin another: what it proved must be proved again")]
    Damaged(String),
    /// An entry is not what was written, or lacks the ones before it.
    #[error(
        "was tampered with or is damaged: {0}; put it aside, and begin another: what it proved must be proved again"
    )]
    Broken(String),
    #[error("could not be written, and nothing of what was in it is lost: {0}")]
    Full(String),
    #[error("is in use by another run for too long: {0}")]
    Busy(String),
    #[error("{0}")]
    Io(String),
}

impl From<Error> for LedgerError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => LedgerError::Foreign(text),
            Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged(text),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly) => LedgerError::Full(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy(text),
            _ => LedgerError::Io(text),
        }
    }
}
