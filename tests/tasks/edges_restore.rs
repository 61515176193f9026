//! Which restore an AMI belongs to: names, sources and files of other restores are not mistaken for it.

use serde_json::Value;
use stored_ami::journal::{Entry, Journal, RestoreIdentity, Step};
use stored_ami_lab::{Action, BucketOptions, Operation};

use crate::between::Between;
use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig, line};

const RESTORE: [&str; 5] = ["restore", OBJECT, "--name", "gold", "--yes"];
const TAG: &str = "stored-ami:restore";

/// A lab in which the AMI is stored in two buckets, and nothing is restored.
async fn stored() -> Rig {
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.create_bucket("other", BucketOptions::default()).unwrap();
    let bytes = rig.server.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    let bytes = bytes.body.collect().await.unwrap().into_bytes();
    rig.server.put("other", KEY, &bytes, None).await;
    rig
}

fn journal(rig: &Rig) -> Journal {
    Journal::new(rig.home.path().join("stored-ami"))
}

fn identity(rig: &Rig) -> RestoreIdentity {
    RestoreIdentity {
        bucket: BUCKET.into(),
        key: KEY.into(),
        etag: rig.lab.with_object(BUCKET, KEY, |object| object.etag.clone()).unwrap(),
        account: "123456789012".into(),
        region: REGION.into(),
        name: "gold".into(),
    }
}

/// Writes the journal of an earlier run.
fn earlier(rig: &Rig, step: Step, image: Option<&str>) {
    let entry = Entry::new(identity(rig), "2026-01-01T00:00:00Z".into(), None);
    journal(rig).write(&Entry { step, image: image.map(str::to_owned), ..entry }).unwrap();
}

fn kept(rig: &Rig) -> Option<(Step, Option<String>)> {
    journal(rig).read(&identity(rig).token()).unwrap().map(|entry| (entry.step, entry.image))
}

/// Another user restores another object under the name. Returns the id of the AMI.
async fn foreign(rig: &Rig) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = rig.command();
    let args = ["restore", &format!("s3://other/{KEY}"), "--name", "gold", "--yes", "--json"];
    command.args(args).env("XDG_STATE_HOME", home.path());
    let run = Run::of(command).await;
    run.assert_exit(0);
    line(&run, "task")["image"].as_str().unwrap().to_owned()
}

/// An AMI of this name that no restore created; its source is the stored AMI.
fn unmarked(rig: &Rig, name: &str) -> String {
    let id = rig.create(None, name, &[("/dev/sda1", 8), ("/dev/sdb", 20), ("/dev/sdc", 1)]);
    rig.ec2(|state| state.images.get_mut(&id).unwrap().source_image = Some(AMI.into()));
    id
}

fn tag(rig: &Rig, image: &str, token: Option<&str>) {
    rig.ec2(|state| {
        let image = state.images.get_mut(image).unwrap();
        image.tags.remove(TAG);
        image.tags.extend(token.map(|token| (TAG.to_owned(), token.to_owned())));
    });
}

fn calls(rig: &Rig) -> usize {
    let action = Operation::Service(Action::CreateRestoreImageTask);
    rig.starts().iter().filter(|call| call.operation == action).count()
}

fn message(run: &Run) -> String {
    line(run, "error")["message"].as_str().unwrap().to_owned()
}

