//! `cost` of files: no server and no optional feature is needed.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use stored_ami::render::{Detail, Human, Renderer, Style};
use stored_ami::report::Line;

const S3: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prices/s3.json");
const EC2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prices/ec2.json");

/// A sparse file of this many bytes.
fn file(folder: &Path, bytes: u64) -> String {
    let path = folder.join("ami-0123456789abcdef0.bin");
    std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stored-ami")).arg("cost").args(args).arg("--json").output().unwrap()
}

fn report(args: &[&str], exit: i32) -> Value {
    let output = run(args);
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {output:?}");
    serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().next().unwrap()).unwrap()
}

fn line(report: &Value, item: &str, of: &str) -> Value {
    let mut lines = report["lines"].as_array().unwrap().iter();
    lines.find(|line| line["item"] == item && line["of"] == of).unwrap_or_else(|| panic!("{report:#}")).clone()
}

fn assert_dollars(value: &Value, dollars: f64) {
    assert!((value.as_f64().unwrap() - dollars).abs() < 1e-9, "{value} and {dollars}");
}

#[test]
fn a_file_by_the_built_in_prices() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), 100_000_000_000);
    let report = report(&[&file, "--logical-size", "600GiB"], 0);
    assert_eq!(
        (report["price_region"].as_str(), report["object_bytes"].as_u64()),
        (Some("us-east-1"), Some(100_000_000_000))
    );
    let month = line(&report, "keep", "STANDARD");
    assert_dollars(&month["dollars_least"], 2.3);
    assert_dollars(&month["dollars_most"], 2.3);
    assert_eq!(month["prices"][0]["date"], "2026-08-01");
    let restore = line(&report, "restore", "PutSnapshotBlock");
    assert!(restore.get("dollars_least").is_none());
    assert_dollars(&restore["dollars_most"], 600.0 * 2048.0 * 0.000_006);
    assert_eq!(restore["prices"][0]["seen"], "2026-11-22");
    assert_dollars(&line(&report, "copy_out", "to the internet")["dollars_most"], 9.0);
    assert_eq!(line(&report, "bring_back", "DEEP_ARCHIVE, Bulk")["takes"], "within 48 h");
    for line in report["lines"].as_array().unwrap() {
        assert!(line["basis"].as_str().is_some_and(|basis| !basis.is_empty()), "{line}");
        assert!(!line["prices"].as_array().unwrap().is_empty(), "{line}");
    }
}

#[test]
fn a_size_that_nothing_tells_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&[&file(folder.path(), 5_000)], 3);
    let restore = line(&report, "restore", "PutSnapshotBlock");
    assert!(restore["reason"].as_str().unwrap().contains("--logical-size"), "{restore}");
}

#[test]
fn price_files_count_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), 1_000_000_000);
    let args = [file.as_str(), "--logical-size", "1GiB", "--prices", S3, "--prices", EC2];
    let by_files = report(&args, 3);
    assert_eq!(by_files["price_region"], "eu-central-1");
    assert_dollars(&line(&by_files, "keep", "STANDARD")["dollars_most"], 0.0245);
    assert_eq!(line(&by_files, "keep", "STANDARD")["prices"][0]["date"], "2026-10-01T12:00:00Z");
    assert_dollars(&line(&by_files, "restore", "PutSnapshotBlock")["dollars_most"], 2048.0 * 0.000_007_2);
    // A built-in price that the price file lacks.
    let absent = line(&by_files, "copy_out", "to the internet");
    assert_eq!(absent["reason"], "the price files have no price of transfer to the internet in eu-central-1");
    let only_s3 = report(&args[..5], 3);
    assert!(line(&only_s3, "restore", "PutSnapshotBlock")["reason"].as_str().unwrap().contains("PutSnapshotBlock"));
    let elsewhere = report(&[&args[..], &["--region", "eu-west-1"]].concat(), 3);
    assert!(elsewhere["lines"].as_array().unwrap().iter().all(|line| line["reason"].is_string()), "{elsewhere:#}");
}

#[test]
fn another_region_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), 1_000);
    let here = report(&[&file, "--logical-size", "1GiB", "--region", "us-east-1"], 0);
    assert!(!here["notes"].to_string().contains("is built in"));
    let there = report(&[&file, "--logical-size", "1GiB", "--region", "eu-west-1"], 3);
    assert!(there["notes"][0].as_str().unwrap().starts_with("no price of eu-west-1 is built in"), "{there:#}");
    assert!(there["lines"].as_array().unwrap().iter().all(|line| line["prices"][0]["region"] == "us-east-1"));
}

#[test]
fn wrong_arguments_end_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), 1_000);
    let torn = folder.path().join("torn.json");
    std::fs::write(&torn, &std::fs::read(S3).unwrap()[..3_000]).unwrap();
    let torn = torn.to_str().unwrap();
    for (args, message) in [
        (vec![], "TARGET|AMI-ID"),
        (
            vec![file.as_str(), &file, "--logical-size", "1GiB"],
            "--logical-size gives the size of one AMI: name one target",
        ),
        (vec![&file, "--prices", torn], "torn.json: is not a price file of AWS"),
        (vec![&file, "--prices", "/nonexistent"], "/nonexistent: there is no such file"),
        (vec![&file, "--record", torn], "torn.json: is not a record"),
        (vec!["s3://bucket"], "names a bucket but no key"),
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(message), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(run(&["/nonexistent/x.bin"]).status.code(), Some(4));
}

#[test]
fn the_table_fits_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), 3_000_000_000_000);
    let output = run(&[&file, "--logical-size", "5000GiB"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut report: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    report["target"] = "ami.bin".into();
    let typed: Line = serde_json::from_value(report).unwrap();
    for width in [50, 80, 100] {
        let mut out = Vec::new();
        Human::new(&mut out, Style { width, detail: Detail::Full, ..Style::PLAIN }).render(&typed.report).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= width.max(52), "{width}: {line}");
        }
        assert!(text.contains("at most $61.44"), "{text}");
    }
}
