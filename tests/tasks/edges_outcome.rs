//! Statements of a task, a record or a list of snapshots that prove nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use stored_ami::journal::{Entry, Journal, Step};
use stored_ami::record::Record;
use stored_ami_lab::{Action, BucketOptions, Operation};

use crate::between::Between;
use crate::common::{Run, data};
use crate::rig::{AMI, BUCKET, KEY, OBJECT, Rig, line};

const RESTORE: [&str; 5] = ["restore", OBJECT, "--name", "gold", "--yes"];

async fn through(rig: &Rig, between: &Between, args: &[&str]) -> Run {
    let mut command = rig.command();
    command.args(args).arg("--json").env("AWS_ENDPOINT_URL", &between.endpoint);
    Run::of(command).await
}

fn changed(rig: &Rig, action: &str, from: &str, to: &str) -> Between {
    let (from, to) = (from.to_owned(), to.to_owned());
    Between::answers(&rig.lab.endpoint(), &format!("Action={action}"), move |_, _, answer| answer.replace(&from, &to))
}

fn task_of(run: &Run) -> Value {
    line(run, "task")
}

fn verdict(run: &Run, check: &str) -> String {
    let task = task_of(run);
    let found = task["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).cloned();
    found.unwrap_or_else(|| panic!("{check} in {task:#}"))["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_proves_nothing_is_unknown() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.server.put(BUCKET, "other.bin", &data(1, 10), None).await;
    let state = |word: &str| ("<storeTaskState>Completed".to_owned(), format!("<storeTaskState>{word}"));
    let key = format!("<s3objectKey>{KEY}</s3objectKey>");
    let failure = "<storeTaskFailureReason>it failed after all</storeTaskFailureReason><storeTaskState>".to_owned();
    let table = [
        (state("completed"), "`completed`, which is not known"),
        (state("Copying"), "`Copying`, which is not known"),
        (state(""), "``, which is not known"),
        ((key.clone(), String::new()), "does not name the object"),
        ((key.clone(), "<s3objectKey></s3objectKey>".to_owned()), "does not name the object"),
        ((key, "<s3objectKey>other.bin</s3objectKey>".to_owned()), "not the name of a copy of it"),
        (("<storeTaskState>".to_owned(), failure), "it failed after all"),
    ];
    for ((from, to), text) in table {
        let between = changed(&rig, "DescribeStoreImageTasks", &from, &to);
        let run = through(&rig, &between, &["store", "--follow", AMI]).await;
        run.assert_exit(3);
        let task = task_of(&run);
        assert_eq!(task["verdict"], "unknown", "{to}: {task:#}");
        assert!(task["findings"].to_string().contains(text), "{text}: {task:#}");
        assert_eq!(between.seen(), 1, "{to}: it is not asked for ever");
    }
    rig.run(&["store", "--follow", AMI]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_store_task_that_are_not_known_decide_nothing() {
    for word in ["completed", "Copying", ""] {
        let rig = Rig::new().await;
        rig.start_store(AMI, BUCKET).await;
        rig.run(&["store", "--follow", AMI]).await.assert_exit(0);
        rig.server.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap();
        rig.ec2(|state| state.tasks[0].state = word.to_owned());
        let run = rig.run(&["stored", AMI, "--bucket", BUCKET]).await;
        assert_eq!(run.assert_exit(3).report()["answer"], "cannot_tell", "{word}");
    }
}

/// Foreign bytes under the key of a completed store.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_came_after_the_store_are_not_vouched_for() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    rig.server.put(BUCKET, KEY, &data(9, 300_000), None).await;
    let ledger = rig.path("l.db");
    rig.run(&["audit", "s3://archive", "--level", "bytes", "--ledger", &ledger]).await.assert_exit(0);
    let text = std::fs::read_to_string(&record).unwrap();
    let bare = Record { etag: None, object_bytes: None, ..Record::from_json(&text).unwrap() };
    let sized = Record { object_bytes: Some(300_000), ..bare.clone() };
    for (name, kept) in [("bare", &bare), ("sized", &sized)] {
        let path = rig.path(name);
        std::fs::write(&path, kept.to_json().unwrap()).unwrap();
        let args = ["safe-to-delete", AMI, "--in", "s3://archive", "--ledger", &ledger, "--record", &path];
        let run = rig.run(&args).await;
        assert_eq!(run.assert_exit(3).report()["answer"], "cannot_tell", "{name}: {run:?}");
    }
}

/// Two tags of the same name with different values identify no AMI.
#[tokio::test(flavor = "multi_thread")]
async fn tags_that_contradict_each_other_are_not_known() {
    let rig = Rig::new().await;
    rig.store().await;
    let ledger = rig.path("l.db");
    rig.run(&["audit", "s3://archive", "--level", "bytes", "--ledger", &ledger]).await.assert_exit(0);
    let args = ["safe-to-delete", AMI, "--in", "s3://archive", "--ledger", &ledger];
    rig.run(&args).await.assert_exit(0);
    let tag = "<Tag><Key>stored-ami:source-ami</Key><Value>ami-0bbbbbbbbbbbbbbbb</Value></Tag>";
    for (from, to) in [("<TagSet>", format!("<TagSet>{tag}")), ("</TagSet>", format!("{tag}</TagSet>"))] {
        let twice = stored_ami_lab::Fault::TextReplaced([(from.to_owned(), to)].into());
        rig.lab.script(stored_ami_lab::FaultRule::new(Operation::GetObjectTagging, twice).always());
        let run = rig.run(&args).await;
        assert_eq!(run.assert_exit(3).report()["answer"], "cannot_tell", "{run:?}");
        assert!(run.report()["because"].to_string().contains("twice"), "{run:?}");
        rig.lab.clear_script();
    }
}

/// An object that fails its verification, and an AMI that an earlier run restored from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_fails_holds_back_the_alias_of_what_is_taken_up() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.run(&RESTORE).await.assert_exit(0);
    let writes = || {
        let put = Operation::Service(Action::PutParameter);
        rig.lab.calls().iter().filter(|call| call.operation == put).count()
    };
    let args = [&RESTORE[..], &["--verify", "--alias", "/golden/current"]].concat();
    let run = rig.run(&args).await;
    run.assert_exit(0);
    assert_eq!((verdict(&run, "verified"), writes()), ("pass".into(), 1));
    rig.lab.with_object(BUCKET, KEY, |object| object.checksum.as_mut().unwrap().value = "AAAAAAAAAAA=".into()).unwrap();
    let run = rig.run(&args).await;
    run.assert_exit(1);
    assert_eq!((verdict(&run, "verified"), writes()), ("fail".into(), 1));
    assert_eq!(task_of(&run)["verdict"], "fail");
    assert!(task_of(&run)["notes"].to_string().contains("was not written"), "{run:?}");
}

/// Users paste the commands that are printed.
#[tokio::test(flavor = "multi_thread")]
async fn commands_name_only_what_the_failed_ami_left() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&RESTORE).await;
    let id = task_of(&run)["image"].as_str().unwrap().to_owned();
    let own: Vec<String> = rig.ec2(|state| {
        let image = state.images.get_mut(&id).unwrap();
        image.state = "failed".into();
        image.mappings.iter().map(|mapping| mapping.snapshot.clone()).collect()
    });
    let foreign =
        "<item><snapshotId>snap-0eeeeeeeeeeeeeeee</snapshotId><status>completed</status></item></snapshotSet>";
    let between = changed(&rig, "DescribeSnapshots", "</snapshotSet>", foreign);
    let run = through(&rig, &between, &["restore", "--follow", &id]).await;
    run.assert_exit(4);
    let left = task_of(&run)["left_behind"].clone();
    assert_eq!(left.as_array().unwrap().len(), own.len() + 1, "{left:#}");
    assert!(!left.to_string().contains("snap-0eee"), "{left:#}");

    let between = changed(&rig, "DescribeImages", &own[0], "snap-1; touch x");
    let run = through(&rig, &between, &["restore", "--follow", &id]).await;
    run.assert_exit(4);
    let task = task_of(&run);
    assert_eq!(task["left_behind"].as_array().unwrap().len(), own.len(), "{task:#}");
    assert!(!task["left_behind"].to_string().contains("touch"), "{task:#}");
    assert!(task["notes"].to_string().contains("`snap-1; touch x`, which is no id"), "{task:#}");
}

