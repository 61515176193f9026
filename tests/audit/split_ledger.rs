//! What `audit merge --ledger` records of huge objects that the shards read together.

use serde_json::{Value, json};
use stored_ami_lab::checksum::Algorithm;
use stored_ami_lab::{ChecksumChoice, PartSizes};

use crate::rig::{Audited, BUCKET, Rig, target};
use crate::split::{KEY, MIB, SHARES, alter, finding, is_run, rig};

const SIZE: u64 = 200 * MIB;

pub(super) fn ledger(rig: &Rig, index: u32) -> String {
    rig.text(&format!("{index}.db"))
}

/// One run of all shards, each with its ledger, into a place of its own.
pub(super) async fn shards(rig: &Rig, place: &str, more: &[&str]) -> Vec<Audited> {
    let mut all = Vec::new();
    for index in 1..=SHARES {
        let (share, place, ledger) = (format!("{index}/{SHARES}"), rig.text(place), ledger(rig, index));
        let args = ["audit", "s3://archive", "--level", "bytes", "--split", "32MiB"];
        let own = ["--shard", &share, "--results", &place, "--ledger", &ledger];
        all.push(Audited::of(rig.server.run(&[&args[..], &own, more].concat()).await));
    }
    all
}

pub(super) async fn merge(rig: &Rig, place: &str) -> Audited {
    let ledgers: Vec<String> = (1..=SHARES).map(|index| ledger(rig, index)).collect();
    let place = rig.text(place);
    let flags = ledgers.iter().flat_map(|ledger| ["--ledger", ledger.as_str()]);
    let args: Vec<&str> = ["audit", "merge", place.as_str()].into_iter().chain(flags).collect();
    Audited::of(rig.server.run(&args).await)
}

/// Bytes that all shards received, and the number of runs that they read.
pub(super) fn read(shards: &[Audited]) -> (u64, usize) {
    let bytes = shards.iter().map(|share| share.end()["received_bytes"].as_u64().unwrap()).sum();
    (bytes, shards.iter().map(|share| share.of_type("audited_run").count()).sum())
}

/// The entries of the huge object in a ledger, without those that decide nothing.
pub(super) async fn entries(rig: &Rig, index: u32) -> Vec<Value> {
    let ledger = ledger(rig, index);
    let run = rig.server.run(&["ledger", "show", &ledger, &target(KEY)]).await;
    let decides =
        |entry: &Value| entry["kind"] == "proof" && (entry["verdict"] != "unknown" || !entry["doubt"].is_null());
    run.lines().into_iter().map(|line| line["entry"].clone()).filter(decides).collect()
}

/// Waits until an entry is older than what follows. Entries have whole seconds, and a doubt is not ended by a proof of the
/// same second.
fn outlive(entry: &Value) {
    let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    while jiff::Timestamp::now() < at + jiff::SignedDuration::from_secs(1) {
        std::thread::yield_now();
    }
}

