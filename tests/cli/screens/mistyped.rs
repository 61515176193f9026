//! Mistyped arguments reach the log file, and settings of one connection do not reach a command with two.

use std::fs;

use super::rig::{BUCKET, OBJECT, REGION, Rig};
use crate::common::Run;

/// The lines of a log without their times.
fn log(rig: &Rig, name: &str) -> Vec<String> {
    let text = fs::read_to_string(rig.path(name)).unwrap_or_default();
    let untimed = text.lines().skip(1).map(|line| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned());
    untimed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_reaches_the_log_file() {
    let rig = Rig::new().await;
    let by_file = format!("log_file = \"{}\"\n", rig.path("by-file.log").display());
    fs::write(rig.path("config.toml"), by_file).unwrap();
    for (args, message) in [
        (&["verify", OBJECT, "--nonsense"][..], "error: unexpected argument '--nonsense' found"),
        (&["verify", OBJECT, "--sample", "0%"], "error: invalid value '0%' for '--sample"),
        (&["verify", "s3://bucket"], "stored-ami: s3://bucket"),
        (&["audit", "s3://b", "--max-cost", "NaN"], "stored-ami: --max-cost NaN"),
    ] {
        let flag = rig.run(&[args, &["--log-file", "by-flag.log"]].concat()).await;
        let mut by_variable = rig.command(args);
        by_variable.env("STORED_AMI_LOG_FILE", "by-variable.log");
        let variable = Run::of(by_variable).await;
        let mut by_file = rig.command(args);
        by_file.env("STORED_AMI_CONFIG", rig.path("config.toml"));
        let file = Run::of(by_file).await;
        for (run, name) in [(flag, "by-flag.log"), (variable, "by-variable.log"), (file, "by-file.log")] {
            run.assert_exit(2);
            let lines = log(&rig, name);
            assert_eq!(lines.iter().filter(|line| line.starts_with(message)).count(), 1, "{name}: {lines:?}");
            fs::remove_file(rig.path(name)).unwrap();
        }
    }
    let help = rig.run(&["verify", "--help", "--log-file", "help.log"]).await;
    help.assert_exit(0);
    assert!(!rig.path("help.log").exists(), "help is no mistake");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_harms_no_other_file() {
    let rig = Rig::new().await;
    fs::write(rig.path("data.bin"), "data").unwrap();
    rig.run(&["verify", "x.bin", "--nonsense", "--log-file", "data.bin"]).await.assert_exit(2);
    assert_eq!(fs::read_to_string(rig.path("data.bin")).unwrap(), "data");
    fs::write(rig.path("empty.toml"), "").unwrap();
    rig.run(&["audit", "s3://b", "--policy", "./empty.toml", "--log-file", "empty.toml", "--nonsense"]).await;
    assert_eq!(fs::read_to_string(rig.path("empty.toml")).unwrap(), "", "it is also the policy");
    rig.run(&["verify", "x.bin", "--log-file", "--nonsense"]).await.assert_exit(2);
    assert!(!rig.path("--nonsense").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn region_and_endpoint_of_the_environment_do_not_reach_a_copy() {
    let rig = Rig::new().await;
    let to = format!("s3://{BUCKET}/copy.bin");
    let ends = ["--from-region", REGION, "--to-region", REGION, "--accept", "public", "--yes", "--json"];
    let mut command = rig.command(&[&["copy", OBJECT, &to], &ends[..]].concat());
    command
        .env("STORED_AMI_REGION", "eu-west-1")
        .env("STORED_AMI_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("STORED_AMI_RETRIES", "3");
    let run = Run::of(command).await;
    run.assert_exit(0);
    let settings = run.lines().pop().unwrap()["settings"].clone();
    let names: Vec<_> = settings.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["retries"], "{settings}");
    let regions: Vec<_> = rig.lab.calls().into_iter().filter_map(|call| call.region).collect();
    assert!(!regions.is_empty() && regions.iter().all(|region| region == REGION), "{regions:?}");
}
