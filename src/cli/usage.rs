//! What ends a command before its work begins: arguments and input files that are wrong, and the limit of time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::files::{InputKind, read_text};

/// Something wrong with what was typed, subject first.
#[derive(Debug)]
pub(super) struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads an input file as text, up to the size limit of its kind.
pub(super) fn read(path: &Path, kind: InputKind) -> Result<String, UsageError> {
    read_text(path, kind).map_err(|error| UsageError(format!("{}: {error}", path.display())))
}

/// [`read`] for a file that a flag names, which the message then names too.
pub(super) fn read_given(flag: &str, path: &Path, kind: InputKind) -> Result<String, UsageError> {
    read(path, kind).map_err(|UsageError(problem)| UsageError(format!("{flag} {problem}")))
}

/// Runs work that may block, such as reading from a pipe, in a separate thread, so that signals and `--max-time` can
/// end it.
pub(super) async fn load<T: Send + 'static>(
    name: String,
    within: Option<Duration>,
    work: impl FnOnce() -> Result<T, UsageError> + Send + 'static,
) -> Result<T, UsageError> {
    let work = tokio::task::spawn_blocking(work);
    let done = match within {
        None => work.await,
        Some(time) => match tokio::time::timeout(time, work).await {
            Ok(done) => done,
            Err(_) => return Err(UsageError(format!("{name}: was not read within --max-time"))),
        },
    };
    done.unwrap_or_else(|error| Err(UsageError(format!("{name}: {error}"))))
}

/// Waits for the preparation of the work, at most until `--max-time` is over.
pub(super) async fn before_work<T>(
    until: Option<Instant>,
    work: impl Future<Output = Result<T, UsageError>>,
) -> Result<T, UsageError> {
    let Some(until) = until else { return work.await };
    tokio::time::timeout_at(until.into(), work).await.unwrap_or_else(|_| {
        Err(UsageError("--max-time was over before the work began: credentials or buckets took too long".to_owned()))
    })
}
