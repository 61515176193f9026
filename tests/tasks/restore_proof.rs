//! `restore --prove`: the proof of what was just restored.

use std::process::Stdio;

use serde_json::Value;
use stored_ami_lab::{Action, LabOptions, TaskPace};

use crate::blocks::{calls, fingerprint};
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, REGION, Rig};

/// A lab with a stored AMI, and a record of its content.
async fn stored(tasks: TaskPace) -> Rig {
    let rig = Rig::with(LabOptions::default(), tasks).await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    rig.start_store(AMI, BUCKET).await;
    rig.wait_for_stores().await;
    rig.lab.clear_calls();
    rig
}

fn args(record: &str) -> [&str; 8] {
    ["restore", OBJECT, "--name", "gold", "--prove", "--record", record, "--yes"]
}

fn types(run: &Run) -> Vec<String> {
    run.lines().iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect()
}

/// The proof that counts: the last one.
fn proof(run: &Run) -> Value {
    run.lines().into_iter().rfind(|line| line["type"] == "prove").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_goes_on_to_the_proof() {
    let rig = stored(TaskPace::Polls(2)).await;
    let record = rig.path("golden.json");
    // The record of the blocks also states the size.
    rig.deregister();
    rig.lab.with_object(BUCKET, crate::rig::KEY, |object| object.tags.clear()).unwrap();
    let run = rig.run(&args(&record)).await;
    run.assert_exit(0);
    assert_eq!(types(&run), ["preflight", "task", "prove", "prove", "summary"]);
    let found = proof(&run);
    assert_eq!((&found["verdict"], &found["image"]), (&"pass".into(), &Value::from(rig.restored()[0].id.clone())));
    assert_eq!(found["expected_image"], AMI);
    assert_eq!(found["volumes"].as_array().unwrap().len(), 3);
    let read = calls(&rig, Action::GetSnapshotBlock);
    assert_eq!(read, 45, "15 blocks of each volume");
    // The same command proves the AMI again, and starts nothing.
    let again = rig.run(&args(&record)).await;
    again.assert_exit(0);
    assert_eq!((rig.starts().len(), calls(&rig, Action::GetSnapshotBlock)), (1, 2 * read));
    let image = rig.restored()[0].id.clone();
    let followed = rig.run(&["restore", "--follow", &image, "--prove", "--record", &record, "--yes"]).await;
    followed.assert_exit(0);
    assert_eq!(proof(&followed)["verdict"], "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_available_ami_with_another_block_fails() {
    let rig = stored(TaskPace::Polls(3)).await;
    let record = rig.path("golden.json");
    let mut command = rig.command();
    command.args(args(&record)).arg("--json");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    while rig.restored().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = rig.restored()[0].mappings[1].clone();
    rig.lab.flip_in_snapshot(REGION, &second.snapshot, 7 * 524_288 + 9, 0x40).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let run = Run { exit: output.status.code(), stdout, stderr: String::new() };
    run.assert_exit(1);
    let task = run.lines().into_iter().find(|line| line["type"] == "task").unwrap();
    assert_eq!(task["verdict"], "pass", "what is described of the AMI holds");
    let volume = proof(&run)["volumes"][1].clone();
    assert_eq!((&volume["device"], &volume["verdict"]), (&Value::from(second.device), &"fail".into()));
    let differences = volume["differences"].as_array().unwrap();
    assert_eq!((differences.len(), &differences[0]["block"]), (1, &7.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_available_is_not_read() {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.lab.fail_next_restore("Server.InternalError: of the lab");
    let record = rig.path("golden.json");
    let run = rig.run(&args(&record)).await;
    run.assert_exit(4);
    assert_eq!(types(&run), ["preflight", "task", "summary"]);
    assert_eq!(calls(&rig, Action::ListSnapshotBlocks), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_the_content_is_refused_before_anything_is_asked() {
    let rig = stored(TaskPace::Polls(0)).await;
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    fingerprint(&rig, &other, "other.json", &[]).await.assert_exit(0);
    let plain = rig.path("plain.json");
    rig.server.bucket("second").await;
    rig.run(&["store", AMI, "--bucket", "second", "--record", &plain, "--yes"]).await.assert_exit(0);
    let golden = rig.path("golden.json");
    rig.lab.clear_calls();
    let other = rig.path("other.json");
    for (more, problem) in [
        (vec!["--prove"], "--prove compares with a record"),
        (vec!["--prove", "--record", &plain], "is the record of a store, which holds no blocks"),
        (vec!["--prove", "--record", &other], "and the object holds ami-0123456789abcdef0"),
        (vec!["--prove", "--record", &golden, "--alias", "/golden"], "cannot be used with"),
        (vec!["--block-rate", "7"], "--prove"),
    ] {
        let run = rig.run(&[&["restore", OBJECT, "--name", "gold", "--yes"][..], &more].concat()).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem), "{more:?}: {run:?}");
    }
    assert!(rig.lab.calls().is_empty());
}