fn finding(run: &Run, check: &str) -> Value {
    let task = line(run, "task");
    let found = task["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).cloned();
    found.unwrap_or_else(|| panic!("{check} in {task:#}"))
}

fn verdict(run: &Run, check: &str) -> String {
    finding(run, check)["verdict"].as_str().unwrap().to_owned()
}

/// The response of a restore is lost, and meanwhile another object is restored under the same name.
#[tokio::test(flavor = "multi_thread")]
async fn an_ami_of_another_restore_is_never_taken_up() {
    for step in [Step::Calling, Step::Started] {
        for noted in [false, true] {
            let rig = stored().await;
            let other = foreign(&rig).await;
            earlier(&rig, step, noted.then_some(other.as_str()));
            let run = rig.run(&RESTORE).await;
            run.assert_exit(1);
            assert_eq!(run.verdict("name-free"), "fail");
            let observed = run.finding("name-free")["observed"].as_str().unwrap().to_owned();
            assert_eq!(observed, format!("{other} (available) has the name, made by another restore"));
            assert_eq!(calls(&rig), 1, "that of the other restore");
            assert_eq!(kept(&rig).unwrap().0, step, "what an earlier call did is as open as it was");
        }
    }
}

/// Tags may appear later than the AMI: it is not known whether the earlier call created it, so no call is sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_ami_with_the_name_and_no_token_is_unknown() {
    let rig = stored().await;
    let id = unmarked(&rig, "gold");
    earlier(&rig, Step::Calling, None);
    let run = rig.run(&[&RESTORE[..], &["--accept", "name-free"]].concat()).await;
    run.assert_exit(3);
    let said = message(&run);
    for part in [&id[..], "nothing is started", "another --name", &format!("restore --follow {id}"), AMI] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(calls(&rig), 0);
    assert_eq!(kept(&rig), Some((Step::Calling, None)));

    // Its tag appears: it was the AMI of this restore.
    tag(&rig, &id, Some(&identity(&rig).token()));
    let run = rig.run(&RESTORE).await;
    assert_eq!((verdict(&run, "restored-by"), calls(&rig)), ("pass".to_owned(), 0));
    assert_eq!(kept(&rig), Some((Step::Available, Some(id))));
}

/// The response named the AMI, so it needs no tag to be identified; but another token refutes it.
#[tokio::test(flavor = "multi_thread")]
async fn the_id_in_the_answer_shows_whose_an_ami_is_unless_another_token_does() {
    let rig = stored().await;
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    let id = line(&run, "task")["image"].as_str().unwrap().to_owned();
    assert_eq!(kept(&rig), Some((Step::Available, Some(id.clone()))));
    assert_eq!(verdict(&run, "restored-by"), "pass");

    tag(&rig, &id, None);
    let run = rig.run(&RESTORE).await;
    // The required tags are those of this restore, not those that the AMI has.
    run.assert_exit(1);
    assert_eq!((verdict(&run, "restored-by"), verdict(&run, "restored-tags")), ("pass".into(), "fail".into()));
    assert_eq!(finding(&run, "restored-by")["source"], "journal");

    tag(&rig, &id, Some("ffffffffffffffffffffffffffffffff"));
    let run = rig.run(&RESTORE).await;
    run.assert_exit(1);
    assert_eq!(run.verdict("name-free"), "fail");
    let run = rig.run(&["restore", "--follow", &id]).await;
    run.assert_exit(1);
    assert_eq!(verdict(&run, "restored-by"), "fail");
    assert_eq!(calls(&rig), 1);
}

/// The id is in the journal before the AMI is followed, even if another machine started the restore.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_up_is_in_the_journal() {
    let rig = stored().await;
    rig.run(&RESTORE).await.assert_exit(0);
    let made = kept(&rig).unwrap().1;
    for before in [None, Some((Step::Calling, None)), Some((Step::Started, None)), Some((Step::Failed, Some("ami-1")))]
    {
        std::fs::remove_dir_all(journal(&rig).folder()).unwrap();
        if let Some((step, image)) = before {
            earlier(&rig, step, image);
        }
        let run = rig.run(&RESTORE).await;
        run.assert_exit(0);
        assert_eq!(line(&run, "task")["started_here"], false);
        assert_eq!(kept(&rig), Some((Step::Available, made.clone())), "{before:?}");
    }
    assert_eq!(calls(&rig), 1);
}

/// CopyImage can copy tags.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_with_all_tags_is_not_the_restored_ami() {
    let rig = stored().await;
    let run = rig.run(&RESTORE).await;
    let made = line(&run, "task")["image"].as_str().unwrap().to_owned();
    let copy = "ami-00000000000000000";
    rig.ec2(|state| {
        let mut image = state.images[&made].clone();
        (image.id, image.name, image.source_image) = (copy.into(), "copy".into(), Some(made.clone()));
        state.images.insert(copy.into(), image);
    });
    // The copy is first in a listing.
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "task")["image"], made);
    for known in [true, false] {
        if !known {
            std::fs::remove_dir_all(journal(&rig).folder()).unwrap();
        }
        let run = rig.run(&["restore", "--follow", copy]).await;
        run.assert_exit(3);
        assert_eq!(finding(&run, "restored-by")["reason"]["code"], "ambiguous", "{known}");
        rig.run(&["restore", "--follow", &made]).await.assert_exit(0);
    }
    rig.ec2(|state| state.images.remove(&made));
    let run = rig.run(&RESTORE).await;
    run.assert_exit(0);
    assert_eq!((line(&run, "task")["started_here"].clone(), calls(&rig)), (Value::Bool(true), 2));
}