/// A response with something other than an id counts as lost: the tag identifies what was started.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_looked_for() {
    let rig = Rig::new().await;
    rig.store().await;
    let between = Between::answers(&rig.lab.endpoint(), "Action=CreateRestoreImageTask", |_, _, answer| {
        let (before, rest) = answer.split_once("<imageId>").unwrap_or((&answer, ""));
        let after = rest.split_once("</imageId>").map_or("", |(_, after)| after);
        if rest.is_empty() { answer } else { format!("{before}<imageId>ami-1; touch x</imageId>{after}") }
    });
    let run = through(&rig, &between, &RESTORE).await;
    run.assert_exit(0);
    let made = rig.restored();
    assert_eq!((made.len(), task_of(&run)["image"].as_str().unwrap()), (1, made[0].id.as_str()));
}

/// The response to the call is lost, and the search for its AMI fails: the error says that the outcome is unknown, the
/// journal keeps the call, and the next run takes up what was started.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_stays_an_unknown_outcome_when_the_search_fails_too() {
    let rig = Rig::new().await;
    rig.store().await;
    let called = AtomicBool::new(false);
    let between = Between::answers(&rig.lab.endpoint(), "Action=", move |body, _, answer| {
        // The preflight makes the same call as a dry run, beside others.
        let starts = body.contains("Action=CreateRestoreImageTask") && !body.contains("DryRun=true");
        called.fetch_or(starts, Ordering::SeqCst);
        if called.load(Ordering::SeqCst) { answer.replace("Response", "Answer") } else { answer }
    });
    let run = through(&rig, &between, &RESTORE).await;
    run.assert_exit(4);
    let message = line(&run, "error")["message"].as_str().unwrap().to_owned();
    for part in ["whether the restore was started is not known", "looking for its AMI failed", "Run the same command"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let again = rig.run(&RESTORE).await;
    again.assert_exit(0);
    assert_eq!(rig.restored().len(), 1, "the first call started it");
}

