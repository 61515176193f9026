use std::collections::BTreeMap;

use crate::facts::{Fact, LegalHold, LockFacts, ObjectFacts};
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

/// The tags of an object. HEAD tells how many there are to those who may see them; a set of another number is none of
/// this object as it was looked at.
pub(super) async fn tags(session: &Session, facts: &ObjectFacts) -> Fact<BTreeMap<String, String>> {
    const SOURCE: &str = "GetObjectTagging";
    let answer = session.tags(&facts.id).await;
    match (&answer, facts.tag_count) {
        (Ok(tags), Some(count)) if tags.len() as u64 != u64::from(count) => {
            let because = format!("{SOURCE} tells of {} tags, and HeadObject of {count}", tags.len());
            Fact::Unavailable { because }
        }
        _ => asked(answer, SOURCE, "s3:GetObjectTagging"),
    }
}

/// The lock of an object. HEAD shows one only to those who may see it, so its silence needs a question of its own.
pub(super) async fn lock(session: &Session, facts: &ObjectFacts) -> Fact<LockFacts> {
    let seen = &facts.lock;
    // A legal hold that is off says nothing of a retention, which takes a permission of its own to be seen.
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
