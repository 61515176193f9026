//! Whether an object is proved as a policy requires it.

use jiff::{SignedDuration, Timestamp};

use super::rule::{decide, in_days};
use crate::audit::{LookResult, Proof, UnprovedCopy, ValidityWindow, joined};
use crate::verdict::{Evidence, Failure, Outcome, ProofKind, Reason};

/// What a policy requires of a proof.
pub(super) struct ProofRule {
    /// Maximum age.
    pub age: SignedDuration,
    /// The weakest kind that counts.
    pub weakest: ProofKind,
    /// Whether the object shall stand in for its AMI; see [`super::policy::ObjectPolicy::stands_in`].
    pub stands_in: bool,
}

/// What is known of the bytes of an object.
pub(super) struct Proofs<'a> {
    /// The newest proof that read every byte of this state.
    pub read: Option<&'a Proof>,
    /// The newest proof of this state that did not read it.
    pub unread: Option<&'a Proof>,
    /// The examination that cast doubt on this state.
    pub doubt: Option<&'a Proof>,
    /// The copy that wrote this state, if nothing proved the bytes of its source.
    pub unproved_copy: Option<UnprovedCopy<'a>>,
    /// Whether a proof can be attributed to this state.
    pub identified: bool,
}

/// Judges the proofs of an object. A proof that is young enough and of a kind that does not count leaves the
/// requirement unknown: it neither meets it nor shows that the bytes are wrong.
pub(super) fn judge_proof(rule: &ProofRule, state: &Proofs<'_>, now: Timestamp) -> Outcome {
    if let (None, Some(LookResult::Doubted(doubt))) = (state.read, state.doubt.map(Proof::standing)) {
        let since = state.doubt.map(|look| look.at.clone()).unwrap_or_default();
        return Outcome::Unknown(Reason::InDoubt { doubt, since });
    }
    let expected = format!("every byte proved within {}", in_days(rule.age));
    let evidence = |observed: String| Evidence::of_rule("ledger", expected.clone(), observed);
    let window = ValidityWindow::back_to(Some(rule.age), now);
    let young = || [state.read, state.unread].into_iter().flatten().filter(|proof| proof.is_in(window));
    if let Some(proof) = young().find(|proof| refusal(rule, state, proof).is_none()) {
        return decide(true, evidence(of(proof)));
    }
    if let Some(reason) = young().find_map(|proof| refusal(rule, state, proof)) {
        return Outcome::Unknown(reason);
    }
    // To read it would prove nothing more.
    if let Some(reason) = unproved_copy(rule, state) {
        return Outcome::Unknown(reason);
    }
    match state.read.or(state.unread) {
        Some(proof) => decide(false, evidence(of(proof))),
        None if !state.identified => Outcome::Unknown(Reason::NotStated {
            detail: "nothing identifies this state of the object (it has no strong ETag), so no earlier proof is known to be of it"
                .to_owned(),
        }),
        None => Outcome::Fail(Failure::of_rule(evidence("its present content was never proved".to_owned()))),
    }
}

/// Why a proof does not count, if it does not.
fn refusal(rule: &ProofRule, state: &Proofs<'_>, proof: &Proof) -> Option<Reason> {
    let kind = proof.kind().unwrap_or(ProofKind::StatedByS3);
    if !kind.meets(rule.weakest) {
        return Some(Reason::UnreadProof { kind, at: proof.at.clone() });
    }
    if rule.stands_in && proof.is_by_others_alone() {
        return Some(Reason::LeftByOthers { by: joined(&proof.proved_by, ", "), at: proof.at.clone() });
    }
    if proof.is_of_source() { None } else { unproved_copy(rule, state) }
}

/// The reason if the object shall stand in for its AMI, and is a copy of bytes that nothing proved.
fn unproved_copy(rule: &ProofRule, state: &Proofs<'_>) -> Option<Reason> {
    let copy = match state.unproved_copy.filter(|_| rule.stands_in)? {
        UnprovedCopy::Recorded(copy) => copy.copied_from.as_ref().map(|from| (from.target.clone(), copy.at.clone())),
        UnprovedCopy::Marked => None,
    };
    Some(Reason::CopiedUnproved { copy })
}

