//! `drill`: what it proves, what it removes, and what it leaves alone; killed at every step.

use std::process::{Child, Stdio};

use serde_json::Value;
use stored_ami::journal::{DrillEntry, Journal};
use stored_ami_lab::ec2::ImageRecord;
use stored_ami_lab::{Action, CallRecord, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::blocks::{calls, fingerprint};
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, OTHER, REGION, Rig};

const NAME: &str = "stored-ami-drill-ami-0123456789abcdef0";

/// A lab with a stored AMI, and a record of its content.
pub async fn stored(tasks: TaskPace) -> Rig {
    let rig = Rig::with(LabOptions::default(), tasks).await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    rig.start_store(AMI, BUCKET).await;
    rig.run(&["store", "--follow", AMI]).await.assert_exit(0);
    rig.lab.clear_calls();
    rig
}

pub async fn drill(rig: &Rig, more: &[&str]) -> Run {
    let record = rig.path("golden.json");
    rig.run(&[&["drill", OBJECT, "--record", &record, "--yes"], more].concat()).await
}

/// The report that counts: the last one before the summary.
pub fn report(run: &Run) -> Value {
    let lines = run.lines();
    let report = lines[lines.len() - 2].clone();
    assert_eq!(report["type"], "drill", "{run:?}");
    report
}

/// Steps with their states.
fn steps(run: &Run) -> Vec<(String, String)> {
    let text = |phase: &Value, name: &str| phase[name].as_str().unwrap().to_owned();
    let phases = report(run)["phases"].as_array().unwrap().clone();
    phases.iter().map(|phase| (text(phase, "phase"), text(phase, "state"))).collect()
}

fn resources(run: &Run) -> Vec<(String, String, String)> {
    let text = |resource: &Value, name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let all = report(run)["resources"].as_array().unwrap().clone();
    all.iter().map(|one| (text(one, "id"), text(one, "state"), text(one, "reason"))).collect()
}

/// AMIs of the drill, and all snapshots but those of the source.
fn made(rig: &Rig) -> (Vec<ImageRecord>, Vec<String>) {
    rig.ec2(|state| {
        let images = state.images.values().filter(|image| image.name == NAME).cloned().collect();
        let source = state.images[AMI].mappings.iter().map(|mapping| mapping.snapshot.clone()).collect::<Vec<_>>();
        (images, state.snapshots.keys().filter(|id| !source.contains(id)).cloned().collect())
    })
}

pub fn assert_nothing_left(rig: &Rig) {
    let (images, snapshots) = made(rig);
    assert!(images.is_empty() && snapshots.is_empty(), "{images:?} {snapshots:?}");
    assert_eq!(rig.ec2(|state| (state.images.len(), state.snapshots.len())), (1, 3), "and the source is as it was");
    let folder = rig.home.path().join("stored-ami");
    let left = std::fs::read_dir(folder)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_str().unwrap().starts_with("drill-"));
    assert_eq!(left.count(), 0, "no entry of a drill");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_drill_leaves_evidence_and_nothing_else() {
    let rig = stored(TaskPace::Polls(2)).await;
    let (page, junit) = (rig.path("drill.html"), rig.path("drill.xml"));
    let run = drill(&rig, &["--report", &page, "--junit", &junit]).await;
    run.assert_exit(0);
    let report = report(&run);
    assert_eq!((&report["verdict"], &report["backup_validation"]), (&"pass".into(), &"SUCCESSFUL".into()));
    let passed =
        ["verify", "preflight", "restore", "prove", "remove"].map(|step| (step.to_owned(), "passed".to_owned()));
    assert_eq!(steps(&run), passed);
    assert!(report["phases"].as_array().unwrap().iter().all(|phase| phase["seconds"].as_f64().unwrap() >= 0.0));
    assert!(report["recovery_seconds"].as_f64().unwrap() > 0.0);
    // 29 GiB of 600 GB.
    assert_eq!(report["quota"]["left_bytes"], 600_000_000_000u64 - (29 << 30));
    assert_eq!((&report["proof"]["verdict"], &report["restore"]["verdict"]), (&"pass".into(), &"pass".into()));
    assert_eq!(resources(&run).len(), 4);
    assert!(resources(&run).iter().all(|(_, state, _)| state == "removed"), "{report}");
    assert_nothing_left(&rig);
    let (page, junit) = (std::fs::read_to_string(page).unwrap(), std::fs::read_to_string(junit).unwrap());
    assert!(page.contains("SUCCESSFUL") && page.contains(NAME), "{page}");
    assert!(junit.contains("<testsuites name=\"stored-ami drill\" tests=\"6\""), "{junit}");
    assert!(junit.contains("failures=\"0\" errors=\"0\"") && junit.contains("SUCCESSFUL"), "{junit}");
    let restored_at = report["restored_at"].as_str().unwrap();
    assert!(junit.contains(&format!("<property name=\"restored_at\" value=\"{restored_at}\"/>")), "{junit}");
    assert!(page.contains(&format!("the object was restored at {restored_at}, and")), "{page}");
    // The AMI and its snapshots had the tags of the drill.
    let started = rig.starts();
    assert_eq!(started.len(), 1);
    assert!(
        started[0].query.contains("stored-ami%3Adrill") || started[0].query.contains("stored-ami:drill"),
        "{started:?}"
    );
    // Another one begins anew.
    drill(&rig, &[]).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 2);
    assert_nothing_left(&rig);
}

