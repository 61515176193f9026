use std::collections::BTreeMap;

use crate::facts::{Fact, LegalHold, LockFacts, ObjectFacts};
use crate::source::{ErrorKind, Session, SourceError};

/// Turns the result of a request into a fact: the value with its source, or why it is not known.
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

/// The tags of an object. HEAD states their number to callers who may read them; a set with another number is not that
/// of the described state.
pub(super) async fn tags(session: &Session, facts: &ObjectFacts) -> Fact<BTreeMap<String, String>> {
    const SOURCE: &str = "GetObjectTagging";
    let answer = session.tags(&facts.id).await;
    match (&answer, facts.tag_count) {
        (Ok(tags), Some(count)) if tags.len() as u64 != u64::from(count) => {
            let because = format!("{SOURCE} returns {} tags, and HeadObject states {count}", tags.len());
            Fact::Unavailable { because }
        }
        _ => asked(answer, SOURCE, "s3:GetObjectTagging"),
    }
}

/// The lock of an object. HEAD shows a lock only to callers who may read it, so its absence there must be confirmed by
/// separate requests.
pub(super) async fn lock(session: &Session, facts: &ObjectFacts) -> Fact<LockFacts> {
    let seen = &facts.lock;
    // A legal hold that is off does not rule out a retention, which needs another permission.
    if seen.mode.is_some() || seen.legal_hold.as_ref().is_some_and(|hold| *hold != LegalHold::Off) {
        return Fact::Known { value: seen.clone(), source: "HeadObject" };
    }
    let answer = session.lock(&facts.id).await;
    match asked(answer, "GetObjectRetention", "s3:GetObjectRetention and s3:GetObjectLegalHold") {
        Fact::Known { value, source } if value == LockFacts::default() => match seen {
            none if *none == LockFacts::default() => Fact::Absent { source },
            seen => Fact::Known { value: seen.clone(), source: "HeadObject" },
        },
        other => other,
    }
}
