use super::{ErrorKind, Session, SourceError};

/// Writes an object unless there is one. `write` sends the requests of an attempt, with retries; each of them that makes
/// the object demands that there is none. After a conflict with another writer, a HEAD shows whether that has written the
/// object. If not, the next attempt begins.
///
/// Returns whether the object was written. If not, an earlier attempt may have written it whose answer was lost: the
/// caller compares what is there.
///
/// # Errors
///
/// The error of the last attempt.
pub async fn write_absent<F>(session: &Session, write: impl Fn() -> F) -> Result<bool, SourceError>
where
    F: Future<Output = Result<(), SourceError>>,
{
    let mut failed = 0;
    loop {
        let error = match write().await {
            Ok(()) => return Ok(true),
            Err(error) if error.kind == ErrorKind::Changed => return Ok(false),
            Err(error) if error.is_write_conflict() || error.code.as_deref() == Some("NoSuchUpload") => error,
            Err(error) => return Err(error),
        };
        match session.head_again().await {
            Ok(_) => return Ok(false),
            // A missing object is answered so where the bucket may not be listed.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {}
            Err(error) => return Err(error),
        }
        failed += 1;
        session.context().wait(failed, error).await?;
    }
}
