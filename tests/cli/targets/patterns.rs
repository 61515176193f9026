use stored_ami_lab::Operation;

use super::rig::{Rig, bare};
use crate::common::Run;

const KEYS: [&str; 6] = [
    "2026/ami-0000000000000001a.bin",
    "2026/ami-0000000000000001b.bin",
    "2026/deep/ami-0000000000000001c.bin",
    "2026/notes.bin",
    "ami-0000000000000001d.bin",
    "odd/[a]*?.bin",
];

async fn filled() -> Rig {
    let rig = Rig::new(None).await;
    for key in KEYS {
        rig.server.put("archive", key, key.as_bytes(), None).await;
    }
    rig.lab.clear_calls();
    rig
}

fn keys(run: &Run) -> Vec<String> {
    let lines = run.lines();
    let reports = lines.iter().filter(|line| line["type"] != "summary" && line["type"] != "error");
    reports.map(|line| line["target"].as_str().unwrap().replace("s3://archive/", "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_and_prefixes_name_listed_objects() {
    let rig = filled().await;
    for (args, found) in [
        (&["--glob", "s3://archive/2026/*.bin"][..], &[0, 1, 3][..]),
        (&["--glob", "s3://archive/**/ami-*.bin"], &[0, 1, 2, 4]),
        (&["--glob", "s3://archive/2026/ami-*[ab].bin"], &[0, 1]),
        (&["--glob", "s3://archive/odd/[[]a][*][?].bin"], &[5]),
        (&["--prefix", "s3://archive/2026/"], &[0, 1, 2]),
        (&["--prefix", "s3://archive"], &[0, 1, 2, 4]),
        (&["--prefix", "s3://archive/2026/", "--all-keys"], &[0, 1, 2, 3]),
        // Each object once, in the order of the patterns.
        (&["--prefix", "s3://archive/ami-", "s3://archive/"], &[4, 0, 1, 2]),
    ] {
        let found: Vec<&str> = found.iter().map(|at| KEYS[*at]).collect();
        for command in ["inspect", "verify"] {
            let run = rig.server.run(&[&[command], args].concat()).await;
            assert_eq!(keys(run.assert_exit(0)), found, "{args:?}");
        }
    }
    let run = rig.server.run(&["cost", "--prefix", "s3://archive/2026/"]).await;
    assert_eq!(keys(&run), KEYS[..3], "{run:?}");
    assert!(rig.calls().contains(&Operation::ListObjectsV2));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_match_ends_with_4() {
    let rig = filled().await;
    for (args, message) in [
        (&["--glob", "s3://archive/2027/*"][..], "no key matches"),
        (&["--prefix", "s3://archive/2026/notes"], "no ami-….bin object has a key with this prefix, and 1 others do"),
        (&["--prefix", "s3://archive/x", "--all-keys"], "no object has a key with this prefix"),
        (&["--prefix", "s3://no-such-bucket"], "there is no such bucket"),
    ] {
        let run = rig.server.run(&[&["verify"], args].concat()).await;
        let error = run.assert_exit(4).report();
        assert_eq!((&error["type"], &error["target"]), (&"error".into(), &args[1].into()));
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    // The other patterns are read all the same.
    let run = rig.server.run(&["verify", "--glob", "s3://archive/none*", "s3://archive/ami-*"]).await;
    assert_eq!(keys(run.assert_exit(4)), [KEYS[4]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_combined() {
    for (args, problem) in [
        (&["verify", "--glob", "x/*.bin"][..], "only objects in S3 are listed"),
        (&["verify", "--glob", "s3://b*/k"], "whole name of one bucket"),
        (&["verify", "--glob", "s3://b/[k"], "at character 0"),
        (&["verify", "--glob", "--prefix", "s3://b/k"], "cannot be used with"),
        (&["verify", "--all-keys", "s3://b/k"], "--prefix"),
        (&["verify", "--prefix", "s3://b/k", "--version-id", "none"], "cannot be used with"),
        (&["restore", "--glob", "s3://b/*", "--name", "x"], "--glob"),
        (&["store", "--prefix", "s3://b/"], "--prefix"),
    ] {
        let run = bare(args).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{args:?}: {run:?}");
    }
}
