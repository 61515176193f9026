use super::*;
use crate::copy::{CopyCheck, RateBasis, RetentionRequest};
use crate::facts::{Age, Expiration};
use crate::facts::{DefaultRetention, LockMode, RetentionPeriod, RuleFilter, RuleStatus, Transition};
use crate::verdict::Verdict;

const GIB: u64 = 1 << 30;

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: "test" }
}

fn survey() -> DestinationSurvey {
    DestinationSurvey {
        bucket: "gov-archive".into(),
        facts: known(BucketFacts { region: Some("us-gov-west-1".into()) }),
        access: AccessSurvey { blocked: known(true), policy: Fact::NotApplicable, grants: Fact::NotApplicable },
        versioning: known(Versioning::Enabled),
        encryption: known(BucketEncryption { algorithm: "AES256".into(), key: None }),
        object_lock: Fact::Absent { source: "test" },
        lifecycle: known(Vec::new()),
        uploads: known(Vec::new()),
        others: known(SameName { under: String::new(), keys: Vec::new(), is_all: true }),
    }
}

fn planned<'a>(tags: &'a BTreeMap<String, String>, lock: &'a LockRequest) -> PlannedObject<'a> {
    PlannedObject {
        key: "2026/ami-1.bin",
        size: 1_000 * GIB,
        mode: WriteMode::Multipart,
        storage_class: None,
        kms_key: None,
        tags,
        lock,
        time: CopyTime::of(1_000 * GIB, None),
        own_uploads: 0,
        now: "2026-01-15T10:30:00Z".parse().unwrap(),
    }
}

/// Judges with changes to what is known and planned.
fn of(
    change: impl FnOnce(&mut DestinationSurvey, &mut PlannedObject<'_>),
    check: CopyCheck,
) -> (Verdict, bool, String) {
    let (tags, lock) = (BTreeMap::new(), LockRequest::default());
    let (mut survey, mut planned) = (survey(), planned(&tags, &lock));
    change(&mut survey, &mut planned);
    found(&survey, &planned, check)
}

fn found(survey: &DestinationSurvey, planned: &PlannedObject<'_>, check: CopyCheck) -> (Verdict, bool, String) {
    let findings = judge_destination(survey, planned);
    let finding = findings.into_iter().find(|finding| finding.check == check);
    finding
        .map_or((Verdict::Unknown, false, "absent".into()), |finding| (finding.verdict, finding.required, finding.text))
}

fn rule() -> LifecycleRule {
    LifecycleRule {
        id: Some("r".into()),
        status: RuleStatus::Enabled,
        filter: RuleFilter::default(),
        expiration: None,
        noncurrent: None,
        transitions: Vec::new(),
        abort_uploads_after_days: None,
        odd: None,
    }
}

#[test]
fn nothing_stands_in_the_way_of_a_usual_bucket() {
    let (tags, lock) = (BTreeMap::new(), LockRequest::default());
    let findings = judge_destination(&survey(), &planned(&tags, &lock));
    for finding in &findings {
        assert_eq!(finding.verdict == Verdict::Pass, finding.tested, "{finding:?}");
    }
    let untested: Vec<_> = findings.iter().filter(|finding| !finding.tested).collect();
    assert_eq!(untested.len(), 1, "what only a write shows is no pass");
    assert!(!untested[0].required && untested[0].text.contains("CreateMultipartUpload"));
}

#[test]
fn a_bucket_is_private_only_if_both_its_policy_and_its_acl_are() {
    let public = |blocked: Fact<bool>, policy: Fact<bool>, grants: Fact<Vec<String>>| {
        let (verdict, required, text) =
            of(|survey, _| survey.access = AccessSurvey { blocked, policy, grants }, CopyCheck::Public);
        assert!(required);
        (verdict, text)
    };
    let (none, denied) = (|| known(Vec::new()), || Fact::NotPermitted { needs: "s3:GetBucketAcl" });
    assert_eq!(public(known(false), Fact::Absent { source: "x" }, none()).0, Verdict::Pass);
    assert_eq!(public(Fact::Absent { source: "x" }, known(false), none()).0, Verdict::Pass);
    assert_eq!(public(Fact::NotPermitted { needs: "x" }, known(false), none()).0, Verdict::Pass);
    assert_eq!(public(known(false), known(true), none()).0, Verdict::Fail);
    let granted = public(known(false), known(false), known(vec!["READ to everybody".into()]));
    assert_eq!(granted.0, Verdict::Fail);
    assert!(granted.1.contains("grants READ to everybody"), "{granted:?}");
    let open = public(known(false), known(false), denied());
    assert!(open.0 == Verdict::Unknown && open.1.contains("s3:GetBucketAcl"), "{open:?}");
    let unasked = Fact::Unavailable { because: "lost".into() };
    assert_eq!(public(known(false), unasked, none()).0, Verdict::Unknown);
}

#[test]
fn a_key_of_another_region_is_refused_by_its_arn() {
    let of = |key: Option<&'static str>, default: Option<&str>, region: Option<&str>| {
        let (verdict, _, text) = of(
            |survey, planned| {
                planned.kms_key = key;
                survey.facts = known(BucketFacts { region: region.map(str::to_owned) });
                survey.encryption =
                    known(BucketEncryption { algorithm: "aws:kms".into(), key: default.map(str::to_owned) });
            },
            CopyCheck::KmsKey,
        );
        (verdict, text)
    };
    let (west, east) = ("arn:aws-us-gov:kms:us-gov-west-1:1:key/a", "arn:aws-us-gov:kms:us-gov-east-1:1:key/a");
    let region = Some("us-gov-west-1");
    assert_eq!(of(Some(west), None, region).0, Verdict::Pass);
    let (verdict, text) = of(Some(east), None, region);
    assert_eq!(verdict, Verdict::Fail);
    assert!(text.contains("us-gov-east-1 and the bucket in us-gov-west-1"), "{text}");
    assert_eq!(of(None, Some(east), region).0, Verdict::Fail, "the key of the bucket's default encryption");
    assert_eq!(of(Some(west), Some(east), region).0, Verdict::Pass, "the named key replaces the default");
    assert_eq!(of(Some(west), None, None).0, Verdict::Unknown);
    for no_region in ["alias/x", "0f1e", "arn:aws:kms", "arn:aws-us-gov:kms:k", "arn:aws:s3:us-east-1:1:key/a"] {
        assert_eq!(of(Some(no_region), None, region).1, "absent", "{no_region}");
    }
}

