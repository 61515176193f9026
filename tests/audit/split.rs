//! Huge objects that the shards read together (`--split`).

use serde_json::{Value, json};
use stored_ami_lab::checksum::Algorithm;
use stored_ami_lab::{ChecksumChoice, PartSizes, SyntheticSpec};

use crate::common::Run;
use crate::rig::{Audited, BUCKET, Rig, target};

pub(super) const MIB: u64 = 1 << 20;
pub(super) const SHARES: u32 = 4;
pub(super) const KEY: &str = "huge/ami-00000000000000007.bin";

/// A rig with one object of 200 MiB in parts of 8 MiB, and some small ones.
pub(super) async fn rig(checksum: ChecksumChoice, parts: PartSizes) -> Rig {
    let rig = Rig::with(3).await;
    let spec = SyntheticSpec { size: 200 * MIB, parts, seed: 5, checksum };
    rig.lab.synthesize(BUCKET, KEY, spec).await.unwrap();
    rig
}

async fn share(rig: &Rig, index: u32, more: &[&str]) -> Audited {
    let (share, place) = (format!("{index}/{SHARES}"), rig.text("run"));
    let args =
        ["audit", "s3://archive", "--level", "bytes", "--shard", &share, "--split", "32MiB", "--results", &place];
    Audited::of(rig.server.run(&[&args, more].concat()).await)
}

async fn merge(rig: &Rig) -> Audited {
    Audited::of(rig.server.run(&["audit", "merge", &rig.text("run")]).await)
}

async fn all_shares(rig: &Rig) -> Vec<Audited> {
    let mut all = Vec::new();
    for index in 1..=SHARES {
        all.push(share(rig, index, &[]).await);
    }
    all
}

pub(super) fn finding<'a>(one: &'a Value, check: &str) -> &'a Value {
    let mut findings = one["findings"].as_array().unwrap().iter();
    findings.find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check} in {one:#}"))
}

