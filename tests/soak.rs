//! Random runs from a seed: an object of any form, with or without damage, faults in transit, and a read that is
//! repeatedly stopped or killed, and resumed. Damaged objects never pass, intact objects never fail, and nothing leaks:
//! no open file, no memory.
//!
//! `SOAK_SEED=n` repeats a seed; `SOAK_RUNS=n` runs more of them.
#![allow(clippy::print_stdout, reason = "says what was played")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Server;
use fastrand::Rng;
use stored_ami::checkpoint::CheckpointFile;
use stored_ami::commands::verify::{VerifyOptions, verify};
use stored_ami::fetch::Quota;
use stored_ami::plan::{Concurrency, Limits};
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::source::{Context, ObjectSource as _, RetryPolicy, Session};
use stored_ami::units::{KIB, MIB};
use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{
    BucketOptions, CallRecord, ChecksumChoice, Encryption, Lab, LabOptions, PartSizes, SyntheticSpec, parse_faults,
};
use tokio_util::sync::CancellationToken;

const BUCKET: &str = "archive";
/// Memory that one verification in this process may leave in caches and pools, over all runs.
const MEMORY: u64 = 64 * MIB;
/// Open files of connections that are being closed.
const FILES: usize = 8;
const KEY: &str = "ami-0123456789abcdef0.bin";
const TARGET: &str = "s3://archive/ami-0123456789abcdef0.bin";
const NO_MD5: &str = "0123456789abcdef0123456789abcdef";
const RUNS: u64 = 24;
/// Number of rounds with disturbances, before the last one without.
const ROUNDS: usize = 5;

/// The parameters derived from one seed.
#[derive(Debug, Clone)]
struct Script {
    spec: SyntheticSpec,
    /// Whether the ETag is not an MD5, so that only a checksum remains.
    kms: bool,
    /// Offset of the byte changed at rest.
    damaged: Option<u64>,
    faults: Vec<String>,
    /// The round in which a bit changes in transit, if any. Only one round: the same change in two rounds could not be
    /// distinguished from damage, because the reads of rounds are compared with each other.
    flips_in: usize,
    connections: usize,
    memory: u64,
}

/// How a round ends before the read completes, if it does.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Killed { after_reads: usize },
    Cancelled { after_reads: usize },
    Spent { bytes: u64 },
    ByItself,
}

impl Script {
    fn new(random: &mut Rng) -> Self {
        let size = random.u64(1..12 * MIB);
        let part = random.u64(64 * KIB..2 * MIB);
        let parts = match random.u8(0..3) {
            0 => PartSizes::None,
            1 => PartSizes::Uniform(part),
            _ => {
                let mut left = size;
                let mut sizes = Vec::new();
                while left > 0 {
                    sizes.push(random.u64(1..=2 * part).min(left));
                    left -= sizes.last().unwrap();
                }
                PartSizes::Each(sizes)
            }
        };
        use ChecksumChoice::{Default, None, Typed};
        let checksum = match (random.u8(0..6), &parts) {
            (0, _) => None,
            (1, _) => Default(Algorithm::Crc64Nvme),
            (2, _) => Default(Algorithm::Crc32),
            (3, PartSizes::None) => Default(Algorithm::Sha256),
            (3, _) => Typed(Algorithm::Sha256, ChecksumType::Composite),
            (4, _) => Default(Algorithm::Sha1),
            (_, _) => Default(Algorithm::Crc32c),
        };
        let kms = checksum != None && random.bool();
        Script {
            kms,
            damaged: random.bool().then(|| random.u64(0..size)),
            faults: faults(random, size),
            flips_in: random.usize(0..ROUNDS),
            connections: random.usize(1..12),
            memory: random.u64(64..256) * MIB,
            spec: SyntheticSpec { size, parts, seed: random.u64(..), checksum },
        }
    }
}

