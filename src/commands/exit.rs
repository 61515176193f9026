use crate::report::Exit;
use crate::source::{ErrorKind, SourceError};

/// The exit code of a command that fails with this error.
pub fn exit_of(error: &SourceError) -> Exit {
    match error.kind {
        ErrorKind::Credentials | ErrorKind::Configuration => Exit::Usage,
        ErrorKind::Archived | ErrorKind::Changed | ErrorKind::Ambiguous => Exit::Unknown,
        ErrorKind::Interrupted => Exit::Interrupted,
        _ => Exit::CouldNot,
    }
}
