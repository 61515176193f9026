//! Shares that batch engines number, and their results in a place that all of them write to.

use aws_sdk_s3::types::ChecksumAlgorithm;
use serde_json::Value;
use stored_ami_lab::{BucketOptions, Fault, FaultRule, Operation};

use crate::common::{Run, Server, data};
use crate::rig::{Audited, BUCKET, Rig, key, target};

/// Runs a share with the variables of a batch engine.
async fn task(rig: &Rig, variables: &[(&str, &str)], place: &str, more: &[&str]) -> Run {
    let mut command = rig.server.command();
    command.envs(variables.iter().copied());
    command.args(["audit", "s3://archive", "--level", "bytes", "--results", place, "--json"]).args(more);
    Run::of(command).await
}

async fn share(rig: &Rig, share: &str, place: &str, more: &[&str]) -> Run {
    task(rig, &[], place, &[&["--shard", share], more].concat()).await
}

async fn merge(rig: &Rig, more: &[&str]) -> Run {
    rig.server.run(&[&["audit", "merge"], more].concat()).await
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn each_engine_gives_the_shares_and_merge_finds_them() {
    let rig = Rig::with(12).await;
    rig.lab.damage(BUCKET, &key(5), 1, 1).unwrap();
    let whole = Audited::of(rig.server.run(&["audit", "s3://archive", "--level", "bytes"]).await);
    let slurm = |id: &'static str| {
        vec![
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", "7"),
            ("SLURM_ARRAY_TASK_MAX", "8"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
        ]
    };
    let batch = |index| vec![("AWS_BATCH_JOB_ARRAY_INDEX", index), ("AWS_BATCH_JOB_ARRAY_SIZE", "2")];
    for (engine, tasks, said) in [
        ("slurm", [slurm("7"), slurm("8")], "shard 2/2: SLURM_ARRAY_TASK_ID=8, a job array of Slurm"),
        ("aws-batch", [batch("0"), batch("1")], "shard 2/2: AWS_BATCH_JOB_ARRAY_INDEX=1, an array job of AWS Batch"),
        ("kubernetes", [vec![("JOB_COMPLETION_INDEX", "0")], vec![("JOB_COMPLETION_INDEX", "1")]], "an indexed Job"),
        ("gnu-parallel", [vec![("PARALLEL_SEQ", "1")], vec![("PARALLEL_SEQ", "2")]], "PARALLEL_SEQ=2, GNU parallel"),
    ] {
        let place = rig.text(engine);
        let mut last = None;
        for variables in &tasks {
            let run = task(&rig, variables, &place, &["--shard", "auto/2"]).await;
            assert_eq!(Audited::of(run.clone()).end()["shard_from"], engine);
            last = Some(run);
        }
        let last = last.unwrap();
        assert!(last.stderr.contains(said), "{engine}: {}", last.stderr);
        assert_eq!(last.lines().last().unwrap()["files_written"][0]["kind"], "shard_result");
        let written = names(&rig.path(engine));
        assert_eq!(written.len(), 3, "{written:?}");
        assert!(written[0] == "plan.json" && written[1].starts_with("shard-1-of-2-"), "{written:?}");
        for _ in 0..2 {
            let merged = Audited::of(merge(&rig, &[&place]).await);
            assert_eq!(merged.assert_exit(1).named(), whole.named(), "{engine}");
            for field in ["listed", "examined", "proved", "objects", "listing_sha256"] {
                assert_eq!(merged.end()[field], whole.end()[field], "{field}");
            }
            for field in ["shard", "shard_from", "plan_sha256"] {
                assert_eq!(merged.end()[field], Value::Null, "{field}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_do_not_make_up_the_shares_send_nothing() {
    let rig = Rig::with(1).await;
    rig.lab.clear_calls();
    let place = rig.text("run");
    for (variables, problem) in [
        (&[][..], "--shard auto/2: no batch engine is found"),
        (&[("JOB_COMPLETION_INDEX", "0"), ("PARALLEL_SEQ", "1")], "more than one batch engine is found"),
        (&[("PARALLEL_SEQ", "3")], "PARALLEL_SEQ is 3"),
        (&[("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")], "ARRAY_SIZE is 4"),
        (
            &[
                ("SLURM_ARRAY_TASK_ID", "0"),
                ("SLURM_ARRAY_TASK_MIN", "0"),
                ("SLURM_ARRAY_TASK_MAX", "2"),
                ("SLURM_ARRAY_TASK_COUNT", "2"),
            ],
            "an array with a step",
        ),
    ] {
        let run = task(&rig, variables, &place, &["--shard", "auto/2"]).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{}", run.stderr);
    }
    for place in ["s3://archive/runs/1", "s3://archive/p"] {
        let run = share(&rig, "1/2", place, &[]).await;
        assert!(run.assert_exit(2).stderr.contains("s3://archive/ is audited"), "{}", run.stderr);
    }
    assert_eq!(rig.lab.calls().len(), 0);
    assert!(!rig.path("run").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn results_in_a_bucket_belong_to_one_plan() {
    let rig = Rig::with(9).await;
    rig.server.bucket("results").await;
    let place = "s3://results/weekly/1";
    for index in ["1/3", "3/3"] {
        let run = share(&rig, index, place, &[]).await;
        assert!(run.assert_exit(0).stderr.contains("s3://results/weekly/1/shard-"), "{}", run.stderr);
    }
    let run = merge(&rig, &[place]).await;
    assert!(run.assert_exit(2).stderr.contains("shards 2/3 are missing"), "{}", run.stderr);
    // Another run is refused before anything is read.
    rig.lab.clear_calls();
    let run = share(&rig, "2/3", place, &["--max-age", "7d", "--ledger", &rig.text("l.db")]).await;
    assert!(run.assert_exit(2).stderr.contains("another run, with another max_age_seconds"), "{}", run.stderr);
    let run = share(&rig, "2/4", place, &[]).await;
    assert!(run.assert_exit(2).stderr.contains("with another shards"), "{}", run.stderr);
    assert_eq!(rig.calls(Operation::ListObjectsV2) + rig.calls(Operation::PutObject), 0);
    share(&rig, "2/3", place, &[]).await.assert_exit(0);
    let merged = Audited::of(merge(&rig, &[place]).await);
    assert_eq!((&merged.assert_exit(0).end()["objects"], &merged.end()["proved"]), (&9.into(), &9.into()));
    // A place without a result, and one that may not be written.
    let run = merge(&rig, &["s3://results/none"]).await;
    assert!(run.assert_exit(2).stderr.contains("holds no result of a shard"), "{}", run.stderr);
    rig.lab.deny(stored_ami_lab::Deny::action("s3:PutObject"));
    rig.lab.clear_calls();
    let run = share(&rig, "1/3", "s3://results/other", &[]).await;
    assert!(run.assert_exit(4).stderr.contains("s3:PutObject"), "{}", run.stderr);
    assert_eq!(rig.calls(Operation::ListObjectsV2), 0);
}

/// All shards write the plan at once. A result that cannot be written is kept, because its bytes were read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_not_lost_with_a_place_that_refuses_it() {
    let rig = Rig::with(3).await;
    rig.server.bucket("results").await;
    let conflict = Fault::Status { status: 409, code: "ConditionalRequestConflict" };
    for name in ["plan.json", "shard-"] {
        rig.lab.script(FaultRule::new(Operation::PutObject, conflict.clone()).key_contains(name));
    }
    share(&rig, "1/1", "s3://results/1", &[]).await.assert_exit(0);
    merge(&rig, &["s3://results/1"]).await.assert_exit(0);
    let denied = Fault::Status { status: 403, code: "AccessDenied" };
    rig.lab.script(FaultRule::new(Operation::PutObject, denied).key_contains("shard-").always());
    let folder = rig.text("tmp");
    std::fs::create_dir(&folder).unwrap();
    let shard = ["--shard", "1/1"];
    let run = task(&rig, &[("TMPDIR", &folder)], "s3://results/2", &shard).await;
    assert!(run.assert_exit(4).stderr.contains("s3:PutObject"), "{}", run.stderr);
    let kept = names(&rig.path("tmp"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    let kept = rig.path("tmp").join(&kept[0]).to_str().unwrap().to_owned();
    assert!(run.stderr.contains(&format!("it is kept in {kept}")), "{}", run.stderr);
    let merged = Audited::of(merge(&rig, &[&kept]).await);
    assert_eq!(merged.assert_exit(0).end()["proved"], 3);
    // One that was written leaves nothing.
    rig.lab.clear_script();
    task(&rig, &[("TMPDIR", &folder)], "s3://results/2", &shard).await.assert_exit(0);
    assert_eq!(names(&rig.path("tmp")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_results_of_a_share_the_worse_stands() {
    let rig = Rig::with(8).await;
    let place = rig.text("run");
    let shares = ["1/2", "2/2"];
    let damaged = key(3);
    rig.lab.damage(BUCKET, &damaged, 1, 1).unwrap();
    for index in shares {
        share(&rig, index, &place, &[]).await;
    }
    rig.lab.replace(BUCKET, &damaged, data(4, 2_000)).unwrap();
    for index in shares {
        share(&rig, index, &place, &[]).await.assert_exit(0);
    }
    let merged = Audited::of(merge(&rig, &[&place]).await);
    let named = merged.assert_exit(1).named();
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].starts_with(&target(&damaged)), "{named:?}");
    let end = merged.end();
    assert_eq!((&end["objects"], &end["examined"], &end["proved"]), (&8.into(), &8.into(), &7.into()));
    let notes = end["notes"].to_string();
    for name in names(&rig.path("run")).iter().filter(|name| name.starts_with("shard-")) {
        assert!(notes.contains(name.as_str()), "{name} in {notes}");
    }
    // A share that is not whole has no result: its task can be started again.
    let before = names(&rig.path("run")).len();
    rig.lab.deny(stored_ami_lab::Deny::action("s3:ListBucket"));
    let run = share(&rig, "1/2", &place, &[]).await;
    assert!(run.assert_exit(4).stderr.contains("no result of shard 1/2 was written"), "{}", run.stderr);
    assert_eq!(names(&rig.path("run")).len(), before);
}

/// A limit ends a share early, and its task is started again with more time: the second result is the whole one.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_stopped_at_a_limit_yields_to_a_whole_one() {
    let rig = Rig::with(8).await;
    let place = rig.text("run");
    let stopped = Audited::of(share(&rig, "1/2", &place, &["--max-bytes", "1"]).await);
    assert!(stopped.assert_exit(3).end()["left"].as_u64().unwrap() > 0);
    share(&rig, "2/2", &place, &[]).await.assert_exit(0);
    // Alone, it leaves objects open.
    let merged = Audited::of(merge(&rig, &[&place]).await);
    assert_eq!(merged.assert_exit(3).end()["left"], stopped.end()["left"]);
    share(&rig, "1/2", &place, &[]).await.assert_exit(0);
    let merged = Audited::of(merge(&rig, &[&place]).await);
    let end = merged.assert_exit(0).end();
    let counts = ["objects", "examined", "left", "proved"].map(|name| end[name].as_u64().unwrap());
    assert_eq!(counts, [8, 8, 0, 8]);
    let notes = end["notes"].to_string();
    assert!(notes.contains("shard 1/2 has two results"), "{notes}");
    // It does not hide damage that the stopped one saw.
    rig.lab.damage(BUCKET, &key(3), 1, 1).unwrap();
    let first = share(&rig, "1/2", &place, &[]).await.exit == Some(1);
    let index = if first { "1/2" } else { "2/2" };
    share(&rig, index, &place, &[]).await.assert_exit(1);
    share(&rig, index, &place, &["--max-bytes", "1"]).await;
    let named = Audited::of(merge(&rig, &[&place]).await).assert_exit(1).named();
    assert!(named.len() == 1 && named[0].starts_with(&target(&key(3))), "{named:?}");
}

/// The user who merges may be another one than those who ran the shares.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_folder_are_for_everyone_whom_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt as _;
    let rig = Rig::with(2).await;
    let place = rig.text("run");
    share(&rig, "1/1", &place, &[]).await.assert_exit(0);
    std::fs::write(rig.path("usual"), "").unwrap();
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode();
    let written = names(&rig.path("run"));
    assert_eq!(written.len(), 2, "{written:?}");
    for name in &written {
        assert_eq!(mode(rig.path("run").join(name)), mode(rig.path("usual")), "{name}");
    }
    // What a killed task of the share left goes with the next result.
    let left = [".shard-1-of-1-20260101T000000Z-00000000.jsonl.abcdef.unfinished", ".plan.json.abcdef.unfinished"];
    left.iter().for_each(|name| std::fs::write(rig.path("run").join(name), "x").unwrap());
    std::fs::remove_file(rig.path("run").join("plan.json")).unwrap();
    share(&rig, "1/1", &place, &[]).await.assert_exit(0);
    let written = names(&rig.path("run"));
    assert!(written.len() == 3 && !written.iter().any(|name| name.starts_with('.')), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_in_other_regions_are_judged_over_all_shards() {
    let rig = Rig::with(6).await;
    let there = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("archive-eu", there).unwrap();
    let eu = Server::new(&rig.lab.endpoint(), "eu-west-1", "test", "test");
    for number in 0..5 {
        let body = data(number + 1, 2_000);
        eu.put("archive-eu", &format!("copy/ami-{number:017x}.bin"), &body, Some(ChecksumAlgorithm::Crc64Nvme)).await;
    }
    // A damaged object is no copy.
    rig.lab.damage("archive-eu", "copy/ami-00000000000000002.bin", 1, 1).unwrap();
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nother-region = true\n").unwrap();
    let audit = ["audit", "s3://archive", "s3://archive-eu", "--level", "bytes", "--policy", &policy];
    let whole = Audited::of(rig.server.run(&audit).await);
    let place = rig.text("run");
    for index in ["1/3", "2/3", "3/3"] {
        let args = ["--shard", index, "--results", &place];
        let run = Audited::of(rig.server.run(&[&audit[..], &args].concat()).await);
        assert_eq!(run.end()["regions"]["archive-eu"], "eu-west-1");
    }
    let merged = Audited::of(merge(&rig, &[&place]).await);
    let named = merged.assert_exit(1).named();
    assert_eq!(named, whole.assert_exit(1).named());
    assert!(named.contains(&format!("{}: other-region fail", target(&key(5)))), "{named:?}");
    assert!(named.contains(&format!("{}: other-region fail", target(&key(2)))), "{named:?}");
    let verdicts = |run: &Audited| {
        let line = |line: &Value| (line["target"].to_string(), line["verdict"].clone(), line["findings"].clone());
        let mut all: Vec<_> = run.of_type("audited").map(line).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    assert_eq!(verdicts(&merged), verdicts(&whole));
    assert_eq!(merged.end()["regions"], Value::Null);
    // A prefix that is empty stays unknown, although nothing else is.
    let place = rig.text("empty");
    let alone = ["audit", "s3://archive/nothing", "--policy", &policy, "--shard", "1/1", "--results", &place];
    rig.server.run(&alone).await.assert_exit(3);
    merge(&rig, &[&place]).await.assert_exit(3);
}

/// What each share may use as a reference is part of the plan and of the end of its result.
#[tokio::test(flavor = "multi_thread")]
async fn shares_of_two_plans_are_not_merged() {
    let rig = Rig::with(4).await;
    let (one, two) = (rig.text("one"), rig.text("two"));
    share(&rig, "1/2", &one, &[]).await;
    share(&rig, "2/2", &two, &["--using", "tags"]).await;
    let run = merge(&rig, &[&one, &two]).await;
    assert!(run.assert_exit(2).stderr.contains("another set of references (--using)"), "{run:?}");
    // Without a place, the end of each shard states it.
    let mut files = Vec::new();
    for (index, using) in [("1/2", &["--using", "metadata,tags"][..]), ("2/2", &[])] {
        let args = [&["audit", "s3://archive", "--level", "bytes", "--shard", index], using].concat();
        let run = Audited::of(rig.server.run(&args).await);
        let stated = if using.is_empty() { Value::Null } else { serde_json::json!(["metadata", "tags"]) };
        assert_eq!(run.end()["using"], stated);
        files.push(rig.text(&index.replace('/', "-")));
        std::fs::write(files.last().unwrap(), &run.run.stdout).unwrap();
    }
    let run = merge(&rig, &[&files[0], &files[1]]).await;
    assert!(run.assert_exit(2).stderr.contains("another set of references (--using)"), "{run:?}");
}

/// One line after the other is read, written and forgotten, and so is the page.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_many_objects_shows_the_worst_and_has_a_table_beside_it() {
    const OBJECTS: u64 = 10_050;
    let rig = Rig::with(1).await;
    rig.delete(&key(0)).await;
    rig.put("p/ami-00000000.bin", 1, 2_000).await;
    let run = rig.server.run(&["audit", "s3://archive", "--shard", "1/1"]).await;
    let mut lines = run.lines();
    let one = lines.remove(0);
    for line in &mut lines {
        for name in ["listed", "objects", "examined", "targets", "unknown"] {
            if line[name].is_u64() {
                line[name] = OBJECTS.into();
            }
        }
    }
    let mut text = String::new();
    for number in 0..OBJECTS {
        text += &one.to_string().replace("ami-00000000", &format!("ami-{number:08x}"));
        text.push('\n');
    }
    lines.iter().for_each(|line| text += &format!("{line}\n"));
    std::fs::write(rig.path("1.jsonl"), text).unwrap();
    let (page, table) = (rig.text("a.html"), rig.text("a.html.csv"));
    let foreign = "my own table";
    std::fs::write(&table, foreign).unwrap();
    let run = merge(&rig, &[&rig.text("1.jsonl"), "--report", &page]).await;
    assert!(run.assert_exit(2).stderr.contains("a.html.csv: exists and is not a CSV table"), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&table).unwrap(), foreign);
    std::fs::remove_file(&table).unwrap();
    let run = Audited::of(merge(&rig, &[&rig.text("1.jsonl"), "--report", &page]).await);
    assert_eq!(run.assert_exit(0).end()["objects"], OBJECTS);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.len() < 4_000_000, "{} bytes", text.len());
    assert_eq!(text.matches("<th scope=\"row\">").count(), 10_000);
    assert!(text.contains("… and 50 more of 10,050, none of them worse; all of them are in <a href=\"a.html.csv\">"));
    assert_eq!(std::fs::read_to_string(&table).unwrap().lines().count() as u64, OBJECTS + 1);
    let written = run.of_type("summary").next().unwrap()["files_written"].to_string();
    assert!(written.contains("a.html.csv") && written.contains("\"csv\""), "{written}");
}

/// An output is never a file of the run, in a folder that is merged or written to.
#[tokio::test(flavor = "multi_thread")]
async fn outputs_spare_the_plan_and_the_results() {
    let rig = Rig::with(3).await;
    let folder = rig.path("run");
    let place = folder.to_str().unwrap();
    let plan = folder.join("plan.json");
    std::fs::create_dir(&folder).unwrap();
    let refused = share(&rig, "1/1", place, &["--csv", plan.to_str().unwrap()]).await;
    assert!(refused.assert_exit(2).stderr.contains("is the same file as"), "{refused:?}");
    share(&rig, "1/1", place, &[]).await.assert_exit(0);
    let before: Vec<_> = names(&folder).iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect();
    for name in names(&folder) {
        for flag in ["--csv", "--report", "--junit"] {
            let output = folder.join(&name);
            let run = merge(&rig, &[place, flag, output.to_str().unwrap(), "--force"]).await;
            assert!(run.assert_exit(2).stderr.contains("is the same file as"), "{name} {run:?}");
        }
    }
    let after: Vec<_> = names(&folder).iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect();
    assert_eq!(after, before);
    // Another file beside them may be written again and again.
    let csv = folder.join("all.csv");
    for _ in 0..2 {
        merge(&rig, &[place, "--csv", csv.to_str().unwrap()]).await.assert_exit(0);
    }
}