/// Random faults of all kinds that a request can encounter.
fn faults(random: &mut Rng, size: u64) -> Vec<String> {
    let near = random.u64(0..size.min(300_000));
    let kinds = [
        r#"{"status": {"status": 503, "code": "SlowDown"}}"#.to_owned(),
        r#"{"status": {"status": 500, "code": "InternalError"}}"#.to_owned(),
        r#""dropped""#.to_owned(),
        r#""answer_lost""#.to_owned(),
        r#""slow_down_inside_200""#.to_owned(),
        format!(r#"{{"reset_after": {near}}}"#),
        format!(r#"{{"close_after": {near}}}"#),
        format!(r#"{{"stall_after": {near}}}"#),
        format!(r#"{{"end_early": {near}}}"#),
        format!(r#"{{"trickle": {{"after": {near}, "rate": 400000}}}}"#),
        r#"{"too_long": 7}"#.to_owned(),
        r#"{"too_short": 7}"#.to_owned(),
        r#"{"content_range_shifted": 1}"#.to_owned(),
        r#""range_ignored""#.to_owned(),
        r#"{"status": {"status": 400, "code": "ExpiredToken"}}"#.to_owned(),
        r#"{"other_etag": "ffffffffffffffffffffffffffffffff"}"#.to_owned(),
        format!(r#"{{"flip_on_wire": {{"offset": {}, "mask": {}}}}}"#, near / 3, 1 << random.u8(0..8)),
    ];
    let count = random.usize(0..6);
    let mut flips = false;
    let rules = std::iter::repeat_with(|| {
        let operation = ["GetObject", "GetObject", "HeadObject", "GetObjectAttributes"][random.usize(0..4)];
        let kind = &kinds[random.usize(0..kinds.len())];
        let times = if is_flip(kind) { 1 } else { random.u64(1..5) };
        let one_in = random.u64(2..9);
        format!(r#"{{"operation": "{operation}", "one_in": {one_in}, "times": {times}, "fault": {kind}}}"#)
    });
    rules.take(count).filter(|rule| !is_flip(rule) || !std::mem::replace(&mut flips, true)).collect()
}

fn is_flip(rule: &str) -> bool {
    rule.contains("flip_on_wire")
}

impl Ends {
    fn any(random: &mut Rng, size: u64) -> Self {
        let after_reads = random.usize(0..8);
        match random.u8(0..5) {
            0 | 1 => Ends::Killed { after_reads },
            2 => Ends::Cancelled { after_reads },
            3 => Ends::Spent { bytes: random.u64(1..=size) },
            _ => Ends::ByItself,
        }
    }
}

struct Rig {
    lab: Lab,
    server: Server,
    connection: Connection,
    state: PathBuf,
}

impl Rig {
    async fn new(state: &Path) -> Self {
        let lab = Lab::start(LabOptions { default_checksum: false, ..LabOptions::default() }).await.unwrap();
        lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
        let options = S3Options {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(lab.endpoint()),
            no_sign_request: true,
            patience: Some(Duration::from_secs(4)),
            ..S3Options::default()
        };
        let connection = Connection::open(options).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        Rig { lab, server, connection, state: state.to_owned() }
    }

    async fn put(&self, script: &Script) {
        self.lab.synthesize(BUCKET, KEY, script.spec.clone()).await.unwrap();
        if script.kms {
            let key = Encryption::Kms { key_id: "arn:aws:kms:us-east-1:123456789012:key/k".into(), bucket_key: false };
            let change = |record: &mut stored_ami_lab::ObjectRecord| {
                record.encryption = key;
                record.etag = match record.parts.len() {
                    0 => NO_MD5.to_owned(),
                    parts => format!("{NO_MD5}-{parts}"),
                };
            };
            self.lab.with_object(BUCKET, KEY, change).unwrap();
        }
        if let Some(offset) = script.damaged {
            self.lab.damage(BUCKET, KEY, offset, 0x10).unwrap();
        }
    }

    /// One run in this process. Returns the verdict.
    async fn here(&self, script: &Script, ends: Ends) -> String {
        let source = self.connection.object(TARGET.parse().unwrap()).fresh();
        let retry = RetryPolicy { stall: Duration::from_millis(900), ..RetryPolicy::default() };
        let context = Context { retry, ..Context::default() };
        let limits = Limits {
            concurrency: Concurrency::Fixed(script.connections),
            max_memory: script.memory,
            range_bytes: None,
        };
        let mut request = VerifyOptions { budget: limits.budget().unwrap(), ..VerifyOptions::default() };
        request.resume = Some(CheckpointFile::new(&self.state));
        let session = Session::new(source, context);
        if let Ends::Spent { bytes } = ends {
            request.quota = Quota::new(None, Some(bytes));
        }
        let cancel = CancellationToken::new();
        let stop = async {
            match ends {
                Ends::Cancelled { after_reads } => self.reads(after_reads).await,
                _ => std::future::pending().await,
            }
            cancel.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            verified = verify(&session, &request, &cancel) => match verified {
                Ok(verified) => {
                    if verified.finished {
                        CheckpointFile::new(&self.state).remove().unwrap();
                    }
                    ending(&serde_json::to_value(verified.report).unwrap())
                }
                Err(error) => format!("error: {error}"),
            },
            () = stop => unreachable!("it never ends"),
        }
    }

    /// One run of the program, killed after this many answered reads.
    async fn killed(&self, script: &Script, after_reads: usize) -> String {
        let (connections, memory) = (script.connections.to_string(), script.memory.to_string());
        let state = self.state.to_str().unwrap();
        let mut command = self.server.command();
        command.args(["verify", TARGET, "--json", "--no-sign-request", "--resume", state]);
        command.args(["--concurrency", &connections, "--max-memory", &memory]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        loop {
            if child.try_wait().unwrap().is_some() {
                let output = child.wait_with_output().unwrap();
                let lines = String::from_utf8(output.stdout).unwrap();
                let report: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
                return ending(&report);
            }
            if answered(&self.lab.calls()) >= after_reads {
                child.kill().unwrap();
                child.wait().unwrap();
                return "killed".to_owned();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn reads(&self, count: usize) {
        while answered(&self.lab.calls()) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// The verdict; with the reason if the proof is unknown, and the error if there is no verdict.
fn ending(report: &serde_json::Value) -> String {
    let findings = report["findings"].as_array().into_iter().flatten();
    // An ETag that is not an MD5 is unknown in every round, and irrelevant here.
    let open =
        findings.filter_map(|finding| finding["reason"]["code"].as_str()).min_by_key(|code| *code == "etag_not_md5");
    match (report["verdict"].as_str(), open) {
        (Some("unknown"), Some(code)) => format!("unknown: {code}"),
        (Some(verdict), _) => verdict.to_owned(),
        (None, _) => format!("error: {}", report["message"]),
    }
}

fn answered(calls: &[CallRecord]) -> usize {
    calls.iter().filter(|call| call.range.is_some()).count()
}

/// Runs a seed. Returns the problems, and how its rounds ended.
async fn play(rig: &Rig, seed: u64) -> (Vec<String>, Vec<String>) {
    let mut random = Rng::with_seed(seed);
    let script = Script::new(&mut random);
    let chance = random.u32(..);
    let truth = if script.damaged.is_some() { "fail" } else { "pass" };
    let (mut wrong, mut rounds) = (Vec::new(), Vec::new());
    rig.put(&script).await;
    for round in 0..ROUNDS + 2 {
        rig.lab.clear_calls();
        rig.lab.clear_script();
        let ends = if round >= ROUNDS { Ends::ByItself } else { Ends::any(&mut random, script.spec.size) };
        if round < ROUNDS {
            let rules = script.faults.iter().filter(|rule| round == script.flips_in || !is_flip(rule));
            let rules = rules.map(String::as_str).collect::<Vec<_>>().join(", ");
            let faults = parse_faults(&format!(r#"{{"seed": {chance}, "rules": [{rules}]}}"#));
            faults.unwrap().into_iter().for_each(|rule| rig.lab.script(rule));
        }
        let verdict = match ends {
            Ends::Killed { after_reads } => rig.killed(&script, after_reads).await,
            _ => rig.here(&script, ends).await,
        };
        rounds.push(format!("{ends:?}: {verdict}"));
        let decided = verdict == "pass" || verdict == "fail";
        if decided && verdict != truth {
            wrong.push(format!("round {round}: {verdict}, and the bytes are such that it must be {truth}"));
        }
        // A change in transit before the last stop is part of the state and cannot be reproduced, so the state is
        // removed. If a server misreported the object itself, the state is rejected until the user removes it. In both
        // cases the next run decides.
        let refused = verdict.contains("to start over, remove the file");
        if refused {
            CheckpointFile::new(&rig.state).remove().unwrap();
        }
        let alone = round >= ROUNDS;
        let excused = round == ROUNDS && (refused || verdict == "unknown: unstable_read");
        if alone && !decided && !excused {
            wrong.push(format!("left alone it came to {verdict}"));
        }
        // A disturbed run may fail by one reference, and keep its state for the others.
        let kept = rig.state.exists();
        if alone && decided && kept {
            wrong.push("left alone it kept its state".to_owned());
        }
        if decided && !kept {
            break;
        }
    }
    CheckpointFile::new(&rig.state).remove().unwrap();
    (wrong, rounds)
}

#[cfg(target_os = "linux")]
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4 * KIB
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn disturbed_in_every_way_nothing_false_gets_through_and_nothing_is_left() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match number("SOAK_SEED") {
        Some(seed) => vec![seed],
        None => {
            std::iter::repeat_with(|| fastrand::u64(..)).take(number("SOAK_RUNS").unwrap_or(RUNS) as usize).collect()
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new(&folder.path().join("state.json")).await;
    let (mut before, mut all_wrong) = (None, Vec::new());
    for seed in seeds {
        let started = Instant::now();
        let (wrong, rounds) = play(&rig, seed).await;
        println!("seed {seed}, {:.1} s: {}", started.elapsed().as_secs_f64(), rounds.join("; "));
        all_wrong.extend(wrong.into_iter().map(|wrong| format!("seed {seed}: {wrong}")));
        // The first run fills the shared caches.
        let (files, memory_before) = *before.get_or_insert((open_files(), memory()));
        let closing = Instant::now();
        while open_files() > files + FILES && closing.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("    {} open files, {} MiB", open_files(), memory() / MIB);
        if open_files() > files + FILES {
            all_wrong.push(format!("seed {seed}: {files} open files became {}", open_files()));
        }
        if memory() > memory_before + MEMORY {
            all_wrong.push(format!("seed {seed}: {memory_before} bytes of memory became {}", memory()));
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        if !left.is_empty() {
            all_wrong.push(format!("seed {seed}: left behind: {left:?}"));
        }
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}