pub(super) fn notes(merged: &Audited) -> String {
    merged.end()["notes"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_by_runs_is_recorded_once_and_no_run_is_read_again() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    assert_eq!(read(&shards(&rig, "1", &[]).await), (SIZE + 3 * 2_000, 7));
    let merged = merge(&rig, "1").await;
    merged.assert_exit(0);
    for index in 1..=SHARES {
        let path = ledger(&rig, index);
        let said = format!("the result for 1 object that the shards read together is recorded in {path}");
        assert!(notes(&merged).contains(&said), "{}", notes(&merged));
        let found = entries(&rig, index).await;
        assert_eq!(found.len(), 1);
        let proof = &found[0];
        assert_eq!(
            (&proof["verdict"], &proof["level"], &proof["proof_kind"]),
            (&json!("pass"), &json!("bytes"), &json!("read"))
        );
        assert_eq!((&proof["covered_bytes"], &proof["proved_by"]), (&json!(SIZE), &json!(["crc64nvme", "etag"])));
        assert_eq!(proof["etag_parts"], json!([{"part_bytes": 8 * MIB, "parts": 25}]));
    }
    // The same results again.
    assert!(!notes(&merge(&rig, "1").await).contains("recorded"));
    assert_eq!(entries(&rig, 1).await.len(), 1);
    // Nothing is due.
    let second = shards(&rig, "2", &[]).await;
    assert_eq!(read(&second), (0, 0));
    let merged = merge(&rig, "2").await;
    let one = merged.assert_exit(0).object(KEY);
    assert_eq!(
        (&one["verdict"], &one["proof"]["kind"], &one["examined"]),
        (&json!("pass"), &json!("read"), &Value::Null)
    );
    assert_eq!((&merged.end()["proved"], &merged.end()["still_good"]), (&json!(4), &json!(4)));
    // A proof is only as good as it is young, and only of this state.
    assert_eq!(read(&shards(&rig, "3", &["--max-age", "0d"]).await).1, 7);
    rig.lab.with_object(BUCKET, KEY, |object| object.last_modified += jiff::SignedDuration::from_secs(60)).unwrap();
    assert_eq!(read(&shards(&rig, "4", &[]).await).1, 7);
}

/// A mismatch that was read once is no damage yet, and ends the earlier proof.
#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_byte_ends_the_proof_until_the_object_is_proved_again() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    shards(&rig, "1", &[]).await;
    merge(&rig, "1").await.assert_exit(0);
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    shards(&rig, "2", &["--max-age", "0d"]).await;
    let merged = merge(&rig, "2").await;
    assert_eq!((&merged.assert_exit(1).object(KEY)["proof"], &merged.end()["proved"]), (&Value::Null, &json!(3)));
    for index in 1..=SHARES {
        let found = entries(&rig, index).await;
        assert_eq!((&found[1]["verdict"], &found[1]["doubt"]), (&json!("unknown"), &json!("mismatch")), "{found:#?}");
        outlive(&found[1]);
    }
    // It is due in spite of the young proof. The byte is right again, so that the next runs prove it.
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    assert_eq!(read(&shards(&rig, "3", &[]).await), (SIZE, 7));
    let merged = merge(&rig, "3").await;
    assert_eq!(merged.assert_exit(0).object(KEY)["verdict"], "pass");
    assert_eq!(read(&shards(&rig, "4", &[]).await), (0, 0));
}

