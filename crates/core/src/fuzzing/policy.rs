use jiff::Timestamp;

use crate::audit::{BucketState, CopyState, Policy, PolicySubject};
use crate::checks::Removals;
use crate::facts::{BucketEncryption, Encryption, Fact, LockFacts};
use crate::verdict::{Outcome, Verdict};

/// Checks that a policy passes nothing that is not known and leaves nothing unknown that is known. Input: a
/// policy file.
pub fn policy(data: &[u8]) -> bool {
    let Some(Ok(policy)) = super::text(data).map(Policy::from_toml) else { return false };
    let unknown = || "not asked".to_owned();
    let because = unknown();
    let bucket = BucketState {
        versioning: Fact::Unavailable { because: unknown() },
        public_access_blocked: Fact::NotPermitted { needs: "x" },
        encryption: Fact::<BucketEncryption>::Unavailable { because },
    };
    let object = PolicySubject {
        encryption: Err(unknown()),
        expiration: Err(unknown()),
        rules: Fact::NotPermitted { needs: "x" },
        storage_class: None,
        lock: Fact::Unavailable { because: unknown() },
        tags: Fact::Unavailable { because: unknown() },
        identified: true,
        proof: None,
        unread_proof: None,
        doubt: None,
        unproved_copy: None,
    };
    let mut findings = policy.judge_bucket(&bucket);
    findings.extend(policy.judge_object(&object, Timestamp::UNIX_EPOCH));
    findings.extend(policy.judge_copies(&CopyState::NotKnown { why: unknown() }));
    assert!(findings.iter().all(|finding| finding.required && finding.verdict() != Verdict::Pass), "{findings:?}");
    let known = PolicySubject {
        encryption: Ok(Encryption::S3Managed),
        expiration: Ok(None),
        rules: Fact::Known { value: Removals::default(), source: "test" },
        storage_class: Some("STANDARD".to_owned()),
        lock: Fact::Known { value: LockFacts::default(), source: "test" },
        tags: Fact::Known { value: vec!["Owner".to_owned()], source: "test" },
        identified: true,
        proof: None,
        unread_proof: None,
        doubt: None,
        unproved_copy: None,
    };
    let judged = policy.judge_object(&known, Timestamp::UNIX_EPOCH);
    assert!(!judged.iter().any(|finding| matches!(finding.outcome, Outcome::Unknown(_))), "{judged:?}");
    !findings.is_empty()
}