/// A second call is made because the AMI of the first is not listed yet, and its response is lost: the journal keeps
/// the id of the first, by which its AMI is taken up when it appears without a tag.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_call_does_not_lose_the_id_of_an_earlier_one() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.run(&RESTORE).await.assert_exit(0);
    let journal = Journal::new(rig.home.path().join("stored-ami"));
    let entry = journal.entries().entries.remove(0);
    let first = entry.image.clone().unwrap();
    journal.write(&Entry { step: Step::Started, ended_at: None, ..entry }).unwrap();
    rig.ec2(|state| state.images.remove(&first)).unwrap();
    let called = AtomicBool::new(false);
    let between = Between::answers(&rig.lab.endpoint(), "Action=", move |body, _, answer| {
        let starts = body.contains("Action=CreateRestoreImageTask") && !body.contains("DryRun=true");
        called.fetch_or(starts, Ordering::SeqCst);
        if called.load(Ordering::SeqCst) { answer.replace("Response", "Answer") } else { answer }
    });
    through(&rig, &between, &RESTORE).await.assert_exit(4);
    let kept = journal.entries().entries.remove(0);
    assert_eq!((kept.step, kept.image.as_deref()), (Step::Calling, Some(&first[..])));
}

/// The record of another AMI is not a source for this one.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_another_ami_is_named_and_not_used() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&RESTORE).await;
    let id = task_of(&run)["image"].as_str().unwrap().to_owned();
    let other = rig.create(None, "other", &[("/dev/sda1", 8), ("/dev/sdb", 20), ("/dev/sdc", 1)]);
    let record = rig.path("other.json");
    rig.lab.create_bucket("third", BucketOptions::default()).unwrap();
    rig.run(&["store", &other, "--bucket", "third", "--yes", "--record", &record]).await.assert_exit(0);
    let run = rig.run(&["restore", "--follow", &id, "--record", &record]).await;
    run.assert_exit(3);
    let task = task_of(&run);
    for check in ["mappings", "sizes", "encryption", "boot"] {
        assert_eq!(verdict(&run, &format!("restored-{check}")), "unknown", "{check}");
    }
    assert!(task["findings"].to_string().contains(&format!("describes {other}")), "{task:#}");
    // Nor is it passed over before a restore, alone or in a list.
    let list = rig.path("restores");
    std::fs::write(&list, format!("{OBJECT}\tgolden-two\t{record}\n")).unwrap();
    rig.lab.clear_calls();
    for args in [
        &["preflight", "restore", OBJECT, "--name", "golden-two", "--record", &record][..],
        &["restore", OBJECT, "--name", "golden-two", "--record", &record, "--yes"],
        &["restore", "--from", &list, "--yes"],
    ] {
        let run = rig.run(args).await;
        let told = format!("other.json is the record of {other}");
        assert!(run.assert_exit(3).stdout.contains(&told), "{args:?} {run:?}");
    }
    assert!(rig.starts().is_empty());
    // The record of what was there before.
    let own = rig.path("own.json");
    rig.lab.create_bucket("fourth", BucketOptions::default()).unwrap();
    rig.run(&["store", AMI, "--bucket", "fourth", "--yes", "--record", &own]).await.assert_exit(0);
    let there = format!("s3://fourth/{AMI}.bin");
    let preflight = ["preflight", "restore", &there, "--name", "golden-two", "--record", &own];
    rig.run(&preflight).await.assert_exit(0);
    rig.server.multipart("fourth", &format!("{AMI}.bin"), &[&[1; 200_000], b"another"], None).await;
    let run = rig.run(&preflight).await;
    assert!(run.assert_exit(3).stdout.contains("is not the record of this object: the store wrote "), "{run:?}");
    rig.run(&["restore", "--follow", &id]).await.assert_exit(0);
}