/// The MD5 of an object without parts is computed in order, so that no runs decide it. Where a read of the whole object
/// found it wrong, matching runs do not make it right.
#[tokio::test(flavor = "multi_thread")]
async fn no_proof_where_a_reference_failed_that_the_runs_do_not_decide() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::None).await;
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    for index in 1..=SHARES {
        let ledger = ledger(&rig, index);
        let whole = ["audit", "s3://archive/huge/", "--level", "bytes", "--ledger", &ledger];
        Audited::of(rig.server.run(&whole).await).assert_exit(1);
    }
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    assert_eq!(read(&shards(&rig, "1", &[]).await).1, 7);
    let merged = merge(&rig, "1").await;
    let one = merged.assert_exit(1).object(KEY);
    assert_eq!(
        (&finding(one, "proof")["verdict"], &finding(one, "etag")["reason"]["code"]),
        (&json!("pass"), &json!("not_joined"))
    );
    assert_eq!((&finding(one, "sound")["verdict"], &one["verdict"]), (&json!("fail"), &json!("fail")));
    assert_eq!((&one["proof"], &merged.end()["proved"]), (&Value::Null, &json!(3)));
    for index in 1..=SHARES {
        let found = entries(&rig, index).await;
        assert!(found.len() == 1 && found[0]["verdict"] == "fail", "{found:#?}");
    }
    // A ledger of another shard may be the only one that knows.
    std::fs::remove_file(rig.path("2.db")).unwrap();
    for index in [1, 3, 4] {
        std::fs::remove_file(rig.path(&format!("{index}.db"))).unwrap();
    }
    let ledger = ledger(&rig, 3);
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    let whole = ["audit", "s3://archive/huge/", "--level", "bytes", "--ledger", &ledger];
    Audited::of(rig.server.run(&whole).await).assert_exit(1);
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    let args = ["audit", "merge", &rig.text("1"), "--ledger", &ledger];
    let merged = Audited::of(rig.server.run(&args).await);
    assert!(!notes(&merged).contains("is recorded"), "{}", notes(&merged));
    let found = entries(&rig, 3).await;
    assert!(found.len() == 1 && found[0]["verdict"] == "fail", "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_share_or_run_or_a_later_entry_leaves_the_ledger_as_it_is() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    shards(&rig, "1", &[]).await;
    let results: Vec<_> = std::fs::read_dir(rig.path("1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let shard = results.iter().find(|path| path.to_str().unwrap().contains("shard-2-")).unwrap();
    let kept = std::fs::read(shard).unwrap();
    std::fs::remove_file(shard).unwrap();
    let merged = merge(&rig, "1").await;
    assert!(merged.run.exit == Some(2) && merged.run.stderr.contains("shards 2/4 are missing"), "{:?}", merged.run);
    std::fs::write(shard, kept).unwrap();
    // The place of the results is that of another test's helper.
    std::fs::rename(rig.path("1"), rig.path("run")).unwrap();
    let place = "run";
    let whole: Vec<(std::path::PathBuf, Vec<u8>)> = std::fs::read_dir(rig.path(place))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    alter(&rig, is_run(3), |run| run["identity"]["etag"] = json!("\"00000000000000000000000000000000-25\""));
    let merged = merge(&rig, place).await;
    assert_eq!(merged.assert_exit(3).object(KEY)["verdict"], "unknown");
    for index in 1..=SHARES {
        assert_eq!(entries(&rig, index).await, [] as [Value; 0]);
    }
    whole.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    // The object is gone since, according to the first ledger.
    let facts = ["audit", "s3://archive/huge/", "--ledger", &ledger(&rig, 1)];
    rig.server.run(&facts).await.assert_exit(0);
    rig.delete(KEY).await;
    rig.server.run(&facts).await.assert_exit(1);
    let merged = merge(&rig, place).await;
    let said = format!(
        "the result for {} is not recorded in {}: by the ledger the object was gone at",
        target(KEY),
        ledger(&rig, 1)
    );
    assert!(notes(&merged).contains(&said), "{}", notes(&merged));
    let listed = rig.server.run(&["ledger", "show", &ledger(&rig, 1), &target(KEY)]).await;
    assert_eq!(listed.lines().iter().filter(|line| line["entry"]["kind"] == "gone").count(), 1);
    assert_eq!((entries(&rig, 1).await.len(), entries(&rig, 2).await.len()), (0, 1));
}

pub(super) const LONG_AGO: &str = "2026-01-01T00:00:00Z";

/// A task that was started again and did not reach its runs makes the proof no younger.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_by_runs_is_as_old_as_the_oldest_of_them() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    shards(&rig, "run", &[]).await;
    let between = jiff::Timestamp::now();
    shards(&rig, "run", &["--max-bytes", "1"]).await;
    let merged = merge(&rig, "run").await;
    let proved: jiff::Timestamp = merged.assert_exit(0).object(KEY)["proof"]["at"].as_str().unwrap().parse().unwrap();
    assert!(proved < between, "{proved}, {between}");
    alter(&rig, is_run(3), |run| run["read_at"] = json!(LONG_AGO));
    assert_eq!(merge(&rig, "run").await.assert_exit(0).object(KEY)["proof"]["at"], LONG_AGO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_by_runs_meets_the_age_of_a_policy_if_its_oldest_run_does() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nproof-age = \"1d\"\n").unwrap();
    shards(&rig, "run", &["--policy", &policy]).await;
    let judged = async || finding(merge(&rig, "run").await.object(KEY), "proof-age")["verdict"].clone();
    assert_eq!(judged().await, "pass");
    alter(&rig, is_run(3), |run| run["read_at"] = json!(LONG_AGO));
    assert_ne!(judged().await, "pass");
}

/// Damage that was found after one of the runs was read does not end with the others.
#[tokio::test(flavor = "multi_thread")]
async fn damage_that_was_found_between_two_runs_stays() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    for index in 1..=SHARES {
        let ledger = ledger(&rig, index);
        let whole = ["audit", "s3://archive/huge/", "--level", "bytes", "--ledger", &ledger];
        Audited::of(rig.server.run(&whole).await).assert_exit(1);
    }
    rig.lab.damage(BUCKET, KEY, 7, 1).unwrap();
    shards(&rig, "run", &[]).await;
    let results: Vec<(std::path::PathBuf, Vec<u8>)> = std::fs::read_dir(rig.path("run"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    alter(&rig, is_run(3), |run| run["read_at"] = json!(LONG_AGO));
    let merged = merge(&rig, "run").await;
    let one = merged.assert_exit(1).object(KEY);
    assert_eq!((&finding(one, "sound")["verdict"], &one["verdict"]), (&json!("fail"), &json!("fail")));
    assert_eq!((&one["proof"], &merged.end()["proved"]), (&Value::Null, &json!(3)));
    let found = entries(&rig, 1).await;
    assert!(found.len() == 1 && found[0]["verdict"] == "fail", "{found:#?}");
    // With all of them read later, it ends. Times are of whole seconds.
    results.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    let later = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1)).to_string();
    alter(&rig, |line| line["type"] == "audited_run", |run| run["read_at"] = json!(later));
    assert_eq!(merge(&rig, "run").await.assert_exit(0).object(KEY)["verdict"], "pass");
}