/// Waits until the lab has received this number of such calls, and then kills the program.
async fn kill_at(rig: &Rig, child: &mut Child, action: Action, times: usize) {
    while calls(rig, action) < times {
        tokio::task::yield_now().await;
        if child.try_wait().unwrap().is_some() {
            return;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn start(rig: &Rig) -> Child {
    let mut command = rig.command();
    command.args(["drill", OBJECT, "--record", &rig.path("golden.json"), "--yes", "--json"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_it_makes_one_ami_and_leaves_none() {
    for (action, times) in [
        (Action::GetCallerIdentity, 1),
        // The first one is the dry run of the preflight.
        (Action::CreateRestoreImageTask, 1),
        (Action::CreateRestoreImageTask, 2),
        (Action::DescribeImages, 4),
        (Action::DescribeImages, 6),
        (Action::ListSnapshotBlocks, 1),
        (Action::GetSnapshotBlock, 20),
        (Action::DescribeInstances, 1),
        (Action::DeregisterImage, 1),
        (Action::DeleteSnapshot, 1),
        (Action::DeleteSnapshot, 2),
        (Action::DeleteSnapshot, 3),
    ] {
        let rig = stored(TaskPace::Polls(2)).await;
        let mut child = start(&rig);
        kill_at(&rig, &mut child, action, times).await;
        let (images, _) = made(&rig);
        assert!(images.len() <= 1, "{action:?} {times}: {images:?}");
        let run = drill(&rig, &[]).await;
        // A run that only finishes a clean-up proves nothing.
        let proves = steps(&run).iter().any(|(step, _)| step == "prove");
        let (exit, verdict, word) = if proves { (0, "pass", "SUCCESSFUL") } else { (3, "unknown", "FAILED") };
        run.assert_exit(exit);
        let found = report(&run);
        assert_eq!(found["verdict"], verdict, "{action:?} {times}: {run:?}");
        assert_eq!(found["backup_validation"], word, "{action:?} {times}: {run:?}");
        let is_early = !matches!(action, Action::DescribeInstances | Action::DeregisterImage | Action::DeleteSnapshot);
        assert!(proves || !is_early, "{action:?} {times}: {run:?}");
        assert!(rig.starts().len() <= 2, "{action:?} {times}");
        assert_nothing_left(&rig);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_is_named_and_nothing_else() {
    let rig = stored(TaskPace::Polls(4)).await;
    let mut child = start(&rig);
    // As soon as the restore has begun, one byte of its second volume changes.
    while made(&rig).0.is_empty() {
        tokio::task::yield_now().await;
    }
    let second = made(&rig).0[0].mappings[1].clone();
    rig.lab.flip_in_snapshot(REGION, &second.snapshot, 7 * 524_288 + 12_345, 0x40).unwrap();
    kill_at(&rig, &mut child, Action::DescribeImages, 3).await;
    let junit = rig.path("drill.xml");
    let run = drill(&rig, &["--junit", &junit]).await;
    run.assert_exit(1);
    let report = report(&run);
    assert_eq!((&report["verdict"], &report["backup_validation"]), (&"fail".into(), &"FAILED".into()));
    let volumes = report["proof"]["volumes"].as_array().unwrap();
    let verdicts: Vec<_> = volumes.iter().map(|volume| volume["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["pass", "fail", "pass"]);
    assert_eq!(volumes[1]["device"], second.device);
    let differences = volumes[1]["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1);
    assert_eq!((&differences[0]["block"], &differences[0]["offset_bytes"]), (&7.into(), &(7 * 524_288).into()));
    assert_nothing_left(&rig);
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("failures=\"2\" errors=\"0\""), "the comparison and the drill: {junit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_is_left_and_named() {
    type Change = fn(&mut stored_ami_lab::ec2::Ec2State, &str, &str);
    let changes: [(&str, Change); 7] = [
        ("was launched from it", |state, image, _| {
            state.instances.insert("i-1".to_owned(), image.to_owned());
        }),
        ("was made from snap-", |state, _, snapshot| {
            state.volumes.insert("vol-1".to_owned(), snapshot.to_owned());
        }),
        ("it is shared with 999999999999", |state, image, _| {
            state.images.get_mut(image).unwrap().launchable_by.push(OTHER.to_owned());
        }),
        ("is shared with 999999999999", |state, _, snapshot| {
            state.snapshots.get_mut(snapshot).unwrap().usable_by.push(OTHER.to_owned());
        }),
        ("needs snap-", |state, image, _| {
            let mut copy = state.images[image].clone();
            (copy.id, copy.name) = ("ami-0cccccccccccccccc".to_owned(), "other".to_owned());
            state.images.insert(copy.id.clone(), copy);
        }),
        ("its deregistration protection is", |state, image, _| state.images.get_mut(image).unwrap().protected = true),
        ("is not that of this drill", |state, image, _| {
            state.images.get_mut(image).unwrap().tags.remove("stored-ami:drill");
        }),
    ];
    for (reason, change) in changes {
        let rig = stored(TaskPace::Polls(0)).await;
        let run = drill(&rig, &["--keep"]).await;
        run.assert_exit(0);
        assert_eq!(report(&run)["verdict"], "pass");
        assert!(resources(&run).iter().all(|(_, state, _)| state == "kept"), "{run:?}");
        let image = made(&rig).0.remove(0);
        rig.ec2(|state| change(state, &image.id, &image.mappings[2].snapshot));
        rig.lab.clear_calls();
        let run = drill(&rig, &[]).await;
        run.assert_exit(4);
        let left = resources(&run);
        assert_eq!(left.len(), 4, "{reason}: {run:?}");
        assert_eq!((left[0].0.as_str(), left[0].1.as_str()), (image.id.as_str(), "left"), "{reason}: {run:?}");
        assert!(left[0].2.contains(reason), "{reason}: {left:?}");
        assert_eq!(calls(&rig, Action::DeregisterImage) + calls(&rig, Action::DeleteSnapshot), 0, "{reason}");
        assert_eq!(made(&rig).0[0].id, image.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_did_not_see_being_made_stays() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    // On another machine, which has another journal.
    let elsewhere = rig.path("elsewhere");
    rig.lab.clear_calls();
    let run = drill(&rig, &["--journal", &elsewhere]).await;
    run.assert_exit(4);
    assert_eq!(report(&run)["verdict"], "pass", "it is proved all the same");
    assert_eq!(report(&run)["restored_at"], made(&rig).0[0].created.to_string(), "when EC2 says that it was made");
    let mut command = rig.command();
    command.args(["drill", OBJECT, "--record", &rig.path("golden.json"), "--yes", "--journal", &elsewhere]);
    let told = Run::of(command).await;
    let of_whom = format!("restored at {} by an earlier run", made(&rig).0[0].created);
    assert!(told.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(&of_whom), "{told:?}");
    assert!(
        resources(&run)
            .iter()
            .all(|(_, state, reason)| state == "left" && reason.contains("did not see it being made"))
    );
    assert_eq!(calls(&rig, Action::DeregisterImage) + calls(&rig, Action::DeleteSnapshot), 0);
    // A snapshot with the tag of the drill that no drill made.
    let token = made(&rig).0[0].tags["stored-ami:drill"].clone();
    rig.ec2(|state| {
        let mut stranger = state.snapshots.values().next().unwrap().clone();
        stranger.id = "snap-0dddddddddddddddd".to_owned();
        stranger.tags.insert("stored-ami:drill".to_owned(), token);
        state.snapshots.insert(stranger.id.clone(), stranger);
    });
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    let left: Vec<_> = resources(&run).into_iter().filter(|(_, state, _)| state == "left").collect();
    assert_eq!(left.len(), 1, "{run:?}");
    assert_eq!(left[0].0, "snap-0dddddddddddddddd");
    assert!(rig.ec2(|state| state.snapshots.contains_key("snap-0dddddddddddddddd")));
    assert!(made(&rig).0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_no_other_restore_and_starts_beside_none() {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.create(Some("ami-0bbbbbbbbbbbbbbbb"), "another", &[("/dev/sda1", 100)]);
    rig.ec2(|state| {
        let image = state.images.get_mut("ami-0bbbbbbbbbbbbbbbb").unwrap();
        (image.state, image.source_image) = ("pending".to_owned(), Some("ami-0eeeeeeeeeeeeeeee".to_owned()));
    });
    let run = drill(&rig, &[]).await;
    run.assert_exit(3);
    let report = report(&run);
    assert_eq!((&report["outcome"], &report["backup_validation"]), (&"refused".into(), &"FAILED".into()));
    assert!(run.stdout.contains("only when no other restore seems to be in progress"), "{run:?}");
    assert!(rig.starts().is_empty());
    // The cure comes before the override, on the terminal and on the page.
    let (record, page) = (rig.path("golden.json"), rig.path("refused.html"));
    let mut program = rig.command();
    program.args(["drill", OBJECT, "--record", &record, "--yes", "--report", &page]);
    let shown = Run::of(program).await;
    shown.assert_exit(3);
    let page = std::fs::read_to_string(page).unwrap();
    for text in [&shown.stdout, &page] {
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        let conclusion = at("not started; not answered: in-progress");
        let cure = at("wait until a task that is in progress ends");
        assert!(conclusion < cure && cure < at("--accept in-progress goes on without"), "{text}");
    }
    let run = drill(&rig, &["--accept", "in-progress"]).await;
    run.assert_exit(0);
    assert_eq!(report_left(&run), 600_000_000_000u64 - (129 << 30));
}

fn report_left(run: &Run) -> u64 {
    report(run)["quota"]["left_bytes"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_object_is_never_restored_and_a_failed_restore_is_removed() {
    let rig = stored(TaskPace::Polls(0)).await;
    let run = drill(&rig, &["--dry-run"]).await;
    run.assert_exit(0);
    let planned = report(&run);
    assert_eq!((&planned["outcome"], &planned["estimate"]["blocks_most"]), (&"planned".into(), &48.into()));
    assert!(rig.starts().is_empty());
    rig.lab.fail_next_restore("Server.InternalError: blocks cannot be written");
    let run = drill(&rig, &[]).await;
    run.assert_exit(1);
    let report = report(&run);
    assert_eq!((&report["verdict"], &report["proof"]), (&"fail".into(), &Value::Null));
    assert!(run.stdout.contains("blocks cannot be written"), "{run:?}");
    assert_nothing_left(&rig);
    let size = rig.lab.with_object(BUCKET, crate::rig::KEY, |object| object.size).unwrap();
    rig.lab.damage(BUCKET, crate::rig::KEY, size / 2, 0xFF).unwrap();
    rig.lab.clear_calls();
    drill(&rig, &[]).await.assert_exit(1);
    assert!(rig.starts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_or_lost_is_named_and_removed_by_the_next_run() {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.deny("ec2:DescribeInstances");
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    assert!(resources(&run)[0].2.contains("whether it is in use cannot be told"), "{run:?}");
    rig.lab.allow_all();
    rig.deny("ec2:DeleteSnapshot");
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    let found = resources(&run);
    let states: Vec<&str> = found.iter().map(|(_, state, _)| state.as_str()).collect();
    assert_eq!(states, ["removed", "left", "left", "left"]);
    assert_eq!(report(&run)["verdict"], "unknown", "this run proves nothing");
    assert!(run.stdout.contains("is not finished; its verdict was pass"), "{run:?}");
    rig.lab.allow_all();
    // The answer is lost, and the snapshot is gone.
    rig.lab.script(FaultRule::new(Operation::Service(Action::DeleteSnapshot), Fault::AnswerLost));
    let run = drill(&rig, &[]).await;
    run.assert_exit(3);
    assert!(run.stdout.contains("is finished; its verdict was pass; run the same command again for a new drill"));
    assert_nothing_left(&rig);
    assert_eq!(rig.starts().len(), 1, "none of them restored it again");
    drill(&rig, &[]).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_content_of_the_object_is_a_reference() {
    let rig = stored(TaskPace::Polls(0)).await;
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    fingerprint(&rig, &other, "other.json", &[]).await.assert_exit(0);
    rig.lab.clear_calls();
    for against in [["--record", &rig.path("other.json")], ["--source", &other]] {
        let run = rig.run(&[&["drill", OBJECT, "--yes"][..], &against].concat()).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(&format!("and the object holds {AMI}")), "{run:?}");
    }
    assert!(rig.lab.calls().is_empty());
    rig.run(&["drill", OBJECT, "--source", AMI, "--yes"]).await.assert_exit(0);
    assert_eq!(rig.ec2(|state| (state.images.len(), state.snapshots.len())), (2, 4));
}

/// A drill whose snapshots could not be deleted, with the journal.
async fn half_removed() -> (Rig, Journal) {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.deny("ec2:DeleteSnapshot");
    let run = drill(&rig, &[]).await;
    for left in report(run.assert_exit(4))["resources"].as_array().unwrap().iter().filter(|one| one["state"] == "left")
    {
        let id = left["id"].as_str().unwrap();
        assert_eq!(left["remove_with"], format!("aws ec2 delete-snapshot --snapshot-id {id} --region {REGION}"));
    }
    rig.lab.allow_all();
    let journal = Journal::new(rig.home.path().join("stored-ami"));
    assert_eq!(made(&rig).1.len(), 3);
    rig.lab.clear_calls();
    (rig, journal)
}

fn change_entry(journal: &Journal, change: impl FnOnce(&mut DrillEntry)) {
    let mut entry = journal.drills().unwrap().remove(0);
    journal.forget_drill(&entry.restore.token()).unwrap();
    change(&mut entry);
    journal.write_drill(&entry).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_up_is_of_the_same_object_and_account() {
    let (rig, journal) = half_removed().await;
    change_entry(&journal, |entry| entry.restore.account = OTHER.to_owned());
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    assert!(run.stdout.contains(&format!("a drill in account {OTHER} has not removed all that it made")), "{run:?}");
    assert_eq!((calls(&rig, Action::DeleteSnapshot), made(&rig).1.len(), journal.drills().unwrap().len()), (0, 3, 1));
    // The object may be gone: it is not asked for.
    let account = rig.ec2(|state| state.images[AMI].owner.clone());
    change_entry(&journal, |entry| entry.restore.account = account);
    rig.lab.clear_calls();
    rig.deny("s3:GetObject");
    // A rehearsal says that the run is no drill, and has its exit code.
    let rehearsal = drill(&rig, &["--dry-run"]).await;
    let called_at = journal.drills().unwrap()[0].called_at.clone();
    assert_eq!(report(rehearsal.assert_exit(3))["removes_only"], called_at);
    let record = rig.path("golden.json");
    let mut text = rig.command();
    text.args(["drill", OBJECT, "--record", &record, "--dry-run"]);
    let text = Run::of(text).await;
    let said = format!("only removes what the drill of {called_at} left");
    assert!(text.stdout.replace("\n        ", " ").contains(&said), "{text:?}");
    assert_eq!(made(&rig).1.len(), 3);
    drill(&rig, &[]).await.assert_exit(3);
    let heads = rig.lab.calls().iter().filter(|call| call.operation == Operation::HeadObject).count();
    assert_eq!((heads, rig.starts().len()), (0, 0));
    assert_nothing_left(&rig);
    rig.lab.allow_all();
    let run = drill(&rig, &[]).await;
    run.assert_exit(0);
    assert_eq!((steps(&run).len(), rig.starts().len()), (5, 1), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_was_killed_before_the_object_was_overwritten_is_named() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    let image = made(&rig).0.remove(0);
    let journal = Journal::new(rig.home.path().join("stored-ami"));
    change_entry(&journal, |entry| entry.kept = None);
    let other = format!("{}-1", "0".repeat(32));
    rig.lab.with_object(BUCKET, crate::rig::KEY, |object| object.etag = other).unwrap();
    rig.lab.clear_calls();
    let run = drill(&rig, &[]).await;
    run.assert_exit(1);
    let notes = report(&run)["notes"].to_string();
    for part in [&image.id, &image.mappings[2].snapshot, "had the ETag", "drill-"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert_eq!((rig.starts().len(), made(&rig).0.len()), (0, 1), "its AMI has the name");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_no_result_of_a_later_drill() {
    let rig = stored(TaskPace::Polls(0)).await;
    let kept = drill(&rig, &["--keep"]).await;
    kept.assert_exit(0);
    let restored_at = report(&kept)["restored_at"].as_str().unwrap().to_owned();
    let entry = Journal::new(rig.home.path().join("stored-ami")).drills().unwrap().remove(0);
    assert_eq!(entry.called_at, restored_at);
    let image = made(&rig).0.remove(0).id;
    let again = drill(&rig, &["--keep"]).await;
    again.assert_exit(2);
    let refused = report(&again);
    assert_eq!((&refused["outcome"], &refused["backup_validation"]), (&"refused".into(), &"FAILED".into()));
    assert!(refused["notes"].to_string().contains(&format!("{image} is of the drill of ")), "{refused}");
    let removed = drill(&rig, &[]).await;
    removed.assert_exit(3);
    assert_eq!((&report(&removed)["verdict"], &report(&removed)["proof"]), (&"unknown".into(), &Value::Null));
    assert!(removed.stdout.contains("is finished; its verdict was pass"), "{removed:?}");
    assert_nothing_left(&rig);
    assert_eq!(rig.starts().len(), 1);
    drill(&rig, &[]).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_answer_of_ec2_says_that_something_is_gone() {
    let (rig, journal) = half_removed().await;
    rig.answer(Action::DescribeSnapshots, "", 404, "NotFound");
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    let left = resources(&run).into_iter().filter(|(id, state, _)| id.starts_with("snap-") && state == "left");
    assert_eq!(left.count(), 3, "{run:?}");
    assert_eq!(journal.drills().unwrap().len(), 1);
    // Nothing is left, and whether there are others is not known.
    let (rig, journal) = half_removed().await;
    rig.answer(Action::DescribeSnapshots, "tag%3A", 403, "UnauthorizedOperation");
    drill(&rig, &[]).await.assert_exit(3);
    assert!(made(&rig).1.is_empty());
    assert_eq!(journal.drills().unwrap().len(), 1, "the entry stays");
}

/// Descriptions of the drill's AMI by its id before DeregisterImage, in a drill that was not disturbed.
async fn looks_before_deregistering() -> u64 {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &[]).await.assert_exit(0);
    let all = rig.lab.calls();
    let is = |call: &CallRecord, action: Action| call.operation == Operation::Service(action);
    let before = all.iter().take_while(|call| !is(call, Action::DeregisterImage));
    before.filter(|call| is(call, Action::DescribeImages) && call.query.contains("ImageId")).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_about_a_deregistered_ami_does_not_strand_its_snapshots() {
    let looks = looks_before_deregistering().await;
    for (code, times) in [("InvalidAMIID.Unavailable", 10), ("UnauthorizedOperation", 2), ("NotFound", 1)] {
        let rig = stored(TaskPace::Polls(0)).await;
        let answer = Fault::Status { status: 400, code };
        let rule = FaultRule::new(Operation::Service(Action::DescribeImages), answer);
        rig.lab.script(rule.key_contains("ImageId").skip(looks).times(times));
        let run = drill(&rig, &[]).await;
        run.assert_exit(0);
        let states: Vec<String> = resources(&run).into_iter().map(|(_, state, _)| state).collect();
        assert_eq!(states, ["removed"; 4], "{code}: {run:?}");
        assert_nothing_left(&rig);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_with_a_snapshot_that_is_not_of_the_drill_stays_whole() {
    type Change = fn(&mut stored_ami_lab::ec2::Ec2State, &str, &str);
    let changes: [(&str, Change); 3] = [
        ("its tag stored-ami:drill is not", |state, _, snapshot| {
            state.snapshots.get_mut(snapshot).unwrap().tags.remove("stored-ami:drill");
        }),
        ("its owner is `999999999999`", |state, _, snapshot| {
            state.snapshots.get_mut(snapshot).unwrap().owner = OTHER.to_owned();
        }),
        ("did not see snap-0dddddddddddddddd of it being made", |state, image, snapshot| {
            let mut other = state.snapshots[snapshot].clone();
            other.id = "snap-0dddddddddddddddd".to_owned();
            other.tags.clear();
            let mut mapping = state.images[image].mappings[2].clone();
            (mapping.device, mapping.snapshot) = ("/dev/sdz".to_owned(), other.id.clone());
            state.images.get_mut(image).unwrap().mappings.push(mapping);
            state.snapshots.insert(other.id.clone(), other);
        }),
    ];
    for (reason, change) in changes {
        let rig = stored(TaskPace::Polls(0)).await;
        drill(&rig, &["--keep"]).await.assert_exit(0);
        let image = made(&rig).0.remove(0);
        rig.ec2(|state| change(state, &image.id, &image.mappings[2].snapshot));
        rig.lab.clear_calls();
        let run = drill(&rig, &[]).await;
        let left = resources(&run);
        assert!(left[0].2.contains(reason), "{reason}: {left:?}");
        let snapshots = rig.ec2(|state| state.images[&image.id].mappings.len());
        assert_eq!(left.len(), 1 + snapshots, "{reason}: {left:?}");
        assert!(left.iter().all(|(_, state, _)| state == "left"), "{reason}: {left:?}");
        assert!(run.exit != Some(0) && report(&run)["backup_validation"] != Value::Null);
        assert_eq!(calls(&rig, Action::DeregisterImage) + calls(&rig, Action::DeleteSnapshot), 0, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_object_is_no_pass_for_an_ami_that_is_taken_up() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    rig.lab.with_object(BUCKET, crate::rig::KEY, |object| object.storage_class = "GLACIER".into()).unwrap();
    let run = drill(&rig, &["--keep", "--journal", &rig.path("elsewhere")]).await;
    run.assert_exit(3);
    assert_eq!(report(&run)["verdict"], "unknown", "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_an_ami_that_somebody_else_removed_are_removed_before_the_next_drill() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    let image = made(&rig).0.remove(0);
    rig.ec2(|state| state.images.remove(&image.id));
    rig.lab.clear_calls();
    drill(&rig, &[]).await.assert_exit(3);
    assert!(rig.starts().is_empty());
    assert_nothing_left(&rig);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_that_was_made_long_after_the_call_is_not_adopted() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    let image = made(&rig).0.remove(0);
    let journal = Journal::new(rig.home.path().join("stored-ami"));
    change_entry(&journal, |entry| {
        (entry.image, entry.snapshots, entry.kept) = (None, Vec::new(), None);
        entry.called_at = "2020-01-01T00:00:00Z".to_owned();
    });
    rig.lab.clear_calls();
    let run = drill(&rig, &[]).await;
    run.assert_exit(4);
    let left = resources(&run);
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.iter().all(|(_, state, reason)| state == "left" && reason.contains("did not see")), "{left:?}");
    assert_eq!(calls(&rig, Action::DeregisterImage) + calls(&rig, Action::DeleteSnapshot), 0);
    assert_eq!(made(&rig).0[0].id, image.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_is_never_its_own_reference() {
    let rig = stored(TaskPace::Polls(0)).await;
    let object = format!("s3://{BUCKET}/golden.bin");
    rig.run(&["copy", OBJECT, &object, "--yes"]).await.assert_exit(0);
    let size = ["--logical-size", "29GiB"];
    rig.run(&[&["drill", &object, "--source", AMI, "--keep", "--yes"][..], &size].concat()).await;
    let own = rig.ec2(|state| state.images.keys().find(|id| *id != AMI).cloned().unwrap());
    rig.lab.clear_calls();
    let run = rig.run(&[&["drill", &object, "--source", &own, "--yes"][..], &size].concat()).await;
    run.assert_exit(2);
    assert!(run.stdout.contains(&format!("{own} is the AMI that the drill made: it is no reference")), "{run:?}");
    assert_eq!(calls(&rig, Action::ListSnapshotBlocks) + calls(&rig, Action::DeregisterImage), 0);
}

/// A restore may begin while the object is verified, or while the user thinks about the question.
#[tokio::test(flavor = "multi_thread")]
async fn it_looks_once_more_right_before_the_call() {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.create(Some("ami-0bbbbbbbbbbbbbbbb"), "another", &[("/dev/sda1", 100)]);
    let state = |state: &str| format!("<imageState>{state}</imageState>");
    let pending = Fault::TextReplaced(vec![(state("available"), state("pending"))]);
    // The first answer is that of the preflight.
    rig.lab.script(FaultRule::new(Operation::Service(Action::DescribeImages), pending.clone()).skip(1));
    let run = drill(&rig, &[]).await;
    run.assert_exit(3);
    let refused = report(&run);
    assert_eq!((&refused["outcome"], &refused["backup_validation"]), (&"refused".into(), &"FAILED".into()));
    let notes = refused["notes"].to_string();
    assert!(notes.contains("only when no other restore seems to be in progress"), "{notes}");
    assert!(notes.contains("ami-0bbbbbbbbbbbbbbbb"), "{notes}");
    assert!(rig.starts().is_empty() && made(&rig).0.is_empty());
    // Accepted, it starts beside it.
    rig.lab.script(FaultRule::new(Operation::Service(Action::DescribeImages), pending).skip(1));
    drill(&rig, &["--accept", "in-progress"]).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 1);
}

/// A drill and a restore of the same name and object would each take the AMI of the other for its own: the drill would
/// remove what the restore reported as complete.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_no_ami_of_a_drill_and_a_drill_none_of_a_restore() {
    let rig = stored(TaskPace::Polls(0)).await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    rig.lab.clear_calls();
    let restore = ["restore", OBJECT, "--name", NAME, "--alias", "/golden/current", "--yes"];
    let run = rig.run(&restore).await;
    assert!(
        run.assert_exit(3).stdout.contains("was made of this object by a drill, which removes it again"),
        "{run:?}"
    );
    assert_eq!(made(&rig).0.len(), 1, "nothing is restored");
    let image = made(&rig).0[0].id.clone();
    let run = rig.run(&["restore", "--follow", &image, "--alias", "/golden/current"]).await;
    assert!(run.assert_exit(3).stdout.contains("the AMI is that of a drill"), "{run:?}");
    assert_eq!(calls(&rig, Action::PutParameter), 0);

    let rig = stored(TaskPace::Polls(0)).await;
    rig.run(&["restore", OBJECT, "--name", NAME, "--yes"]).await.assert_exit(0);
    let before = made(&rig);
    rig.lab.clear_calls();
    let run = drill(&rig, &[]).await;
    assert!(run.assert_exit(3).stdout.contains("is not the drill's to remove"), "{run:?}");
    assert_eq!(made(&rig).1, before.1);
    assert_eq!(calls(&rig, Action::DeregisterImage) + calls(&rig, Action::DeleteSnapshot), 0);
}
