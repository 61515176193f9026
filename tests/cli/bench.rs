//! `bench` against the lab: what it reads, reports and writes.

use std::process::Stdio;
use std::time::Duration;

use crate::common::{Run, Server, bare_command, data, write};
use stored_ami_lab::{Fault, FaultRule, Lab, LabOptions, Operation};

const TARGET: &str = "s3://archive/ami-0123456789abcdef0.bin";
const KEY: &str = "ami-0123456789abcdef0.bin";
const SIZE: usize = 3_000_017;

/// An object on a server with limited rate and latency.
async fn lab() -> (Lab, Server) {
    let options = LabOptions { rate: Some(40 << 20), latency: Duration::from_millis(2), ..LabOptions::default() };
    let lab = Lab::start(options).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    server.put("archive", KEY, &data(1, SIZE), None).await;
    (lab, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_draws_and_recommends() {
    let (lab, server) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let (plot, tuning) = (folder.path().join("b.svg"), folder.path().join("t.json"));
    let files = [plot.to_str().unwrap(), tuning.to_str().unwrap()];
    lab.clear_calls();
    let args = ["bench", TARGET, "--connections", "3,2", "--range-size", "256KiB,1MiB"];
    let run = server.run(&[&args[..], &["--plot", files[0], "--write-tuning", files[1]]].concat()).await;
    let report = run.assert_exit(0).report();
    let loads = report["loads"].as_array().unwrap();
    let cells: Vec<_> = loads.iter().map(|l| (l["range_bytes"].as_u64(), l["connections"].as_u64())).collect();
    let kib = |kib: u64| Some(kib << 10);
    assert_eq!(cells, [(kib(256), Some(2)), (kib(256), Some(3)), (kib(1024), Some(2)), (kib(1024), Some(3))]);
    for load in loads {
        let rate = load["bytes_per_second"].as_f64().unwrap() / f64::from(40 << 20);
        assert!((0.5..1.3).contains(&rate), "the lab sends 40 MiB/s: {load}");
        assert!(load["first_byte_seconds"]["p50"].as_f64().unwrap() >= 0.002, "each answer is 2 ms away: {load}");
    }
    // The limit is the server, not the processors. On a busy machine, more connections may appear to bring a gain; unit
    // tests cover the conclusions from given rates.
    let by = report["bound"]["by"].as_str().unwrap();
    assert!(["server", "connections"].contains(&by), "{report:#}");
    let reads: u64 = loads.iter().map(|load| load["reads"].as_u64().unwrap()).sum();
    let calls = lab.calls();
    let gets = calls.iter().filter(|call| call.operation == Operation::GetObject).count() as u64;
    assert!(gets <= reads && reads <= gets + 12, "{gets} arrived of {reads}: those cut off at the end may not have");
    let reading = [Operation::HeadObject, Operation::GetObjectAttributes, Operation::GetObject];
    let others: Vec<_> = calls.iter().filter(|call| !reading.contains(&call.operation)).collect();
    assert!(others.is_empty(), "it only reads: {others:?}");

    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.matches("<polyline").count() >= 2, "a line for each size of range");

    let text = std::fs::read_to_string(&tuning).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(kept["concurrency"], report["best_connections"]);
    lab.clear_calls();
    server.run(&["verify", TARGET, "--tuning", files[1]]).await.assert_exit(0);
    let gets = lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count();
    let ranges = SIZE.div_ceil(kept["range_bytes"].as_u64().unwrap() as usize);
    // The ETag of a single PUT is an MD5, which is computed in order, in ranges of the tuning.
    assert_eq!(gets, ranges, "the ranges of the profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_noted_and_no_tuning_is_written_under_it() {
    let (lab, server) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let tuning = folder.path().join("t.json");
    let config = write(folder.path(), "config.toml", b"max_rate = \"2MiB\"\n");
    let (flag, none): (&[&str], &[&str]) = (&["--max-rate", "2MiB"], &[]);
    let variable = ("STORED_AMI_MAX_RATE", "2MiB");
    for (args, set, source) in [
        (flag, None, "--max-rate"),
        (flag, Some(("STORED_AMI_MAX_RATE", "9GiB")), "--max-rate"),
        (none, Some(variable), "STORED_AMI_MAX_RATE"),
        (none, Some(("STORED_AMI_CONFIG", config.as_str())), config.as_str()),
    ] {
        let command = |more: &[&str]| {
            let mut command = server.command();
            command.args(["bench", TARGET, "--connections", "2,3", "--range-size", "256KiB", "--time", "1s", "--json"]);
            command.args(args).args(more).envs(set);
            command
        };
        lab.clear_calls();
        let refused = Run::of(command(&["--write-tuning", tuning.to_str().unwrap()])).await;
        assert_eq!(refused.exit, Some(2), "{refused:?}");
        let message = format!("--write-tuning: reads are limited to 2 MiB/s by {source}, ");
        assert!(refused.stderr.contains(&message), "{refused:?}");
        assert!(lab.calls().is_empty() && !tuning.exists(), "{refused:?}");
        let report = Run::of(command(&[])).await.assert_exit(0).report();
        let note = "reads were limited to 2 MiB/s by --max-rate or its setting";
        assert!(report["notes"].to_string().contains(note), "{report:#}");
        assert_eq!(report["bound"]["by"], "rate limit", "{report:#}");
    }
    let report = server.run(&["bench", TARGET, "--connections", "2", "--range-size", "256KiB"]).await.report();
    assert!(!report["notes"].to_string().contains("limited"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_named_and_nothing_larger_is_tried() {
    let (lab, server) = lab().await;
    let slow = Fault::Status { status: 503, code: "SlowDown" };
    lab.script(FaultRule::new(Operation::GetObject, slow).skip(5).times(3));
    let args = ["bench", TARGET, "--connections", "2,4,8", "--range-size", "256KiB"];
    let report = server.run(&args).await.assert_exit(0).report();
    assert_eq!(report["bound"]["by"], "throttling", "{report:#}");
    assert_eq!(report["loads"].as_array().unwrap().len(), 1);
    assert_eq!(report["loads"][0]["throttled"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_an_error() {
    let (lab, server) = lab().await;
    server.run(&["bench", "s3://archive/none.bin"]).await.assert_exit(4);
    // Measurements before the failure are reported.
    let gone = Fault::Status { status: 404, code: "NoSuchKey" };
    lab.script(FaultRule::new(Operation::GetObject, gone).skip(5).times(1_000));
    let run = server.run(&["bench", TARGET, "--connections", "2", "--range-size", "256KiB"]).await;
    let report = run.assert_exit(4).report();
    assert!(report["received_bytes"].as_u64().unwrap() > 0);
    assert!(report["bound"].is_null() && report["best_connections"].is_null(), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_of_this_machine() {
    let mut command = bare_command();
    command.args(["bench", "--hashes", "--json"]);
    let report = crate::common::Run::of(command).await.assert_exit(0).report();
    let rates = report["rates"].as_array().unwrap();
    let algorithms: std::collections::BTreeSet<_> =
        rates.iter().map(|rate| rate["algorithm"].as_str().unwrap()).collect();
    assert_eq!(algorithms.len(), 10);
    for rate in rates {
        assert!(rate["bytes_per_second_and_core"].as_f64().unwrap() > 1e7, "{rate}");
        // An algorithm that is too slow for one link is too slow for all faster ones.
        let binds: Vec<_> = rate["links"].as_array().unwrap().iter().map(|link| link["parts_bind"] == true).collect();
        assert!(binds.is_sorted(), "{rate}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_wishes_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "x.bin", b"x");
    let torn = write(folder.path(), "t.json", b"{\"schema\":");
    for (args, message) in [
        (vec!["bench"], "TARGET"),
        (vec!["bench", &file, "--hashes"], "--hashes"),
        (vec!["bench", &file, "--connections", "0"], "0"),
        (vec!["bench", &file, "--time", "soon"], "30s"),
        (vec!["bench", &file, "--range-size", "1"], "4KiB"),
        (vec!["verify", &file, "--tuning", &torn], "not a tuning profile"),
        (vec!["verify", &file, "--max-memory", "1MiB"], "at least"),
        (vec!["verify", &file, "--concurrency", "1024"], "--max-memory"),
        (vec!["verify", &file, "--concurrency", "many"], "auto"),
    ] {
        let mut command = bare_command();
        command.args(&args);
        let run = crate::common::Run::of(command).await;
        assert_eq!(run.exit, Some(2), "{args:?}: {run:?}");
        assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_total_time_ends_the_measurements() {
    let (_lab, server) = lab().await;
    let sweep = ["bench", TARGET, "--connections", "1,2,3,4,5,6", "--range-size", "256KiB"];
    let run = server.run(&[&sweep[..], &["--total-time", "3s"]].concat()).await;
    let report = run.assert_exit(0).report();
    let said = "up to 6 measurements of up to 5 s each: at most 3 s, the limit of --total-time";
    assert!(run.stderr.contains(said), "before the first one: {run:?}");
    let loads = report["loads"].as_array().unwrap();
    assert!((1..=2).contains(&loads.len()), "of 3 s, the first takes half, and the next one second: {loads:?}");
    let note = "the measurements ended after 3 s in all";
    assert!(report["notes"].as_array().unwrap().iter().any(|n| n.as_str().unwrap().starts_with(note)), "{report:#}");

    let run = server.run(&[&sweep[..], &["--time", "8s", "--total-time", "3s"]].concat()).await;
    assert!(run.assert_exit(2).stderr.contains("--total-time is shorter than --time"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_and_the_figures_say_what_they_cover() {
    let (lab, server) = lab().await;
    lab.clear_calls();
    let mut command = server.command();
    command.args(["bench", TARGET, "--connections", "2", "--range-size", "256KiB", "--time", "600s"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let reading = async {
        while lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap();
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap();
    assert_eq!(last, "STOPPED a signal ended the first measurement; its figures are those until then", "{text}");
    assert!(text.contains("  best so far   2 GETs in flight"), "{text}");
}