/// S3 states no values of parts of an object with CRC64NVME; a manifest has them.
#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_byte_is_placed_by_a_manifest() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    let small = crate::rig::key(0);
    let (huge_manifest, small_manifest) = (rig.text("huge.json"), rig.text("small.json"));
    for (object, manifest) in [(KEY, &huge_manifest), (small.as_str(), &small_manifest)] {
        rig.server.run(&["verify", &target(object), "--write-manifest", manifest]).await.assert_exit(0);
    }
    shards(&rig, "1", &[]).await;
    let place = rig.text("1");
    let merged = |place: &str, manifest: &str| {
        let args = ["audit", "merge", place, "--manifest", manifest].map(str::to_owned);
        let server = &rig.server;
        async move { Audited::of(server.run(&args.each_ref().map(String::as_str)).await) }
    };
    let whole = merged(&place, &huge_manifest).await;
    let one = whole.assert_exit(0).object(KEY);
    assert_eq!(one["proof"]["by"], json!(["crc64nvme", "etag", "manifest-crc64nvme", "manifest-parts-md5"]));
    rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
    shards(&rig, "2", &["--max-age", "0d"]).await;
    let place = rig.text("2");
    let found = merged(&place, &huge_manifest).await;
    let one = found.assert_exit(1).object(KEY);
    assert_eq!(finding(one, "crc64nvme")["damage"], Value::Null);
    let by_parts = finding(one, "manifest-parts-md5");
    assert_eq!((&by_parts["verdict"], &by_parts["reads"]), (&json!("fail"), &json!(1)));
    let damage = by_parts["damage"].as_array().unwrap();
    assert_eq!((damage.len(), &damage[0]["part"], &damage[0]["offset_bytes"]), (1, &json!(13), &json!(96 * MIB)));
    let refused = merged(&place, &small_manifest).await;
    let said = "small.json: the shards read no object of this manifest in runs (--split), or read it in another state";
    assert!(refused.run.exit == Some(2) && refused.run.stderr.contains(said), "{:?}", refused.run);
}
