//! Shards of which some have a proof of a huge object, or know its parts, and others do not.

use serde_json::{Value, json};
use stored_ami_lab::checksum::Algorithm;
use stored_ami_lab::{ChecksumChoice, PartSizes};

use crate::rig::{Audited, BUCKET, Rig, target};
use crate::split::{KEY, MIB, SHARES, alter, finding, is_run, rig};
use crate::split_ledger::{LONG_AGO, entries, ledger, merge, notes, read, shards};

/// The shard that the huge object belongs to.
fn owner(shards: &[Audited]) -> u32 {
    let is_own = |share: &Audited| share.of_type("audited").any(|one| one["target"] == target(KEY).as_str());
    shards.iter().zip(1..).find(|(share, _)| is_own(share)).unwrap().1
}

async fn read_whole(rig: &Rig, index: u32) {
    let whole = ["audit", "s3://archive/huge/", "--level", "bytes", "--max-age", "0d", "--ledger", &ledger(rig, index)];
    Audited::of(rig.server.run(&whole).await).assert_exit(0);
}

fn is_any_run(line: &Value) -> bool {
    line["type"] == "audited_run"
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_count_beside_a_proof_of_the_shard_that_has_the_object() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Sha256), PartSizes::Uniform(8 * MIB)).await;
    let owner = owner(&shards(&rig, "1", &[]).await);
    // Only its ledger gets the proof.
    let args = ["audit", "merge", &rig.text("1"), "--ledger", &ledger(&rig, owner)];
    Audited::of(rig.server.run(&args).await).assert_exit(0);
    assert_eq!(read(&shards(&rig, "2", &[]).await).1, 5);
    let merged = merge(&rig, "2").await;
    let one = merged.assert_exit(3).object(KEY);
    assert_eq!((&one["verdict"], &merged.end()["proved"]), (&json!("unknown"), &json!(3)));
    let reason = &finding(one, "proof")["reason"];
    let said = "and others read 5 of 7 runs, which cannot be joined";
    assert!(reason["detail"].as_str().unwrap().contains(said), "{reason}");
    assert_eq!((entries(&rig, owner).await.len(), entries(&rig, owner % SHARES + 1).await.len()), (1, 0));

    // Run 4 is of another shard.
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    assert_eq!(read(&shards(&rig, "3", &[]).await).1, 5);
    let merged = merge(&rig, "3").await;
    let one = merged.assert_exit(1).object(KEY);
    assert_eq!((&one["verdict"], &one["proof"], &merged.end()["proved"]), (&json!("fail"), &Value::Null, &json!(3)));
    assert_eq!(finding(one, "proof")["verdict"], "fail");
    let wrong = finding(one, "sha256");
    let damage = wrong["damage"].as_array().unwrap();
    assert_eq!((&wrong["reads"], &wrong["observed"]), (&json!(1), &json!("1 of 17 parts that were read differ")));
    assert_eq!((damage.len(), &damage[0]["part"], &damage[0]["offset_bytes"]), (1, &json!(13), &json!(96 * MIB)));
    for index in 1..=SHARES {
        let found = entries(&rig, index).await;
        let proofs = usize::from(index == owner);
        assert_eq!((found.len(), &found[proofs]["doubt"]), (proofs + 1, &json!("mismatch")), "{found:#?}");
    }
    // It is due in every ledger.
    assert_eq!(read(&shards(&rig, "4", &[]).await).1, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_part_counts_although_the_runs_cannot_be_joined() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Sha256), PartSizes::Uniform(8 * MIB)).await;
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    shards(&rig, "run", &[]).await;
    alter(&rig, is_run(3), |run| run["identity"]["etag"] = json!("\"00000000000000000000000000000000-25\""));
    let merged = merge(&rig, "run").await;
    let one = merged.assert_exit(1).object(KEY);
    assert_eq!((&one["verdict"], &finding(one, "etag")["reason"]["code"]), (&json!("fail"), &json!("changed")));
    assert_eq!(finding(one, "sha256")["damage"][0]["part"], 13);
    for index in 1..=SHARES {
        let found = entries(&rig, index).await;
        assert!(found.len() == 1 && found[0]["doubt"] == "mismatch", "{found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_result_ends_no_newer_proof() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    read_whole(&rig, 1).await;
    let before = entries(&rig, 1).await;
    assert_eq!(before.len(), 1);
    shards(&rig, "run", &["--max-age", "0d"]).await;
    let told = |merged: &Audited| {
        let said = format!("is not recorded in {}: the ledger has a proof of ", ledger(&rig, 1));
        notes(merged).contains(&said)
    };
    alter(&rig, is_any_run, |run| run["read_at"] = json!(LONG_AGO));
    let merged = merge(&rig, "run").await;
    assert!(told(merged.assert_exit(0)), "{}", notes(&merged));
    assert_eq!((entries(&rig, 1).await, entries(&rig, 2).await.len()), (before.clone(), 1));
    // So is a doubt, unless it is younger. The second ledger knows that of the same time.
    let wrong = |run: &mut Value| run["whole"]["crc64nvme"] = json!("AAAAAAAAAAA=");
    alter(&rig, is_run(3), wrong);
    let merged = merge(&rig, "run").await;
    assert!(told(merged.assert_exit(1)), "{}", notes(&merged));
    assert_eq!((entries(&rig, 1).await, entries(&rig, 2).await.len()), (before, 2));
    let later = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1)).to_string();
    alter(&rig, is_run(5), |run| run["read_at"] = json!(later));
    let merged = merge(&rig, "run").await;
    assert!(!told(merged.assert_exit(1)), "{}", notes(&merged));
    let found = entries(&rig, 1).await;
    assert_eq!((found.len(), &found[1]["doubt"], &found[1]["at"]), (2, &json!("mismatch"), &json!(later)));
    // An older doubt does not make it older.
    alter(&rig, is_run(5), |run| run["read_at"] = json!(LONG_AGO));
    merge(&rig, "run").await.assert_exit(1);
    assert_eq!(entries(&rig, 1).await.len(), 2);
}

