//! Every file that a command wrote is named at its end, for people and in JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stored_ami_lab::{Fault, FaultRule, Operation};

use super::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig};
use crate::common::Run;

/// The lines about written files on standard error.
fn named(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.starts_with("wrote ")).collect()
}

/// The field of the last line.
fn field(run: &Run) -> Value {
    run.lines().pop().unwrap()["files_written"].clone()
}

fn file(path: &str, kind: &str) -> Value {
    json!({"path": path, "kind": kind})
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_manifest_page_and_log() {
    let rig = Rig::new().await;
    let args = ["verify", OBJECT, "--write-manifest", "m.json", "--report", "p.html", "--log-file", "l.log"];
    let run = rig.run(&[&args[..], &["--resume", "c.json"]].concat()).await;
    run.assert_exit(0);
    assert_eq!(named(&run), ["wrote log l.log", "wrote manifest m.json", "wrote report page p.html"]);
    assert!(!rig.path("c.json").exists(), "a finished read needs no checkpoint");
    assert!(run.stderr.ends_with("wrote report page p.html\n"), "at the end: {run:?}");

    let json = rig.run(&[&args[..], &["--json"]].concat()).await;
    let expected = [file("l.log", "log"), file("m.json", "manifest"), file("p.html", "page")];
    assert_eq!(field(&json), json!(expected));
    assert_eq!(named(&json), [""; 0], "JSON names them once");
    assert_eq!(named(&rig.run(&[&args[..], &["-q"]].concat()).await), [""; 0]);
    assert_eq!(field(&rig.run(&["verify", OBJECT, "--json"]).await), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_not_written_is_not_named() {
    let rig = Rig::new().await;
    // The folder disappears while the object is read.
    let folder = rig.path("gone");
    std::fs::create_dir(&folder).unwrap();
    let rule = FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 50_000 });
    rig.lab.script(rule.times(1));
    let running = rig.run(&["verify", OBJECT, "--write-manifest", "gone/m.json", "--json"]);
    let removed = async {
        while !rig.lab.calls().iter().any(|call| call.operation == Operation::GetObject) {
            tokio::task::yield_now().await;
        }
        std::fs::remove_dir_all(&folder).unwrap();
    };
    let (run, ()) = tokio::join!(running, removed);
    run.assert_exit(4);
    assert_eq!(field(&run), json!([]));
    assert!(run.stderr.contains("m.json: the manifest could not be written"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_read_names_its_checkpoint() {
    let rig = Rig::new().await;
    let run = rig.run(&["verify", OBJECT, "--resume", "c.json", "--max-bytes", "200000", "--json"]).await;
    run.assert_exit(3);
    assert_eq!(field(&run), json!([file("c.json", "checkpoint")]));
    assert!(rig.path("c.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_names_its_ledger_and_its_tables() {
    let rig = Rig::new().await;
    let files = ["--csv", "a.csv", "--junit", "a.xml", "--prometheus", "a.prom", "--report", "a.html"];
    let args = [&["audit", "s3://archive", "--level", "bytes", "--ledger", "a.db"], &files[..]].concat();
    let run = rig.run(&args).await;
    run.assert_exit(0);
    let expected = [
        "wrote ledger a.db",
        "wrote CSV table a.csv",
        "wrote JUnit report a.xml",
        "wrote Prometheus metrics a.prom",
        "wrote report page a.html",
    ];
    assert_eq!(named(&run), expected);
    let json = rig.run(&[&args[..], &["--json"]].concat()).await;
    let kinds: Vec<String> =
        field(&json).as_array().unwrap().iter().map(|file| file["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["ledger", "csv", "junit", "prometheus", "page"]);
    let accept = rig.run(&["ledger", "accept", "a.db", OBJECT, "--reason", "x", "--json"]).await;
    assert_eq!(field(&accept), json!([file("a.db", "ledger")]));
    assert_eq!(field(&rig.run(&["ledger", "list", "a.db", "--json"]).await), json!([]), "it only reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn store_names_the_record_and_restore_its_journal() {
    let rig = Rig::new().await;
    let run = rig.run(&["store", AMI, "--bucket", BUCKET, "--record", "r.json", "--yes", "--json"]).await;
    run.assert_exit(0);
    assert_eq!(field(&run), json!([file("r.json", "record")]));
    let target = format!("s3://{BUCKET}/{AMI}.bin");
    let run = rig.run(&["restore", &target, "--record", "r.json", "--name", "again", "--yes", "--json"]).await;
    run.assert_exit(0);
    let entries: Vec<_> = std::fs::read_dir(rig.path("state/stored-ami")).unwrap().map(|e| e.unwrap().path()).collect();
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(field(&run), json!([file(entry.to_str().unwrap(), "journal")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_names_the_file_or_the_state_of_an_unfinished_copy() {
    let rig = Rig::new().await;
    let ends = ["--from-region", REGION, "--to-region", REGION, "--accept", "public"];
    let to_file = ["copy", OBJECT, "copy.bin", "--from-region", REGION, "--accept", "public", "--json"];
    let run = rig.run(&to_file).await;
    run.assert_exit(0);
    assert_eq!(field(&run), json!([file("copy.bin", "copy")]));

    let fault = Fault::Status { status: 400, code: "ExpiredToken" };
    rig.lab.script(FaultRule::new(Operation::UploadPart, fault).skip(2).times(1000));
    let to = format!("s3://{BUCKET}/copy-of-{KEY}");
    let run = rig.run(&[&["copy", OBJECT, &to, "--resume", "s.json", "--yes", "--json"], &ends[..]].concat()).await;
    assert_ne!(run.exit, Some(0), "{run:?}");
    assert_eq!(field(&run), json!([file("s.json", "copy_state")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bench_names_plot_and_tuning_and_man_its_pages() {
    let rig = Rig::new().await;
    let args = ["bench", OBJECT, "--connections", "1", "--time", "1s", "--plot", "b.svg", "--write-tuning", "t.json"];
    let run = rig.run(&args).await;
    run.assert_exit(0);
    assert_eq!(named(&run), ["wrote plot b.svg", "wrote tuning profile t.json"]);
    let run = rig.run(&["man", "--out", "pages"]).await;
    let written: BTreeSet<_> = std::fs::read_dir(rig.path("pages")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(written.len() > 20);
    assert_eq!(named(&run).len(), written.len());
    assert!(named(&run).contains(&"wrote manual page pages/stored-ami-verify.1"), "{run:?}");
}
