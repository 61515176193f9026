//! A `verify` that is stopped, killed or rejected, and resumes with the same command and the same file.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{Run, Server, data};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Fault, FaultRule, Lab, LabOptions, Operation};

const KEY: &str = "ami-0123456789abcdef0.bin";
const TARGET: &str = "s3://archive/ami-0123456789abcdef0.bin";
const PART: usize = 400_009;
const PARTS: usize = 20;
const SIZE: u64 = (PART * PARTS) as u64;

struct Rig {
    lab: Lab,
    server: Server,
    folder: tempfile::TempDir,
}

impl Rig {
    async fn new(rate: Option<u64>) -> Self {
        let lab = Lab::start(LabOptions { rate, ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket("archive").await;
        let rig = Rig { lab, server, folder: tempfile::tempdir().unwrap() };
        rig.put(5).await;
        rig
    }

    async fn put(&self, seed: u64) {
        let bytes = data(seed, SIZE as usize);
        let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
        let checksum = Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite));
        self.server.multipart("archive", KEY, &parts, checksum).await;
        self.lab.clear_calls();
    }

    fn file(&self) -> String {
        self.folder.path().join("state.json").to_str().unwrap().to_owned()
    }

    async fn verify(&self, more: &[&str]) -> Run {
        let file = self.file();
        self.server.run(&[&["verify", TARGET, "--resume", &file, "--concurrency", "4"][..], more].concat()).await
    }

    fn sent(&self) -> u64 {
        let calls = self.lab.calls();
        calls.iter().filter(|call| call.operation == Operation::GetObject).map(|call| call.bytes_sent).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_bytes_ends_it_and_the_next_run_goes_on() {
    let rig = Rig::new(None).await;
    // Includes digests that are computed in order, whose state must be saved.
    let more = ["--digest", "sha512,crc32c", "--max-bytes", "2MB"];
    let mut covered = Vec::new();
    let last = loop {
        let run = rig.verify(&more).await;
        if run.exit == Some(0) {
            break run;
        }
        assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: limited");
        assert!(Path::new(&rig.file()).exists());
        covered.push(run.report()["stats"]["covered_bytes"].as_u64().unwrap());
        assert!(covered.len() < 9, "{covered:?}");
    };
    assert!(covered.len() >= 4 && covered.is_sorted_by(|a, b| a < b), "{covered:?}");
    assert_eq!(rig.sent(), SIZE, "each byte once over all runs");
    assert!(!Path::new(&rig.file()).exists(), "what is finished needs no state");
    assert_eq!(last.verdict("sha256"), "pass");
    assert_eq!(last.verdict("etag"), "pass");
    let notes = last.report()["notes"].to_string();
    assert!(notes.contains("were read by an earlier run"), "{notes}");
    let once = rig.server.run(&["verify", TARGET, "--digest", "sha512,crc32c"]).await;
    assert_eq!(once.report()["digests"], last.report()["digests"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_time_ends_it() {
    let rig = Rig::new(Some(3 << 20)).await;
    let started = Instant::now();
    let run = rig.verify(&["--max-time", "1s"]).await;
    assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: limited");
    assert!(started.elapsed() < Duration::from_secs(20));
    let covered = run.report()["stats"]["covered_bytes"].as_u64().unwrap();
    assert!((1..SIZE).contains(&covered), "{covered}");
    rig.verify(&["--max-time", "10m"]).await.assert_exit(0);
}

/// Each GET gets 50 kB/s, and a range takes 8 s.
#[tokio::test(flavor = "multi_thread")]
async fn time_ends_it_within_three_seconds_on_slow_connections() {
    let rig = Rig::new(None).await;
    let trickle = Fault::Trickle { after: 0, rate: 50_000 };
    rig.lab.script(FaultRule::new(Operation::GetObject, trickle).always());
    let args = ["--concurrency", "2", "--max-time", "1s"];
    let run = rig.server.run(&[&["verify", TARGET][..], &args].concat()).await;
    assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: limited");
    let report = run.report();
    let time = Duration::from_secs_f64(report["stats"]["elapsed_seconds"].as_f64().unwrap());
    // 3 s on a machine that is not busy.
    assert!((Duration::from_secs(1)..Duration::from_secs(7)).contains(&time), "{time:?}");
    assert_eq!(report["stats"]["covered_bytes"], 0, "bytes of unfinished ranges do not count: {report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("--range-size makes them smaller"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_loses_the_last_seconds_and_never_the_verdict() {
    let rig = Rig::new(Some(2 << 20)).await;
    let file = rig.file();
    let read_bytes = || {
        let text = std::fs::read_to_string(&file).ok()?;
        assert!(text.ends_with("}\n"), "whole or not there");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["checkpoint"]["read_bytes"].as_u64()
    };
    // The checkpoint is written at the start and every other second; the whole read takes about four.
    for at_least in [0, 1] {
        let mut command = rig.server.command();
        command.args(["verify", TARGET, "--resume", &file, "--concurrency", "4"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while read_bytes().is_none_or(|read| read < at_least) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(Path::new(&file).exists());
    let before = rig.sent();
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(0).verdict("sha256"), "pass");
    assert!(rig.sent() - before < SIZE, "not all of it again");
}

/// What is said to be kept is what the next run goes on from.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_says_what_is_kept() {
    let rig = Rig::new(None).await;
    let run = rig.verify(&["--max-bytes", "4MB"]).await;
    let covered = run.assert_exit(3).report()["stats"]["covered_bytes"].as_u64().unwrap();
    let file = rig.file();
    let kept = format!("kept in {file}: {} of 7.63 MiB, in complete ranges", stored_ami::units::ByteSize(covered));
    assert!(run.stderr.contains(&kept), "{kept}: {run:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let checkpoint: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(checkpoint["checkpoint"]["read_bytes"], covered);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_before_the_stop_fails_after_it() {
    let rig = Rig::new(None).await;
    rig.lab.damage("archive", KEY, 1_000_000, 1).unwrap();
    rig.verify(&["--max-bytes", "4MB"]).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).verdict("sha256"), "fail");
    assert_eq!(run.finding("sha256")["damage"][0]["part"], 3);
    assert_eq!(run.finding("sha256")["reads"], 2);
    assert!(!Path::new(&rig.file()).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_other_references_or_a_damaged_file_are_refused() {
    let rig = Rig::new(None).await;
    rig.verify(&["--max-bytes", "4MB"]).await.assert_exit(3);
    let refused = |run: &Run, why: &str| {
        assert_eq!(run.exit, Some(2), "{run:?}");
        let line = &run.lines()[0]["message"];
        assert!(line.as_str().unwrap().contains(why), "{line}");
        assert!(Path::new(&rig.file()).exists(), "the file is left as it is");
    };
    let before = rig.sent();
    refused(&rig.verify(&["--digest", "sha1"]).await, "for other references");
    let text = std::fs::read_to_string(rig.file()).unwrap();
    std::fs::write(rig.file(), text.replace("\"read_bytes\":", "\"read_bytes\":1")).unwrap();
    refused(&rig.verify(&[]).await, "damaged or was edited");
    std::fs::write(rig.file(), &text).unwrap();
    rig.put(6).await;
    refused(&rig.verify(&[]).await, "is of another object: its ETag was");
    assert_eq!(rig.sent(), 0, "nothing is read");
    assert!(before > 0);
    let two = rig.server.run(&["verify", TARGET, TARGET, "--resume", &rig.file()]).await;
    assert_eq!(two.exit, Some(2));
}
