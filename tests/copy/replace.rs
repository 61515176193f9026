//! `--replace-if`: only the object that is named, and only where the server heeds the condition.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use stored_ami_lab::{Fault, FaultRule, Operation};

use crate::common::{Run, bare_command, data};
use crate::rig::{KEY, Rig, report, verdict};

/// A source in four parts or in one request, and an older object at the destination; its ETag.
async fn rig(in_parts: bool) -> (Rig, Vec<u8>, String) {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    match in_parts {
        true => rig.source.multipart("archive", KEY, &bytes.chunks(300_000).collect::<Vec<_>>(), None).await,
        false => rig.source.put("archive", KEY, &bytes, None).await,
    }
    rig.destination.put("gov-archive", KEY, b"older", None).await;
    let head = rig.destination.client.head_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    let etag = head.e_tag().unwrap().trim_matches('"').to_owned();
    (rig, bytes, etag)
}

/// Keys at the destination.
async fn keys(rig: &Rig) -> Vec<String> {
    let out = rig.destination.client.list_objects_v2().bucket("gov-archive").send().await.unwrap();
    out.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_named_object_is_replaced() {
    for in_parts in [true, false] {
        let (rig, bytes, etag) = rig(in_parts).await;
        let run = rig.copy(&["--yes", "--replace-if", &etag]).await;
        run.assert_exit(0);
        assert_eq!((&report(&run)["outcome"], verdict(&run, "absent")), (&"copied".into(), "pass".into()), "{run:?}");
        assert!(run.stdout.contains(&format!("the object with ETag {etag} is replaced")), "{run:?}");
        assert_eq!(rig.bytes(KEY).await, bytes);
        let operation = if in_parts { Operation::CompleteMultipartUpload } else { Operation::PutObject };
        let conditions: Vec<_> = rig.calls(operation).iter().map(|call| call.if_match.clone()).collect();
        assert_eq!(conditions.len(), 2, "that of the probe and that of the copy");
        assert_eq!(conditions[1], Some(format!("\"{etag}\"")));
        assert_eq!((keys(&rig).await, rig.uploads().await), (vec![KEY.to_owned()], 0), "the probe leaves nothing");
    }
}

/// A damaged copy states the same values as its source.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_copy_is_replaced() {
    let (rig, bytes, _) = rig(true).await;
    rig.destination.client.delete_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    rig.copy(&["--yes"]).await.assert_exit(0);
    rig.to.damage("gov-archive", KEY, 100, 1).unwrap();
    let etag = rig.destination.client.head_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    let etag = etag.e_tag().unwrap().trim_matches('"').to_owned();
    let run = rig.copy(&["--yes"]).await;
    assert_eq!(report(run.assert_exit(0))["outcome"], "already_there", "nothing is read");
    let run = rig.copy(&["--yes", "--replace-if", &etag, "--verify-destination"]).await;
    assert_eq!((&report(run.assert_exit(0))["outcome"], verdict(&run, "read-back")), (&"copied".into(), "pass".into()));
    assert_eq!(rig.bytes(KEY).await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_than_the_named_one_stays() {
    let (rig, _, _) = rig(true).await;
    let run = rig.copy(&["--yes", "--replace-if", "0123456789abcdef0123456789abcdef"]).await;
    assert_eq!(report(run.assert_exit(1))["outcome"], "occupied");
    assert_eq!(rig.bytes(KEY).await, b"older");
    assert!(rig.calls(Operation::CreateMultipartUpload).is_empty());
    rig.destination.client.delete_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    let run = rig.copy(&["--yes", "--replace-if", "0123456789abcdef0123456789abcdef"]).await;
    assert_eq!((&report(run.assert_exit(1))["outcome"], verdict(&run, "absent")), (&"refused".into(), "fail".into()));
    assert!(!rig.has(KEY).await);
    for etag in ["", "W/\"0123\""] {
        assert!(rig.copy(&["--yes", "--replace-if", etag]).await.assert_exit(2).stderr.contains("--replace-if"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_the_condition_is_not_used() {
    for in_parts in [true, false] {
        let (rig, _, etag) = rig(in_parts).await;
        for operation in [Operation::CompleteMultipartUpload, Operation::PutObject] {
            rig.to.script(FaultRule::new(operation, Fault::ConditionsIgnored).always());
        }
        let run = rig.copy(&["--yes", "--replace-if", &etag]).await;
        run.assert_exit(2);
        assert!(run.stdout.contains("carries out a write whose If-Match is wrong"), "{run:?}");
        assert_eq!(rig.bytes(KEY).await, b"older");
        assert_eq!((keys(&rig).await, rig.uploads().await), (vec![KEY.to_owned()], 0), "the probe is removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_not_assumed() {
    let (rig, _, etag) = rig(true).await;
    let refused = Fault::Status { status: 403, code: "AccessDenied" };
    rig.to.script(FaultRule::new(Operation::CreateMultipartUpload, refused).key_contains("stored-ami-probe"));
    let run = rig.copy(&["--yes", "--replace-if", &etag]).await;
    run.assert_exit(2);
    assert!(run.stdout.contains("whether the server honours If-Match is not known"), "{run:?}");
    assert_eq!(rig.bytes(KEY).await, b"older");
}

/// The object changes while the copy is in progress: the HEAD before the end sees it, and if it comes later, the
/// condition of the last request.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changes_meanwhile_stays() {
    for (operation, skip) in [(Operation::GetObject, 0), (Operation::HeadObject, 1)] {
        let (rig, _, etag) = rig(true).await;
        let lab = if operation == Operation::GetObject { &rig.from } else { &rig.to };
        match operation {
            // The source is slow, so that the other writer comes first.
            Operation::GetObject => {
                lab.script(FaultRule::new(operation, Fault::Trickle { after: 0, rate: 400_000 }).always());
            }
            _ => lab.script(FaultRule::new(operation, Fault::ReplaceObject).skip(skip)),
        }
        let args = ["--yes", "--replace-if", &etag];
        let copying = rig.copy(&args);
        let writing = async {
            if operation != Operation::GetObject {
                return;
            }
            let begun = async {
                while rig.calls(Operation::CreateMultipartUpload).len() < 2 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(60), begun).await.unwrap();
            rig.destination.put("gov-archive", KEY, b"another", None).await;
        };
        let (run, ()) = tokio::join!(copying, writing);
        assert_ne!(run.exit, Some(0), "{operation:?}: {run:?}");
        assert_ne!(report(&run)["outcome"], "copied");
        assert_ne!(rig.bytes(KEY).await.len(), 1_000_000, "{operation:?}");
        assert_eq!(rig.uploads().await, 0, "{operation:?}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_replaces_once() {
    for fault in [Fault::AnswerLost, Fault::Dropped] {
        let (rig, bytes, etag) = rig(true).await;
        rig.to.script(FaultRule::new(Operation::CompleteMultipartUpload, fault.clone()).skip(1));
        let run = rig.copy(&["--yes", "--replace-if", &etag]).await;
        assert_eq!(report(run.assert_exit(0))["outcome"], "copied", "{fault}");
        assert_eq!(rig.bytes(KEY).await, bytes);
        assert_eq!(rig.uploads().await, 0, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_replaces_the_damaged_one() {
    let (rig, bytes, _) = rig(true).await;
    let object = format!("s3://gov-archive/{KEY}");
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = rig.destination.client.put_bucket_versioning().bucket("gov-archive").versioning_configuration(enabled);
    put.send().await.unwrap();
    rig.destination.client.delete_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    rig.copy(&["--yes"]).await.assert_exit(0);
    let head = || rig.destination.client.head_object().bucket("gov-archive").key(KEY).send();
    let older = head().await.unwrap().version_id().unwrap().to_owned();
    rig.destination
        .client
        .put_object()
        .bucket("gov-archive")
        .key(KEY)
        .body(b"wrong".to_vec().into())
        .send()
        .await
        .unwrap();
    let wrong = head().await.unwrap().e_tag().unwrap().trim_matches('"').to_owned();
    let copy = |source: &str| {
        let mut command = bare_command();
        command.env("HOME", rig.home.path()).env("AWS_CONFIG_FILE", rig.home.path().join("config"));
        command.args(["copy", source, &object, "--from-profile", "gov", "--to-profile", "gov", "--accept", "public"]);
        command.args(["--json", "--yes", "--verify-destination", "--replace-if", &wrong]);
        Run::of(command)
    };
    assert!(copy(&object).await.assert_exit(2).stderr.contains("are the same object"));
    let run = copy(&format!("{object}?versionId={older}")).await;
    assert_eq!((&report(run.assert_exit(0))["outcome"], verdict(&run, "read-back")), (&"copied".into(), "pass".into()));
    assert_eq!(rig.bytes(KEY).await, bytes);
}
