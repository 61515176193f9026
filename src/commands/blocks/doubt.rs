use crate::blocks::{Unproved, UnprovedCode};
use crate::snapshot::{INVALID_SNAPSHOT_ID, KEY_DENIED, SNAPSHOT_NOT_FOUND};
use crate::source::{ErrorKind, SourceError};

/// Why a failed request leaves a volume unproved.
pub(super) fn doubt(error: &SourceError) -> Unproved {
    let code = match (error.code.as_deref(), &error.kind) {
        (Some(KEY_DENIED), _) => UnprovedCode::KeyDenied,
        (Some(SNAPSHOT_NOT_FOUND), _) => UnprovedCode::SnapshotGone,
        (Some(INVALID_SNAPSHOT_ID), _) => UnprovedCode::SnapshotNotReady,
        (_, ErrorKind::Denied) => UnprovedCode::NotPermitted,
        (_, ErrorKind::NotFound) => UnprovedCode::SnapshotGone,
        (_, ErrorKind::Protocol) => UnprovedCode::Protocol,
        _ => UnprovedCode::ReadFailed,
    };
    Unproved::new(code, format!("{}: {}", error.subject, error.detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_kinds_of_errors() {
        for (code, kind, expected) in [
            (Some("DEPENDENCY_ACCESS_DENIED"), ErrorKind::Denied, UnprovedCode::KeyDenied),
            (Some("UNAUTHORIZED_ACCOUNT"), ErrorKind::Denied, UnprovedCode::NotPermitted),
            (Some("SNAPSHOT_NOT_FOUND"), ErrorKind::NotFound, UnprovedCode::SnapshotGone),
            (Some("INVALID_SNAPSHOT_ID"), ErrorKind::Invalid, UnprovedCode::SnapshotNotReady),
            (Some("ChecksumDiffers"), ErrorKind::Protocol, UnprovedCode::Protocol),
            (Some("ACCOUNT_THROTTLED"), ErrorKind::Throttled, UnprovedCode::ReadFailed),
            (None, ErrorKind::Transient, UnprovedCode::ReadFailed),
        ] {
            let error = SourceError { code: code.map(Box::from), ..SourceError::new(kind, "block 1 of snap-1", "x") };
            assert_eq!(doubt(&error).code, expected, "{code:?}");
        }
    }
}
