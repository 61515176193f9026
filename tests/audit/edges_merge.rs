//! Shards that contradict themselves.

use serde_json::{Value, json};
use stored_ami_lab::{Fault, FaultRule, Operation};

use crate::rig::{Audited, BUCKET, Rig, key, target};

/// Two shards of an audit: one without problems, and one with a damaged object.
async fn shards() -> (Rig, [Vec<Value>; 2]) {
    let rig = Rig::with(12).await;
    rig.lab.damage(BUCKET, &key(5), 1, 1).unwrap();
    let mut shards = [Vec::new(), Vec::new()];
    for (index, lines) in shards.iter_mut().enumerate() {
        let share = format!("{}/2", index + 1);
        let run = rig.server.run(&["audit", "s3://archive/p", "--level", "bytes", "--shard", &share]).await;
        *lines = run.lines();
    }
    if shards[0].iter().any(|line| line["target"] == target(&key(5)).as_str()) {
        shards.reverse();
    }
    (rig, shards)
}

fn line(lines: &mut [Value], fits: impl Fn(&Value) -> bool) -> &mut Value {
    lines.iter_mut().find(|line| fits(line)).unwrap()
}

fn of_type(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["type"] == kind
}

fn failed(line: &Value) -> bool {
    line["type"] == "audited" && line["verdict"] == "fail"
}

fn passed(line: &Value) -> bool {
    line["type"] == "audited" && line["verdict"] == "pass"
}

fn finding<'a>(one: &'a mut Value, check: &str) -> &'a mut Value {
    let mut findings = one["findings"].as_array_mut().unwrap().iter_mut();
    findings.find(|finding| finding["check"] == check).unwrap()
}

type Forgery = (&'static str, fn(&mut [Vec<Value>; 2]), &'static str);

