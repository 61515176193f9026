use crate::source::{ErrorKind, SourceError};

/// The error for a target that was not found, with a hint if its key looks like a pattern or a prefix.
pub(in crate::cli) fn hinted(target: &str, error: SourceError) -> SourceError {
    let object = target.strip_prefix("s3://").filter(|_| error.kind == ErrorKind::NotFound);
    let Some(key) = object.and_then(|object| object.split_once('/')).map(|(_, key)| key) else { return error };
    let key = key.split("?versionId=").next().unwrap_or(key);
    let hint = if key.contains(['*', '?', '[']) {
        "`*`, `?` and `[` are part of the key; inspect, verify and cost take a pattern with --glob"
    } else if key.ends_with('/') {
        "the key ends with /; inspect, verify and cost take a prefix with --prefix"
    } else {
        return error;
    };
    SourceError { detail: format!("{}; {hint}", error.detail), ..error }
}
