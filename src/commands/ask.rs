use crate::facts::Fact;
use crate::source::{ErrorKind, SourceError};

/// What became of a question: the answer with its source, or why there is none.
pub(super) fn asked<T>(answer: Result<T, SourceError>, source: &'static str, needs: &'static str) -> Fact<T> {
    match answer {
        Ok(value) => Fact::Known { value, source },
        Err(error) => match error.kind {
            ErrorKind::Denied => Fact::NotPermitted { needs },
            ErrorKind::NotFound => Fact::Absent { source },
            _ => Fact::Unavailable { because: format!("{source}: {}", error.explain()) },
        },
    }
}
