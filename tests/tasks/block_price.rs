//! What `prove`, `restore --prove` and `drill` may read: what was shown and agreed to, and no more than `--max-cost`
//! pays for.

use serde_json::Value;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Action, LabOptions, TaskPace};

use crate::blocks::{calls, fingerprint, proof, prove, reasons, snapshots, twin};
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, REGION, Rig, line};

/// Bytes of a block.
const BLOCK: u64 = 524_288;

/// A note on more blocks than were expected.
fn note(report: &Value) -> Option<String> {
    let notes = report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned());
    notes.into_iter().find(|note| note.contains("blocks are to be read"))
}

/// Two AMIs with the same 256 written blocks, of which EC2 states that this many bytes are written.
fn pair(rig: &Rig, stated: u64) -> (String, String) {
    let volumes = vec![VolumeSpec { sparse: Some(8), full_bytes: Some(stated), ..VolumeSpec::new("/dev/xvda", 1) }];
    let source = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new(&format!("stated {stated}")) });
    let restored = twin(rig, &source);
    (source, restored)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_cost_holds_whatever_the_snapshots_state() {
    let rig = Rig::new().await;
    // Nothing, one block, or all blocks.
    for stated in [0, BLOCK, 256 * BLOCK] {
        let (source, restored) = pair(&rig, stated);
        // $0.0003 for 100 blocks, and less for the listing of both.
        let limited = ["--source", &source, "--max-cost", "0.000302", "--block-rate", "1000"];
        let read = async || {
            rig.lab.clear_calls();
            let run = prove(&rig, &restored, &limited).await;
            let read = calls(&rig, Action::GetSnapshotBlock);
            assert!((1..=100).contains(&read), "{stated}: {read}");
            run
        };
        let run = read().await;
        run.assert_exit(3);
        assert_eq!(reasons(&run), ["limited"], "{stated}");
        let snapshot = snapshots(&rig, &restored).remove(0);
        for block in 0..2_048 {
            rig.lab.flip_in_snapshot(REGION, &snapshot, block * BLOCK, 1).unwrap();
        }
        // Blocks that differ are read a second time.
        read().await.assert_exit(1);
    }
}

