//! Runs the examples of `docs/lab.md` with the AWS CLI and boto3.
//!
//! `STORED_AMI_CLIENTS` names a Python virtual environment that contains both; without it, the test does nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stored_ami_lab::{Lab, LabOptions, TaskPace};

const PAGE: &str = include_str!("../../docs/lab.md");

/// The code blocks of the page in one language, in order.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(language) {
            found.push(lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n"));
        }
    }
    found
}

#[allow(clippy::print_stdout, reason = "a test that is left out says so")]
fn clients() -> Option<PathBuf> {
    let found = std::env::var_os("STORED_AMI_CLIENTS").map(PathBuf::from);
    if found.is_none() {
        println!("skipped: STORED_AMI_CLIENTS names no virtual environment with awscli and boto3");
    }
    found
}

fn disk() -> Vec<u8> {
    let mut state = 1u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..20_000_003).map(step).collect()
}

fn run(program: &Path, argument: &str, script: &str, venv: &Path, home: &Path, endpoint: &str) -> Output {
    let path = std::env::join_paths([venv.join("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
    Command::new(program)
        .arg(argument)
        .arg(script)
        .current_dir(home)
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "lab")
        .env("AWS_SECRET_ACCESS_KEY", "lab")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .unwrap()
}

fn every_block_works(options: LabOptions, home: &Path, venv: &Path) {
    std::fs::write(home.join("disk.bin"), disk()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = LabOptions { tasks: TaskPace::Polls(2), ..options };
    let lab = runtime.block_on(Lab::start(options)).unwrap();
    let shell = blocks("sh");
    let python = blocks("python");
    assert!(shell.len() >= 4 && !python.is_empty(), "the page has lost its examples");
    for block in shell {
        // With -x, the failing command is the last line of the output.
        let script = format!("set -ex\n{block}");
        let output = run(Path::new("/bin/sh"), "-c", &script, venv, home, &lab.endpoint());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for block in python {
        let output = run(&venv.join("bin/python"), "-c", &block, venv, home, &lab.endpoint());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let failed: Vec<_> = lab.calls().into_iter().filter(|call| call.status >= 400).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_page_is_true_in_memory() {
    let Some(venv) = clients() else { return };
    let home = tempfile::tempdir().unwrap();
    every_block_works(LabOptions::default(), home.path(), &venv);
}

#[test]
fn the_page_is_true_in_a_folder() {
    let Some(venv) = clients() else { return };
    let (home, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = LabOptions { data: Some(data.path().to_owned()), ..LabOptions::default() };
    every_block_works(options, home.path(), &venv);
}
