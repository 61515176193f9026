//! `is-stored` and the deprecated `stored`: the answers, the statement of each source, and exit codes.

use stored_ami_lab::{BucketOptions, Versioning};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, Rig};

async fn stored(rig: &Rig, bucket: &str) -> Run {
    rig.run(&["stored", AMI, "--bucket", bucket]).await
}

async fn is_stored(rig: &Rig, bucket: &str) -> Run {
    rig.run(&["is-stored", AMI, "--bucket", bucket]).await
}

/// Checks the answer of `is-stored`, its reason and its exit code.
fn assert_presence(run: &Run, is_stored: Option<bool>, reason: &str) {
    let report = run.report();
    assert_eq!(report["is_stored"].as_bool(), is_stored, "{run:?}");
    assert_eq!(report["reason"], reason, "{run:?}");
    let exit = match is_stored {
        Some(true) => 0,
        Some(false) => 1,
        None => 3,
    };
    assert_eq!(report["exit_code"], exit);
    run.assert_exit(exit);
}

fn assert_answer(run: &Run, answer: &str, exit: i32) {
    assert_eq!(run.report()["answer"], answer, "{run:?}");
    run.assert_exit(exit);
}

fn said(run: &Run, source: &str) -> String {
    let report = run.report();
    let found = report["sources"].as_array().unwrap().iter().find(|said| said["source"] == source);
    found.unwrap_or_else(|| panic!("{source} in {report:#}"))["said"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn before_while_and_after_a_store() {
    let rig = Rig::busy().await;
    assert_answer(&stored(&rig, BUCKET).await, "not_stored", 0);
    rig.start_store(AMI, BUCKET).await;
    let run = stored(&rig, BUCKET).await;
    assert_answer(&run, "in_flight", 1);
    assert!(said(&run, "ListMultipartUploads").starts_with("an upload of ami-0123456789abcdef0.bin is open"));
    assert!(said(&run, "DescribeStoreImageTasks").starts_with("InProgress at 0 %"), "{run:?}");

    let rig = Rig::new().await;
    rig.store().await;
    let run = stored(&rig, BUCKET).await;
    assert_answer(&run, "stored", 1);
    assert!(said(&run, "HeadObject").contains("is there"));
    assert!(said(&run, "DescribeStoreImageTasks").starts_with("Completed"));
    assert!(rig.starts().len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_path_of_the_bucket() {
    let rig = Rig::new().await;
    rig.run(&["store", AMI, "--bucket", "archive/2026/eu", "--yes"]).await.assert_exit(0);
    let run = stored(&rig, BUCKET).await;
    assert_answer(&run, "stored", 1);
    assert!(said(&run, "ListObjectsV2").contains("2026/eu/ami-0123456789abcdef0.bin"));
    assert_answer(&stored(&rig, "archive/2026/eu").await, "stored", 1);
    // Another bucket is irrelevant, even if its name has the same prefix.
    rig.lab.create_bucket("archive2", BucketOptions::default()).unwrap();
    assert_answer(&stored(&rig, "archive2").await, "not_stored", 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_and_gone() {
    let rig = Rig::new().await;
    rig.lab.fail_next_store("Client.SomethingWrong: no blocks");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await.assert_exit(4);
    let run = stored(&rig, BUCKET).await;
    assert_answer(&run, "failed", 0);
    assert!(said(&run, "DescribeStoreImageTasks").contains("no blocks"), "{run:?}");

    let rig = Rig::new().await;
    rig.store().await;
    rig.server.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_answer(&stored(&rig, BUCKET).await, "completed_but_object_gone", 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_delete_marker() {
    let rig = Rig::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("versions", versioned).unwrap();
    rig.run(&["store", AMI, "--bucket", "versions", "--yes"]).await.assert_exit(0);
    rig.server.client.delete_object().bucket("versions").key(KEY).send().await.unwrap();
    let run = stored(&rig, "versions").await;
    assert_answer(&run, "completed_but_object_gone", 3);
    assert!(said(&run, "ListObjectVersions").starts_with("1 version and 1 delete marker of"), "{run:?}");
}

/// A source that cannot be asked never shows absence.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_cannot_be_told() {
    for action in ["s3:ListBucketMultipartUploads", "ec2:DescribeStoreImageTasks", "s3:ListBucket"] {
        let rig = Rig::new().await;
        rig.deny(action);
        assert_answer(&stored(&rig, BUCKET).await, "cannot_tell", 3);
    }
    // Versions provide nothing that is needed, and the listing replaces HEAD.
    for action in ["s3:ListBucketVersions", "s3:GetObject"] {
        let rig = Rig::new().await;
        rig.deny(action);
        assert_answer(&stored(&rig, BUCKET).await, "not_stored", 0);
    }
    // A copy that is seen counts, even if other sources are denied.
    let rig = Rig::new().await;
    rig.store().await;
    for action in ["s3:ListBucket", "ec2:DescribeStoreImageTasks", "s3:ListBucketMultipartUploads"] {
        rig.deny(action);
    }
    assert_answer(&stored(&rig, BUCKET).await, "stored", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_may_be_written_as_an_address() {
    let rig = Rig::new().await;
    let run = stored(&rig, "s3://archive/").await;
    assert_answer(&run, "not_stored", 0);
    assert_eq!(run.report()["notes"][0], "the bucket was written as an s3:// address, and is taken as `archive`");
    stored(&rig, "no-such-bucket").await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn is_stored_before_while_and_after_a_store() {
    let rig = Rig::busy().await;
    assert_presence(&is_stored(&rig, BUCKET).await, Some(false), "no_object");
    rig.start_store(AMI, BUCKET).await;
    assert_presence(&is_stored(&rig, BUCKET).await, None, "in_flight");

    let rig = Rig::new().await;
    rig.store().await;
    let run = is_stored(&rig, BUCKET).await;
    assert_presence(&run, Some(true), "task_completed");
    assert!(!run.stderr.contains("deprecated"), "{run:?}");
    rig.deregister();
    assert_presence(&is_stored(&rig, BUCKET).await, Some(true), "task_completed");
    rig.server.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_presence(&is_stored(&rig, BUCKET).await, Some(false), "object_gone");
}

/// A copy has no task, and neither has a store of more than 31 days ago.
#[tokio::test(flavor = "multi_thread")]
async fn is_stored_without_a_task_needs_all_answers_about_stores() {
    let rig = Rig::new().await;
    rig.server.put(BUCKET, KEY, b"bytes", None).await;
    assert_presence(&is_stored(&rig, BUCKET).await, Some(true), "no_task");
    for action in ["s3:ListBucketMultipartUploads", "ec2:DescribeStoreImageTasks"] {
        let rig = Rig::new().await;
        rig.server.put(BUCKET, KEY, b"bytes", None).await;
        rig.deny(action);
        assert_presence(&is_stored(&rig, BUCKET).await, None, "not_answered");
    }
    let rig = Rig::new().await;
    rig.server.put(BUCKET, KEY, b"", None).await;
    assert_presence(&is_stored(&rig, BUCKET).await, None, "empty_object");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_stored_while_another_upload_of_the_key_is_open() {
    let rig = Rig::new().await;
    rig.server.put(BUCKET, KEY, b"bytes", None).await;
    rig.server.client.create_multipart_upload().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_presence(&is_stored(&rig, BUCKET).await, None, "in_flight");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_stored_under_another_path_or_after_a_failure() {
    let rig = Rig::new().await;
    rig.run(&["store", AMI, "--bucket", "archive/2026/eu", "--yes"]).await.assert_exit(0);
    assert_presence(&is_stored(&rig, BUCKET).await, None, "other_path");
    assert_presence(&is_stored(&rig, "archive/2026/eu").await, Some(true), "task_completed");

    let rig = Rig::new().await;
    rig.lab.fail_next_store("Client.SomethingWrong: no blocks");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await.assert_exit(4);
    assert_presence(&is_stored(&rig, BUCKET).await, Some(false), "store_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_stored_cannot_tell_what_was_not_answered() {
    for action in ["s3:ListBucketMultipartUploads", "ec2:DescribeStoreImageTasks", "s3:ListBucket"] {
        let rig = Rig::new().await;
        rig.deny(action);
        assert_presence(&is_stored(&rig, BUCKET).await, None, "not_answered");
    }
    let rig = Rig::new().await;
    rig.run(&["is-stored", AMI, "--bucket", "no-such-bucket"]).await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deprecated_command_says_so_on_standard_error() {
    let rig = Rig::new().await;
    let run = stored(&rig, BUCKET).await;
    assert_answer(&run, "not_stored", 0);
    assert!(
        run.stderr.contains("`stored` is deprecated and will be removed in version 1.0: use `is-stored`"),
        "{run:?}"
    );
}