#[test]
fn a_lock_needs_a_bucket_that_has_object_lock() {
    let tags = BTreeMap::new();
    let until = "2027-01-01T00:00:00Z".parse().unwrap();
    let retention = Some(RetentionRequest { mode: LockMode::Governance, until });
    let asked = LockRequest { retention, legal_hold: true };
    let default = Some(DefaultRetention { mode: LockMode::Compliance, period: RetentionPeriod::Days(30) });
    let bucket = |is_enabled| known(crate::facts::BucketLock { is_enabled, default: default.clone() });
    let of = |fact: Fact<BucketLock>, lock: &LockRequest| {
        found(&DestinationSurvey { object_lock: fact, ..survey() }, &planned(&tags, lock), CopyCheck::ObjectLock)
    };
    let none = LockRequest::default();
    assert_eq!(of(bucket(true), &asked).0, Verdict::Pass);
    assert_eq!(of(bucket(false), &asked).0, Verdict::Fail);
    let (verdict, _, text) = of(Fact::Absent { source: "x" }, &asked);
    assert_eq!(verdict, Verdict::Fail);
    assert!(text.contains("GOVERNANCE until 2027-01-01T00:00:00Z and a legal hold"), "{text}");
    let denied = || Fact::NotPermitted { needs: "s3:GetBucketObjectLockConfiguration" };
    assert_eq!((of(denied(), &asked).0, of(denied(), &asked).1), (Verdict::Unknown, true));
    assert_eq!((of(denied(), &none).0, of(denied(), &none).1), (Verdict::Unknown, false));
    assert!(of(bucket(true), &none).2.contains("locks new objects for 30 days (COMPLIANCE)"));
}

