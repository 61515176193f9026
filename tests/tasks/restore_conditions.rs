//! `preflight restore`: each condition if it is met, violated, and unknown.

use jiff::{Timestamp, ToSpan};
use stored_ami::journal::RestoreIdentity;
use stored_ami_lab::{Action, BucketOptions, Encryption, Fault, FaultRule, Operation, RestoreState, Versioning};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig, Row};

async fn preflight(rig: &Rig, more: &[&str]) -> Run {
    let mut args = vec!["preflight", "restore", OBJECT, "--name", "gold"];
    args.extend(more);
    rig.run(&args).await
}

/// A lab in which the AMI is stored.
async fn stored() -> Rig {
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.clear_calls();
    rig
}

fn row<'a>(check: &'a str, verdict: &'a str, text: &'a str, exit: i32) -> Row<'a> {
    Row { name: check, check, verdict, text, exit }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_object_passes_every_check() {
    let rig = stored().await;
    let run = preflight(&rig, &[]).await;
    run.assert_exit(0);
    let report = run.report();
    let required = [
        ("object", true),
        ("readable", true),
        ("verified", false),
        ("bucket", true),
        ("bucket-region", true),
        ("image-size", true),
        ("in-progress", true),
        ("name-legal", true),
        ("name-free", true),
        ("ebs-key", true),
        ("image-quota", false),
        ("snapshot-quota", false),
        ("permission", true),
    ];
    for (check, required) in required {
        let expected = if check == "verified" { "unknown: not_stated" } else { "pass" };
        assert_eq!(run.verdict(check), expected, "{check}");
        assert_eq!(run.finding(check)["required"], required, "{check}");
    }
    assert_eq!(report["findings"].as_array().unwrap().len(), required.len());
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["name"], "gold");
    assert_eq!(report["tags"]["stored-ami:source"], OBJECT);
    assert_eq!(report["tags"]["stored-ami:restore"].as_str().unwrap().len(), 32);
    assert_eq!(report["requests"], rig.lab.calls().len());
    assert!(rig.starts().is_empty());
    let notes = report["notes"].to_string();
    for note in ["partition aws, account 123456789012", "PutSnapshotBlock", "duration unknown"] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    assert!(report["untested"].to_string().contains("ebs:StartSnapshot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_object_is_the_current_version() {
    let rig = Rig::new().await;
    row("object", "fail", "there is no such object", 1).assert(&preflight(&rig, &[]).await);

    let rig = Rig::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("versions", versioned).unwrap();
    rig.run(&["store", AMI, "--bucket", "versions", "--yes"]).await.assert_exit(0);
    let version = rig.lab.with_object("versions", KEY, |object| object.version_id.clone()).unwrap();
    let at = async |version: &str| {
        let target = format!("s3://versions/{KEY}?versionId={version}");
        rig.run(&["preflight", "restore", &target, "--name", "gold"]).await
    };
    row("object", "pass", "bytes, ETag", 0).assert(&at(&version).await);
    rig.server.put("versions", KEY, b"something else", None).await;
    row("object", "fail", "and the current one is", 1).assert(&at(&version).await);

    let rig = stored().await;
    rig.deny("s3:GetObject");
    row("object", "unknown: not_permitted", "s3:GetObject", 3).assert(&preflight(&rig, &[]).await);
    row("readable", "unknown: not_permitted", "s3:GetObject", 3).assert(&preflight(&rig, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_object_can_be_read() {
    type Change = fn(&mut stored_ami_lab::ObjectRecord);
    let table: [(Row<'_>, Change); 5] = [
        (row("readable", "pass", "GLACIER_IR; one byte was read", 0), |o| o.storage_class = "GLACIER_IR".into()),
        (row("readable", "fail", "archived", 1), |o| o.storage_class = "DEEP_ARCHIVE".into()),
        (row("readable", "fail", "archived", 1), |o| {
            o.storage_class = "INTELLIGENT_TIERING".into();
            o.archive_status = Some("ARCHIVE_ACCESS".into());
        }),
        (row("readable", "unknown: ambiguous", "how long a restore takes is not known", 3), |o| {
            o.storage_class = "GLACIER".into();
            o.restore = Some(RestoreState::Done { expires: Timestamp::now() + 48.hours() });
        }),
        (row("readable", "fail", "customer key", 1), |o| {
            o.encryption = Encryption::Customer { key_md5: "x".into() };
        }),
    ];
    for (row, change) in table {
        let rig = stored().await;
        rig.lab.with_object(BUCKET, KEY, change).unwrap();
        let run = preflight(&rig, &[]).await;
        if row.text == "customer key" {
            // S3 does not even answer HEAD without the key, so the object is unknown.
            assert_ne!(run.verdict("readable"), "pass");
            assert_ne!(run.exit, Some(0));
        } else {
            row.assert(&run);
        }
    }
    let rig = stored().await;
    let refused = Fault::Status { status: 403, code: "AccessDenied" };
    rig.lab.script(FaultRule::new(Operation::GetObject, refused).always());
    row("readable", "unknown: not_permitted", "kms:Decrypt", 3).assert(&preflight(&rig, &[]).await);
}

/// The duration of a restore is only known from earlier ones; here 29 GiB in an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_copy_must_outlive_the_restore_by_far() {
    for (minutes, verdict, text, exit) in [
        (125, "pass", "more than twice the estimate from your earlier restores", 0),
        (115, "unknown: ambiguous", "a restore may take 1 h, and it may wait in a queue first", 3),
    ] {
        let rig = stored().await;
        let journal = rig.home.path().join("stored-ami");
        std::fs::create_dir(&journal).unwrap();
        std::fs::set_permissions(&journal, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let field = |text: &str| text.to_owned();
        let identity = RestoreIdentity {
            bucket: field("b"),
            key: field("k"),
            etag: field("e"),
            account: field("a"),
            region: field("r"),
            name: field("n"),
        };
        let earlier = serde_json::json!({
            "schema": "stored-ami/journal/1",
            "restore": identity,
            "step": "available",
            "called_at": "2026-01-01T00:00:00Z",
            "ended_at": "2026-01-01T01:00:00Z",
            "volume_bytes": 29_u64 << 30,
        });
        std::fs::write(journal.join(format!("restore-{}.json", identity.token())), earlier.to_string()).unwrap();
        let copy = |object: &mut stored_ami_lab::ObjectRecord| {
            object.storage_class = "GLACIER".into();
            object.restore = Some(RestoreState::Done { expires: Timestamp::now() + minutes.minutes() });
        };
        rig.lab.with_object(BUCKET, KEY, copy).unwrap();
        row("readable", verdict, text, exit).assert(&preflight(&rig, &[]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_proof_of_the_bytes() {
    let rig = stored().await;
    row("verified", "unknown: not_stated", "--verify makes one now", 0).assert(&preflight(&rig, &[]).await);
    row("verified", "pass", "by crc64nvme, etag", 0).assert(&preflight(&rig, &["--verify"]).await);
    let manifest = rig.path("manifest.json");
    rig.run(&["verify", OBJECT, "--write-manifest", &manifest]).await.assert_exit(0);
    rig.lab.clear_calls();
    row("verified", "pass", "under the same ETag and size", 0)
        .assert(&preflight(&rig, &["--manifest", &manifest]).await);

    // A manifest of the previous object.
    rig.lab.with_object(BUCKET, KEY, |object| object.etag = "0123456789abcdef0123456789abcdef-1".into()).unwrap();
    let run = preflight(&rig, &["--manifest", &manifest]).await;
    row("verified", "unknown: not_stated", "another ETag or size", 0).assert(&run);

    let rig = stored().await;
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    row("verified", "fail", "crc64nvme", 1).assert(&preflight(&rig, &["--verify"]).await);

    // A requested verification is required, even if it is not possible.
    let rig = stored().await;
    let no_reference = |object: &mut stored_ami_lab::ObjectRecord| {
        object.checksum = None;
        object.encryption = Encryption::Kms { key_id: "k".into(), bucket_key: false };
        object.etag = "opaque".into();
    };
    rig.lab.with_object(BUCKET, KEY, no_reference).unwrap();
    row("verified", "unknown: not_stated", "the ETag is not an MD5", 3).assert(&preflight(&rig, &["--verify"]).await);

    // Neither does a baseline prove them, nor a manifest of a run that only a baseline matched.
    let (baseline, later) = (rig.path("baseline.json"), rig.path("later.json"));
    rig.run(&["verify", OBJECT, "--write-manifest", &baseline]).await.assert_exit(3);
    let same = rig.run(&["verify", OBJECT, "--manifest", &baseline, "--write-manifest", &later]).await;
    assert_eq!(
        (same.assert_exit(3).verdict("baseline-sha256"), same.verdict("proof")),
        ("pass".into(), "unknown: baseline".into())
    );
    assert_eq!(same.report()["proved_by"], serde_json::json!([]));
    rig.run(&["verify", OBJECT, "--manifest", &baseline, "--accept", "proof"]).await.assert_exit(0);
    rig.run(&["verify", OBJECT, "--manifest", &baseline, "--require", "manifest-sha256", "--accept", "proof"])
        .await
        .assert_exit(0);
    for manifest in [&baseline, &later] {
        let args = ["--verify", "--manifest", manifest];
        let run = preflight(&rig, &args).await;
        row("verified", "unknown: not_stated", "a baseline", 3).assert(&run);
        assert_eq!(run.report()["object_proof"]["state"], "unknown");
        let unread = preflight(&rig, &args[1..]).await;
        row("verified", "unknown: not_stated", "a baseline", 0).assert(&unread);
        assert_eq!(unread.report()["object_proof"]["state"], "not_verified");
    }
}

/// The bytes are not a condition of AWS, so a preflight passes without them; its last line and JSON say so.
#[tokio::test(flavor = "multi_thread")]
async fn the_result_says_whether_the_bytes_were_read() {
    let rig = stored().await;
    let manifest = rig.path("manifest.json");
    rig.run(&["verify", OBJECT, "--write-manifest", &manifest]).await.assert_exit(0);
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let written_at = written["manifest"]["written_at"].as_str().unwrap().to_owned();
    for (more, state, exit, last) in [
        (&[][..], "not_verified", 0, "this run did not verify the object's bytes (--verify reads them all)"),
        (&["--manifest", &manifest], "proved_before", 0, "and not read now"),
        (&["--verify"], "proved", 0, "proved by crc64nvme, etag; they detect accidents since this object was written"),
    ] {
        let proof = preflight(&rig, more).await.assert_exit(exit).report()["object_proof"].clone();
        assert_eq!(proof["state"], state, "{more:?}");
        assert_eq!(proof["proved_at"].as_str(), (state == "proved_before").then_some(written_at.as_str()));
        let mut command = rig.command();
        command.args(["preflight", "restore", OBJECT, "--name", "gold", "-q"]).args(more);
        let text = Run::of(command).await.stdout;
        let end = text.lines().last().unwrap();
        assert!(end.starts_with("PASS ") && end.ends_with(last), "{more:?}: {text}");
    }
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    let damaged = preflight(&rig, &["--verify"]).await;
    assert_eq!(damaged.assert_exit(1).report()["object_proof"]["state"], "failed");
    // A manifest that is of another object proves nothing of this one.
    rig.lab.with_object(BUCKET, KEY, |object| object.etag = "0123456789abcdef0123456789abcdef-1".into()).unwrap();
    let other = preflight(&rig, &["--manifest", &manifest]).await;
    assert_eq!(other.report()["object_proof"]["state"], "not_verified");

    let rig = stored().await;
    for (more, state) in [(&[][..], "not_verified"), (&["--verify"], "proved")] {
        let name = format!("gold-{state}");
        let run = rig.run(&[&["restore", OBJECT, "--yes", "--name", &name], more].concat()).await;
        let lines = run.assert_exit(0).lines();
        let task = lines.iter().find(|line| line["type"] == "task").unwrap();
        assert_eq!(task["object_proof"]["state"], state, "{task}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket() {
    let rig = stored().await;
    let far = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("far-away", far).unwrap();
    let at = async |bucket: &str| {
        rig.run(&["preflight", "restore", &format!("s3://{bucket}/{KEY}"), "--name", "gold"]).await
    };
    row("bucket", "fail", "there is no such bucket", 1).assert(&at("no-such-bucket").await);
    row("bucket-region", "fail", "it is in eu-west-1", 1).assert(&at("far-away").await);
    rig.deny("s3:ListBucket");
    row("bucket-region", "unknown: not_permitted", "s3:ListBucket", 3).assert(&preflight(&rig, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_gave_is_said_to_be_so() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    let notes = async |more: &[&str]| {
        let run = rig.run(&[&["preflight", "restore", OBJECT], more].concat()).await;
        run.lines()[0]["notes"].to_string()
    };
    let of_record = notes(&["--record", &record]).await;
    assert!(of_record.contains("no --name is given: `golden` is the name of the record"), "{of_record}");
    let of_source = notes(&[]).await;
    assert!(of_source.contains("no --name is given: `golden` is the name of the source AMI"), "{of_source}");
    assert!(!notes(&["--record", &record, "--name", "gold"]).await.contains("no --name is given"));
}

/// From the source, a record, the tags, or the user: the best available source.
#[tokio::test(flavor = "multi_thread")]
async fn the_size_before_compression() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    let source = |run: &Run| run.finding("image-size")["source"].as_str().unwrap().to_owned();
    let run = preflight(&rig, &[]).await;
    row("image-size", "pass", "29 GiB (31.1 GB) of volumes", 0).assert(&run);
    assert_eq!(source(&run), format!("3 EBS volumes of {AMI}"));

    rig.deregister();
    let run = preflight(&rig, &["--record", &record]).await;
    row("image-size", "pass", "29 GiB", 0).assert(&run);
    assert!(source(&run).contains("record.json"), "{}", source(&run));
    let run = preflight(&rig, &[]).await;
    row("image-size", "pass", "29 GiB", 0).assert(&run);
    assert!(source(&run).contains("tags"), "{}", source(&run));

    rig.lab.with_object(BUCKET, KEY, |object| object.tags.clear()).unwrap();
    row("image-size", "unknown: not_stated", "--logical-size", 3).assert(&preflight(&rig, &[]).await);
    row("image-size", "pass", "100 GiB", 0).assert(&preflight(&rig, &["--logical-size", "100GiB"]).await);
    row("image-size", "unknown: ambiguous", "GiB", 3).assert(&preflight(&rig, &["--logical-size", "5000GiB"]).await);
    row("image-size", "fail", "4.88 TiB", 1).assert(&preflight(&rig, &["--logical-size", "5001GiB"]).await);
    preflight(&rig, &["--accept", "image-size"]).await.assert_exit(0);
}

/// Pending AMIs that may be restores, in GiB; 600 × 10⁹ bytes are 558.8 GiB. They are an estimate, so they never fail.
#[tokio::test(flavor = "multi_thread")]
async fn restores_in_progress() {
    for (gib, verdict, text) in [
        (558, "pass", "0 B (0 GB) to 558 GiB (599.1 GB)"),
        (559, "unknown: ambiguous", "559 GiB"),
        (599, "unknown: ambiguous", "restores cannot be listed"),
        (600, "unknown: ambiguous", "restores cannot be listed"),
        (601, "unknown: ambiguous", "restores cannot be listed"),
        (5_000, "unknown: ambiguous", "restores cannot be listed"),
    ] {
        let rig = stored().await;
        let other = rig.create(None, "other", &[("/dev/sda1", gib)]);
        rig.ec2(|state| {
            let image = state.images.get_mut(&other).unwrap();
            (image.state, image.source_image) = ("pending".into(), Some("ami-0aaaaaaaaaaaaaaaa".into()));
            let snapshot = state.snapshots.get_mut(&image.mappings[0].snapshot).unwrap();
            (snapshot.state, snapshot.full_bytes) = ("pending".into(), None);
        });
        let exit = if verdict == "pass" { 0 } else { 3 };
        Row { name: &gib.to_string(), check: "in-progress", verdict, text, exit }.assert(&preflight(&rig, &[]).await);
    }
    let rig = stored().await;
    rig.deny("ec2:DescribeSnapshots");
    row("in-progress", "unknown: not_permitted", "ec2:DescribeSnapshots", 3).assert(&preflight(&rig, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name() {
    let rig = stored().await;
    rig.create(None, "gold", &[("/dev/sda1", 1)]);
    row("name-free", "fail", "(available) has the name", 1).assert(&preflight(&rig, &[]).await);

    // In any state: a disabled AMI keeps its name.
    rig.ec2(|state| state.images.values_mut().filter(|i| i.name == "gold").for_each(|i| i.state = "disabled".into()));
    row("name-free", "fail", "(disabled) has the name", 1).assert(&preflight(&rig, &[]).await);

    let rig = stored().await;
    rig.deny("ec2:DescribeImages");
    row("name-free", "unknown: not_permitted", "ec2:DescribeImages", 3).assert(&preflight(&rig, &[]).await);

    // Without a name, EC2 uses that of the source, which already has it.
    let unnamed = ["preflight", "restore", OBJECT];
    let rig = stored().await;
    row("name-free", "fail", "ami-0123456789abcdef0 (available) has the name", 1).assert(&rig.run(&unnamed).await);
    rig.image(|image| image.name = "ab".into());
    row("name-legal", "fail", "3 to 128", 1).assert(&rig.run(&unnamed).await);
    rig.deregister();
    row("name-legal", "unknown: not_stated", "no name is given", 3).assert(&rig.run(&unnamed).await);
    row("name-free", "unknown: not_stated", "no name is given", 3).assert(&rig.run(&unnamed).await);

    // The record of another AMI gives no name, as it gives no size.
    let rig = stored().await;
    let other = rig.create(None, "of another", &[("/dev/sda1", 1)]);
    let record = rig.path("other.json");
    rig.run(&["store", &other, "--bucket", BUCKET, "--record", &record, "--yes"]).await.assert_exit(0);
    rig.deregister();
    let of_another = [&unnamed[..], &["--record", &record]].concat();
    row("name-legal", "unknown: not_stated", "no name is given", 3).assert(&rig.run(&of_another).await);
}

/// A note without a verdict: drills repeat restores.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_the_same_source_is_a_note() {
    let rig = stored().await;
    rig.run(&["restore", OBJECT, "--name", "drill 1", "--yes"]).await.assert_exit(0);
    let run = preflight(&rig, &[]).await;
    run.assert_exit(0);
    let notes = run.report()["notes"].to_string();
    assert!(notes.contains("was restored or copied here before: ami-") && notes.contains("drill 1"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_by_default() {
    let rig = stored().await;
    row("ebs-key", "pass", "off, so no key is used", 0).assert(&preflight(&rig, &[]).await);
    rig.ec2(|state| state.encrypt_by_default = true);
    row("ebs-key", "pass", "enabled: arn:aws:kms:us-east-1", 0).assert(&preflight(&rig, &[]).await);
    rig.ec2(|state| state.default_key = Some("arn:aws:kms:us-east-1:123456789012:key/gone".into()));
    row("ebs-key", "fail", "there is no key", 1).assert(&preflight(&rig, &[]).await);
    rig.deny("kms:DescribeKey");
    row("ebs-key", "unknown: not_permitted", "kms:DescribeKey", 3).assert(&preflight(&rig, &[]).await);
    rig.deny("ec2:GetEbsEncryptionByDefault");
    row("ebs-key", "unknown: not_permitted", "GetEbsEncryptionByDefault", 3).assert(&preflight(&rig, &[]).await);

    let rig = stored().await;
    rig.snapshots(|snapshot| snapshot.encrypted = true);
    let notes = preflight(&rig, &[]).await.report()["notes"].to_string();
    assert!(notes.contains("the restored snapshots will NOT be encrypted"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_of_the_account() {
    let rig = stored().await;
    let quota = |service: &str, code: &str, value: f64| {
        rig.lab.account(|account| account.quotas.insert((service.into(), code.into()), value));
    };
    quota("ec2", "L-B665C33B", 1.0);
    row("image-quota", "fail", "1 of 1", 1).assert(&preflight(&rig, &[]).await);
    quota("ec2", "L-B665C33B", 2.0);
    quota("ebs", "L-309BACF6", 5.0);
    row("snapshot-quota", "fail", "3 of 5", 1).assert(&preflight(&rig, &[]).await);
    quota("ebs", "L-309BACF6", 6.0);
    row("snapshot-quota", "pass", "3 of 6", 0).assert(&preflight(&rig, &[]).await);
    rig.deny("servicequotas:GetServiceQuota");
    row("image-quota", "unknown: unanswered", "servicequotas:GetServiceQuota", 0).assert(&preflight(&rig, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_by_a_dry_run() {
    let rig = stored().await;
    rig.deny("ec2:CreateRestoreImageTask");
    row("permission", "fail", "an explicit deny", 1).assert(&preflight(&rig, &[]).await);
    let rig = stored().await;
    rig.answer(Action::CreateRestoreImageTask, "DryRun", 400, "InvalidRequest");
    row("permission", "unknown: undocumented", "says nothing about the permission", 3)
        .assert(&preflight(&rig, &[]).await);
}

/// As far as documented, a key of another form is valid.
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_object_is_a_note() {
    let rig = stored().await;
    let bytes = rig.server.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    let bytes = bytes.body.collect().await.unwrap().into_bytes();
    rig.server.put(BUCKET, "dr/golden.img", &bytes, None).await;
    let target = "s3://archive/dr/golden.img";
    let run = rig.run(&["preflight", "restore", target, "--name", "gold", "--logical-size", "29GiB"]).await;
    run.assert_exit(0);
    let notes = run.report()["notes"].to_string();
    assert!(notes.contains("the last segment of the key is not `ami-….bin`"), "{notes}");
}

/// One listing of the account's AMIs provides name, pending work, source and count.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_amis_take_at_most_twenty_requests() {
    let rig = stored().await;
    for number in 0..999 {
        rig.create(None, &format!("image {number}"), &[("/dev/sda1", 8)]);
    }
    assert_eq!(rig.lab.ec2(REGION, |state| state.images.len()), 1_000);
    let run = preflight(&rig, &[]).await;
    run.assert_exit(0);
    let count = rig.lab.calls().len();
    assert!(count <= 20, "{count}");
    assert_eq!(run.report()["requests"], count);
    assert_eq!(run.finding("name-free")["observed"], "none of 1000 AMIs");
    let listings =
        rig.lab.calls().into_iter().filter(|call| call.operation == Operation::Service(Action::DescribeImages));
    assert_eq!(listings.count(), 1);
}
