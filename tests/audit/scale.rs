//! Memory and time of audits of very many objects. Run with `--ignored --nocapture`, or by `benches/scale.sh`;
//! `SCALE_OBJECTS` is their number, `SCALE_RUNS` selects runs, and `SCALE_PROGRAM` is another program to
//! compare with.

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use serde_json::json;
use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{BucketOptions, ChecksumChoice, Lab, LabOptions, Operation, PartSizes, SyntheticSpec};

use crate::common::Server;
use crate::peak::watch;
use crate::rig::{Audited, BUCKET};

const MIB: f64 = 1024.0 * 1024.0;

async fn filled(objects: u64) -> Lab {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
    for number in 0..objects {
        let checksum = ChecksumChoice::Default(Algorithm::Crc64Nvme);
        let spec = SyntheticSpec { size: 100, parts: PartSizes::None, seed: number, checksum };
        lab.synthesize(BUCKET, &format!("p/ami-{number:017x}.bin"), spec).await.unwrap();
    }
    lab
}

const KILLED: &str = "killed";

/// Kills a command when a file has this size.
async fn kill_at(mut command: std::process::Command, file: &std::path::Path, bytes: u64) {
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    while std::fs::metadata(file).map_or(0, |file| file.len()) < bytes {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Processor time of all commands that have ended, in seconds.
fn processor_seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

#[ignore = "takes minutes; prints what it measures"]
#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_number_of_objects() {
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let objects: u64 = number("SCALE_OBJECTS", 10_000);
    let begun = Instant::now();
    let lab = filled(objects).await;
    println!("{objects} objects in the lab: {:.0} MiB, {:.1} s", memory(), begun.elapsed().as_secs_f64());
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("l.db");
    let ledger = ledger.to_str().unwrap();
    let csv = folder.path().join("a.csv");
    let junit = folder.path().join("a.xml");
    let prometheus = folder.path().join("a.prom");
    let page = folder.path().join("a.html");
    let files = |flag: &str, path: &std::path::Path| [flag.to_owned(), path.to_str().unwrap().to_owned()];
    let files =
        [files("--csv", &csv), files("--junit", &junit), files("--prometheus", &prometheus), files("--report", &page)]
            .concat();
    let level = std::env::var("SCALE_LEVEL").unwrap_or("facts".to_owned());
    let chosen = std::env::var("SCALE_RUNS").unwrap_or("bare,first,due,verbose,files,killed".to_owned());
    let other = folder.path().join("killed.db");
    let other_ledger = other.to_str().unwrap();
    let verbose = ["-v".to_owned()];
    let runs: [(&str, &str, Option<&str>, &[String]); 8] = [
        ("bare", "without a ledger", None, &[]),
        ("first", "first run", Some(ledger), &[]),
        ("due", "nothing due", Some(ledger), &[]),
        ("verbose", "nothing due, -v", Some(ledger), &verbose),
        ("files", "nothing due, all files", Some(ledger), &files),
        ("killed", KILLED, Some(other_ledger), &[]),
        ("killed", "taken up", Some(other_ledger), &[]),
        ("killed", "taken up, nothing due", Some(other_ledger), &[]),
    ];
    for (_, name, ledger_of_run, more) in runs.into_iter().filter(|run| chosen.split(',').any(|one| one == run.0)) {
        let mut command = server.command();
        if let Ok(other) = std::env::var("SCALE_PROGRAM") {
            let mut changed = std::process::Command::new(other);
            changed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = changed;
        }
        command.args(["audit", "s3://archive", "--level", &level]);
        if let Some(ledger) = ledger_of_run {
            command.args(["--ledger", ledger]);
        }
        command.args(more);
        lab.clear_calls();
        let (begun, before) = (Instant::now(), processor_seconds());
        if name == KILLED {
            // Half of what the ledger of the first run has.
            kill_at(command, &other, std::fs::metadata(ledger).unwrap().len() / 2).await;
            println!("{objects} {name} after {:.1} s", begun.elapsed().as_secs_f64());
            continue;
        }
        let ended = watch(command).await;
        let (seconds, used) = (begun.elapsed().as_secs_f64(), processor_seconds() - before);
        let heads = lab.calls().iter().filter(|call| call.operation == Operation::HeadObject).count();
        println!(
            "{objects} {name}: exit {:?}, peak {:.0} MiB, {seconds:.1} s, {:.0} µs of CPU an object, {heads} HEAD requests",
            ended.exit,
            ended.peak as f64 / MIB,
            used * 1e6 / objects as f64
        );
        assert_eq!(ended.exit, Some(0), "{}", ended.said.lines().last().unwrap_or_default());
        if name == "taken up" {
            assert!(heads as u64 <= objects * 3 / 4, "what was recorded is not asked again");
        }
    }
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0.0, |file| file.len() as f64 / MIB);
    println!(
        "page {:.1} MiB, Prometheus {:.1} MiB, ledger {:.1} MiB",
        size(&page),
        size(&prometheus),
        size(ledger.as_ref())
    );
}

