//! `--ledger` of `prove`, `restore --prove` and `drill`: the proof of a restore, kept with the object.

use serde_json::Value;
use stored_ami_lab::{Action, LabOptions, TaskPace};

use crate::blocks::{calls, fingerprint};
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, REGION, Rig};

async fn stored() -> Rig {
    let rig = Rig::with(LabOptions::default(), TaskPace::Polls(0)).await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    rig.start_store(AMI, BUCKET).await;
    rig.wait_for_stores().await;
    rig.lab.clear_calls();
    rig
}

/// The proofs of restores in the ledger: verdict, AMI, ETag of the object, and differing blocks.
async fn entries(rig: &Rig, ledger: &str) -> Vec<(String, String, String, u64)> {
    let run = rig.run(&["ledger", "show", ledger, OBJECT]).await;
    run.assert_exit(0);
    let entries = run.lines().into_iter().filter(|line| line["type"] == "ledger_entry").map(|line| {
        let entry = &line["entry"];
        assert_eq!(
            (&entry["target"], &entry["verdict"], &entry["level"]),
            (&OBJECT.into(), &"unknown".into(), &"facts".into())
        );
        assert!(line["proof_kind"].is_null(), "it proves nothing about the bytes of the object: {line}");
        let made = &entry["restored"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(made["expected_image"], AMI);
        (
            text(&made["verdict"]),
            text(&made["image"]),
            text(&entry["object"]["etag"]),
            made["differing_blocks"].as_u64().unwrap(),
        )
    });
    entries.collect()
}

fn proof(run: &Run) -> Value {
    run.lines().into_iter().rfind(|line| line["type"] == "prove").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_proof_of_a_restore_enters_the_ledger() {
    let rig = stored().await;
    let (record, ledger) = (rig.path("golden.json"), rig.path("l.db"));
    let etag = rig.lab.with_object(BUCKET, crate::rig::KEY, |object| object.etag.clone()).unwrap();
    let restore = ["restore", OBJECT, "--name", "gold", "--record", &record, "--prove", "--ledger", &ledger, "--yes"];
    let run = rig.run(&restore).await;
    run.assert_exit(0);
    assert_eq!(proof(&run)["recorded_with"], OBJECT);
    let head = proof(&run)["ledger_head"].as_str().unwrap().to_owned();
    assert!(head.starts_with("1:"), "{head}");
    let image = rig.restored()[0].id.clone();
    let pass = ("pass".to_owned(), image.clone(), etag.clone(), 0);
    assert_eq!(entries(&rig, &ledger).await, std::slice::from_ref(&pass));
    // A later comparison finds a changed block, also for `prove` alone.
    let snapshot = rig.restored()[0].mappings[0].snapshot.clone();
    rig.lab.flip_in_snapshot(REGION, &snapshot, 524_288 * 3, 1).unwrap();
    rig.run(&["prove", &image, "--record", &record, "--ledger", &ledger, "--yes"]).await.assert_exit(1);
    let fail = ("fail".to_owned(), image.clone(), etag.clone(), 1);
    assert_eq!(entries(&rig, &ledger).await, [pass, fail]);
    let drill = rig.run(&["drill", OBJECT, "--record", &record, "--ledger", &ledger, "--yes"]).await;
    drill.assert_exit(0);
    let kept = entries(&rig, &ledger).await;
    assert_eq!((kept.len(), kept[2].0.as_str(), kept[2].2.as_str()), (3, "pass", etag.as_str()));
    rig.run(&["ledger", "verify", &ledger, "--head", &head]).await.assert_exit(0);
    // None of them stands for a read of the object.
    let safe = rig.run(&["safe-to-delete", AMI, "--in", "s3://archive", "--ledger", &ledger]).await;
    assert_ne!(safe.exit, Some(0), "{safe:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_an_ami_whose_restore_is_not_known_is_not_recorded() {
    let rig = stored().await;
    let (record, ledger) = (rig.path("golden.json"), rig.path("l.db"));
    rig.run(&["restore", OBJECT, "--name", "gold", "--yes"]).await.assert_exit(0);
    let image = rig.restored()[0].id.clone();
    let elsewhere = rig.path("elsewhere");
    let prove = ["prove", &image, "--record", &record, "--ledger", &ledger, "--yes"];
    let run = rig.run(&[&prove[..], &["--journal", &elsewhere]].concat()).await;
    run.assert_exit(4);
    let found = proof(&run);
    assert_eq!(found["verdict"], "pass", "it is proved all the same");
    assert!(found["notes"].to_string().contains("the journal here does not hold the restore"), "{found}");
    assert!(!std::path::Path::new(&ledger).exists());
    // A plan records nothing, and a ledger that is none is refused before any block is read.
    rig.run(&["prove", &image, "--record", &record, "--ledger", &ledger, "--dry-run"]).await.assert_exit(0);
    assert!(!std::path::Path::new(&ledger).exists());
    std::fs::write(&ledger, "not a ledger").unwrap();
    rig.lab.clear_calls();
    rig.run(&prove).await.assert_exit(2);
    assert_eq!(calls(&rig, Action::GetSnapshotBlock), 0);
}
