//! `store --blocks`: the record of a store that holds the content of the AMI.

use serde_json::Value;
use stored_ami::record::Record;
use stored_ami_lab::{Action, Fault, FaultRule, Operation};

use crate::blocks::calls;
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, Rig};

fn args(record: &str) -> [&str; 7] {
    ["store", AMI, "--bucket", BUCKET, "--record", record, "--blocks"]
}

fn record(path: &str) -> Record {
    Record::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn types(run: &Run) -> Vec<String> {
    run.lines().iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_holds_the_object_and_the_content() {
    let rig = Rig::new().await;
    let path = rig.path("golden.json");
    let run = rig.run(&[&args(&path)[..], &["--yes"]].concat()).await;
    run.assert_exit(0);
    assert_eq!(types(&run), ["preflight", "fingerprint", "task", "fingerprint", "summary"]);
    let plan = &run.lines()[1];
    // A quarter of 29 GiB is written, by what the lab states of its snapshots.
    assert_eq!((&plan["outcome"], &plan["estimate"]["blocks_most"]), (&"planned".into(), &14_848.into()));
    let kept = record(&path);
    let content = kept.content.unwrap();
    assert_eq!((content.image.as_str(), content.volumes.len()), (AMI, 3));
    assert!(kept.etag.is_some() && kept.object_bytes.is_some(), "the object is in the record, too");
    let read = calls(&rig, Action::GetSnapshotBlock);
    // All that takes a record takes this one.
    rig.deregister();
    let restored = rig.run(&["restore", OBJECT, "--name", "gold", "--record", &path, "--prove", "--yes"]).await;
    restored.assert_exit(0);
    let proof = restored.lines().into_iter().rfind(|line| line["type"] == "prove").unwrap();
    assert_eq!(proof["verdict"], "pass");
    let task = restored.lines().into_iter().find(|line| line["type"] == "task").unwrap();
    let boot = task["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "restored-boot").unwrap();
    assert_eq!(boot["verdict"], "pass", "the record also describes the AMI");
    let image = rig.restored()[0].id.clone();
    rig.run(&["prove", &image, "--record", &path, "--yes"]).await.assert_exit(0);
    assert!(calls(&rig, Action::GetSnapshotBlock) > read);
    let drill = rig.run(&["drill", OBJECT, "--record", &path, "--yes"]).await;
    drill.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_or_read_without_consent() {
    let rig = Rig::new().await;
    let path = rig.path("golden.json");
    rig.run(&args(&path)).await.assert_exit(2);
    assert!(rig.lab.calls().iter().all(|call| !matches!(call.operation, Operation::Service(_))));
    let dry = rig.run(&[&args(&path)[..], &["--dry-run"]].concat()).await;
    dry.assert_exit(0);
    assert!(types(&dry).contains(&"fingerprint".to_owned()), "{dry:?}");
    assert_eq!((rig.starts().len(), calls(&rig, Action::GetSnapshotBlock)), (0, 0));
    assert!(!std::path::Path::new(&path).exists());
    rig.run(&["store", AMI, "--bucket", BUCKET, "--blocks", "--yes"]).await.assert_exit(2);
    // The digests of another AMI are not replaced, and then nothing is stored.
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    rig.run(&["fingerprint", &other, "--record", &path, "--yes"]).await.assert_exit(0);
    std::fs::remove_file(&path).unwrap();
    rig.run(&[&args(&path)[..], &["--yes"]].concat()).await.assert_exit(2);
    assert!(rig.starts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_were_not_read_are_read_by_fingerprint() {
    let rig = Rig::new().await;
    let path = rig.path("golden.json");
    let denied = Fault::Status { status: 403, code: "AccessDeniedException" };
    rig.lab.script(FaultRule::new(Operation::Service(Action::GetSnapshotBlock), denied).skip(20).always());
    let run = rig.run(&[&args(&path)[..], &["--yes"]].concat()).await;
    run.assert_exit(4);
    assert!(run.stderr.contains(&format!("stored-ami fingerprint {AMI} --record")), "{run:?}");
    let stored = record(&path);
    assert!(stored.etag.is_some() && stored.content.is_none());
    rig.lab.clear_script();
    rig.run(&["fingerprint", AMI, "--record", &path, "--yes"]).await.assert_exit(0);
    let kept = record(&path);
    assert_eq!(kept.content.as_ref().map(|content| content.volumes.len()), Some(3));
    let kept_content = kept.content.clone();
    assert_eq!(Record { content: None, ..kept }, stored, "the rest of the record stays");
    // Another store of the same AMI keeps what was read.
    rig.server.bucket("second").await;
    let elsewhere = ["store", AMI, "--bucket", "second", "--record", &path, "--yes"];
    rig.run(&elsewhere).await.assert_exit(2);
    rig.run(&[&elsewhere[..], &["--force"]].concat()).await.assert_exit(0);
    let again = record(&path);
    assert_eq!((again.bucket.as_str(), &again.content), ("second", &kept_content));
    // The record of another AMI is not changed.
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    let refused = rig.run(&["fingerprint", &other, "--record", &path, "--yes"]).await;
    refused.assert_exit(2);
    assert!(refused.stderr.contains("holds the record of ami-0123456789abcdef0"), "{refused:?}");
    let line: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(line.is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_another_ami_is_not_replaced() {
    let rig = Rig::new().await;
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    let path = rig.path("golden.json");
    rig.run(&["fingerprint", &other, "--record", &path, "--yes"]).await.assert_exit(0);
    let before = std::fs::read(&path).unwrap();
    // Also if the file with its digests is not beside it.
    std::fs::rename(rig.path("golden.json.blocks"), rig.path("elsewhere")).unwrap();
    rig.lab.clear_calls();
    let fingerprint = ["fingerprint", AMI, "--record", &path, "--yes"];
    let refused = rig.run(&fingerprint).await;
    refused.assert_exit(2);
    let says = format!("golden.json: holds the record of {other}; name another file, or give --force to replace it");
    assert!(refused.stderr.contains(&says), "{refused:?}");
    assert_eq!((rig.lab.calls().len(), std::fs::read(&path).unwrap()), (0, before));
    rig.run(&[&fingerprint[..], &["--force"]].concat()).await.assert_exit(0);
    assert!(std::fs::read_to_string(&path).unwrap().contains(AMI));
}
