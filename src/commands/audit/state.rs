use std::collections::BTreeMap;

use super::AuditRequest;
use crate::commands::ask::{asked, lock};
use crate::facts::{Fact, ObjectFacts};
use crate::fleet::{ObjectState, Proof};
use crate::source::{Session, SourceError};

/// What the policy judges; only what it asks for is asked. Where this run has no facts of a HEAD, one is made if the
/// policy needs it.
pub(super) async fn object_state<'a>(
    session: &Session,
    request: &AuditRequest,
    facts: Option<&ObjectFacts>,
    storage_class: Option<String>,
    proof: Option<&'a Proof>,
) -> ObjectState<'a> {
    let policy = &request.policy;
    let not_asked = || "not asked for".to_owned();
    let mut state = ObjectState {
        encryption: Err(not_asked()),
        expiration: Err(not_asked()),
        storage_class,
        lock: Fact::NotApplicable,
        tags: Fact::NotApplicable,
        proof,
    };
    let no_class = state.storage_class.is_none() && !policy.object.storage_classes.is_empty();
    if !policy.wants_head() && !no_class {
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
    let facts = match facts {
        Ok(facts) => facts,
        Err(why) => {
            (state.encryption, state.expiration) = (Err(why.clone()), Err(why.clone()));
            state.lock = Fact::Unavailable { because: why.clone() };
            state.tags = Fact::Unavailable { because: why };
            return state;
        }
    };
    state.encryption = Ok(facts.encryption.clone());
    state.expiration = Ok(facts.expiration.clone());
    state.storage_class = state.storage_class.or_else(|| facts.storage_class.clone());
    if policy.wants_lock() {
        state.lock = lock(session, facts).await;
    }
    if policy.wants_tags() {
        let tags = asked(session.tags(&facts.id).await, "GetObjectTagging", "s3:GetObjectTagging");
        state.tags = tags.map(|tags: BTreeMap<String, String>| tags.into_keys().collect());
    }
    state
}
