//! A copy that is not proved is not made, and nothing is left behind without a word.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Deny, Fault, FaultRule, LabOptions, Operation};

use crate::common::{Run, data};
use crate::rig::{FROM, KEY, Rig, report, verdict};

async fn rig() -> (Rig, Vec<u8>) {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    rig.source.multipart("archive", KEY, &parts, Some((ChecksumAlgorithm::Crc32C, ChecksumType::Composite))).await;
    (rig, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_bytes_are_not_copied() {
    let (rig, _) = rig().await;
    rig.from.damage("archive", KEY, 500_000, 1).unwrap();
    for more in [&[][..], &["--unproved"]] {
        let run = rig.copy(&[&["--yes"], more].concat()).await;
        run.assert_exit(1);
        assert_eq!(report(&run)["outcome"], "not_made");
        assert_eq!(verdict(&run, "source"), "fail");
        assert!(!rig.has(KEY).await);
        assert_eq!(rig.uploads().await, 0, "the upload is removed");
        assert!(rig.calls(Operation::CompleteMultipartUpload).is_empty());
    }
}

/// The ETag fits only a second read, along the parts that were asked for one by one. The copy has the bytes of the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_another_read_than_the_copied_one_counts_only_if_both_are_the_same() {
    let sizes = [300_000, 250_000, 300_000, 200_000];
    for is_flipped in [false, true] {
        let rig = Rig::with(LabOptions { default_checksum: false, ..LabOptions::default() }).await;
        let parts: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(i, size)| data(i as u64, *size)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        rig.source.multipart("archive", KEY, &parts, None).await;
        if is_flipped {
            rig.from.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 99, mask: 1 }));
        }
        let file = rig.home.path().join("copy.bin");
        let to_file = Run::of(rig.command(&[FROM, file.to_str().unwrap(), "--yes"])).await;
        if is_flipped {
            rig.from.script(FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 99, mask: 1 }));
        }
        let run = rig.copy(&["--yes", "--verify-destination"]).await;
        for run in [&to_file, &run] {
            assert_eq!(run.exit, Some(if is_flipped { 3 } else { 0 }), "{run:?}");
            assert_eq!(verdict(run, "source"), if is_flipped { "unknown" } else { "pass" });
        }
        assert_eq!(rig.has(KEY).await, !is_flipped);
        assert_eq!(file.exists(), !is_flipped);
        assert_eq!(rig.uploads().await, 0);
        if !is_flipped {
            assert_eq!(rig.bytes(KEY).await, parts.concat());
            assert_eq!(std::fs::read(&file).unwrap(), parts.concat());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_meanwhile_is_not_copied() {
    let (rig, _) = rig().await;
    rig.from.script(FaultRule::new(Operation::GetObject, Fault::ReplaceObject));
    let run = rig.copy(&["--yes"]).await;
    assert_ne!(run.exit, Some(0), "{run:?}");
    assert!(!rig.has(KEY).await);
    assert_eq!(rig.uploads().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_parts_and_answers_are_made_up_for() {
    let lost = |operation, fault| FaultRule::new(operation, fault);
    for rule in [
        lost(Operation::UploadPart, Fault::Dropped),
        lost(Operation::UploadPart, Fault::AnswerLost),
        lost(Operation::UploadPart, Fault::Status { status: 503, code: "SlowDown" }),
        lost(Operation::UploadPart, Fault::Status { status: 500, code: "InternalError" }).times(2),
        lost(Operation::CompleteMultipartUpload, Fault::AnswerLost),
        lost(Operation::CompleteMultipartUpload, Fault::Dropped),
        lost(Operation::CompleteMultipartUpload, Fault::Status { status: 500, code: "InternalError" }),
        lost(Operation::CompleteMultipartUpload, Fault::SlowDownInside200),
        lost(Operation::CompleteMultipartUpload, Fault::Status { status: 409, code: "ConditionalRequestConflict" }),
        lost(Operation::HeadObject, Fault::Dropped),
    ] {
        let (rig, bytes) = rig().await;
        rig.to.script(rule.clone());
        let run = rig.copy(&["--yes"]).await;
        assert_eq!(run.exit, Some(0), "{rule:?}: {run:?}");
        assert_eq!(report(&run)["outcome"], "copied", "{rule:?}");
        assert_eq!(rig.bytes(KEY).await, bytes, "{rule:?}");
        assert_eq!(rig.uploads().await, 0, "{rule:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_stay_end_the_copy_without_an_upload() {
    for (rule, exit) in [
        (FaultRule::new(Operation::UploadPart, Fault::Status { status: 403, code: "AccessDenied" }).skip(2), 4),
        (FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(1), 2),
        (FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "BadDigest" }), 4),
        (FaultRule::new(Operation::CreateMultipartUpload, Fault::Status { status: 403, code: "AccessDenied" }), 4),
        (FaultRule::new(Operation::CompleteMultipartUpload, Fault::Status { status: 400, code: "EntityTooSmall" }), 4),
        (
            FaultRule::new(
                Operation::CompleteMultipartUpload,
                Fault::Status { status: 409, code: "ConditionalRequestConflict" },
            )
            .times(2),
            3,
        ),
    ] {
        let (rig, _) = rig().await;
        rig.to.script(rule.clone());
        let run = rig.copy(&["--yes"]).await;
        assert_eq!(run.exit, Some(exit), "{rule:?}: {run:?}");
        assert_eq!(report(&run)["outcome"], "not_made", "{rule:?}");
        assert!(!rig.has(KEY).await, "{rule:?}");
        assert_eq!(rig.uploads().await, 0, "{rule:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_removed_is_named() {
    let (rig, _) = rig().await;
    rig.from.damage("archive", KEY, 500_000, 1).unwrap();
    rig.to.deny(Deny::action("s3:AbortMultipartUpload"));
    let run = rig.copy(&["--yes"]).await;
    run.assert_exit(1);
    let left = report(&run)["left_behind"][0].clone();
    assert!(left["remove_with"].as_str().unwrap().starts_with("aws s3api abort-multipart-upload --bucket gov-archive"));
    assert_eq!(rig.uploads().await, 1);
}

/// An object that appears while the copy is in progress, on a server that honours the condition and on one that ignores
/// it.
#[tokio::test(flavor = "multi_thread")]
async fn another_writer_is_not_overwritten() {
    for ignored in [false, true] {
        let (rig, _) = rig().await;
        if ignored {
            rig.to.script(FaultRule::new(Operation::CompleteMultipartUpload, Fault::ConditionsIgnored).times(10));
        }
        // The source is slow, so that the other writer comes first.
        rig.from.script(FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 400_000 }).times(100));
        let copying = rig.copy(&["--yes"]);
        let writing = async {
            let begun = async {
                while rig.calls(Operation::CreateMultipartUpload).is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(60), begun).await.unwrap();
            rig.destination.put("gov-archive", KEY, b"another", None).await;
        };
        let (run, ()) = tokio::join!(copying, writing);
        run.assert_exit(1);
        assert_eq!(report(&run)["outcome"], "occupied", "{run:?}");
        assert_eq!(rig.bytes(KEY).await, b"another");
        assert_eq!(rig.uploads().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_no_write() {
    let (rig, _) = rig().await;
    rig.copy(&["--dry-run"]).await.assert_exit(0);
    for call in rig.to.calls() {
        let reads = ["Get", "Head", "List", "Service"];
        let name = format!("{:?}", call.operation);
        assert!(reads.iter().any(|prefix| name.starts_with(prefix)), "{name}");
    }
    let reads = rig.from.calls().iter().filter(|call| call.operation == Operation::GetObject).count();
    assert_eq!(reads, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_destination_does_not_say_must_be_accepted() {
    let (rig, _) = rig().await;
    rig.to.deny(Deny::action("s3:GetBucketPolicyStatus"));
    let run = crate::common::Run::of({
        let mut command = crate::common::bare_command();
        command
            .env("HOME", rig.home.path())
            .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
            .args(["copy", "--json", "--from-profile", "commercial", "--to-profile", "gov", "--yes"])
            .args([crate::rig::FROM, crate::rig::TO]);
        command
    })
    .await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "public")), (&"refused".into(), "unknown".into()));
    let run = rig.copy(&["--yes", "--to-expected-bucket-owner", "111111111111"]).await;
    run.assert_exit(3);
    assert!(run.stdout.contains("--to-expected-bucket-owner names another account"), "{run:?}");
    assert!(!rig.has(KEY).await);
    let rules = "<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
        <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    rig.to.lifecycle("gov-archive", Some(rules)).unwrap();
    let run = rig.copy(&["--yes"]).await;
    run.assert_exit(1);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "lifecycle")), (&"refused".into(), "fail".into()));
    assert_eq!(rig.uploads().await, 0);
}
