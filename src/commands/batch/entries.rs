//! What a completion report adds to a ledger.

use jiff::Timestamp;

use super::history::JobHistories;

use crate::audit::{ContentFingerprint, Entry, Level, Proof, Word};
use crate::batch::{ChecksumScope, Judged, PlannedJob, PlannedObject, ReferenceOrigin};
use crate::checksum::Digest;
use crate::commands::audit::proved_of;
use crate::ledger::{Head, LedgerError, SharedLedger};
use crate::report::TOOL;
use crate::verdict::{CheckId, ProofKind, Verdict};

/// The entry for an object; `None` if the report shows nothing about its planned state.
///
/// `at` is the time at which the job was created: S3 computed the checksum later, and no later time is stated for each
/// object.
pub(super) fn entry(job: &PlannedJob, object: &PlannedObject, judged: &Judged, at: Timestamp) -> Option<Proof> {
    let checks: Vec<Word<CheckId>> = object.reference.iter().map(|reference| reference.check.clone()).collect();
    let is_of_manifest = object.reference.as_ref().is_some_and(|known| known.origin == ReferenceOrigin::Manifest);
    let look = Proof {
        version_id: object.target.version.clone(),
        storage_class: object.storage_class.clone(),
        content: object.content.clone(),
        ..Proof::new(at, TOOL, object.ledger_target(), Level::Facts, object.identity())
    };
    match judged {
        Judged::Stated(value) => {
            let content = proved_of(with_computed(job, object, value), &checks);
            let kind = Some(ProofKind::StatedByS3.into());
            let verdict = Verdict::Pass.into();
            Some(Proof { verdict, settled: true, proved_by: checks, content, proof_kind: kind, ..look })
        }
        // A manifest of the command line may be wrong; as in `copy`, its value alone is recorded as no damage.
        Judged::Differs(_) if is_of_manifest => None,
        Judged::Differs(_) => Some(Proof { verdict: Verdict::Fail.into(), failed: checks, ..look }),
        Judged::Baseline(value) => Some(Proof { content: with_computed(job, object, value), ..look }),
        Judged::Replaced(_) | Judged::Failed { .. } | Judged::Missing | Judged::Unclear(_) => None,
    }
}

/// The values that S3 stated when the object was planned, and the one that it has computed.
fn with_computed(job: &PlannedJob, object: &PlannedObject, value: &Digest) -> Vec<ContentFingerprint> {
    let parts = || object.reference.as_ref().and_then(|reference| reference.digest(job.algorithm)?.1);
    // A value over parts must not be compared as a value of the whole object.
    let suffix = match job.scope {
        ChecksumScope::FullObject => String::new(),
        ChecksumScope::Composite => parts().map_or("-?".to_owned(), |parts| format!("-{parts}")),
    };
    let computed = ContentFingerprint::new(job.algorithm.name(), &format!("{}{suffix}", value.base64()));
    let mut content = object.content.clone();
    // A value of a name that S3 also states with the object could be taken for that one.
    if !content.iter().any(|known| known.name() == computed.name()) {
        content.push(computed);
        content.sort();
    }
    content
}

/// What was added to a ledger.
pub(super) struct Appended {
    /// Number of entries.
    pub recorded: u64,
    /// Results that were not added, with the later entry that contradicts each.
    pub superseded: Vec<String>,
    /// The new head.
    pub head: Head,
}

