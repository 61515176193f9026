use serde_json::Value;
use stored_ami::render::{EntryRow, entries_csv};
use stored_ami_lab::{Lab, LabOptions};

use super::rig::Folder;
use crate::common::{Run, Server, bare_command, data};

/// Characters that can harm a program that reads the file: forbidden in XML 1.0, terminal controls, or changes of the
/// text direction.
fn harms(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const ODD: [&str; 6] = ["\u{fffe}", "\u{ffff}", "\u{202e}", "\u{7}", "\u{9b}31m", "\u{2028}"];

#[tokio::test(flavor = "multi_thread")]
async fn odd_keys_make_no_odd_files() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    for (number, odd) in ODD.iter().enumerate() {
        let key = format!("a{odd}b/ami-{number:017x}.bin");
        server.put("archive", &key, &data(1, 200 + number), None).await;
    }
    let folder = Folder::new();
    let at = |name: &str| folder.at(name).to_str().unwrap().to_owned();
    let (csv, junit, prom) = (at("a.csv"), at("a.xml"), at("a.prom"));
    let files = ["--csv", &csv, "--junit", &junit, "--prometheus", &prom];
    let run = server.run(&[&["audit", "s3://archive"], &files[..]].concat()).await;
    run.assert_exit(0);
    let text = |name: &str| String::from_utf8(folder.read(name)).unwrap();
    for name in ["a.csv", "a.xml", "a.prom"] {
        let text = text(name);
        assert!(!text.contains(harms), "{name}: {text:?}");
        for escape in ["\\ufffe", "\\uffff", "\\u202e", "\\u0007", "\\u009b31m", "\\u2028"] {
            assert!(text.contains(escape), "{name} names {escape}: {text}");
        }
    }
    let rows: Vec<_> = csv::Reader::from_reader(text("a.csv").as_bytes()).records().map(Result::unwrap).collect();
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(names.len(), ODD.len(), "names stay apart");
    // In a label, a backslash is doubled (Prometheus text format).
    assert!(text("a.prom").contains("a\\\\u202eb/"), "{}", text("a.prom"));
}

/// Formulas in values of a server: ETag, storage class, version, change and problem.
#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_a_table_begins_a_formula() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    server.put("archive", "ami-00000000000000001.bin", &data(1, 200), None).await;
    let folder = Folder::new();
    let csv = folder.at("a.csv").to_str().unwrap().to_owned();
    let run = server.run(&["audit", "s3://archive", "--shard", "1/1"]).await;
    run.assert_exit(0);
    for begin in ["=", "+", "-", "@", "\t=", "\r=", " =", "＝"] {
        let formula = format!("{begin}HYPERLINK(\u{202e}\"x\")");
        let lines: Vec<String> = run
            .lines()
            .into_iter()
            .map(|mut line| {
                if line["type"] == "audited" {
                    line["identity"]["etag"] = Value::from(formula.as_str());
                    line["identity"]["version_id"] = Value::from(formula.as_str());
                    line["identity"]["last_modified"] = Value::from(formula.as_str());
                    line["storage_class"] = Value::from(formula.as_str());
                }
                line.to_string()
            })
            .collect();
        folder.write("1.jsonl", lines.join("\n").as_bytes());
        let mut command = bare_command();
        command.args(["audit", "merge", "1.jsonl", "--csv", &csv]).current_dir(folder.path());
        Run::of(command).await.assert_exit(0);
        let text = String::from_utf8(folder.read("a.csv")).unwrap();
        assert!(!text.contains(harms), "{text:?}");
        let mut cells = 0;
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            for cell in row.unwrap().iter() {
                cells += usize::from(cell.contains("HYPERLINK"));
                let first = cell.trim_start().chars().next().unwrap_or('a');
                assert!(!"=+-@＝＋－＠".contains(first), "{cell}");
            }
        }
        assert_eq!(cells, 4, "{text}");
    }
}

#[test]
fn entries_of_a_ledger_make_no_formula_either() {
    let entry = serde_json::from_value(serde_json::json!({
        "kind": "acceptance", "at": "2026-01-01T00:00:00Z", "tool": "test", "target": "s3://b/\u{202e}k",
        "object": {"object_bytes": 1, "etag": "=1+1", "last_modified": null}, "reason": "@SUM(\u{7})",
    }));
    let rows = [EntryRow::new(1, "00".into(), entry.unwrap())];
    let text = String::from_utf8(entries_csv(&rows).unwrap()).unwrap();
    assert!(!text.contains(harms), "{text:?}");
    assert!(text.contains(",'=1+1,") && text.contains("'@SUM(\\u0007)") && text.contains("s3://b/\\u202ek"), "{text}");
}
