//! A read that does not match revokes an earlier proof, and no output shows the old proof.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use jiff::SignedDuration;
use stored_ami::audit::Entry;
use stored_ami::ledger::Ledger;
use stored_ami_lab::{Deny, Fault, FaultRule, Lab, LabOptions, Operation};

use crate::common::{Run, Server, data};
use crate::rig::{Audited, BUCKET, Rig, key, target};

const AMI: &str = "ami-00000000000000001";

/// An object of three parts without a checksum, whose parts can be asked for their sizes until `hide_parts`. Its ETag
/// matched under an assumed layout.
async fn proved() -> Rig {
    let lab = Lab::start(LabOptions { default_checksum: false, ..LabOptions::default() }).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket(BUCKET).await;
    lab.deny(Deny::action("s3:GetObjectAttributes"));
    let rig = Rig { lab, server, folder: tempfile::tempdir().unwrap() };
    let bytes = data(3, 120_000);
    let parts: Vec<&[u8]> = bytes.chunks(50_000).collect();
    rig.server.multipart(BUCKET, &key(1), &parts, None).await;
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(0).object(&key(1))["proof"]["by"][0], "etag");
    rig
}

/// Only the first part states its size.
fn hide_parts(rig: &Rig) {
    let lies = FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).by_part(true).skip(1).always();
    rig.lab.clear_script();
    rig.lab.script(lies);
}

/// Rewrites the ledger as an older version wrote it, without part layouts.
fn forget_parts(rig: &Rig) {
    let mut entries = Vec::new();
    let path = rig.path("l.db");
    Ledger::open_existing(&path).unwrap().each(None, |kept| entries.push(kept.entry)).unwrap();
    for entry in &mut entries {
        let Entry::Proof(proof) = entry else { continue };
        proof.etag_parts.clear();
    }
    std::fs::remove_file(&path).unwrap();
    Ledger::open(&path).unwrap().append(&entries).unwrap();
}

/// Audits at level bytes, ignoring earlier proofs, and collects every output.
async fn all_outputs(rig: &Rig, exit: i32) -> (Audited, String) {
    let (csv, prom, html, ledger) = (rig.text("a.csv"), rig.text("a.prom"), rig.text("a.html"), rig.text("l.db"));
    std::fs::copy(&ledger, rig.path("copy.db")).unwrap();
    let bytes = ["--level", "bytes", "--max-age", "0h"];
    let files = ["--csv", &csv, "--prometheus", &prom, "--report", &html];
    let json = rig.audit(&[&bytes, &files[..]].concat()).await;
    json.assert_exit(exit);
    // The same audit with text output, from a copy of the ledger.
    let mut command = rig.server.command();
    command.args([&["audit", "s3://archive", "--ledger", &rig.text("copy.db")], &bytes[..]].concat());
    let text = Run::of(command).await;
    assert_eq!(text.exit, Some(exit), "{text:?}");
    (json, text.stdout)
}