/// Appends the entries that the ledger does not have yet, unless it has an entry of another state of the object since the
/// plan was made (`made`, RFC 3339), which describes the objects.
///
/// # Errors
///
/// The ledger cannot be written.
pub(super) async fn append(
    ledger: &SharedLedger,
    known: &JobHistories,
    (looks, made): (Vec<Proof>, &str),
) -> Result<Appended, LedgerError> {
    let (mut new, mut superseded) = (Vec::new(), Vec::new());
    for look in looks.into_iter().filter(|look| !known.has(look)) {
        match known.of(&look.target).superseding(&look, made) {
            Some(later) => superseded.push(format!("{}: by the ledger {later}, after the plan was made", look.target)),
            None => new.push(Entry::Proof(Box::new(look))),
        }
    }
    let recorded = new.len() as u64;
    Ok(Appended { recorded, superseded, head: ledger.append(new).await? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{ChangeKind, History, LookResult};
    use crate::batch::{BatchPlan, PlannedReference, Unclear};
    use crate::checksum::{Algorithm, Hasher};
    use crate::ident::{ETag, ObjectIdentity};

    /// A job with one object, whose reference is of this origin.
    fn plan(origin: Option<ReferenceOrigin>, check: &str, stated: &[&str]) -> BatchPlan {
        let value = Hasher::digest(Algorithm::Sha256, b"x").base64();
        let object = PlannedObject {
            target: "s3://b/ami-0123456789abcdef0.bin".parse().unwrap(),
            object_bytes: 1,
            etag: Some(ETag::kept("e")),
            last_modified: Some("2026-01-01T00:00:00Z".to_owned()),
            storage_class: None,
            reference: origin.map(|origin| PlannedReference { origin, check: Word::of(check.to_owned()), value }),
            content: stated.iter().map(|text| ContentFingerprint((*text).to_owned())).collect(),
            is_named_version: false,
        };
        let about = ("test".to_owned(), "2026-01-02T00:00:00Z".to_owned(), "eu-west-1".to_owned());
        BatchPlan::new(about, [(Algorithm::Sha256, ChecksumScope::FullObject, object)])
    }

    fn of(plan: &BatchPlan, judged: &Judged) -> Option<Proof> {
        let job = &plan.jobs[0];
        entry(job, &job.objects[0], judged, "2026-01-03T00:00:00Z".parse().unwrap())
    }

    fn value() -> Digest {
        Hasher::digest(Algorithm::Sha256, b"x")
    }

    #[test]
    fn what_each_outcome_adds_to_a_ledger() {
        let stored = plan(Some(ReferenceOrigin::Stored), "sha256", &["crc32:aaaaaa==", "sha256:v"]);
        let stated = LookResult::Attested(ProofKind::StatedByS3);
        for (judged, expected) in [
            (Judged::Stated(value()), Some(stated)),
            (Judged::Differs(value()), Some(LookResult::Damaged)),
            (Judged::Baseline(value()), Some(LookResult::Open)),
            (Judged::Missing, None),
            (Judged::Replaced(ETag::kept("f")), None),
            (Judged::Failed { status: None, code: None, message: String::new() }, None),
            (Judged::Unclear(Unclear::NotIdentified), None),
        ] {
            assert_eq!(of(&stored, &judged).map(|look| look.standing()), expected, "{judged:?}");
        }
        let look = of(&stored, &Judged::Stated(value())).unwrap();
        assert_eq!((look.at.as_str(), look.covered_bytes), ("2026-01-03T00:00:00Z", 0));
        assert_eq!(look.content, [ContentFingerprint("sha256:v".into())], "what S3 stores, as it stores it");
    }

    #[test]
    fn the_value_of_a_baseline_is_kept_beside_no_other_of_its_name() {
        let computed = ContentFingerprint::new("sha256", &value().base64());
        let baseline = plan(Some(ReferenceOrigin::Baseline), "sha256", &["crc32:aaaaaa=="]);
        assert_eq!(of(&baseline, &Judged::Stated(value())).unwrap().content, std::slice::from_ref(&computed));
        // A composite of the same algorithm is stored: the two must not be compared.
        let manifest = plan(Some(ReferenceOrigin::Manifest), "manifest-sha256", &["sha256:v-3"]);
        let look = of(&manifest, &Judged::Stated(value())).unwrap();
        assert_eq!(look.content, [ContentFingerprint("sha256:v-3".into())]);
        assert_eq!(look.kind(), Some(ProofKind::StatedByS3));
        assert_eq!(of(&manifest, &Judged::Differs(value())), None, "the value may be of another object");
        let open = of(&plan(None, "", &["crc32:aaaaaa=="]), &Judged::Baseline(value())).unwrap();
        let stated = ContentFingerprint("crc32:aaaaaa==".into());
        assert_eq!((open.content.as_slice(), open.kind()), (&[stated, computed][..], None));
        // So other bytes are a failure of a later audit, and not unknown.
        let mut history = History::default();
        history.add(Entry::Proof(Box::new(open)));
        let other = ObjectIdentity::of_etag(Some(ETag::kept("f")));
        let other = ObjectIdentity { object_bytes: Some(1), ..other };
        let change = history.change(&other, None, &[ContentFingerprint("crc32:bbbbbb==".into())]);
        assert_eq!(change.kind(), ChangeKind::Replaced);
    }

    /// Read as a value of the whole object, it would be damage of a sound one.
    #[test]
    fn a_composite_is_kept_as_one() {
        for (reference, kept) in [("-3", "-3"), ("", "-?")] {
            for (origin, judged) in [
                (ReferenceOrigin::Ledger, Judged::Stated(value())),
                (ReferenceOrigin::Baseline, Judged::Baseline(value())),
            ] {
                let mut plan = plan(Some(origin), "sha256", &[]);
                plan.jobs[0].scope = ChecksumScope::Composite;
                plan.jobs[0].objects[0].reference.as_mut().unwrap().value += reference;
                let content = of(&plan, &judged).unwrap().content;
                let expected = ContentFingerprint(format!("sha256:{}{kept}", value().base64()));
                assert_eq!(content, [expected], "{origin} {reference}");
            }
        }
    }

    #[test]
    fn a_statement_does_not_outweigh_known_damage() {
        let stored = plan(Some(ReferenceOrigin::Stored), "sha256", &["sha256:v"]);
        let add = |history: &mut History, judged: &Judged| {
            history.add(Entry::Proof(Box::new(of(&stored, judged).unwrap())));
        };
        let seen = stored.jobs[0].objects[0].identity();
        let mut history = History::default();
        add(&mut history, &Judged::Stated(value()));
        assert!(history.unread_proof_of(&seen).is_some());
        add(&mut history, &Judged::Differs(value()));
        add(&mut history, &Judged::Stated(value()));
        assert!(history.unread_proof_of(&seen).is_none() && history.damage_of(&seen).is_some());
    }
}
