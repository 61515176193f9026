use std::fmt::Display;
use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::source::{ErrorKind, SourceError};

/// Work on `subject` before a call that cannot be taken back. A signal ends it, also between its attempts.
///
/// # Errors
///
/// [`ErrorKind::Interrupted`] after a signal, and the errors of the work.
pub(super) async fn before_signal<T>(
    cancel: &CancellationToken,
    subject: impl Display,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            Err(SourceError::new(ErrorKind::Interrupted, subject, "not started: a signal ended the run before"))
        }
        done = work => done,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_signal_ends_work_that_waits() {
        let cancel = CancellationToken::new();
        let signal = async { cancel.cancel() };
        let (done, ()) = tokio::join!(before_signal::<()>(&cancel, "s3://b/k", pending()), signal);
        assert_eq!(done.unwrap_err().kind, ErrorKind::Interrupted);
    }
}
