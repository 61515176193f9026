use std::collections::BTreeMap;

use super::AuditRequest;
use crate::commands::ask::asked;
use crate::facts::{Fact, LockFacts, ObjectFacts};
use crate::fleet::{ObjectState, Proof};
use crate::source::{Session, SourceError};

/// What the policy judges; only what it asks for is asked.
pub(super) async fn object_state<'a>(
    session: &Session,
    request: &AuditRequest,
    facts: Option<&ObjectFacts>,
    storage_class: Option<&'a str>,
    proof: Option<&'a Proof>,
) -> ObjectState<'a> {
    let policy = &request.policy;
    let mut state = ObjectState {
        encryption: Err("not asked for".to_owned()),
        storage_class,
        lock: Fact::NotApplicable,
        tags: Fact::NotApplicable,
        proof,
    };
    if !policy.wants_head() {
        return state;
    }
    let asked_now;
    let facts = match facts {
        Some(facts) => Ok(facts),
        None => {
            asked_now = session.head().await;
            asked_now.as_ref().map_err(SourceError::explain)
        }
    };
    let (id, lock) = match facts {
        Ok(facts) => {
            state.encryption = Ok(facts.encryption.clone());
            (facts.id.clone(), facts.lock.clone())
        }
        Err(why) => {
            state.encryption = Err(why.clone());
            state.lock = Fact::Unavailable { because: why.clone() };
            state.tags = Fact::Unavailable { because: why };
            return state;
        }
    };
    if policy.wants_lock() {
        state.lock = if lock == LockFacts::default() {
            // HEAD shows a lock only to those who may see it.
            let asked = asked(session.lock(&id).await, "GetObjectRetention", "s3:GetObjectRetention");
            match asked {
                Fact::Known { value, source } if value == LockFacts::default() => Fact::Absent { source },
                other => other,
            }
        } else {
            Fact::Known { value: lock, source: "HeadObject" }
        };
    }
    if policy.wants_tags() {
        let tags = asked(session.tags(&id).await, "GetObjectTagging", "s3:GetObjectTagging");
        state.tags = tags.map(|tags: BTreeMap<String, String>| tags.into_keys().collect());
    }
    state
}