fn assert_no_proof(rig: &Rig, (json, text): &(Audited, String)) {
    let line = json.object(&key(1));
    assert_eq!(line.get("proof"), None, "{line:#}");
    assert_eq!(json.end()["proved"], 0);
    let header = text.lines().find(|line| line.contains(&target(&key(1)))).unwrap();
    assert!(!header.contains("  etag") && !header.contains("  proved"), "{header}");
    assert!(text.contains("0 of 1 object, every byte"), "{text}");
    let table = csv::Reader::from_path(rig.path("a.csv")).unwrap().records().next().unwrap().unwrap();
    assert_eq!((&table[10], &table[11]), ("", ""), "{table:?}");
    let figures = std::fs::read_to_string(rig.path("a.prom")).unwrap();
    assert!(!figures.contains("proof_age"), "{figures}");
    let page = std::fs::read_to_string(rig.path("a.html")).unwrap();
    assert!(page.contains("0 of 1 object") && page.contains("data-v=\"Infinity\">never"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_under_assumed_parts_takes_back_the_proof_until_every_byte_is_proved() {
    let rig = proved().await;
    forget_parts(&rig);
    rig.lab.damage(BUCKET, &key(1), 70_000, 1).unwrap();
    hide_parts(&rig);
    let told = all_outputs(&rig, 3).await;
    assert_eq!(told.0.named(), [format!("{}: proof layout_not_proved", target(&key(1)))]);
    assert_no_proof(&rig, &told);
    let entry = rig.server.run(&["ledger", "list", &rig.text("l.db")]).await.lines()[0]["entry"].clone();
    assert_eq!((entry["verdict"].as_str(), entry["doubt"].as_str()), (Some("unknown"), Some("mismatch")));
    let mut command = rig.server.command();
    command.args(["ledger", "list", &rig.text("l.db")]);
    let list = Run::of(command).await.stdout;
    assert_eq!(list.matches("a reference did not match").count(), 1, "{list}");

    // An audit that would accept the old proof reads again, and audits at level facts report the doubt every time.
    hide_parts(&rig);
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!((run.assert_exit(3).end()["examined"].as_u64(), run.end()["still_good"].as_u64()), (Some(1), Some(0)));
    for _ in 0..2 {
        let run = rig.audit(&[]).await;
        assert_eq!(run.assert_exit(3).named(), [format!("{}: sound in_doubt", target(&key(1)))]);
        assert_eq!(run.end()["proved"], 0);
    }
    let ledger = rig.text("l.db");
    let safe = rig.server.run(&["safe-to-delete", AMI, "--in", "s3://archive", "--ledger", &ledger]).await;
    assert_eq!(safe.assert_exit(3).report()["answer"], "cannot_tell", "{safe:?}");

    rig.lab.clear_script();
    rig.lab.damage(BUCKET, &key(1), 70_000, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    assert_eq!(rig.audit(&[]).await.assert_exit(0).end()["proved"], 1, "every byte was proved again");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_under_which_the_etag_matched_are_proved_and_a_mismatch_under_them_is_a_fail() {
    let rig = proved().await;
    rig.lab.damage(BUCKET, &key(1), 70_000, 1).unwrap();
    hide_parts(&rig);
    let told = all_outputs(&rig, 1).await;
    assert_eq!(told.0.named(), [format!("{}: etag fail, proof fail", target(&key(1)))]);
    let line = told.0.object(&key(1)).to_string();
    assert!(line.contains("this ETag matched under them before") && line.contains("\"reads\":2"), "{line}");
    assert_no_proof(&rig, &told);
    assert_eq!(rig.audit(&[]).await.assert_exit(1).named(), [format!("{}: sound fail", target(&key(1)))]);
    // Another object under the same key has its own parts.
    let bytes = data(4, 120_000);
    let parts: Vec<&[u8]> = bytes.chunks(60_000).collect();
    rig.lab.clear_script();
    rig.server.multipart(BUCKET, &key(1), &parts, None).await;
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(3).object(&key(1))["proof"]["by"][0], "etag", "{:?}", run.named());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reads_that_differ_take_back_the_proof() {
    let rig = proved().await;
    let flip = || FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 9, mask: 1 }).times(1);
    rig.lab.script(flip());
    let run = rig.audit(&["--level", "bytes", "--max-age", "0h"]).await;
    let codes = run.assert_exit(3).named();
    assert!(codes.iter().all(|code| code.contains("proof unstable_read")), "{codes:?}");
    assert_eq!(run.object(&key(1)).get("proof"), None);
    let entry = rig.server.run(&["ledger", "list", &rig.text("l.db")]).await.lines()[0]["entry"].clone();
    assert_eq!(entry["doubt"], "unstable");
    let run = rig.audit(&[]).await;
    assert_eq!(run.assert_exit(3).named(), [format!("{}: sound in_doubt", target(&key(1)))]);
    assert_eq!(rig.audit(&["--level", "bytes"]).await.assert_exit(0).end()["proved"], 1);
}

/// A sample requires no proof, but a mismatch that it finds is recorded.
#[tokio::test(flavor = "multi_thread")]
async fn a_sample_whose_reads_differ_puts_the_object_in_doubt() {
    let rig = Rig::new().await;
    let bytes = data(3, 120_000);
    let parts: Vec<&[u8]> = bytes.chunks(50_000).collect();
    let by_part = Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite));
    rig.server.multipart(BUCKET, &key(1), &parts, by_part).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let flip = FaultRule::new(Operation::GetObject, Fault::FlipOnWire { offset: 9, mask: 1 }).times(1);
    rig.lab.script(flip);
    let sample = ["--level", "sample", "--sample", "1/3", "--max-age", "0h"];
    for (level, open) in [(&sample[..], "proof sample_unheld, sound in_doubt"), (&[], "sound in_doubt")] {
        let run = rig.audit(level).await;
        assert_eq!(run.assert_exit(3).named(), [format!("{}: {open}", target(&key(1)))]);
        assert_eq!((run.object(&key(1)).get("proof"), run.end()["proved"].as_u64()), (None, Some(0)));
    }
}

/// Damage stays damage, even if a later read is inconclusive.
#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_makes_no_damage_less() {
    let rig = proved().await;
    rig.lab.damage(BUCKET, &key(1), 70_000, 1).unwrap();
    rig.audit(&["--level", "bytes", "--max-age", "0h"]).await.assert_exit(1);
    forget_parts(&rig);
    hide_parts(&rig);
    let run = rig.audit(&["--level", "bytes"]).await;
    let named = [format!("{}: proof layout_not_proved, sound fail", target(&key(1)))];
    assert_eq!(run.assert_exit(1).named(), named);
}

/// Written again with the same ETag, and damaged: an ETag that the bytes contradict does not show that the content is
/// the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_by_its_etag_is_not_called_the_same_content_by_it() {
    let rig = proved().await;
    let later = |record: &mut stored_ami_lab::ObjectRecord| record.last_modified += SignedDuration::from_secs(60);
    rig.lab.with_object(BUCKET, &key(1), later).unwrap();
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(0).object(&key(1))["change"], "replaced_same_content");
    rig.lab.with_object(BUCKET, &key(1), later).unwrap();
    rig.lab.damage(BUCKET, &key(1), 70_000, 1).unwrap();
    let (json, text) = all_outputs(&rig, 1).await;
    assert_eq!(json.object(&key(1))["change"], "replaced_unclear");
    for output in [json.object(&key(1)).to_string(), text] {
        assert!(!output.contains("same content by") && !output.contains("replaced same"), "{output}");
    }
}