/// Without a limit of the cost, no more is read than the plan says.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_than_was_agreed_to_whatever_the_snapshots_list() {
    let rig = Rig::new().await;
    let (source, restored) = pair(&rig, 3 * BLOCK);
    let limited = async |earlier: u64| {
        rig.lab.clear_calls();
        let run = fingerprint(&rig, &source, "golden.json", &[]).await;
        run.assert_exit(3);
        let done = run.lines().into_iter().rfind(|line| line["type"] == "fingerprint").unwrap();
        assert_eq!((&done["outcome"], &done["estimate"]["blocks_most"]), (&"limited".into(), &3.into()), "{run:?}");
        assert_eq!((&done["resumed_blocks"], &done["read_blocks"]), (&earlier.into(), &3.into()), "{run:?}");
        assert_eq!(calls(&rig, Action::GetSnapshotBlock), 3);
        assert!(!std::path::Path::new(&rig.path("golden.json")).exists());
    };
    limited(0).await;
    limited(3).await;
    // What was read is not read again.
    rig.snapshots(|snapshot| snapshot.full_bytes = Some(256 * BLOCK));
    rig.lab.clear_calls();
    fingerprint(&rig, &source, "golden.json", &[]).await.assert_exit(0);
    assert_eq!(calls(&rig, Action::GetSnapshotBlock), 250);
    prove(&rig, &restored, &[]).await.assert_exit(0);

    // Both sides are read, and what differs a second time.
    rig.snapshots(|snapshot| snapshot.full_bytes = Some(3 * BLOCK));
    let against = ["--source", source.as_str()];
    rig.lab.clear_calls();
    let run = prove(&rig, &restored, &against).await;
    run.assert_exit(3);
    assert_eq!((reasons(&run), calls(&rig, Action::GetSnapshotBlock)), (vec!["limited".to_owned()], 6));
    let volume = &proof(&run)["volumes"][0];
    assert_eq!((&volume["same_blocks"], &volume["skipped_blocks"]), (&3.into(), &253.into()));
    assert!(volume["reasons"][0]["detail"].as_str().unwrap().contains("--max-cost DOLLARS"), "{volume}");
    // A limit of the cost is agreed to beside what is stated: the plan names all that it may pay for.
    let paid = [&against[..], &["--max-cost", "1"]].concat();
    let run = prove(&rig, &restored, &paid).await;
    run.assert_exit(0);
    assert_eq!(proof(&run)["estimate"]["blocks_most"], 4_096);
    let snapshot = snapshots(&rig, &restored).remove(0);
    for block in 0..2_048 {
        rig.lab.flip_in_snapshot(REGION, &snapshot, block * BLOCK, 1).unwrap();
    }
    rig.lab.clear_calls();
    prove(&rig, &restored, &against).await.assert_exit(1);
    assert_eq!(calls(&rig, Action::GetSnapshotBlock), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_does_not_trust_that_nothing_is_written() {
    let rig = Rig::new().await;
    let (source, restored) = pair(&rig, 0);
    let of = |run: &Run, kind| line(run, kind)["estimate"]["blocks_most"].clone();
    let record = rig.path("golden.json");
    let plan = rig.run(&["fingerprint", &source, "--record", &record, "--dry-run"]).await;
    assert_eq!(of(&plan, "fingerprint"), 2_048, "every block of the volume");
    assert!(plan.stdout.contains("does not state how much was written"), "{plan:?}");
    let plan = rig.run(&["prove", &restored, "--source", &source, "--dry-run"]).await;
    assert_eq!(of(&plan, "prove"), 4_096);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_after_a_restore_says_when_it_may_read_more() {
    let written = [(16 * BLOCK, None), (17 * BLOCK, Some(51)), (0, Some(29 * 2_048))];
    for (stated, more) in written {
        let rig = Rig::with(LabOptions::default(), TaskPace::Polls(0)).await;
        rig.snapshots(|snapshot| snapshot.full_bytes = Some(stated));
        fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
        rig.start_store(AMI, BUCKET).await;
        rig.wait_for_stores().await;
        let record = rig.path("golden.json");
        let told = more.map(|most: u64| {
            format!("at most {most} blocks are to be read; before the restore, at most 48 were expected")
        });
        let restore = ["restore", OBJECT, "--name", "gold", "--prove", "--record", &record, "--yes"];
        let run = rig.run(&restore).await;
        run.assert_exit(0);
        assert_eq!(note(&proof(&run)), told, "{stated}");
        let run = rig.run(&["drill", OBJECT, "--record", &record, "--yes"]).await;
        let found = run.lines().into_iter().rfind(|line| line["type"] == "drill").unwrap();
        assert_eq!((note(&found["proof"]), &found["estimate"]["blocks_most"]), (told, &48.into()), "{stated}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_against_an_ami_shows_what_both_sides_take() {
    let rig = Rig::new().await;
    rig.store().await;
    let drill = ["drill", OBJECT, "--source", AMI];
    let run = rig.run(&[&drill[..], &["--dry-run"]].concat()).await;
    run.assert_exit(0);
    // A quarter of 29 GiB is written, by what the lab states of its snapshots.
    let estimate = line(&run, "drill")["estimate"].clone();
    assert_eq!((&estimate["blocks_most"], &estimate["blocks_least"]), (&(2 * 14_848).into(), &0.into()));
    let dollars = estimate["dollars_most"].as_f64().unwrap();
    assert!((dollars - 2.0 * 14_848.0 * 0.000_003).abs() < 0.0001, "{dollars}");
    let run = rig.run(&[&drill[..], &["--yes"]].concat()).await;
    run.assert_exit(0);
    let found = run.lines().into_iter().rfind(|line| line["type"] == "drill").unwrap();
    assert_eq!(note(&found["proof"]), None, "the AMI states what its source does");
    // Without the AMI to compare with, nothing is restored.
    rig.deregister();
    rig.lab.clear_calls();
    let run = rig.run(&[&drill[..], &["--yes", "--logical-size", "29GiB"]].concat()).await;
    run.assert_exit(4);
    assert!(run.stdout.contains("there is no such AMI"), "{run:?}");
    assert!(rig.starts().is_empty());
}