/// Changes the lines of the results that fit.
pub(super) fn alter(rig: &Rig, fits: impl Fn(&Value) -> bool, change: impl Fn(&mut Value)) {
    let mut changed = 0;
    for entry in std::fs::read_dir(rig.path("run")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in lines.iter_mut().filter(|line| fits(line)) {
            change(line);
            changed += 1;
        }
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    assert_ne!(changed, 0);
}

pub(super) fn is_run(number: u32) -> impl Fn(&Value) -> bool {
    move |line| line["type"] == "audited_run" && line["run"] == number
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digests_of_runs_prove_the_etag_and_the_checksum_of_one_object() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    let shares = all_shares(&rig).await;
    let mut owners = 0;
    let mut runs: Vec<u64> = Vec::new();
    for share in &shares {
        let own: Vec<&Value> = share.of_type("audited_run").collect();
        let bytes = own.iter().map(|run| run["length_bytes"].as_u64().unwrap()).sum::<u64>();
        // Each byte is read by one share, and once.
        let small = share.of_type("audited").filter(|one| one["target"] != target(KEY).as_str()).count() as u64 * 2_000;
        assert_eq!(share.end()["received_bytes"], bytes + small, "{:#}", share.end());
        assert_eq!(share.end()["runs"], own.len());
        runs.extend(own.iter().map(|run| run["run"].as_u64().unwrap()));
        if let Some(one) = share.of_type("audited").find(|one| one["target"] == target(KEY).as_str()) {
            owners += 1;
            share.assert_exit(3);
            assert_eq!(finding(one, "proof")["reason"]["code"], "read_in_runs");
        } else {
            share.assert_exit(0);
        }
    }
    runs.sort_unstable();
    assert_eq!((owners, runs), (1, (1..=7).collect()));
    let merged = merge(&rig).await;
    let one = merged.assert_exit(0).object(KEY);
    assert_eq!((&one["verdict"], &one["proof"]["by"]), (&json!("pass"), &json!(["crc64nvme", "etag"])));
    assert_eq!((&one["proof"]["kind"], &one["received_bytes"]), (&json!("read"), &(200 * MIB).into()));
    let end = merged.end();
    assert_eq!((&end["proved"], &end["objects"], &end["runs"]), (&4.into(), &4.into(), &Value::Null));
    assert_eq!(end["split_bytes"], 32 * MIB);
    assert_eq!(merged.of_type("audited_run").count(), 0);
    // The same as one machine says.
    let whole = Audited::of(rig.server.run(&["audit", "s3://archive", "--level", "bytes"]).await);
    for check in ["identity", "size", "proof", "etag", "crc64nvme"] {
        let verdict = |run: &Audited| finding(run.object(KEY), check)["verdict"].clone();
        assert_eq!(verdict(&merged), verdict(&whole), "{check}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_byte_is_refuted_in_one_read_and_placed_by_a_composite() {
    for (checksum, placed) in [(Algorithm::Crc64Nvme, false), (Algorithm::Sha256, true)] {
        let rig = rig(ChecksumChoice::Default(checksum), PartSizes::Uniform(8 * MIB)).await;
        rig.lab.damage(BUCKET, KEY, 100 * MIB + 7, 1).unwrap();
        all_shares(&rig).await;
        let merged = merge(&rig).await;
        let one = merged.assert_exit(1).object(KEY);
        assert_eq!(one["verdict"], "fail");
        let etag = finding(one, "etag");
        match placed {
            true => assert_eq!((&etag["verdict"], &etag["reads"]), (&json!("fail"), &json!(1))),
            // S3 states the parts of composites only, and assumed parts refute nothing.
            false => assert_eq!(etag["reason"]["code"], "layout_not_proved"),
        }
        let by_value = finding(one, if placed { "sha256" } else { "crc64nvme" });
        assert_eq!((&by_value["verdict"], &by_value["reads"]), (&json!("fail"), &json!(1)));
        let mut command = rig.server.command();
        command.args(["audit", "merge", &rig.text("run")]);
        let human = Run::of(command).await;
        let said = &human.assert_exit(1).stdout;
        assert!(said.contains("read once"), "{said}");
        assert!(said.contains("read again") && said.contains(&target(KEY)), "{said}");
        if placed {
            assert_eq!(by_value["damage"].as_array().unwrap().len(), 1);
            assert_eq!(
                (&by_value["damage"][0]["part"], &by_value["damage"][0]["offset_bytes"]),
                (&json!(13), &json!(96 * MIB))
            );
            assert!(said.contains("--part-number 13") && said.contains("part-13.bin"), "{said}");
            assert!(
                said.contains(&format!("sha256:{}", by_value["damage"][0]["expected"].as_str().unwrap())),
                "{said}"
            );
        } else {
            assert!(!said.contains("--part-number"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_leaves_runs_to_a_second_result() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    let mut left = Vec::new();
    for index in 1..=SHARES {
        let run = share(&rig, index, &["--max-bytes", "1"]).await;
        if run.of_type("audited_run").any(|run| run["reason"]["code"] == "unanswered") {
            run.assert_exit(3);
            left.push(index);
        }
    }
    assert!(!left.is_empty());
    let merged = merge(&rig).await;
    let proof = finding(merged.assert_exit(3).object(KEY), "proof").clone();
    assert!(proof["reason"]["detail"].as_str().unwrap().contains("--max-bytes are spent"), "{proof:#}");
    all_shares(&rig).await;
    let merged = merge(&rig).await;
    assert_eq!(merged.assert_exit(0).object(KEY)["verdict"], "pass");
    assert_eq!(merged.end()["proved"], 4);
}

/// One byte of another version, one value that another shard saw, or one run too few: nothing is proved.
#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_state_or_nothing() {
    type Change = fn(&mut Value);
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::Uniform(8 * MIB)).await;
    all_shares(&rig).await;
    let kept = rig.path("kept");
    copy(&rig.path("run"), &kept);
    let open: [(Change, &str, &str); 5] = [
        (
            |run| run["identity"]["etag"] = json!("\"00000000000000000000000000000000-25\""),
            "changed",
            "run 3 of 7 is of another state",
        ),
        (
            |run| run["references"][0]["value"] = json!("AAAAAAAAAAA="),
            "changed",
            "S3 stated other values to the shard that read run 3",
        ),
        (|run| run["offset_bytes"] = json!(1), "protocol", "run 3 of 7 does not begin where the one before ends"),
        (|run| run["run"] = json!(7), "protocol", "the shards found different parts"),
        (
            |run| {
                run["reason"] = json!({"code": "read_failed", "detail": "the connection broke"});
                run["exit_code"] = json!(4);
            },
            "read_failed",
            "run 3 of 7, bytes 67108864–100663295: the connection broke",
        ),
    ];
    for (change, code, detail) in open {
        copy(&kept, &rig.path("run"));
        alter(&rig, is_run(3), change);
        if code == "read_failed" {
            for kind in ["audit", "summary"] {
                let worse = |line: &Value| line["type"] == kind && line["exit_code"] == 0;
                alter_some(&rig, worse, |line| line["exit_code"] = json!(4), is_run(3));
            }
        }
        let merged = merge(&rig).await;
        let proof = finding(merged.object(KEY), "proof");
        assert_eq!(proof["reason"]["code"], code, "{proof:#}");
        assert!(proof["reason"]["detail"].as_str().unwrap().contains(detail), "{proof:#}");
        assert!(merged.run.exit == Some(if code == "read_failed" { 4 } else { 3 }), "{:?}", merged.run.exit);
        assert_eq!((&merged.object(KEY)["verdict"], &merged.end()["proved"]), (&json!("unknown"), &json!(3)));
    }
    // A second result that read other bytes.
    copy(&kept, &rig.path("run"));
    all_shares(&rig).await;
    let first = std::cell::Cell::new(true);
    alter(
        &rig,
        |line| is_run(2)(line) && first.replace(false),
        |run| run["whole"]["crc64nvme"] = json!("AAAAAAAAAAA="),
    );
    let merged = merge(&rig).await;
    assert_eq!(finding(merged.assert_exit(3).object(KEY), "proof")["reason"]["code"], "unstable_read");
}

/// Replaces the results by those of another folder.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    drop(std::fs::remove_dir_all(to));
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// [`alter`] in the files that have a line that `has` fits.
fn alter_some(rig: &Rig, fits: impl Fn(&Value) -> bool, change: impl Fn(&mut Value), has: impl Fn(&Value) -> bool) {
    for entry in std::fs::read_dir(rig.path("run")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if lines.iter().any(&has) {
            lines.iter_mut().filter(|line| fits(line)).for_each(&change);
            let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
            std::fs::write(path, lines.join("\n") + "\n").unwrap();
        }
    }
}

/// An object without parts has runs of any size, and the MD5 over all of it stays open; one with nothing but such a value
/// is read by one share.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_cannot_show_is_said_before_it_is_read() {
    let rig = rig(ChecksumChoice::Default(Algorithm::Crc64Nvme), PartSizes::None).await;
    let shares = all_shares(&rig).await;
    let said = format!(
        "{}: the runs of parts that the shards read do not give etag; audit merge compares crc64nvme",
        target(KEY)
    );
    assert!(shares.iter().all(|share| share.run.stderr.contains(&said)), "{}", shares[0].run.stderr);
    let merged = merge(&rig).await;
    let one = merged.assert_exit(0).object(KEY);
    assert_eq!((&one["verdict"], &one["proof"]["by"]), (&json!("pass"), &json!(["crc64nvme"])));
    assert_eq!(finding(one, "etag")["reason"]["code"], "not_joined");

    let serial = self::rig(ChecksumChoice::None, PartSizes::None).await;
    let shares = all_shares(&serial).await;
    assert_eq!(shares.iter().map(|share| share.of_type("audited_run").count()).sum::<usize>(), 0);
    assert_eq!(merge(&serial).await.assert_exit(0).object(KEY)["verdict"], "pass");
    // Only an audit of bytes that several shards run is divided.
    for (args, problem) in [
        (&["--split", "1GiB", "--level", "bytes"][..], "--shard"),
        (&["--split", "1GiB", "--shard", "1/2"], "only the level `bytes` reads objects"),
    ] {
        let run = rig.server.run(&[&["audit", "s3://archive"], args].concat()).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{}", run.stderr);
    }
}

/// What only `audit merge` can compare is not read if it is not kept.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_not_read_without_a_place_for_their_digests() {
    let rig = rig(ChecksumChoice::None, PartSizes::Uniform(8 * MIB)).await;
    let text = async |args: &[&str]| {
        rig.lab.clear_calls();
        let mut command = rig.server.command();
        command.args(["audit", "s3://archive", "--shard", "1/2"]).args(args);
        Run::of(command).await
    };
    let ledger = rig.text("own.db");
    let refused =
        "--split: `audit merge` needs what each shard read of the large objects; add --results PLACE, or --json";
    for more in [&[][..], &["--ledger", &ledger]] {
        let run = text(&[&["--split", "32MiB", "--level", "bytes"], more].concat()).await;
        assert!(run.assert_exit(2).stderr.contains(refused), "{run:?}");
        assert!(rig.lab.calls().is_empty(), "before the first request");
    }
    let said = "--shard: nothing of this share is kept for `audit merge`; --results PLACE keeps it, or --json";
    for (more, is_said) in [(&[][..], true), (&["--ledger", &ledger], false), (&["--json"], false)] {
        assert_eq!(text(more).await.stderr.contains(said), is_said, "{more:?}");
    }
}
