//! `drill`: what a rule of the Recycle Bin keeps after the removal.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use stored_ami_lab::ec2::Recycled;
use stored_ami_lab::{Action, Fault, FaultRule, Operation, TaskPace};

use crate::blocks::calls;
use crate::common::Run;
use crate::drill::{assert_nothing_left, drill, report, stored};
use crate::rig::{OBJECT, Rig};

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const LISTINGS: [Action; 2] = [Action::ListImagesInRecycleBin, Action::ListSnapshotsInRecycleBin];

/// A lab with a stored AMI, and a rule that keeps everything for a week.
async fn kept_for_a_week() -> Rig {
    let rig = stored(TaskPace::Polls(0)).await;
    rig.ec2(|state| state.retention = Some(WEEK));
    rig
}

/// Ids of the resources, with their field of the Recycle Bin.
fn bin(run: &Run) -> Vec<(String, Value)> {
    let all = report(run)["resources"].as_array().unwrap().clone();
    all.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one["recycle_bin"].clone())).collect()
}

fn notes(run: &Run) -> String {
    report(run)["notes"].to_string()
}

/// What the lab keeps, as the report should have it: the AMI, and then the snapshots.
fn expected(rig: &Rig) -> Vec<(String, Value)> {
    let field = |(id, kept): (&String, &Recycled)| (id.clone(), serde_json::json!({ "until": kept.exits.to_string() }));
    rig.ec2(|state| state.recycled_images.iter().chain(&state.recycled_snapshots).map(field).collect())
}

/// In an order that can be compared.
fn sorted(mut all: Vec<(String, Value)>) -> Vec<(String, Value)> {
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_keeps_is_named_with_its_time() {
    let rig = kept_for_a_week().await;
    let (page, junit) = (rig.path("drill.html"), rig.path("drill.xml"));
    let run = drill(&rig, &["--report", &page, "--junit", &junit]).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["verdict"], "pass");
    let kept = expected(&rig);
    assert_eq!(kept.len(), 4);
    assert_eq!(sorted(bin(&run)), sorted(kept.clone()));
    assert_eq!(notes(&run).matches("costs money").count(), 1, "{run:?}");
    assert_nothing_left(&rig);
    let (page, junit) = (std::fs::read_to_string(page).unwrap(), std::fs::read_to_string(junit).unwrap());
    for (id, field) in &kept {
        let until = field["until"].as_str().unwrap();
        assert!(junit.contains(&format!("{id} until {until}")), "{junit}");
        assert!(page.contains(id) && page.contains(until) && page.contains("Recycle"), "{page}");
    }
    // For people.
    let mut command = rig.command();
    command.args(["drill", OBJECT, "--record", &rig.path("golden.json"), "--yes"]);
    let told = Run::of(command).await;
    told.assert_exit(0);
    let text = told.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let newest = rig.ec2(|state| {
        let newest = state.recycled_images.iter().max_by_key(|(_, kept)| kept.entered).unwrap();
        format!("removed {}; the Recycle Bin keeps it until {}", newest.0, newest.1.exits)
    });
    assert!(text.contains(&newest), "{newest}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_gets_nothing() {
    let rig = stored(TaskPace::Polls(0)).await;
    let left = drill(&rig, &["--keep"]).await;
    left.assert_exit(0);
    assert_eq!(LISTINGS.map(|action| calls(&rig, action)), [0, 0], "nothing was removed");
    let run = drill(&rig, &[]).await;
    run.assert_exit(3);
    assert_eq!(LISTINGS.map(|action| calls(&rig, action)), [1, 1]);
    for run in [&left, &run] {
        assert_eq!(bin(run).len(), 4, "{run:?}");
        assert!(bin(run).iter().all(|(_, field)| field.is_null()), "{run:?}");
        assert!(!notes(run).contains("Recycle Bin"), "{run:?}");
    }
    assert_nothing_left(&rig);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_listed_is_not_known_and_changes_nothing_else() {
    let rig = kept_for_a_week().await;
    rig.deny("ec2:ListImagesInRecycleBin");
    let run = drill(&rig, &[]).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["backup_validation"], "SUCCESSFUL");
    let notes = notes(&run);
    assert!(notes.contains("not known: whether the Recycle Bin keeps the AMI, which costs money, because "), "{notes}");
    assert!(notes.contains("ec2:ListImagesInRecycleBin") && !notes.contains("keeps the snapshots"), "{notes}");
    let named = bin(&run).into_iter().filter(|(_, field)| !field.is_null());
    assert!(named.clone().all(|(id, _)| id.starts_with("snap-")), "{run:?}");
    assert_eq!(named.count(), 3, "the snapshots are asked for all the same");
    assert_nothing_left(&rig);
    rig.deny("ec2:ListSnapshotsInRecycleBin");
    let run = drill(&rig, &[]).await;
    run.assert_exit(0);
    assert_eq!(bin(&run).len(), 4, "{run:?}");
    assert!(bin(&run).iter().all(|(_, field)| field.is_null()), "{run:?}");
    assert_eq!(self::notes(&run).matches("not known: whether the Recycle Bin keeps").count(), 2, "{run:?}");
    assert_nothing_left(&rig);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_found_among_entries_of_others_on_the_second_page() {
    let rig = kept_for_a_week().await;
    let foreign = Recycled { entered: Timestamp::UNIX_EPOCH, exits: Timestamp::MAX };
    // EC2 lists at most 1,000 on a page, and the lab by id.
    rig.ec2(|state| {
        for number in 0..1_000 {
            state.recycled_images.insert(format!("ami-0000000000000{number:04}"), foreign);
            state.recycled_snapshots.insert(format!("snap-0000000000000{number:04}"), foreign);
        }
    });
    let run = drill(&rig, &[]).await;
    run.assert_exit(0);
    assert_eq!(LISTINGS.map(|action| calls(&rig, action)), [2, 2]);
    let own = expected(&rig).into_iter().filter(|(id, _)| !id.contains("-0000000000000"));
    assert_eq!(sorted(bin(&run)), sorted(own.collect()));
    assert_nothing_left(&rig);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_not_stated_is_not_known() {
    let rig = kept_for_a_week().await;
    let nameless = Fault::TextReplaced(vec![("recycleBinExitTime".to_owned(), "other".to_owned())]);
    for action in LISTINGS {
        rig.lab.script(FaultRule::new(Operation::Service(action), nameless.clone()));
    }
    let junit = rig.path("drill.xml");
    let run = drill(&rig, &["--junit", &junit]).await;
    run.assert_exit(0);
    assert_eq!(bin(&run).len(), 4, "{run:?}");
    assert!(bin(&run).iter().all(|(_, field)| *field == serde_json::json!({})), "{run:?}");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("until a time that EC2 does not state"), "{junit}");
}

/// A clean-up names also what was gone before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_removed_is_named_too() {
    let rig = kept_for_a_week().await;
    drill(&rig, &["--keep"]).await.assert_exit(0);
    let image = rig.restored().remove(0).id;
    rig.ec2(|state| {
        state.images.remove(&image);
        state.recycled_images.insert(image.clone(), Recycled::now(WEEK));
    });
    let run = drill(&rig, &[]).await;
    run.assert_exit(3);
    assert_eq!(report(&run)["resources"][0]["state"], "gone", "{run:?}");
    assert_eq!(sorted(bin(&run)), sorted(expected(&rig)));
    assert_nothing_left(&rig);
}