fn of(proof: &Proof) -> String {
    format!("{} {}", proof.kind().map_or("", ProofKind::in_words), proof.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Level, Policy, PolicySubject, Word};
    use crate::facts::Fact;
    use crate::ident::ObjectIdentity;
    use crate::verdict::Verdict;

    const BY_STORED: &str = "crc64nvme";
    const BY_OTHERS: &str = "tags-md5";

    fn proof(kind: ProofKind, day: u32, by: &str) -> Proof {
        let is_read = kind == ProofKind::Read;
        Proof {
            at: format!("2026-01-{day:02}T00:00:00Z"),
            tool: "test".into(),
            target: "s3://b/k".into(),
            level: if is_read { Level::Bytes } else { Level::Facts }.into(),
            verdict: Verdict::Pass.into(),
            settled: true,
            object: ObjectIdentity::of_size(5),
            listed: None,
            version_id: None,
            storage_class: None,
            covered_bytes: if is_read { 5 } else { 0 },
            doubt: None,
            failed: Vec::new(),
            damage: None,
            proved_by: vec![Word::of(by.into())],
            etag_parts: Vec::new(),
            content: Vec::new(),
            proof_kind: Some(kind.into()),
            copied_from: None,
            from_elsewhere: false,
            restored: None,
        }
    }

    /// What a policy of ten days says on January 20th.
    fn verdict(policy: &str, read: Option<Proof>, unread: Option<Proof>, is_for_deletion: bool) -> String {
        let mut policy = Policy::from_toml(&format!("[object]\nproof-age = \"10d\"\n{policy}")).unwrap();
        policy.object.stands_in = is_for_deletion;
        let why = || "not asked".to_owned();
        let state = PolicySubject {
            encryption: Err(why()),
            expiration: Err(why()),
            rules: Fact::Unavailable { because: why() },
            storage_class: None,
            lock: Fact::Unavailable { because: why() },
            tags: Fact::Unavailable { because: why() },
            identified: true,
            proof: read.as_ref(),
            unread_proof: unread.as_ref(),
            doubt: None,
            unproved_copy: None,
        };
        let outcome = policy.judge_object(&state, "2026-01-20T00:00:00Z".parse().unwrap()).remove(0).outcome;
        match outcome {
            Outcome::Pass(evidence) => format!("pass: {}", evidence.observed),
            Outcome::Fail(failure) => format!("fail: {}", failure.evidence.observed),
            Outcome::Unknown(reason) => format!("unknown: {}", reason.code()),
        }
    }

    /// The table of `docs/trust.md`.
    #[test]
    fn what_each_requirement_says_of_each_kind_of_proof() {
        use ProofKind::{Read, StatedByS3, Written};
        let young = |kind| Some(proof(kind, 15, BY_STORED));
        let old = |kind| Some(proof(kind, 5, BY_STORED));
        let left = |kind| Some(proof(kind, 15, BY_OTHERS));
        let (by_default, written, stated) = ("", "proof = \"written\"", "proof = \"stated-by-s3\"");
        for (policy, read, unread, says) in [
            (by_default, None, None, "fail: its present content was never proved"),
            (by_default, young(Read), None, "pass: proved 2026-01-15T00:00:00Z"),
            (by_default, old(Read), None, "fail: proved 2026-01-05T00:00:00Z"),
            (by_default, None, young(Written), "unknown: unread_proof"),
            (by_default, None, young(StatedByS3), "unknown: unread_proof"),
            (by_default, None, old(Written), "fail: written 2026-01-05T00:00:00Z"),
            (by_default, None, old(StatedByS3), "fail: stated by S3 2026-01-05T00:00:00Z"),
            (by_default, old(Read), young(StatedByS3), "unknown: unread_proof"),
            (by_default, young(Read), young(Written), "pass: proved 2026-01-15T00:00:00Z"),
            ("proof = \"read\"", None, young(Written), "unknown: unread_proof"),
            (written, None, young(Written), "pass: written 2026-01-15T00:00:00Z"),
            (written, None, young(StatedByS3), "unknown: unread_proof"),
            (written, young(Read), None, "pass: proved 2026-01-15T00:00:00Z"),
            (stated, None, young(Written), "pass: written 2026-01-15T00:00:00Z"),
            (stated, None, young(StatedByS3), "pass: stated by S3 2026-01-15T00:00:00Z"),
            (stated, None, old(StatedByS3), "fail: stated by S3 2026-01-05T00:00:00Z"),
            (stated, old(Read), young(StatedByS3), "pass: stated by S3 2026-01-15T00:00:00Z"),
        ] {
            for is_for_deletion in [false, true] {
                assert_eq!(verdict(policy, read.clone(), unread.clone(), is_for_deletion), says, "{policy}");
            }
        }
        for (policy, read, unread) in
            [(by_default, left(Read), None), (written, None, left(Written)), (stated, None, left(StatedByS3))]
        {
            assert!(verdict(policy, read.clone(), unread.clone(), false).starts_with("pass: "), "{policy}");
            assert_eq!(verdict(policy, read, unread, true), "unknown: left_by_others", "{policy}");
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_refused() {
        for text in ["proof = \"believed\"", "proof = \"\"", "proof = \"Read\"", "stands_in = false"] {
            assert!(Policy::from_toml(&format!("[object]\n{text}\n")).is_err(), "{text}");
        }
    }
}
