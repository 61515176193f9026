//! `store` and `restore`: what is started, what is rejected, and the results.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use stored_ami_lab::ec2::SnapshotRecord;
use stored_ami_lab::{Action, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, OBJECT, Rig, line};

const RESTORE: [&str; 5] = ["restore", OBJECT, "--name", "gold", "--yes"];
const STORE: [&str; 5] = ["store", AMI, "--bucket", BUCKET, "--yes"];

fn task_verdict(run: &Run, check: &str) -> String {
    let task = line(run, "task");
    let findings = task["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("{check} in {task:#}"))["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_leaves_a_record_and_tags() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    let run = rig.run(&[&STORE[..], &["--record", &record]].concat()).await;
    run.assert_exit(0);
    let task = line(&run, "task");
    assert_eq!((&task["state"], &task["started_here"]), (&Value::from("Completed"), &Value::from(true)));
    assert_eq!(task_verdict(&run, "object"), "pass");
    assert_eq!(line(&run, "summary")["targets"], 1);

    let object = rig.lab.with_object(BUCKET, KEY, |object| object.clone()).unwrap();
    let tag = |name: &str| object.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert!(object.tags.len() <= 10);
    assert_eq!(tag("stored-ami:volume-bytes"), Some("31138512896"));
    assert_eq!(tag("stored-ami:source-name"), Some("golden"));
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&record).unwrap()).unwrap();
    let kept = &kept["record"];
    assert_eq!(kept["etag"], object.etag);
    assert_eq!(kept["object_bytes"], object.size);
    assert_eq!(kept["image"], AMI);
    assert_eq!(kept["account"], "123456789012");
    let devices: Vec<_> = kept["volumes"].as_array().unwrap().iter().map(|volume| volume["device"].clone()).collect();
    assert_eq!(devices, ["/dev/sda1", "/dev/sdb", "/dev/sdc"]);

    let plain = Rig::new().await;
    plain.run(&[&STORE[..], &["--no-tags"]].concat()).await.assert_exit(0);
    assert!(plain.lab.with_object(BUCKET, KEY, |object| object.tags.is_empty()).unwrap());
}

