//! The copy is the same object: bytes, parts, ETag, checksum, metadata and tags.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{LabOptions, Operation};

use crate::common::data;
use crate::rig::{KEY, Rig, report, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_parts_the_etag_the_checksum_the_metadata_and_the_tags() {
    let bytes = data(1, 1_000_000);
    let layouts: [&[usize]; 4] =
        [&[300_000, 300_000, 300_000, 100_000], &[100_000, 500_000, 400_000], &[1_000_000], &[]];
    let checksums = [
        None,
        Some((ChecksumAlgorithm::Crc32C, ChecksumType::Composite)),
        Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite)),
        Some((ChecksumAlgorithm::Crc32, ChecksumType::FullObject)),
    ];
    for sizes in layouts {
        for checksum in &checksums {
            let rig = Rig::new().await;
            if sizes.is_empty() {
                let algorithm = checksum.as_ref().map(|(algorithm, _)| algorithm.clone());
                rig.source.put("archive", KEY, &bytes, algorithm).await;
            } else {
                let mut at = 0;
                let parts: Vec<&[u8]> = sizes
                    .iter()
                    .map(|size| {
                        at += size;
                        &bytes[at - size..at]
                    })
                    .collect();
                let with = |create: aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder| {
                    create.metadata("ami-name", "golden").metadata("owner", "123").content_type("application/x-ami")
                };
                rig.source.multipart_with("archive", KEY, &parts, checksum.clone(), with).await;
            }
            rig.source.tag("archive", KEY, "team", "a b").await;
            let run = rig.copy(&["--yes", "--verify-destination"]).await;
            let case = format!("{sizes:?} {checksum:?}: {run:?}");
            assert_eq!(run.exit, Some(0), "{case}");
            let report = report(&run);
            assert_eq!((&report["outcome"], &report["verdict"]), (&"copied".into(), &"pass".into()), "{case}");
            assert_eq!(rig.bytes(KEY).await, bytes, "{case}");
            let head = |server: &crate::common::Server, bucket: &str| {
                let mode = aws_sdk_s3::types::ChecksumMode::Enabled;
                server.client.head_object().bucket(bucket).key(KEY).checksum_mode(mode).send()
            };
            let (from, to) =
                (head(&rig.source, "archive").await.unwrap(), head(&rig.destination, "gov-archive").await.unwrap());
            assert_eq!(from.e_tag(), to.e_tag(), "{case}");
            assert_eq!(from.checksum_crc64_nvme(), to.checksum_crc64_nvme(), "{case}");
            assert_eq!(from.checksum_crc32_c(), to.checksum_crc32_c(), "{case}");
            assert_eq!(from.checksum_sha256(), to.checksum_sha256(), "{case}");
            assert_eq!(from.checksum_crc32(), to.checksum_crc32(), "{case}");
            assert_eq!(from.checksum_type(), to.checksum_type(), "{case}");
            assert_eq!(from.content_type(), to.content_type(), "{case}");
            let mut metadata = to.metadata().cloned().unwrap_or_default();
            let id = metadata.remove("stored-ami-copy").unwrap();
            assert_eq!((id.len(), report["copy_id"].as_str()), (32, Some(id.as_str())));
            assert_eq!(from.metadata().cloned().unwrap_or_default(), metadata, "{case}");
            let tags = rig.destination.client.get_object_tagging().bucket("gov-archive").key(KEY).send().await.unwrap();
            let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
            assert_eq!(tags, [("team", "a b")]);
            for check in ["source", "size", "etag", "checksum", "metadata", "tags", "read-back"] {
                assert_eq!(verdict(&run, check), "pass", "{check} {case}");
            }
            assert_eq!(rig.uploads().await, 0);
            assert_eq!(rig.calls(Operation::UploadPart).len(), sizes.len(), "{case}");
            for call in rig.calls(Operation::CompleteMultipartUpload) {
                assert_eq!(call.if_none_match.as_deref(), Some("*"));
                assert_eq!(call.object_size.as_deref(), Some("1000000"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_not_touched() {
    let rig = Rig::new().await;
    let bytes = data(1, 400_000);
    let parts = [&bytes[..300_000], &bytes[300_000..]];
    rig.source.multipart("archive", KEY, &parts, None).await;
    rig.copy(&["--yes"]).await.assert_exit(0);
    let again = rig.copy(&["--yes"]).await;
    again.assert_exit(0);
    assert_eq!(report(&again)["outcome"], "already_there");
    let unread = rig.copy(&["--yes", "--verify-destination"]).await;
    unread.assert_exit(3);
    assert_eq!(verdict(&unread, "read-back"), "unknown", "{unread:?}");
    let reads =
        |lab: &stored_ami_lab::Lab| lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count();
    assert_eq!(reads(&rig.from), 0);
    rig.destination.put("gov-archive", KEY, b"another", None).await;
    let other = rig.copy(&["--yes"]).await;
    other.assert_exit(1);
    assert_eq!(report(&other)["outcome"], "occupied");
    assert_eq!(rig.bytes(KEY).await, b"another");
    for operation in [Operation::CreateMultipartUpload, Operation::PutObject] {
        assert!(rig.calls(operation).is_empty());
    }
}

/// `copy` and `compare` go by one rule: the ETags of a server other than AWS show nothing, even if they are equal.
#[tokio::test(flavor = "multi_thread")]
async fn equal_etags_that_nobody_documents_are_not_the_same_object() {
    let bytes = data(1, 400_000);
    // With a checksum over the full object, and with ETags alone.
    for (default_checksum, exit, outcome, likeness) in
        [(true, 0, "already_there", "same"), (false, 3, "occupied", "unknown")]
    {
        let rig = Rig::with(LabOptions { default_checksum, ..LabOptions::default() }).await;
        rig.source.multipart("archive", KEY, &[&bytes[..300_000], &bytes[300_000..]], None).await;
        rig.destination.multipart("gov-archive", KEY, &[&bytes[..300_000], &bytes[300_000..]], None).await;
        let run = rig.copy(&["--yes"]).await;
        assert_eq!(report(run.assert_exit(exit))["outcome"], outcome, "{run:?}");
        let mut command = crate::common::bare_command();
        command
            .env("HOME", rig.home.path())
            .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
            .args(["compare", crate::rig::FROM, crate::rig::TO, "--json"])
            .args(["--from-profile", "commercial", "--to-profile", "gov"]);
        let compared = crate::common::Run::of(command).await;
        compared.assert_exit(exit);
        assert_eq!(compared.report()["outcome"], likeness, "{compared:?}");
        if !default_checksum {
            assert_eq!(verdict(&run, "absent"), "unknown");
            assert!(run.stdout.contains("only AWS documents its ETags as MD5s"), "{run:?}");
            // Nothing is copied, so there is nothing to accept.
            let accepted = rig.copy(&["--yes", "--accept", "absent"]).await;
            let told = report(accepted.assert_exit(3));
            assert_eq!((&told["outcome"], told.get("accepted")), (&"occupied".into(), None), "{accepted:?}");
            assert!(rig.calls(Operation::CreateMultipartUpload).is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn class_key_metadata_and_tags_as_asked_for() {
    let rig = Rig::new().await;
    let bytes = data(1, 400_000);
    rig.source.multipart("archive", KEY, &[&bytes[..300_000], &bytes[300_000..]], None).await;
    rig.source.tag("archive", KEY, "team", "a").await;
    rig.source.tag("archive", KEY, "stored-ami:restore", "x").await;
    let run = rig
        .copy(&[
            "--yes",
            "--storage-class",
            "GLACIER_IR",
            "--sse-kms-key",
            "arn:aws-us-gov:kms:k",
            "--metadata",
            "none",
            "--tags",
            "why=archive",
        ])
        .await;
    run.assert_exit(0);
    let head = rig.destination.client.head_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    assert_eq!(head.storage_class().map(|class| class.as_str()), Some("GLACIER_IR"));
    assert_eq!(head.ssekms_key_id(), Some("arn:aws-us-gov:kms:k"));
    assert_eq!(head.metadata().map(std::collections::HashMap::len), Some(1), "only the mark of the copy");
    let tags = report(&run)["tags"].clone();
    assert_eq!(tags, serde_json::json!({ "why": "archive" }), "our own tag never goes");
    assert_eq!((verdict(&run, "etag"), verdict(&run, "checksum")), ("unknown".into(), "pass".into()), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conclusion_says_what_was_proved_and_what_was_accepted() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    for action in ["s3:GetBucketPublicAccessBlock", "s3:GetBucketAcl"] {
        rig.to.deny(stored_ami_lab::Deny::action(action));
    }
    let mut command = crate::common::bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["copy", crate::rig::FROM, crate::rig::TO, "--from-profile", "commercial", "--to-profile", "gov"])
        .args(["--yes", "--accept", "public"]);
    let run = crate::common::Run::of(command).await;
    run.assert_exit(0);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(
            "COPIED the bytes of the source are proved, and the server states the same values for the copy, which was not \
             read; accepted without an answer: public"
        ),
        "{text}"
    );
}
