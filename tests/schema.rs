//! The JSON Schema in `docs/` is that of the types, and real lines satisfy it.

use std::process::Command;

use schemars::schema_for;
use serde_json::Value;
use stored_ami::report::Line;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/stored-ami-1.schema.json");

fn generated() -> String {
    serde_json::to_string_pretty(&schema_for!(Line)).unwrap() + "\n"
}

/// To renew the file: `UPDATE_SCHEMA=1 cargo test --release --test schema`.
#[test]
fn the_published_schema_is_that_of_the_types() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, generated()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap(), generated());
}

#[test]
fn real_lines_satisfy_it_and_hold_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bin");
    std::fs::write(&file, b"123456789").unwrap();
    let file = file.to_str().unwrap();
    let schema: Value = serde_json::from_str(&generated()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut kinds = Vec::new();
    for args in [
        vec!["verify", file, "--expect", "crc64nvme:rosUhgp5mIg=", "--digest", "sha256"],
        vec!["verify", file, "--expect", "crc32:00000000"],
        vec!["verify", file],
        vec!["inspect", file],
        vec!["inspect", "/nonexistent"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_stored-ami")).args(args).arg("--json").output().unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert!(validator.is_valid(&value), "{line}");
            kinds.push(format!("{}", value["type"]));
            // Nothing is lost on the way through the types, so nothing is undocumented.
            let typed: Line = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_value(&typed).unwrap(), value);
        }
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["\"error\"", "\"inspect\"", "\"summary\"", "\"verify\""]);
    let mut wrong: Value = serde_json::json!({"schema": "stored-ami/1", "type": "summary", "targets": "many"});
    assert!(!validator.is_valid(&wrong));
    wrong["type"] = "nonsense".into();
    assert!(!validator.is_valid(&wrong));
}
