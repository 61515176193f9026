use std::collections::BTreeMap;

use super::AuditRequest;
use crate::commands::ask::{asked, lock};
use crate::facts::{Fact, ObjectFacts};
use crate::fleet::{History, ObjectState, Seen};
use crate::source::Session;

/// Whether the policy asks what a listing does not tell.
pub(super) fn wants_head(request: &AuditRequest, storage_class: Option<&str>) -> bool {
    let policy = &request.policy;
    policy.wants_head() || storage_class.is_none() && !policy.object.storage_classes.is_empty()
}

/// What the policy judges; only what it asks for is asked. Facts are those of a HEAD, if one was made; proofs are those
/// that a history has of a state.
pub(super) async fn object_state<'a>(
    session: &Session,
    request: &AuditRequest,
    facts: Option<Result<&ObjectFacts, String>>,
    storage_class: Option<String>,
    (history, seen): (&'a History, &Seen),
) -> ObjectState<'a> {
    let policy = &request.policy;
    let why = match &facts {
        Some(Err(why)) => why.clone(),
        _ => "not asked for".to_owned(),
    };
    let mut state = ObjectState {
        encryption: Err(why.clone()),
        expiration: Err(why.clone()),
        storage_class,
        lock: Fact::Unavailable { because: why.clone() },
        tags: Fact::Unavailable { because: why },
        proof: history.proof_of(seen),
        doubt: history.doubt_of(seen),
    };
    let Some(Ok(facts)) = facts else { return state };
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
