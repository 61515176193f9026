//! What is known before the first byte, and how many requests it takes.

use stored_ami_lab::{BucketOptions, Deny, Fault, FaultRule, Lab, Operation, Versioning};

use crate::common::{Run, bare_command, data};
use crate::rig::{FROM, KEY, Rig, TO, report, verdict};

const BUCKET: &str = "gov-archive";

async fn rig() -> Rig {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    rig
}

fn bucket(rig: &Rig, options: BucketOptions) {
    rig.to.create_bucket(BUCKET, options).unwrap();
}

/// `copy` without `--accept`.
async fn plain(rig: &Rig, args: &[&str]) -> Run {
    let mut command = bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["copy", "--from-profile", "commercial", "--to-profile", "gov", FROM, TO])
        .args(args);
    rig.from.clear_calls();
    rig.to.clear_calls();
    Run::of(command).await
}

fn detail(run: &Run, check: &str) -> String {
    let report = report(run);
    let finding = report["findings"].as_array().unwrap().iter().rfind(|finding| finding["check"] == check).cloned();
    finding.map(|finding| finding["detail"].as_str().unwrap().to_owned()).unwrap_or_default()
}

fn operations(lab: &Lab) -> Vec<String> {
    let mut all: Vec<String> = lab.calls().iter().map(|call| format!("{:?}", call.operation)).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_bucket_takes_eleven_requests_and_an_open_one_two_more() {
    let rig = rig().await;
    bucket(&rig, BucketOptions { private: true, versioning: Versioning::Enabled, ..BucketOptions::default() });
    plain(&rig, &["--json", "--dry-run"]).await.assert_exit(0);
    let private = [
        "GetBucketEncryption",
        "GetBucketLifecycleConfiguration",
        "GetBucketVersioning",
        // Tells a missing key from a missing bucket.
        "GetObject",
        "GetObjectLockConfiguration",
        "GetPublicAccessBlock",
        "HeadBucket",
        "HeadObject",
        "ListMultipartUploads",
        "ListObjectsV2",
        "Service(GetCallerIdentity)",
    ];
    assert_eq!(operations(&rig.to), private);
    bucket(&rig, BucketOptions::default());
    let run = plain(&rig, &["--json", "--dry-run"]).await;
    run.assert_exit(0);
    let mut open: Vec<&str> = private.iter().copied().chain(["GetBucketAcl", "GetBucketPolicyStatus"]).collect();
    open.sort_unstable();
    assert_eq!(operations(&rig.to), open);
    assert_eq!(verdict(&run, "public"), "pass");
    assert!(detail(&run, "public").starts_with("neither the policy nor the ACL"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_harm_the_copy_is_refused_before_anything_is_written() {
    let lifecycle = |rule: &str| {
        Some(format!(
            "<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
             {rule}</Rule></LifecycleConfiguration>"
        ))
    };
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
                 </AbortIncompleteMultipartUpload>";
    let (east, west) = ("arn:aws-us-gov:kms:us-gov-east-1:1:key/k", "arn:aws-us-gov:kms:us-gov-west-1:1:key/k");
    let usual = BucketOptions::default;
    let cases: [(BucketOptions, &[&str], &str, &str); 8] = [
        (BucketOptions { public_policy: true, ..usual() }, &[], "public", "the policy of the bucket makes it public"),
        (BucketOptions { public_acl: true, ..usual() }, &[], "public", "grants READ to everybody"),
        (usual(), &["--sse-kms-key", east], "kms-key", "S3 takes no key of another Region"),
        (BucketOptions { kms_key: Some(east.into()), ..usual() }, &[], "kms-key", "S3 takes no key of another Region"),
        (usual(), &["--object-lock-legal-hold"], "object-lock", "the bucket has no Object Lock"),
        (
            usual(),
            &["--object-lock-mode", "COMPLIANCE", "--object-lock-retain-until", "2099-01-01T00:00:00Z"],
            "object-lock",
            "COMPLIANCE until 2099-01-01T00:00:00Z",
        ),
        (
            BucketOptions { lifecycle: lifecycle("<Expiration><Days>30</Days></Expiration>"), ..usual() },
            &[],
            "lifecycle",
            "a rule would remove the copy at",
        ),
        // One million bytes at ten bytes a second take longer than a day.
        (
            BucketOptions { lifecycle: lifecycle(abort), ..usual() },
            &["--max-rate", "10B"],
            "abort-rule",
            "the upload would be removed first",
        ),
    ];
    for (options, args, check, words) in cases {
        let rig = rig().await;
        bucket(&rig, options);
        let run = rig.copy(&[&["--yes"], args].concat()).await;
        assert_eq!(run.exit, Some(1), "{check}: {run:?}");
        assert_eq!((&report(&run)["outcome"], verdict(&run, check)), (&"refused".into(), "fail".into()), "{check}");
        assert!(detail(&run, check).contains(words), "{check}: {run:?}");
        let writes = rig.to.calls().into_iter().filter(|call| format!("{:?}", call.operation).contains("Upload"));
        let writes: Vec<_> = writes.filter(|call| call.operation != Operation::ListMultipartUploads).collect();
        assert!(writes.is_empty() && !rig.has(KEY).await, "{writes:?}");
        // What fails cannot be accepted.
        let accepted = rig.copy(&[&["--yes", "--accept", check], args].concat()).await;
        assert_eq!(accepted.exit, Some(1), "{check}: {accepted:?}");
    }
    // The same rule and the same key where they do no harm.
    let rig = rig().await;
    bucket(&rig, BucketOptions { lifecycle: lifecycle(abort), ..usual() });
    let run = rig.copy(&["--yes", "--sse-kms-key", west]).await;
    run.assert_exit(0);
    assert_eq!((verdict(&run, "abort-rule"), verdict(&run, "kms-key")), ("pass".into(), "pass".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_condition_that_is_not_known_must_be_accepted() {
    for (denied, check) in [
        (&["s3:GetBucketPublicAccessBlock", "s3:GetBucketPolicyStatus"][..], "public"),
        (&["s3:GetLifecycleConfiguration"], "lifecycle"),
    ] {
        let rig = rig().await;
        for action in denied {
            rig.to.deny(Deny::action(action));
        }
        let run = plain(&rig, &["--json", "--yes"]).await;
        assert_eq!(run.exit, Some(3), "{check}: {run:?}");
        assert_eq!((&report(&run)["outcome"], verdict(&run, check)), (&"refused".into(), "unknown".into()));
        assert!(detail(&run, check).contains(denied[denied.len() - 1]), "{run:?}");
        assert!(!rig.has(KEY).await);
        plain(&rig, &["--json", "--yes", "--accept", check]).await.assert_exit(0);
        assert!(rig.has(KEY).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_write_shows_is_not_tested() {
    let rig = rig().await;
    rig.source.tag("archive", KEY, "team", "a").await;
    let run = rig.copy(&["--dry-run", "--sse-kms-key", "alias/k"]).await;
    run.assert_exit(0);
    let report = report(&run);
    let untested = report["findings"].as_array().unwrap().iter().filter(|finding| finding["not_tested"] == true);
    let untested: Vec<_> = untested.map(|finding| (finding["check"].clone(), finding["verdict"].clone())).collect();
    assert_eq!(untested, [("permission".into(), "unknown".into()), ("kms-use".into(), "unknown".into())]);
    assert!(detail(&run, "permission").contains("s3:PutObject, s3:PutObjectTagging"), "{run:?}");
    let human = plain(&rig, &["--dry-run"]).await;
    let text = human.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "not tested whether s3:PutObject, s3:PutObjectTagging and the bucket's policy allow the write",
        "time about 1 s at an assumed 100 MB/s",
        "to transfer it",
        "a month in STANDARD; by list prices of us-east-1",
        "READY nothing known prevents the copy; nothing was written (--dry-run)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Once it is written, it is tested.
    let done = rig.copy(&["--yes"]).await;
    done.assert_exit(0);
    assert_eq!(verdict(&done, "permission"), "absent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_estimate_is_by_the_stated_rate_and_names_what_has_no_price() {
    let rig = rig().await;
    let run = rig.copy(&["--dry-run", "--max-rate", "1000B", "--storage-class", "EXPRESS_ONEZONE"]).await;
    run.assert_exit(0);
    let estimate = report(&run)["estimate"].clone();
    assert_eq!(
        (&estimate["seconds"], &estimate["rate_basis"], &estimate["bytes_per_second"]),
        (&1000.into(), &"max_rate".into(), &1000.into())
    );
    let lines = estimate["lines"].as_array().unwrap();
    let of = |item: &str| lines.iter().find(|line| line["item"] == item).unwrap();
    assert!(of("write")["reason"].as_str().unwrap().contains("EXPRESS_ONEZONE"));
    // Another partition: the transfer is never free.
    assert_eq!(of("copy_out")["dollars_least"], of("copy_out")["dollars_most"]);
    assert!(of("read")["dollars_most"].as_f64().unwrap() > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_class_names_thaw_and_another_copy_in_the_bucket_is_said() {
    let rig = rig().await;
    rig.destination.put(BUCKET, &format!("2025/{KEY}"), b"x", None).await;
    let run = rig.copy(&["--yes", "--storage-class", "DEEP_ARCHIVE"]).await;
    run.assert_exit(0);
    assert!(detail(&run, "readable").contains("`stored-ami thaw`"), "{run:?}");
    assert_eq!(detail(&run, "other-path"), format!("an object of the same name is at 2025/{KEY}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_gets_the_lock_that_was_asked_for() {
    let until = "2099-01-01T00:00:00Z";
    let args = ["--object-lock-mode", "GOVERNANCE", "--object-lock-retain-until", until, "--object-lock-legal-hold"];
    for one_request in [false, true] {
        let rig = Rig::new().await;
        match one_request {
            true => rig.source.put("archive", KEY, b"one request", None).await,
            false => rig.source.multipart("archive", KEY, &[&[1; 300_000], &[2; 1000]], None).await,
        };
        let locking = BucketOptions { object_lock: true, versioning: Versioning::Enabled, ..BucketOptions::default() };
        bucket(&rig, locking);
        let run = rig.copy(&[&["--yes"], &args[..]].concat()).await;
        run.assert_exit(0);
        assert_eq!(verdict(&run, "object-lock"), "pass");
        assert_eq!(detail(&run, "object-lock"), format!("GOVERNANCE until {until} and a legal hold"));
        let head = rig.destination.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
        assert_eq!(head.object_lock_mode().map(|mode| mode.as_str()), Some("GOVERNANCE"));
        assert_eq!(head.object_lock_legal_hold_status().map(|hold| hold.as_str()), Some("ON"));
        assert_eq!(head.object_lock_retain_until_date().unwrap().secs(), 4_070_908_800);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_cannot_be_seen_or_is_another_one_is_no_pass() {
    let rig = rig().await;
    bucket(&rig, BucketOptions { object_lock: true, ..BucketOptions::default() });
    rig.to.deny(Deny::action("s3:GetObjectLegalHold"));
    let run = rig.copy(&["--yes", "--object-lock-legal-hold"]).await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "object-lock")), (&"copied".into(), "unknown".into()));
    for (args, words) in [
        (&["--object-lock-mode", "GOVERNANCE"][..], "--object-lock-retain-until"),
        (&["--object-lock-retain-until", "2099-01-01T00:00:00Z"], "--object-lock-mode"),
        (&["--object-lock-mode", "COMPLIANCE", "--object-lock-retain-until", "2020-01-01T00:00:00Z"], "is in the past"),
    ] {
        let run = rig.copy(&[&["--yes"], args].concat()).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(words), "{words}: {run:?}");
        assert!(rig.to.calls().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_s3_does_not_document_is_named_without_the_words_of_a_parser() {
    let rig = rig().await;
    // The document of moto.
    let other =
        Fault::TextReplaced(vec![("VersioningConfiguration".to_owned(), "GetBucketVersioningResponse".to_owned())]);
    rig.to.script(FaultRule::new(Operation::GetBucketVersioning, other).always());
    let run = rig.copy(&["--dry-run"]).await;
    run.assert_exit(0);
    assert_eq!(verdict(&run, "versioning"), "unknown");
    let text = "GetBucketVersioning: the answer (status 200) is not one that S3 documents";
    assert_eq!(detail(&run, "versioning"), text);
}

/// The lines of the estimate: what, of which class, and the prices of which Region.
fn costs(run: &Run) -> Vec<(String, String, String)> {
    let estimate = report(run)["estimate"].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
    let lines = estimate["lines"].as_array().unwrap().iter();
    lines.map(|line| (text(&line["item"]), text(&line["of"]), text(&line["prices"][0]["region"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_estimate_has_the_read_of_the_copy_and_the_prices_of_both_regions() {
    let rig = rig().await;
    let line = |item: &str, of: &str, region: &str| (item.to_owned(), of.to_owned(), region.to_owned());
    let run = rig.copy(&["--dry-run", "--verify-destination", "--storage-class", "STANDARD_IA"]).await;
    let built_in = [
        line("read", "STANDARD", "us-east-1"),
        line("copy_out", "to the internet", "us-east-1"),
        line("write", "STANDARD_IA", "us-east-1"),
        line("keep", "STANDARD_IA", "us-east-1"),
        line("read_back", "STANDARD_IA", "us-east-1"),
    ];
    assert_eq!(costs(run.assert_exit(0)), built_in);
    let fixture = std::fs::read_to_string("tests/fixtures/prices/s3.json").unwrap();
    let file = |region: &str| {
        let path = rig.home.path().join(region);
        std::fs::write(&path, fixture.replace("eu-central-1", region)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (from, to) = (file("us-east-1"), file("us-gov-west-1"));
    let args = ["--dry-run", "--verify-destination", "--prices", &from, "--prices", &to];
    let run = rig.copy(&args).await;
    let in_files: Vec<_> = costs(run.assert_exit(0)).into_iter().map(|(item, _, region)| (item, region)).collect();
    let at = |item: &str, region: &str| (item.to_owned(), region.to_owned());
    let (here, there) = ("us-east-1", "us-gov-west-1");
    assert_eq!(in_files[..1], [at("read", here)]);
    assert_eq!(in_files[2..], [at("write", there), at("keep", there), at("read_back", there)]);
    let estimate = report(&run)["estimate"].clone();
    assert_eq!((&estimate["price_region"], &estimate["destination_price_region"]), (&here.into(), &there.into()));
    let args = ["--dry-run", "--prices", &from, "--prices", &to];
    let plain = plain(&rig, &[&args[..], &["--accept", "public"]].concat()).await;
    assert!(plain.stdout.contains("by list prices of us-east-1 and us-gov-west-1"), "{plain:?}");
    let to_file = rig.home.path().join("file").to_str().unwrap().to_owned();
    let run = Run::of(rig.command(&[FROM, &to_file, "--prices", &from])).await;
    assert!(run.exit == Some(2) && run.stderr.contains("--prices"), "{run:?}");
}