/// Parts of which the first is as large as all would be, if they were equal.
fn uneven() -> PartSizes {
    PartSizes::Each([[8, 7, 9].as_slice(), &[8; 22]].concat().into_iter().map(|mib| mib * MIB).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_take_the_parts_that_their_ledgers_know_and_doubt_nothing_without_them() {
    let rig = rig(ChecksumChoice::None, uneven()).await;
    let owner = owner(&shards(&rig, "1", &[]).await);
    let merged = merge(&rig, "1").await;
    let one = merged.assert_exit(3).object(KEY);
    assert_eq!(finding(one, "etag")["reason"]["code"], "layout_not_proved");
    for index in 1..=SHARES {
        assert_eq!(entries(&rig, index).await, [] as [Value; 0]);
        read_whole(&rig, index).await;
    }
    assert_eq!(read(&shards(&rig, "2", &["--max-age", "0d"]).await).1, 7);
    let merged = merge(&rig, "2").await;
    let one = merged.assert_exit(0).object(KEY);
    assert_eq!((&one["verdict"], &one["proof"]["by"]), (&json!("pass"), &json!(["etag"])));
    // Damage is a fail, because the parts are proved.
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    shards(&rig, "3", &["--max-age", "0d"]).await;
    let args = ["audit", "merge", &rig.text("3")];
    let merged = Audited::of(rig.server.run(&args).await);
    assert_eq!(finding(merged.assert_exit(1).object(KEY), "etag")["verdict"], "fail");
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    // One shard that does not know them refutes nothing, and ends no proof.
    std::fs::remove_file(ledger(&rig, owner)).unwrap();
    let other = owner % SHARES + 1;
    let known = entries(&rig, other).await;
    assert_ne!(known, [] as [Value; 0]);
    shards(&rig, "4", &["--max-age", "0d"]).await;
    let merged = merge(&rig, "4").await;
    let one = merged.assert_exit(3).object(KEY);
    assert_eq!(finding(one, "etag")["reason"]["code"], "layout_not_proved");
    assert_eq!((entries(&rig, owner).await.len(), entries(&rig, other).await), (0, known));
}