/// The environment of a task of a Slurm job array of four.
fn task(command: &mut std::process::Command, index: u32) {
    for (name, value) in [("ID", index), ("MIN", 0), ("MAX", SHARES - 1), ("COUNT", SHARES)] {
        command.env(format!("SLURM_ARRAY_TASK_{name}"), value.to_string());
    }
}

const SHARES: u32 = 4;
const GIB: u64 = 1 << 30;
const PART: u64 = 64 << 20;

/// Two objects of 40 GiB (`SCALE_GIB`) that four tasks of an array read together. One has a CRC64NVME; of the other,
/// which has a composite, one byte is wrong.
#[ignore = "reads 80 GiB; prints what it measures"]
#[tokio::test(flavor = "multi_thread")]
async fn a_huge_object_is_split_over_an_array() {
    let size = std::env::var("SCALE_GIB").map_or(40, |text| text.parse::<u64>().unwrap()) * GIB;
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    lab.create_bucket(BUCKET, BucketOptions::default()).unwrap();
    let (sound, damaged) = ("ami-00000000000000001.bin", "ami-00000000000000002.bin");
    let composite = ChecksumChoice::Typed(Algorithm::Crc32c, ChecksumType::Composite);
    for (key, checksum) in [(sound, ChecksumChoice::Default(Algorithm::Crc64Nvme)), (damaged, composite)] {
        let spec = SyntheticSpec { size, parts: PartSizes::Uniform(PART), seed: 3, checksum };
        lab.synthesize(BUCKET, key, spec).await.unwrap();
    }
    lab.damage(BUCKET, damaged, size / 2 + 5, 1).unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (round, reads) in [("first run", 2 * size), ("with the proof of one in the ledgers", size)] {
        let place = text(round);
        let begun = Instant::now();
        let tasks = (0..SHARES).map(|index| {
            let mut command = server.command();
            task(&mut command, index);
            let (split, ledger) = ((size / 10).to_string(), text(&format!("{index}.db")));
            command.args(["audit", "s3://archive", "--level", "bytes", "--split", &split, "--shard", "auto/4"]);
            command.args(["--results", &place, "--ledger", &ledger, "--json"]);
            watch(command)
        });
        let tasks = futures_util::future::join_all(tasks).await;
        let seconds = begun.elapsed().as_secs_f64();
        let peak = tasks.iter().map(|task| task.peak).max().unwrap() as f64 / MIB;
        let ends = tasks.iter().flat_map(|task| task.said.lines()).filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            (line["type"] == "audit").then(|| line["received_bytes"].as_u64().unwrap())
        });
        let read: u64 = ends.sum();
        println!("{round}: {} GiB read by {SHARES} tasks, {seconds:.0} s, peak {peak:.0} MiB each", read / GIB);
        assert_eq!(read, reads, "{}", tasks[0].said);
        let ledgers: Vec<String> =
            (0..SHARES).flat_map(|index| ["--ledger".to_owned(), text(&format!("{index}.db"))]).collect();
        let args: Vec<&str> =
            ["audit", "merge", &place].into_iter().chain(ledgers.iter().map(String::as_str)).collect();
        let merged = Audited::of(server.run(&args).await);
        let proved = merged.assert_exit(1).object(sound);
        assert_eq!((&proved["verdict"], &proved["proof"]["by"]), (&json!("pass"), &json!(["crc64nvme", "etag"])));
        let refuted = merged.object(damaged);
        let findings = refuted["findings"].as_array().unwrap();
        let by = findings.iter().find(|finding| finding["check"] == "crc32c").unwrap();
        let damage = by["damage"].as_array().unwrap();
        let part = size / 2 / PART + 1;
        assert_eq!((&refuted["verdict"], &by["reads"]), (&json!("fail"), &json!(1)));
        assert_eq!((damage.len(), &damage[0]["part"]), (1, &json!(part)));
        println!("{round}: {sound} proved by ETag and CRC64NVME; {damaged} refuted in part {part}");
    }
}