#[test]
fn a_rule_that_removes_the_copy_or_its_upload_is_a_fail() {
    let expiring = LifecycleRule { expiration: Some(Expiration::After(Age::Days(30))), ..rule() };
    let removed = |rule: LifecycleRule| of(|survey, _| survey.lifecycle = known(vec![rule]), CopyCheck::Lifecycle).0;
    assert_eq!(removed(expiring.clone()), Verdict::Fail);
    let tagged = |value: &str| LifecycleRule {
        filter: RuleFilter { tags: BTreeMap::from([("keep".into(), value.into())]), ..RuleFilter::default() },
        ..expiring.clone()
    };
    assert_eq!(removed(tagged("no")), Verdict::Pass, "the tags of the copy are known");
    let denied = of(|survey, _| survey.lifecycle = Fact::NotPermitted { needs: "x" }, CopyCheck::Lifecycle);
    assert_eq!((denied.0, denied.1), (Verdict::Unknown, true));

    let aborting = |days, prefix: Option<&str>| LifecycleRule {
        abort_uploads_after_days: Some(days),
        filter: RuleFilter { prefix: prefix.map(str::to_owned), ..RuleFilter::default() },
        ..rule()
    };
    // 1,000 GiB take three hours at the assumed rate, and twelve and a half days at 1 MB/s.
    let aborted = |rule: LifecycleRule, limit: Option<u64>| {
        of(
            |survey, planned| {
                survey.lifecycle = known(vec![rule]);
                planned.time = CopyTime::of(planned.size, limit);
            },
            CopyCheck::AbortRule,
        )
    };
    assert_eq!(aborted(aborting(7, None), None).0, Verdict::Pass);
    let slow = aborted(aborting(7, None), Some(1_000_000));
    assert_eq!(slow.0, Verdict::Fail);
    assert!(
        slow.2.contains("after 7 days") && slow.2.contains("about 12 days at the 1 MB/s of --max-rate"),
        "{slow:?}"
    );
    assert_eq!(aborted(aborting(13, None), Some(1_000_000)).0, Verdict::Pass);
    assert_eq!(aborted(aborting(0, None), None).0, Verdict::Fail);
    assert_eq!(aborted(aborting(7, Some("logs/")), Some(1_000_000)).0, Verdict::Pass);
    let disabled = LifecycleRule { status: RuleStatus::Disabled, ..aborting(0, None) };
    assert_eq!(aborted(disabled, None).0, Verdict::Pass);
}

#[test]
fn an_upload_of_an_earlier_run_has_used_some_of_its_time() {
    let aborted = |own_uploads| {
        of(
            |survey, planned| {
                let initiated = Some("2026-01-08T11:00:00Z".parse().unwrap());
                survey.uploads =
                    known(vec![UploadFacts { key: planned.key.into(), id: Some("up-1".into()), initiated }]);
                survey.lifecycle = known(vec![LifecycleRule { abort_uploads_after_days: Some(7), ..rule() }]);
                planned.own_uploads = own_uploads;
            },
            CopyCheck::AbortRule,
        )
    };
    assert_eq!(aborted(1).0, Verdict::Fail, "half an hour is left of seven days");
    assert_eq!(aborted(0).0, Verdict::Pass, "the upload of another writer");
}

#[test]
fn an_assumed_rate_is_not_trusted_to_the_minute() {
    let at = |bytes: u64| {
        let time = CopyTime::of(bytes, None);
        assert_eq!((time.basis, time.bytes_per_second), (RateBasis::Assumed, super::super::ASSUMED_RATE));
        of(
            |survey, planned| {
                survey.lifecycle = known(vec![LifecycleRule { abort_uploads_after_days: Some(1), ..rule() }]);
                planned.time = time;
            },
            CopyCheck::AbortRule,
        )
        .0
    };
    // 24 hours are 8.64 TB.
    assert_eq!(at(2_000_000_000_000), Verdict::Pass);
    assert_eq!(at(3_000_000_000_000), Verdict::Unknown);
    assert_eq!(at(9_000_000_000_000), Verdict::Fail);
}

#[test]
fn an_archive_class_is_said_before_and_prevents_nothing() {
    let class = |class: &'static str| of(|_, planned| planned.storage_class = Some(class), CopyCheck::Readable);
    let (verdict, required, text) = class("DEEP_ARCHIVE");
    assert_eq!((verdict, required), (Verdict::Unknown, false));
    assert!(text.contains("stored-ami thaw") && text.contains("Standard within 12 h"), "{text}");
    assert_eq!(class("GLACIER_IR").0, Verdict::Pass);
    assert_eq!(class("SOMETHING_NEW").0, Verdict::Unknown);
    let moved = of(
        |survey, _| {
            let moves = Transition { age: Age::Days(1), class: "GLACIER".into() };
            survey.lifecycle = known(vec![LifecycleRule { transitions: vec![moves], ..rule() }]);
        },
        CopyCheck::Readable,
    );
    assert_eq!((moved.0, moved.1), (Verdict::Unknown, false));
    assert!(moved.2.contains("2026-01-17T00:00:00Z") && moved.2.contains("stored-ami thaw"), "{moved:?}");
}

#[test]
fn the_same_name_elsewhere_is_said() {
    let others = |keys: &[&str], is_all| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        of(|survey, _| survey.others = known(SameName { under: "2026/".into(), keys, is_all }), CopyCheck::OtherPath)
    };
    assert_eq!(others(&["2026/ami-1.bin"], true).0, Verdict::Pass, "the key of the copy itself");
    let (verdict, required, text) = others(&["2026/old/ami-1.bin"], true);
    assert_eq!((verdict, required), (Verdict::Unknown, false));
    assert!(text.contains("2026/old/ami-1.bin"), "{text}");
    assert!(others(&[], false).2.contains("the rest was not listed"));
}
