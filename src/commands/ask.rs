use crate::facts::{Fact, LockFacts, ObjectFacts};
use crate::source::{ErrorKind, Session, SourceError};

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

/// The lock of an object. HEAD shows one only to those who may see it, so its silence needs a question of its own.
pub(super) async fn lock(session: &Session, facts: &ObjectFacts) -> Fact<LockFacts> {
    if facts.lock != LockFacts::default() {
        return Fact::Known { value: facts.lock.clone(), source: "HeadObject" };
    }
    let answer = session.lock(&facts.id).await;
    match asked(answer, "GetObjectRetention", "s3:GetObjectRetention and s3:GetObjectLegalHold") {
        Fact::Known { value, source } if value == LockFacts::default() => Fact::Absent { source },
        other => other,
    }
}