/// A journal file only counts for the restore whose token is in both its name and its content.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_restore_is_not_believed() {
    let rig = stored().await;
    let other = foreign(&rig).await;
    let ours = journal(&rig).folder().join(format!("restore-{}.json", identity(&rig).token()));
    earlier(&rig, Step::Started, Some(&other));
    let right = std::fs::read_to_string(&ours).unwrap();
    for (text, problem) in [
        (right.replace("\"archive\"", "\"other\""), "is the entry of another restore"),
        (right.replace("\"gold\"", "\"golden\""), "is the entry of another restore"),
        (right.replace("journal/1", "journal/9"), "has the schema `stored-ami/journal/9`"),
        ("{}".to_owned(), "is no journal entry"),
    ] {
        std::fs::write(&ours, text).unwrap();
        let run = rig.run(&RESTORE).await;
        run.assert_exit(4);
        assert!(message(&run).contains(problem), "{run:?}");
        let run = rig.run(&["restore", "--follow", &other]).await;
        // Its own tag shows that a restore created it; the file is mentioned.
        run.assert_exit(0);
        assert!(line(&run, "task")["notes"].to_string().contains(problem), "{run:?}");
    }
    assert_eq!(calls(&rig), 1);
}

/// The name appears unused until the second listing.
fn hidden_at_first(rig: &Rig) -> Between {
    Between::answers(&rig.lab.endpoint(), "Owner.1=self", |body, number, answer| {
        let listing = body.contains("Action=DescribeImages");
        assert!(listing || body.contains("Action=DescribeSnapshots"), "{body}");
        // The preflight lists images once, and snapshots twice.
        if number < 3 {
            answer.replace("<name>gold</name>", "<name>hidden</name>").replace(TAG, "hidden")
        } else {
            answer
        }
    })
}

async fn through(rig: &Rig, between: &Between, args: &[&str]) -> Run {
    let mut command = rig.command();
    command.args(args).arg("--json").env("AWS_ENDPOINT_URL", &between.endpoint);
    Run::of(command).await
}

/// A drill removes its AMI again. A restore that sees it only when EC2 refuses the name must not report it as its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_ami_of_a_drill_is_not_taken_after_a_race_over_its_name() {
    let rig = stored().await;
    rig.run(&RESTORE).await.assert_exit(0);
    rig.ec2(|state| {
        let image = state.images.values_mut().find(|image| image.name == "gold").unwrap();
        image.tags.insert("stored-ami:drill".to_owned(), "x".to_owned());
    });
    let elsewhere = rig.path("elsewhere");
    let run = through(&rig, &hidden_at_first(&rig), &[&RESTORE[..], &["--journal", &elsewhere]].concat()).await;
    assert!(message(run.assert_exit(3)).contains("by a drill, which removes it again"), "{run:?}");
}

