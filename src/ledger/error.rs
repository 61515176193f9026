use rusqlite::{Error, ErrorCode};

use crate::ident::shell_option;

/// Why a ledger cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The file is not a ledger.
    #[error("is not a ledger of stored-ami: {0}")]
    Foreign(String),
    /// The database is marked as a ledger, but has content that no released format has.
    #[error("is not a ledger that any version of stored-ami writes: {0}")]
    Schema(String),
    /// The format is newer than this version.
    #[error("was written by a newer version of stored-ami (format {0}); upgrade stored-ami")]
    Newer(i64),
    /// The database is damaged.
    #[error("is damaged: {0}; move it away and start a new one; what it proved must be proved again")]
    Damaged(String),
    /// An entry differs from what was written, or its predecessors are missing.
    #[error(
        "was tampered with or is damaged: {0}; move it away and start a new one; what it proved must be proved again"
    )]
    Broken(String),
    /// The history does not contain a head that was stored elsewhere.
    #[error(
        "does not contain the head {0}: check that value first; if this ledger had that head, entries were changed or \
         removed: move it away and start a new one; what it proved must be proved again"
    )]
    OtherHead(String),
    /// The disk is full or failed.
    #[error("write failed; existing entries are intact: {0}")]
    Full(String),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    ReadOnly(String),
    /// SQLite reported success, but the entries are not there.
    #[error("does not keep what is written to it: {0}")]
    NotKept(String),
    /// Another run holds the file for too long.
    #[error("is in use by another run for too long: {0}")]
    Busy(String),
    /// The file of this name does not exist.
    #[error("there is no such ledger; `stored-ami audit PREFIX {}` creates one", shell_option("--ledger", .0))]
    Missing(String),
    /// The file cannot be opened.
    #[error("{0}")]
    CannotOpen(String),
    /// Another error of SQLite.
    #[error("{0}")]
    Io(String),
}

impl From<Error> for LedgerError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => LedgerError::Foreign(text),
            Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged(text),
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => LedgerError::Full(text),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => LedgerError::ReadOnly(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy(text),
            Some(ErrorCode::CannotOpen) => LedgerError::CannotOpen(text),
            _ => match error {
                Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..) | Error::Utf8Error(..) => {
                    LedgerError::Broken(text)
                }
                _ => LedgerError::Io(text),
            },
        }
    }
}

impl LedgerError {
    /// The same error from work that writes: SQLite could create neither the file nor its journal.
    pub(super) fn while_writing(self) -> Self {
        match self {
            LedgerError::CannotOpen(_) => {
                LedgerError::ReadOnly("no file can be made in its folder, as every change needs".to_owned())
            }
            other => other,
        }
    }
}