/// A record that cannot be written is detected before the store is started.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_starts_nothing() {
    let rig = Rig::new().await;
    rig.lab.clear_calls();
    let run = rig.run(&[&STORE[..], &["--record", "/nonexistent/record.json"]].concat()).await;
    run.assert_exit(2);
    assert!(rig.lab.calls().is_empty(), "before anything is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_bytes_are_those_that_were_stored() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&[&STORE[..], &["--record", &record]].concat()).await.assert_exit(0);
    let run = rig.run(&[&RESTORE[..], &["--record", &record]].concat()).await;
    run.assert_exit(0);
    for check in ["state", "mappings", "sizes", "encryption", "boot", "tags"] {
        assert_eq!(task_verdict(&run, &format!("restored-{check}")), "pass");
    }
    let restored = rig.restored();
    assert_eq!(restored.len(), 1);
    assert_eq!((restored[0].name.as_str(), restored[0].source_image.as_deref()), ("gold", Some(AMI)));
    assert_eq!(line(&run, "task")["image"], restored[0].id);
    rig.ec2(|state| {
        let bytes = |snapshot: &str| state.snapshots[snapshot].bytes().unwrap();
        let source = &state.images[AMI];
        assert_eq!(source.mappings.len(), 3);
        for (was, is) in source.mappings.iter().zip(&restored[0].mappings) {
            assert_eq!((&was.device, was.size), (&is.device, is.size));
            assert_ne!(was.snapshot, is.snapshot);
            assert!(bytes(&was.snapshot) == bytes(&is.snapshot), "{} differs", was.device);
        }
        let token = |snapshot: &SnapshotRecord| snapshot.tags["stored-ami:restore"].clone();
        assert!(restored[0].mappings.iter().all(|mapping| token(&state.snapshots[&mapping.snapshot]).len() == 32));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_refused_and_nothing_is_started() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&STORE).await;
    run.assert_exit(1);
    assert_eq!(run.verdict("not-stored"), "fail");
    rig.create(None, "gold", &[("/dev/sda1", 1)]);
    let run = rig.run(&RESTORE).await;
    run.assert_exit(1);
    assert_eq!(run.verdict("name-free"), "fail");
    assert_eq!(rig.starts().len(), 1, "the first store alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn required_unknowns_must_be_accepted() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.deregister();
    rig.lab.with_object(BUCKET, KEY, |object| object.tags.clear()).unwrap();
    let run = rig.run(&RESTORE).await;
    run.assert_exit(3);
    assert_eq!(run.verdict("image-size"), "unknown: not_stated");
    assert_eq!(rig.restored().len(), 0);
    let run = rig.run(&[&RESTORE[..], &["--accept", "image-size"]].concat()).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "preflight")["accepted"][0], "image-size");
    assert_eq!(rig.restored().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_checks_everything_and_starts_nothing() {
    let rig = Rig::new().await;
    rig.run(&["store", AMI, "--bucket", BUCKET, "--dry-run"]).await.assert_exit(0);
    assert!(rig.starts().is_empty());
    rig.store().await;
    rig.run(&["restore", OBJECT, "--name", "gold", "--dry-run"]).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 1);
    assert!(!rig.home.path().join("stored-ami").exists(), "no journal either");
}

/// A restore request contains no version and no ETag, so the object is checked again right before the call.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_was_replaced_since_the_preflight_is_not_restored() {
    let rig = Rig::new().await;
    rig.store().await;
    // After the byte that the preflight reads.
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::ReplaceObject));
    let run = rig.run(&RESTORE).await;
    run.assert_exit(3);
    assert!(line(&run, "error")["message"].as_str().unwrap().contains("replaced since the preflight"), "{run:?}");
    assert_eq!(rig.starts().len(), 1, "that of the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_does_not_start_twice() {
    let rig = Rig::new().await;
    let lose = |action, marker| {
        let rule = FaultRule::new(Operation::Service(action), Fault::AnswerLost);
        rig.lab.script(rule.key_contains(marker).always());
    };
    lose(Action::CreateStoreImageTask, "S3ObjectTag");
    let run = rig.run(&STORE).await;
    run.assert_exit(0);
    assert!(run.stderr.contains("the response was lost; the store was started"), "{run:?}");
    lose(Action::CreateRestoreImageTask, "TagSpecification");
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "task")["state"], "available");
    assert_eq!(rig.starts().len(), 2);
    assert_eq!(rig.restored().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_restore_twice_is_one() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.run(&RESTORE).await.assert_exit(0);
    let again = rig.run(&RESTORE).await;
    again.assert_exit(0);
    let task = line(&again, "task");
    assert_eq!(
        (&task["started_here"], &task["image"]),
        (&Value::from(false), &Value::from(rig.restored()[0].id.clone()))
    );

    // Without the journal, by the tag; with another name it is another restore.
    std::fs::remove_dir_all(rig.home.path().join("stored-ami")).unwrap();
    assert_eq!(line(&rig.run(&RESTORE).await, "task")["started_here"], false);
    assert_eq!(rig.restored().len(), 1);
    rig.run(&["restore", OBJECT, "--name", "drill", "--yes"]).await.assert_exit(0);
    assert_eq!(rig.restored().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_one() {
    let rig = Rig::new().await;
    rig.store().await;
    let other = tempfile::tempdir().unwrap();
    let elsewhere = async {
        let mut command = rig.command();
        command.args(RESTORE).arg("--json").env("XDG_STATE_HOME", other.path());
        Run::of(command).await
    };
    let (here, there) = tokio::join!(rig.run(&RESTORE), elsewhere);
    assert_eq!(rig.restored().len(), 1);
    // One starts it; the other takes its AMI, or the preflight reports who has the name.
    let exits = [here.exit.unwrap(), there.exit.unwrap()];
    assert!(exits.contains(&0) && exits.iter().all(|exit| [0, 1].contains(exit)), "{here:?} {there:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_store_ends_with_the_reason_of_the_service() {
    let rig = Rig::new().await;
    rig.lab.fail_next_store("Client.InvalidSnapshot: blocks cannot be read");
    let run = rig.run(&STORE).await;
    run.assert_exit(4);
    assert_eq!(line(&run, "task")["failure"], "Client.InvalidSnapshot: blocks cannot be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_restore_says_what_it_left_behind() {
    let rig = Rig::new().await;
    rig.store().await;
    // In the middle of the data, where only decompression detects it.
    let size = rig.lab.with_object(BUCKET, KEY, |object| object.size).unwrap();
    rig.lab.damage(BUCKET, KEY, size / 2, 0xFF).unwrap();
    let run = rig.run(&RESTORE).await;
    run.assert_exit(4);
    let task = line(&run, "task");
    assert_eq!(task["state"], "failed");
    assert!(task["failure"].as_str().unwrap().contains("cannot be read"), "{task}");
    let left: Vec<&str> =
        task["left_behind"].as_array().unwrap().iter().map(|left| left["remove_with"].as_str().unwrap()).collect();
    assert_eq!(left.len(), 4);
    assert!(left[0].starts_with("aws ec2 deregister-image --image-id ami-"));
    assert!(left[1..].iter().all(|left| left.starts_with("aws ec2 delete-snapshot --snapshot-id snap-")));
    assert!(left.iter().all(|left| left.ends_with(" --region us-east-1")), "{left:?}");
    // With `--verify`, it is not started.
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.damage(BUCKET, KEY, size / 2, 0xFF).unwrap();
    rig.run(&[&RESTORE[..], &["--verify"]].concat()).await.assert_exit(1);
    assert_eq!(rig.starts().len(), 1, "that of the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_out_in_clear_is_a_fail() {
    let rig = Rig::new().await;
    rig.lab.account(|account| account.keys.insert("arn:aws:kms:us-east-1:123456789012:key/k".into(), "Enabled".into()));
    rig.snapshots(|snapshot| {
        (snapshot.encrypted, snapshot.key) = (true, Some("arn:aws:kms:us-east-1:123456789012:key/k".into()));
    });
    rig.store().await;
    let run = rig.run(&RESTORE).await;
    run.assert_exit(1);
    assert_eq!(task_verdict(&run, "restored-encryption"), "fail");
    assert_eq!(task_verdict(&run, "restored-state"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_read_back() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&[&RESTORE[..], &["--alias", "/golden/current"]].concat()).await;
    run.assert_exit(0);
    assert_eq!(task_verdict(&run, "alias"), "pass");
    let reads =
        rig.lab.calls().iter().filter(|call| call.operation == Operation::Service(Action::GetParameter)).count();
    assert_eq!(reads, 2, "the first read comes before SSM has looked at the AMI");
    rig.deny("ssm:PutParameter");
    let run = rig.run(&["restore", OBJECT, "--name", "other", "--yes", "--alias", "/golden/current"]).await;
    run.assert_exit(3);
    assert_eq!(task_verdict(&run, "alias"), "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_started_can_be_followed() {
    let rig = Rig::with(LabOptions::default(), TaskPace::Polls(2)).await;
    rig.start_store(AMI, BUCKET).await;
    let run = rig.run(&["store", "--follow", AMI]).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "task")["started_here"], false);
    assert_eq!(task_verdict(&run, "object"), "pass");
    rig.run(&["store", "--follow", "ami-0eeeeeeeeeeeeeeee"]).await.assert_exit(4);
    rig.run(&["restore", "--follow", "ami-0eeeeeeeeeeeeeeee"]).await.assert_exit(4);
}

/// A restore in progress, as soon as it shows its progress.
fn under_way(rig: &Rig, more: &[&str]) -> Child {
    let mut command = rig.command();
    let mut child =
        command.args(RESTORE).args(more).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap().contains("restore of ami-")), "it ended before it was under way");
    // Its output is no longer read, which must not matter.
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_is_taken_up() {
    let rig = Rig::with(LabOptions::default(), TaskPace::Polls(8)).await;
    // The store needs as many requests for its state.
    rig.start_store(AMI, BUCKET).await;
    rig.run(&["store", "--follow", AMI]).await.assert_exit(0);
    let mut child = tokio::task::block_in_place(|| under_way(&rig, &[]));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(rig.restored()[0].state, "pending");
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "task")["started_here"], false);
    assert_eq!(rig.restored().len(), 1);
    assert_eq!(rig.starts().len(), 2, "one store, one restore");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restore_goes_on_in_aws() {
    let rig = Rig::new().await;
    rig.store().await;
    let busy = Rig::busy().await;
    // An object to restore, without a store that never ends.
    let bytes = rig.server.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    let bytes = bytes.body.collect().await.unwrap().into_bytes();
    busy.server.put(BUCKET, KEY, &bytes, None).await;
    let child = tokio::task::block_in_place(|| under_way(&busy, &["--alias", "/golden/current"]));
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
    assert_eq!(output.status.code(), Some(130));
    let run = Run { exit: Some(130), stdout: String::from_utf8(output.stdout).unwrap(), stderr: String::new() };
    let task = line(&run, "task");
    assert_eq!((&task["state"], &task["exit_code"]), (&Value::from("pending"), &Value::from(130)));
    let note = task["notes"][0].as_str().unwrap();
    assert!(note.contains("stored-ami restore --follow ami-"), "{task}");
    // What was asked for besides is asked for again.
    assert!(note.contains(" --alias /golden/current"), "{task}");
}

/// The record of a store that was not followed lacks what only the object states.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_run_completes_the_record_of_an_interrupted_store() {
    let rig = Rig::with(LabOptions::default(), TaskPace::Polls(6)).await;
    let record = rig.path("r e c.json");
    let mut command = rig.command();
    command.args(["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record, "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::block_in_place(|| {
        let mut child = child;
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(told.any(|line| line.unwrap().contains("store of ami-")), "it ended before it was under way");
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        child.wait_with_output().unwrap()
    });
    let run =
        Run { exit: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr: String::new() };
    assert_eq!(run.exit, Some(130));
    let follow = format!("stored-ami store --follow {AMI} --record '{record}'`");
    assert!(line(&run, "task")["notes"][0].as_str().unwrap().contains(&follow), "{run:?}");
    let kept = || stored_ami::record::Record::from_json(&std::fs::read_to_string(&record).unwrap()).unwrap();
    assert_eq!(kept().etag, None);

    // The record of another AMI, and a file that is none, are refused before any request.
    let (other, odd) = (rig.create(None, "other", &[("/dev/sda1", 8)]), rig.path("odd"));
    std::fs::write(&odd, "{}").unwrap();
    rig.lab.clear_calls();
    for (image, file, why) in [
        (other.as_str(), &record, "is the record of ami-0123456789abcdef0, and --follow names"),
        (AMI, &odd, "is not a record that stored-ami wrote"),
        (AMI, &rig.path("absent"), "there is no such file"),
    ] {
        let run = rig.run(&["store", "--follow", image, "--record", file]).await;
        assert!(run.assert_exit(2).stderr.contains(why), "{run:?}");
    }
    assert!(rig.lab.calls().is_empty());

    let before = kept();
    rig.run(&["store", "--follow", AMI, "--record", &record]).await.assert_exit(0);
    let etag = rig.lab.with_object(BUCKET, KEY, |object| object.etag.clone()).unwrap();
    assert_eq!((kept().etag, kept().written_at, kept().name), (Some(etag), before.written_at, before.name));
    assert!(rig.starts().is_empty(), "nothing is started");

    // Somebody wrote the object again. The ETag of what the store wrote may be kept nowhere else.
    let completed = kept();
    rig.server.multipart(BUCKET, KEY, &[&[1; 200_000], b"another"], None).await;
    for quiet in [&[][..], &["-q"]] {
        let mut command = rig.command();
        command.args(["store", "--follow", AMI, "--record", &record]).args(quiet);
        let run = Run::of(command).await;
        assert!(run.assert_exit(4).stderr.contains("it was written again since"), "{run:?}");
        assert_eq!(kept(), completed);
    }
    // What is no multipart upload, or began long after the store, is not taken for its object, by a record of before the
    // call or by one that a list makes now.
    let begun = stored_ami::record::Record { etag: None, version_id: None, object_bytes: None, ..kept() };
    let list = rig.path("stores");
    let fresh = rig.path("fresh.json");
    for later in [false, true] {
        match later {
            false => rig.server.put(BUCKET, KEY, b"another", None).await,
            true => {
                rig.server.multipart(BUCKET, KEY, &[&[1; 200_000], b"another"], None).await;
                let hours = jiff::SignedDuration::from_hours(2);
                rig.lab.with_object(BUCKET, KEY, |object| object.last_modified += hours).unwrap();
            }
        }
        std::fs::write(&record, begun.to_json().unwrap()).unwrap();
        let run = rig.run(&["store", "--follow", AMI, "--record", &record]).await;
        let detail = line(run.assert_exit(3), "task")["findings"].to_string();
        assert!(detail.contains("need not be the one that the store wrote"), "{run:?}");
        assert_eq!(kept(), begun);
        for file in [&record, &fresh] {
            std::fs::write(&list, format!("{AMI}\t{BUCKET}\t{file}\n")).unwrap();
            rig.run(&["store", "--from", &list, "--yes"]).await.assert_exit(3);
        }
        assert_eq!((kept(), std::path::Path::new(&fresh).exists()), (begun.clone(), false));
    }
    assert!(rig.starts().is_empty(), "nothing is started");

    // The store of the record is not listed; the one elsewhere is not taken for it.
    let elsewhere = stored_ami::record::Record { key: "old/x.bin".to_owned(), etag: None, ..kept() };
    std::fs::write(&record, elsewhere.to_json().unwrap()).unwrap();
    let run = rig.run(&["store", "--follow", AMI, "--record", &record]).await;
    assert!(run.assert_exit(4).stdout.contains("no store of it is listed"), "{run:?}");
    assert_eq!(kept(), elsewhere);
}

/// A restore that exists already is only followed, which may end with an alias or with blocks that cost money.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_restore_that_exists_changes_nothing() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.run(&RESTORE).await.assert_exit(0);
    rig.lab.clear_calls();
    let run = rig.run(&[&RESTORE[..], &["--dry-run", "--alias", "/golden/current"]].concat()).await;
    assert!(run.assert_exit(1).stdout.contains("has the name, made by this restore"), "{run:?}");
    assert!(run.stderr.contains("is of this restore; nothing is started"), "{run:?}");
    let calls = rig.lab.calls();
    assert!(calls.iter().all(|call| call.operation != Operation::Service(Action::PutParameter)), "{calls:?}");
}