/// EC2 assigns a name only once. The second caller started nothing, and its journal has no entry.
#[tokio::test(flavor = "multi_thread")]
async fn the_loser_of_a_race_over_a_name_has_started_nothing() {
    let rig = stored().await;
    let other = foreign(&rig).await;
    let run = through(&rig, &hidden_at_first(&rig), &RESTORE).await;
    run.assert_exit(4);
    assert_eq!(line(&run, "error")["error_code"], "InvalidAMIName.Duplicate");
    assert!(
        message(&run).contains(&format!("{other} (available) has the name `gold`, and another restore")),
        "{run:?}"
    );
    assert_eq!(kept(&rig), None);

    let rig = stored().await;
    let id = unmarked(&rig, "gold");
    let run = through(&rig, &hidden_at_first(&rig), &RESTORE).await;
    run.assert_exit(3);
    assert!(message(&run).contains(&id), "{run:?}");
    assert_eq!(kept(&rig), None, "this call was refused");

    // The same restore from another machine.
    let rig = stored().await;
    rig.run(&RESTORE).await.assert_exit(0);
    std::fs::remove_dir_all(journal(&rig).folder()).unwrap();
    let run = through(&rig, &hidden_at_first(&rig), &RESTORE).await;
    run.assert_exit(0);
    assert_eq!(line(&run, "task")["started_here"], false);
    assert_eq!(kept(&rig).unwrap().0, Step::Available);
    assert_eq!((calls(&rig), rig.restored().len()), (2, 1));
}

/// An AMI that no restore created is never attributed to one, however well it matches.
#[tokio::test(flavor = "multi_thread")]
async fn following_an_ami_that_no_restore_made_is_unknown() {
    let rig = stored().await;
    let record = rig.path("record.json");
    let elsewhere = ["store", AMI, "--bucket", "third", "--yes", "--record", &record];
    rig.lab.create_bucket("third", BucketOptions::default()).unwrap();
    rig.run(&elsewhere).await.assert_exit(0);
    let copy = unmarked(&rig, "copy");
    rig.ec2(|state| {
        let boot_mode = state.images[AMI].boot_mode.clone();
        state.images.get_mut(&copy).unwrap().boot_mode = boot_mode;
    });
    let follow = ["restore", "--follow", &copy, "--record", &record];
    let run = rig.run(&follow).await;
    run.assert_exit(3);
    assert_eq!(line(&run, "task")["verdict"], "unknown");
    for check in ["state", "mappings", "sizes", "encryption", "boot"] {
        assert_eq!(verdict(&run, &format!("restored-{check}")), "pass", "{check}");
    }
    let by = finding(&run, "restored-by");
    let detail = by["reason"]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("its source {AMI} is that of the record")), "{detail}");
    let run = rig.run(&[&follow[..], &["--accept", "restored-by"]].concat()).await;
    run.assert_exit(0);
    let task = line(&run, "task");
    assert_eq!((&task["verdict"], &task["accepted"][0]), (&Value::from("unknown"), &Value::from("restored-by")));

    // Neither an AMI without tags, nor one with a tag that is not a token.
    rig.run(&["restore", "--follow", AMI]).await.assert_exit(3);
    for text in ["", "yes", "0123456789ABCDEF0123456789ABCDEF"] {
        tag(&rig, &copy, Some(text));
        rig.run(&follow).await.assert_exit(3);
    }
}

/// Instances are launched from an alias, so it only changes to an AMI that passes.
#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_not_pointed_at_an_ami_that_does_not_hold() {
    let rig = stored().await;
    let writes = || {
        let put = Operation::Service(Action::PutParameter);
        rig.lab.calls().iter().filter(|call| call.operation == put).count()
    };
    let alias = ["--alias", "/golden/current"];
    // Its source was encrypted, and the new snapshots are not.
    rig.lab.account(|account| account.keys.insert("arn:aws:kms:us-east-1:123456789012:key/k".into(), "Enabled".into()));
    rig.snapshots(|snapshot| {
        (snapshot.encrypted, snapshot.key) = (true, Some("arn:aws:kms:us-east-1:123456789012:key/k".into()));
    });
    let run = rig.run(&[&RESTORE[..], &alias].concat()).await;
    run.assert_exit(1);
    assert_eq!((verdict(&run, "restored-encryption"), writes()), ("fail".into(), 0));
    assert!(line(&run, "task")["notes"].to_string().contains("the alias /golden/current was not written"), "{run:?}");

    let copy = unmarked(&rig, "copy");
    let follow = ["restore", "--follow", &copy];
    rig.run(&[&follow[..], &alias].concat()).await.assert_exit(3);
    assert_eq!(writes(), 0);
    let run = rig.run(&[&follow[..], &alias, &["--accept", "restored-by"]].concat()).await;
    run.assert_exit(0);
    assert_eq!((verdict(&run, "alias"), writes()), ("pass".into(), 1));
}
