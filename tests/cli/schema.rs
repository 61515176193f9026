//! The JSON Schema in `docs/` matches the types, and real output satisfies it.

use std::process::Command;

use schemars::schema_for;
use serde_json::Value;
use stored_ami::report::Line;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/stored-ami-1.schema.json");

fn generated() -> String {
    serde_json::to_string_pretty(&schema_for!(Line)).unwrap() + "\n"
}

/// To update the file: `UPDATE_SCHEMA=1 cargo test --test cli schema`.
#[test]
fn the_published_schema_is_that_of_the_types() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, generated()).unwrap();
    }
    let current = std::fs::read_to_string(FILE).unwrap() == generated();
    assert!(current, "the types have changed; renew the file with UPDATE_SCHEMA=1");
}

/// Real output lines of every kind.
fn real_lines() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bin");
    std::fs::write(&file, b"123456789").unwrap();
    let file = file.to_str().unwrap();
    let other = folder.path().join("y.bin");
    std::fs::write(&other, b"123456780").unwrap();
    let other = other.to_str().unwrap();
    let runs = [
        vec!["verify", file, "--expect", "crc64nvme:rosUhgp5mIg=", "--digest", "sha256"],
        vec!["verify", file, "--expect", "crc32:00000000"],
        vec!["verify", file],
        vec!["inspect", file],
        vec!["inspect", "/nonexistent"],
        vec!["cost", file, "--logical-size", "1GiB"],
        vec!["compare", file, other],
        vec!["compare", file, other, "--read"],
    ];
    let run =
        |args: Vec<&str>| Command::new(env!("CARGO_BIN_EXE_stored-ami")).args(args).arg("--json").output().unwrap();
    let printed = runs.into_iter().map(|args| String::from_utf8(run(args).stdout).unwrap());
    printed.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn nothing_is_printed_that_the_types_do_not_hold() {
    let mut kinds = Vec::new();
    for line in real_lines() {
        let value: Value = serde_json::from_str(&line).unwrap();
        kinds.push(value["type"].as_str().unwrap().to_owned());
        let typed: Line = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::to_value(&typed).unwrap(), value);
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["compare", "cost", "error", "inspect", "summary", "verify"]);
}

/// Validates with an independent implementation: Python's `jsonschema`, if `STORED_AMI_CLIENTS` names a virtualenv that
/// contains it.
#[test]
fn real_lines_satisfy_the_published_schema() {
    let Some(clients) = std::env::var_os("STORED_AMI_CLIENTS") else {
        println!("skipped: STORED_AMI_CLIENTS names no virtualenv");
        return;
    };
    let python = std::path::Path::new(&clients).join("bin/python");
    let script = "import json, sys, jsonschema\n\
                  check = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n\
                  sys.exit(0 if check.is_valid(json.loads(sys.argv[2])) else 1)";
    let valid = |line: &str| Command::new(&python).args(["-c", script, FILE, line]).status().unwrap().code() == Some(0);
    // The lines of tasks were printed by runs against the lab.
    let tasks = include_str!("human/lines.jsonl").lines().map(str::to_owned);
    for line in real_lines().into_iter().chain(tasks) {
        assert!(valid(&line), "{line}");
    }
    assert!(!valid(r#"{"schema":"stored-ami/1","type":"summary","targets":"many"}"#));
    assert!(!valid(r#"{"schema":"stored-ami/1","type":"nonsense"}"#));
}

/// The lines of `docs/json.md`, on real output. Skipped if jq is not installed.
#[test]
fn the_jq_lines_of_the_documentation_work() {
    use std::io::Write as _;
    use std::process::Stdio;
    if Command::new("jq").arg("--version").output().is_err() {
        println!("skipped: jq is not installed");
        return;
    }
    let page = include_str!("../../docs/json.md");
    let filters: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("jq -r '")?.strip_suffix('\'')).collect();
    assert_eq!(filters.len(), 10);
    let input = real_lines().join("\n");
    for filter in filters {
        let mut jq = Command::new("jq");
        let mut jq = jq.args(["-r", filter]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        jq.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = jq.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !text.trim().is_empty() && !text.contains("null"), "{filter}: {text}");
    }
}

#[test]
fn every_line_has_a_time_a_program_and_a_sentence() {
    for line in real_lines() {
        let value: Value = serde_json::from_str(&line).unwrap();
        assert!(value["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert_eq!(value["tool"], stored_ami::report::TOOL, "{line}");
        assert!(!value["summary"].as_str().unwrap().is_empty(), "{line}");
    }
}