/// The journal names an AMI whose name differs from that of the restore.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_the_journal_is_held_against_the_name() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&RESTORE).await;
    let id = task_of(&run)["image"].as_str().unwrap().to_owned();
    let journal = Journal::new(rig.home.path().join("stored-ami"));
    let entry = journal.entries().entries.remove(0);
    let wrong = rig.create(None, "wrong", &[("/dev/sda1", 8)]);
    journal.write(&Entry { step: Step::Started, image: Some(wrong.clone()), ..entry }).unwrap();
    let run = rig.run(&["restore", "--follow", &wrong]).await;
    run.assert_exit(3);
    assert_eq!(verdict(&run, "restored-by"), "unknown");
    // The AMI with the tag is taken.
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    assert_eq!(task_of(&run)["image"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_available_ami_without_snapshots_in_sight_is_unknown() {
    let rig = Rig::new().await;
    rig.store().await;
    let run = rig.run(&RESTORE).await;
    let id = task_of(&run)["image"].as_str().unwrap().to_owned();
    let between = changed(&rig, "DescribeSnapshots", "<snapshotId>snap-0", "<snapshotId>snap-1");
    let run = through(&rig, &between, &["restore", "--follow", &id]).await;
    run.assert_exit(3);
    assert_eq!(verdict(&run, "restored-state"), "unknown");
    assert!(task_of(&run)["findings"].to_string().contains("shows none of the 3 snapshots"), "{run:?}");
}