/// Forgeries with the goal of exit code 0.
fn forgeries() -> Vec<Forgery> {
    vec![
        ("a fail with exit code 0", |s| line(&mut s[1], failed)["exit_code"] = json!(0), "give exit code 1"),
        (
            "a fail that is told nowhere else",
            |s| {
                line(&mut s[1], failed)["exit_code"] = json!(0);
                line(&mut s[1], of_type("audit"))["exit_code"] = json!(0);
                line(&mut s[1], of_type("summary"))["exit_code"] = json!(0);
            },
            "give exit code 1",
        ),
        (
            "a failed finding under pass",
            |s| {
                let one = line(&mut s[1], failed);
                (one["verdict"], one["exit_code"]) = (json!("pass"), json!(0));
            },
            "give exit code 1",
        ),
        (
            "problems under exit 0",
            |s| line(&mut s[0], of_type("audit"))["problems"] = json!(["s3://archive could not be listed"]),
            "reports problems",
        ),
        ("a summary of 1", |s| line(&mut s[0], of_type("summary"))["exit_code"] = json!(1), "its summary"),
        ("a summary of 4", |s| line(&mut s[0], of_type("summary"))["exit_code"] = json!(4), "its summary"),
        ("an end of 4", |s| line(&mut s[0], of_type("audit"))["exit_code"] = json!(4), "its summary"),
        ("no summary", |s| s[0].retain(|line| line["type"] != "summary"), "has no summary"),
        ("facts among bytes", |s| line(&mut s[0], passed)["examined"] = json!("facts"), "at level facts"),
        (
            "a bare line of facts",
            |s| {
                let one = line(&mut s[0], passed);
                (one["examined"], one["verdict"]) = (json!("facts"), json!("unknown"));
                one["proof"] = Value::Null;
            },
            "at level facts",
        ),
        (
            "bytes that nothing proves",
            |s| {
                let one = line(&mut s[0], passed);
                (one["proof"], one["verdict"]) = (Value::Null, json!("unknown"));
            },
            "nothing proves it",
        ),
        (
            "a line of no findings in place of one that was examined",
            |s| {
                let one = line(&mut s[0], passed);
                one.as_object_mut().unwrap().retain(|name, _| !["examined", "identity", "proof"].contains(&&**name));
                (one["findings"], one["verdict"]) = (json!([]), json!("unknown"));
                let end = line(&mut s[0], of_type("audit"));
                let examined = end["examined"].as_u64().unwrap();
                (end["left"], end["examined"]) = (json!(1), json!(examined - 1));
            },
            "no finding says why",
        ),
        (
            "a level of another name",
            |s| {
                for lines in s {
                    for one in lines.iter_mut().filter(|one| one["type"] == "audited") {
                        one["examined"] = json!("Bytes");
                    }
                    line(lines, of_type("audit"))["level"] = json!("Bytes");
                }
            },
            "unknown variant `Bytes`",
        ),
        (
            "a value that was not observed",
            |s| finding(line(&mut s[0], passed), "crc64nvme")["observed"] = json!("AAAAAAAAAAA="),
            "not what was expected",
        ),
        (
            "a value over some bytes",
            |s| finding(line(&mut s[0], passed), "crc64nvme")["covered_bytes"] = json!(5),
            "it passes over 5 of 2000 bytes",
        ),
        (
            "a proof by nothing known",
            |s| line(&mut s[0], passed)["proof"]["by"] = json!(["magic"]),
            "a proof by `magic`",
        ),
        (
            "another AMI",
            |s| line(&mut s[0], passed)["identity"]["ami_id"] = json!("ami-1a2b3c4d"),
            "its identity of ami-1a2b3c4d",
        ),
        ("time that ran back", |s| line(&mut s[0], of_type("audit"))["elapsed_seconds"] = json!(-5), "elapsed_seconds"),
        (
            "a count that no audit reaches",
            |s| line(&mut s[0], of_type("audit"))["listed"] = json!(u64::MAX),
            "more than there can be",
        ),
        (
            "another count of what was listed",
            |s| line(&mut s[1], of_type("audit"))["listed"] = json!(11),
            "counts another listing",
        ),
        (
            "a policy that was asked of nothing",
            |s| {
                for lines in s {
                    line(lines, of_type("audit"))["policy_sha256"] = json!("00");
                }
            },
            "no line was checked with it",
        ),
        (
            "findings left out",
            |s| line(&mut s[0], passed)["findings"] = json!([]),
            "no finding says that every byte was proved",
        ),
        (
            "a proof where the line fails",
            |s| {
                let proof = line(&mut s[0], passed)["proof"].clone();
                line(&mut s[1], failed)["proof"] = proof;
            },
            "contradicts",
        ),
        (
            "a narrower scope",
            |s| {
                for lines in s {
                    line(lines, of_type("audit"))["scope"] = json!(["s3://archive/p1"]);
                }
            },
            "is outside",
        ),
        ("a verdict of its own", |s| line(&mut s[0], passed)["verdict"] = json!("good"), "unknown variant `good`"),
        ("a verdict in capitals", |s| line(&mut s[0], passed)["verdict"] = json!("PASS"), "unknown variant `PASS`"),
        (
            "a finding with a verdict of its own",
            |s| finding(line(&mut s[1], failed), "proof")["verdict"] = json!("passed"),
            "unknown variant `passed`",
        ),
        ("an exit code of its own", |s| line(&mut s[0], of_type("audit"))["exit_code"] = json!(9), "expected 0, 1, 2"),
        (
            "a check of another name",
            |s| finding(line(&mut s[1], failed), "proof")["check"] = json!("proven"),
            "`proven`",
        ),
        ("a shard that is none", |s| line(&mut s[0], of_type("audit"))["shard"] = json!("3/2"), "`3/2` is not a share"),
        ("more proved than there are", |s| line(&mut s[0], of_type("audit"))["proved"] = json!(99), "proved is 99"),
        (
            "a line of another command",
            |s| {
                let error =
                    json!({"schema": "stored-ami/1", "type": "error", "target": "x", "message": "y", "exit_code": 4});
                s[0].insert(0, error);
            },
            "that no audit writes",
        ),
        (
            "a line behind the summary",
            |s| {
                let again = s[0][0].clone();
                s[0].push(again);
            },
            "has lines after its summary",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_contradicts_itself_is_refused_by_name() {
    let (rig, shards) = shards().await;
    let merge = async |shards: &[Vec<Value>; 2]| {
        let files = ["a.jsonl", "b.jsonl"];
        for (file, lines) in files.iter().zip(shards) {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            std::fs::write(rig.path(file), lines.join("\n")).unwrap();
        }
        rig.server.run(&["audit", "merge", &rig.text(files[0]), &rig.text(files[1])]).await
    };
    merge(&shards).await.assert_exit(1);
    for (what, forge, problem) in forgeries() {
        let mut forged = shards.clone();
        forge(&mut forged);
        let run = merge(&forged).await;
        assert_eq!(run.exit, Some(2), "{what}: {run:?}");
        assert!(run.stderr.contains(problem) && run.stderr.contains(".jsonl"), "{what}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{what}");
    }
    // The message names the line as well as the file.
    let mut forged = shards.clone();
    line(&mut forged[1], failed)["exit_code"] = json!(0);
    let run = merge(&forged).await;
    assert!(run.stderr.contains("b.jsonl") && run.stderr.contains(&target(&key(5))), "{}", run.stderr);
}

/// Every kind of line that an audit writes: proved, damaged, empty, gone, replaced, locked, and judged by a policy.
#[tokio::test(flavor = "multi_thread")]
async fn the_shards_of_real_audits_come_together() {
    let rig = Rig::with(12).await;
    rig.lab.damage(BUCKET, &key(5), 1, 1).unwrap();
    rig.server.put(BUCKET, &key(20), &[], None).await;
    rig.server.put(BUCKET, &key(21), &[7; 100], None).await;
    // One object with a weak ETag, and one without: their proofs cannot be recorded.
    for (number, fault) in
        [(23, Fault::OtherHeader { name: "etag", value: "W/\"abc\"".to_owned() }), (24, Fault::HeaderAbsent("etag"))]
    {
        rig.put(&key(number), number, 2_000).await;
        for operation in [Operation::HeadObject, Operation::GetObject] {
            rig.lab.script(FaultRule::new(operation, fault.clone()).key_contains(&key(number)).always());
        }
    }
    let mib = vec![3; 5 << 20];
    rig.server.multipart(BUCKET, &key(22), &[&mib, b"tail"], None).await;
    let policy = rig.text("p.toml");
    let demands = "[bucket]\nversioning = true\n[object]\nstorage-classes = [\"STANDARD\"]\nproof-age = \"90d\"\n";
    std::fs::write(&policy, demands).unwrap();
    let ledger = rig.text("l.db");
    let runs = [
        ("facts", &[][..]),
        ("bytes", &[]),
        ("facts", &["--ledger", &ledger]),
        ("bytes", &["--ledger", &ledger, "--policy", &policy]),
        ("sample", &["--ledger", &ledger, "--max-age", "0h"]),
        ("facts", &["--ledger", &ledger, "--policy", &policy, "--max-age", "0h"]),
        ("bytes", &["--ledger", &ledger]),
        ("facts", &["--ledger", &ledger, "--max-bytes", "1"]),
        ("bytes", &["--ledger", &ledger, "--max-age", "0h", "--max-bytes", "1"]),
    ];
    for (merged, (level, more)) in runs.into_iter().enumerate() {
        if merged == 5 {
            rig.delete(&key(1)).await;
            rig.put(&key(2), 77, 2_100).await;
            rig.server.put(BUCKET, &key(3), &[1; 50], None).await;
        }
        let mut files = Vec::new();
        for share in ["1/2", "2/2"] {
            let args = [&["audit", "s3://archive/p", "--level", level, "--shard", share], more].concat();
            let run = rig.server.run(&args).await;
            files.push(rig.text(&format!("{}.jsonl", &share[..1])));
            std::fs::write(files.last().unwrap(), &run.stdout).unwrap();
        }
        let run = Audited::of(rig.server.run(&["audit", "merge", &files[0], &files[1]]).await);
        assert_ne!(run.run.exit, Some(2), "{level} {more:?}: {}", run.run.stderr);
        if level == "bytes" && merged < 5 {
            for number in [23, 24] {
                let one = run.object(&key(number));
                assert_eq!((&one["proof"], one.pointer("/findings/2/verdict")), (&Value::Null, Some(&json!("pass"))));
            }
        }
    }
}
