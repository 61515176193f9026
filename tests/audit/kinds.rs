//! Kinds of proof in an audit and in a ledger: every output names them.

use serde_json::json;
use stored_ami::audit::{Entry, Level, Proof};
use stored_ami::ledger::Ledger;
use stored_ami::verdict::ProofKind;
use stored_ami_lab::{Encryption, Operation};

use crate::rig::{BUCKET, Rig, key, target};

/// Two objects, the first proved by reading, the second by writing; as an audit reads them from the ledger.
async fn two_kinds() -> Rig {
    let rig = Rig::with(2).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let mut entries = Vec::new();
    Ledger::open_existing(&rig.path("l.db")).unwrap().each(None, |kept| entries.push(kept.entry)).unwrap();
    // Objects are read at the same time, so the entries stand in the order in which reads ended.
    entries.sort_by_key(|entry| matches!(entry, Entry::Proof(proof) if proof.target != target(&key(0))));
    let second = target(&key(1));
    let entries: Vec<Entry> = entries
        .into_iter()
        .map(|entry| match entry {
            Entry::Proof(proof) if proof.target == second => Entry::Proof(Box::new(Proof {
                level: Level::Facts.into(),
                covered_bytes: 0,
                proof_kind: Some(ProofKind::Written.into()),
                ..*proof
            })),
            other => other,
        })
        .collect();
    std::fs::remove_file(rig.path("l.db")).unwrap();
    Ledger::open(&rig.path("l.db")).unwrap().append(&entries).unwrap();
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn every_output_names_the_kind() {
    let rig = two_kinds().await;
    let [csv, junit, metrics, page] = ["a.csv", "a.xml", "a.prom", "a.html"].map(|name| rig.text(name));
    let files = ["--csv", &csv, "--junit", &junit, "--prometheus", &metrics, "--report", &page];
    let run = rig.audit(&files).await;
    let (read, written) = (run.object(&key(0)), run.object(&key(1)));
    assert_eq!((&read["proof"]["kind"], read.get("unread_proof")), (&json!("read"), None));
    assert_eq!((written.get("proof"), &written["unread_proof"]["kind"]), (None, &json!("written")));
    assert_eq!((&read["verdict"], &written["verdict"]), (&json!("pass"), &json!("unknown")));
    let text = |name: &str| std::fs::read_to_string(rig.path(name)).unwrap();
    let at = written["unread_proof"]["at"].as_str().unwrap();
    let rows = text("a.csv");
    assert!(rows.lines().next().unwrap().ends_with(",open,proof_kind,unread_proof_at"), "{rows}");
    let row = |number| rows.lines().find(|row| row.contains(&key(number))).unwrap();
    assert!(row(0).ends_with(",read,") && row(1).ends_with(&format!(",written,{at}")), "{rows}");
    let suites = text("a.xml");
    for kind in ["read", "written"] {
        assert!(suites.contains(&format!("<property name=\"proof_kind\" value=\"{kind}\"/>")), "{suites}");
        let label = format!(",kind=\"{kind}\"}}");
        assert!(
            text("a.prom").lines().any(|line| line.contains("object_proof_time_seconds{") && line.contains(&label))
        );
        assert!(text("a.html").contains(&format!("<td>{kind}</td>")), "{kind}");
    }
    assert_eq!(
        text("a.prom").lines().filter(|line| line.contains("object_proof_age_seconds{")).count(),
        1,
        "reads only"
    );
    let mut command = rig.server.command();
    command.args(["-v", "audit", "s3://archive", "--ledger", &rig.text("l.db")]);
    let shown = crate::common::Run::of(command).await.stdout;
    assert!(shown.contains(", not read") && shown.contains("written "), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_names_the_kind() {
    let rig = two_kinds().await;
    let ledger = rig.text("l.db");
    let lines = rig.server.run(&["ledger", "export", &ledger]).await.lines();
    assert_eq!((&lines[0]["proof_kind"], &lines[1]["proof_kind"]), (&json!("read"), &json!("written")), "{lines:?}");
    let shown = async |args: &[&str]| {
        let mut command = rig.server.command();
        command.args(args);
        crate::common::Run::of(command).await.stdout
    };
    let rows = shown(&["ledger", "export", &ledger, "--format", "csv"]).await;
    assert!(rows.lines().nth(2).unwrap().ends_with(",written,,"), "{rows}");
    assert!(shown(&["ledger", "show", &ledger, &target(&key(1))]).await.contains("facts  written  crc64nvme, etag"));
    let verified = shown(&["ledger", "verify", &ledger]).await;
    assert!(verified.contains("1 read, 1 written"), "{verified}");
    // A ledger of format 2 says nothing of kinds: what it proves was read.
    let old = "tests/fixtures/ledger/format-2.db";
    let verified = rig.server.run(&["ledger", "verify", old]).await.lines()[0].clone();
    assert_eq!(verified["proofs"].as_object().unwrap().keys().collect::<Vec<_>>(), ["read"], "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_of_other_programs_are_used_when_asked_for() {
    let rig = Rig::with(1).await;
    let sha =
        stored_ami::checksum::Hasher::digest(stored_ami::checksum::Algorithm::Sha256, &crate::common::data(1, 2_000));
    rig.lab
        .with_object(BUCKET, &key(0), |object| {
            object.encryption = Encryption::Kms { key_id: "k".into(), bucket_key: false };
            object.checksum = None;
            object.tags.push(("computed-sha256".to_owned(), sha.hex()));
        })
        .unwrap();
    rig.lab.clear_calls();
    rig.audit(&["--level", "bytes"]).await.assert_exit(3);
    assert_eq!(rig.calls(Operation::GetObjectTagging), 0);
    let run = rig.audit(&["--using", "tags"]).await;
    assert!(run.assert_exit(2).run.stderr.contains("the level `facts` reads no byte"), "{:?}", run.run);
    let run = rig.audit(&["--level", "bytes", "--using", "tags"]).await;
    let object = run.assert_exit(0).object(&key(0));
    assert_eq!((&object["proof"]["by"], &object["proof"]["kind"]), (&json!(["tags-sha256"]), &json!("read")));
    assert_eq!(rig.calls(Operation::GetObjectTagging), 1);
    // The lines are accepted by a merge, in this run and by the ledger in the next.
    for examined in [None, Some("bytes")] {
        let run = rig.audit(&["--level", "bytes", "--using", "tags", "--shard", "1/1"]).await;
        assert_eq!(run.object(&key(0)).get("examined").and_then(serde_json::Value::as_str), examined);
        let shard = rig.text("shard.jsonl");
        std::fs::write(&shard, &run.run.stdout).unwrap();
        let merged = rig.server.run(&["audit", "merge", &shard]).await;
        assert_eq!(merged.exit, Some(0), "{merged:?}");
        std::fs::remove_file(rig.path("l.db")).ok();
    }
}
