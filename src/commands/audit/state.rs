use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AuditRequest, AuditServices};
use crate::audit::{History, PolicySubject};
use crate::checks::{LifecycleSubject, Removals, VersionState, horizon, removals};
use crate::commands::ask::{lock, tags as tags_of};
use crate::facts::{Fact, LifecycleRule, LockFacts, ObjectFacts};
use crate::ident::{ObjectIdentity, Target};
use crate::source::Session;

/// Whether the policy asks what a listing does not tell.
pub(super) fn wants_head(request: &AuditRequest, storage_class: Option<&str>) -> bool {
    let policy = &request.policy;
    policy.wants_head() || storage_class.is_none() && !policy.object.storage_classes.is_empty()
}

/// One object, and whom to ask about it.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub services: &'a AuditServices,
    pub session: &'a Session,
    pub request: &'a AuditRequest,
}

/// What the policy judges; only what it asks for is asked. Facts are those of a HEAD, if one was made; proofs are those
/// that a history has of a state.
pub(super) async fn object_state<'a>(
    asker: Asker<'_>,
    facts: Option<Result<&ObjectFacts, String>>,
    storage_class: Option<String>,
    (history, seen): (&'a History, &ObjectIdentity),
) -> PolicySubject<'a> {
    let Asker { session, request, services } = asker;
    let policy = &request.policy;
    let why = match &facts {
        Some(Err(why)) => why.clone(),
        _ => "not asked for".to_owned(),
    };
    let mut state = PolicySubject {
        encryption: Err(why.clone()),
        expiration: Err(why.clone()),
        rules: Fact::Unavailable { because: why.clone() },
        storage_class,
        lock: Fact::Unavailable { because: why.clone() },
        tags: Fact::Unavailable { because: why },
        identified: seen.is_identified(),
        proof: history.proof_of(seen),
        doubt: history.doubt_of(seen),
    };
    let Some(Ok(facts)) = facts else { return state };
    state.encryption = Ok(facts.encryption.clone());
    state.expiration = facts.expiration.clone();
    state.storage_class = state.storage_class.or_else(|| facts.storage_class.clone());
    if policy.wants_lock() {
        state.lock = lock(session, facts).await;
    }
    let mut tags = Fact::NotApplicable;
    if policy.wants_tags() {
        tags = tags_of(session, facts).await;
    }
    if policy.object.stays.is_some() {
        let now = services.context.clock.now();
        state.rules = match bucket_rules(services, session).await {
            Fact::Known { value, source } => {
                let mut found = held(&value, session, facts, (&state.lock, &tags), now);
                if found.wants_tags && tags == Fact::NotApplicable {
                    tags = tags_of(session, facts).await;
                    found = held(&value, session, facts, (&state.lock, &tags), now);
                }
                Fact::Known { value: found, source }
            }
            other => other.map(|_| Removals::default()),
        };
    }
    if policy.wants_tags() {
        state.tags = tags.map(|tags| tags.into_keys().collect());
    }
    state
}

async fn bucket_rules(services: &AuditServices, session: &Session) -> Fact<std::sync::Arc<[LifecycleRule]>> {
    match session.target() {
        Target::Object(uri) => services.lifecycles.of(&*services.archive, &services.context, &uri.bucket).await,
        Target::File(_) => Fact::NotApplicable,
    }
}

/// What the rules do to the object.
fn held(
    rules: &[LifecycleRule],
    session: &Session,
    facts: &ObjectFacts,
    (lock, tags): (&Fact<LockFacts>, &Fact<BTreeMap<String, String>>),
    now: Timestamp,
) -> Removals {
    let Target::Object(uri) = session.target() else { return Removals::default() };
    let none = BTreeMap::new();
    let subject = LifecycleSubject {
        key: &uri.key,
        size: facts.size,
        made: facts.last_modified,
        tags: match tags {
            Fact::Absent { .. } => Some(&none),
            other => other.value(),
        },
        standing: if uri.version.is_some() { VersionState::NotKnown } else { VersionState::Current },
        lock: lock.value().or(Some(&facts.lock)),
    };
    removals(rules, &subject, now)
}

/// What lifecycle rules do to the object within the time that it must stay, and what does not keep it from staying.
pub(super) fn moves(request: &AuditRequest, state: &PolicySubject<'_>, now: Timestamp) -> Vec<String> {
    let Some((time, rules)) = request.policy.object.stays.zip(state.rules.value()) else { return Vec::new() };
    let until = horizon(now, time);
    let soon = rules.archived.iter().filter(|moved| moved.at <= until);
    soon.map(|moved| {
        format!(
            "it will be archived on {}: {}; it must be restored from the archive tier before EC2 can restore the AMI",
            moved.at, moved.by
        )
    })
    .collect()
}
