use std::collections::BTreeMap;

use jiff::Timestamp;

use super::AuditRequest;
use super::subject::Subject;
use crate::audit::{History, PolicySubject};
use crate::checks::{LifecycleSubject, Removals, VersionState, horizon, removals};
use crate::commands::ask::{lock, tags as tags_of};
use crate::facts::{Fact, LockFacts, ObjectFacts};
use crate::ident::{ObjectIdentity, ObjectUri};
use crate::report::{AuditedNote, Note, VerifyNote};

/// Whether the policy needs facts that a listing does not contain.
pub(super) fn wants_head(request: &AuditRequest, storage_class: Option<&str>) -> bool {
    let policy = &request.policy;
    policy.wants_head() || storage_class.is_none() && !policy.object.storage_classes.is_empty()
}

/// The facts that the policy judges; requests only what the policy needs. `facts` are those of a HEAD, if one was sent;
/// proofs are those that the history has for the state `seen`.
pub(super) async fn object_state<'a>(
    subject: &Subject<'_>,
    facts: Option<Result<&ObjectFacts, String>>,
    storage_class: Option<String>,
    (history, seen): (&'a History, &ObjectIdentity),
) -> PolicySubject<'a> {
    let session = &subject.session;
    let policy = &subject.request.policy;
    let why = match &facts {
        Some(Err(why)) => why.clone(),
        _ => "not asked for".to_owned(),
    };
    let is_marked = matches!(&facts, Some(Ok(facts)) if facts.is_unproved_copy());
    let mut state = PolicySubject {
        encryption: Err(why.clone()),
        expiration: Err(why.clone()),
        rules: Fact::Unavailable { because: why.clone() },
        storage_class,
        lock: Fact::Unavailable { because: why.clone() },
        tags: Fact::Unavailable { because: why },
        identified: seen.is_identified(),
        proof: history.proof_of(seen),
        unread_proof: history.unread_proof_of(seen),
        doubt: history.doubt_of(seen),
        unproved_copy: history.unproved_copy_of(seen, is_marked),
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
        state.rules = rules_on(subject, facts, &state.lock, &mut tags).await;
    }
    if policy.wants_tags() {
        state.tags = tags.map(|tags| tags.into_keys().collect());
    }
    state
}

/// What the lifecycle rules of the bucket do to the object. Requests the tags only if a rule uses them.
async fn rules_on(
    subject: &Subject<'_>,
    facts: &ObjectFacts,
    lock: &Fact<LockFacts>,
    tags: &mut Fact<BTreeMap<String, String>>,
) -> Fact<Removals> {
    let (services, uri) = (subject.services, &subject.candidate.uri);
    let rules = services.lifecycles.of(&*services.archive, &services.context, &uri.bucket).await;
    let Fact::Known { value, source } = rules else { return rules.map(|_| Removals::default()) };
    let now = subject.now();
    let mut found = removals(&value, &lifecycle_subject(uri, facts, lock, tags), now);
    if found.wants_tags && *tags == Fact::NotApplicable {
        *tags = tags_of(&subject.session, facts).await;
        found = removals(&value, &lifecycle_subject(uri, facts, lock, tags), now);
    }
    Fact::Known { value: found, source }
}

fn lifecycle_subject<'a>(
    uri: &'a ObjectUri,
    facts: &'a ObjectFacts,
    lock: &'a Fact<LockFacts>,
    tags: &'a Fact<BTreeMap<String, String>>,
) -> LifecycleSubject<'a> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    LifecycleSubject {
        key: &uri.key,
        size: facts.size,
        made: facts.last_modified,
        tags: match tags {
            Fact::Absent { .. } => Some(&NONE),
            other => other.value(),
        },
        standing: if uri.version.is_some() { VersionState::NotKnown } else { VersionState::Current },
        lock: lock.value().or(Some(&facts.lock)),
    }
}

/// Remarks on the state of an object: that nothing need have proved its bytes, and what lifecycle rules do to it within the
/// time that it must stay, without keeping it from staying.
pub(super) fn remarks(request: &AuditRequest, state: &PolicySubject<'_>, now: Timestamp) -> Vec<Note> {
    let unproved = state.unproved_copy.map(|_| Note::from(VerifyNote::UnprovedCopy));
    let stays = request.policy.object.stays.zip(state.rules.value());
    let moves = stays.into_iter().flat_map(|(time, rules)| {
        let until = horizon(now, time);
        rules.archived.iter().filter(move |moved| moved.at <= until)
    });
    let moves = moves.map(|moved| AuditedNote::WillBeArchived { at: moved.at, by: moved.by.clone() }.into());
    unproved.into_iter().chain(moves).collect()
}
