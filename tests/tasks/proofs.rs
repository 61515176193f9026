//! `safe-to-delete` accepts a copy by the kind of its proof. The table is in `docs/trust.md`.

use stored_ami::audit::{CopiedFrom, Entry, Level, Proof, Word};
use stored_ami::ident::{ETag, ObjectIdentity};
use stored_ami::ledger::Ledger;
use stored_ami::verdict::{ProofKind, Verdict};

use crate::common::{Run, data};
use crate::rig::{AMI, BUCKET, KEY, Rig};

const IN: &str = "s3://archive";

/// A copy of the AMI, and the entry that an audit of its bytes makes.
async fn proved() -> (Rig, Proof) {
    let rig = Rig::busy().await;
    rig.server.put(BUCKET, KEY, &data(1, 300_000), None).await;
    rig.tag_source(AMI, "123456789012");
    let ledger = rig.path("audit.db");
    rig.run(&["audit", IN, "--level", "bytes", "--ledger", &ledger]).await.assert_exit(0);
    let mut found = None;
    Ledger::open_existing(ledger.as_ref()).unwrap().each(None, |kept| found = Some(kept.entry)).unwrap();
    let Some(Entry::Proof(proof)) = found else { panic!("no proof") };
    (rig, *proof)
}

async fn safe(rig: &Rig, proofs: &[Proof], policy: &str) -> Run {
    let ledger = rig.path("l.db");
    let _ = std::fs::remove_file(&ledger);
    let entries: Vec<Entry> = proofs.iter().map(|proof| Entry::Proof(Box::new(proof.clone()))).collect();
    Ledger::open(ledger.as_ref()).unwrap().append(&entries).unwrap();
    let file = rig.path("p.toml");
    std::fs::write(&file, format!("[object]\n{policy}\n")).unwrap();
    rig.run(&["safe-to-delete", AMI, "--in", IN, "--ledger", &ledger, "--policy", &file]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_for_each_kind_of_proof() {
    let (rig, read) = proved().await;
    let of = |kind: ProofKind| Proof {
        level: Level::Facts.into(),
        covered_bytes: 0,
        proof_kind: Some(kind.into()),
        ..read.clone()
    };
    let by_others = |proof: &Proof| Proof { proved_by: vec![Word::of("tags-md5".into())], ..proof.clone() };
    let (written, stated) = (of(ProofKind::Written), of(ProofKind::StatedByS3));
    // It says that it is written, and that every byte was read.
    let forged = Proof { proof_kind: Some(ProofKind::Written.into()), ..read.clone() };
    let of_format_2 = Proof { proof_kind: None, ..read.clone() };
    let unknown_kind = Proof { proof_kind: Some(Word::of("believed".into())), ..read.clone() };
    let by = |name: &str| Proof { proved_by: vec![Word::of(name.into())], ..read.clone() };
    let from = Some(CopiedFrom { target: "s3://elsewhere/ami.bin".into(), object: read.object.clone(), proved: None });
    let copied = Proof { copied_from: from.clone(), ..written.clone() };
    let copied_unproved = Proof {
        verdict: Verdict::Unknown.into(),
        settled: false,
        proof_kind: None,
        proved_by: Vec::new(),
        copied_from: from,
        ..written.clone()
    };
    let since_then = "it has the content of a copy of s3://elsewhere/ami.bin (";
    let from_elsewhere = || Proof { from_elsewhere: true, ..by("manifest-sha256") };
    let elsewhere = ObjectIdentity { etag: Some(ETag::kept("other")), ..read.object.clone() };
    let (accept_written, accept_stated) = ("proof = \"written\"", "proof = \"stated-by-s3\"");
    for (what, proofs, policy, exit, answer, because) in [
        ("read", vec![read.clone()], "", 0, "may_go", ""),
        ("read, of format 2", vec![of_format_2], "", 0, "may_go", ""),
        ("written", vec![written.clone()], "", 3, "cannot_tell", "proof-age: the newest proof is `written`"),
        ("stated", vec![stated.clone()], "", 3, "cannot_tell", "proof-age: the newest proof is `stated-by-s3`"),
        ("forged", vec![forged], "", 3, "cannot_tell", "proof-age: the newest proof is `written`"),
        ("of no known kind", vec![unknown_kind], accept_stated, 1, "must_stay", "its present content was never proved"),
        ("written, accepted", vec![written.clone()], accept_written, 0, "may_go", ""),
        ("stated, not accepted", vec![stated.clone()], accept_written, 3, "cannot_tell", "`stated-by-s3`"),
        ("stated, accepted", vec![stated.clone()], accept_stated, 0, "may_go", ""),
        ("written and read", vec![written.clone(), read.clone()], "", 0, "may_go", ""),
        (
            "read by others alone",
            vec![by_others(&read)],
            "",
            3,
            "cannot_tell",
            "by tags-md5 alone, which another program",
        ),
        ("written by others", vec![by_others(&written)], accept_written, 3, "cannot_tell", "by tags-md5 alone"),
        (
            "a copy of unproved bytes, read",
            vec![copied_unproved.clone(), read.clone()],
            "",
            3,
            "cannot_tell",
            since_then,
        ),
        (
            "a copy of unproved bytes, by any proof",
            vec![copied_unproved.clone(), read.clone(), stated.clone()],
            accept_stated,
            3,
            "cannot_tell",
            since_then,
        ),
        (
            "a copy of what others alone prove, read",
            vec![by_others(&copied), read.clone()],
            "",
            3,
            "cannot_tell",
            since_then,
        ),
        (
            "a copy of unproved bytes, read against a manifest",
            vec![copied_unproved.clone(), from_elsewhere()],
            "",
            0,
            "may_go",
            "",
        ),
        (
            "read against a manifest, and then against its own values",
            vec![copied_unproved.clone(), from_elsewhere(), read.clone()],
            "",
            0,
            "may_go",
            "",
        ),
        (
            "written again since with the same content",
            vec![Proof { object: elsewhere.clone(), ..copied_unproved.clone() }, read.clone()],
            "",
            3,
            "cannot_tell",
            since_then,
        ),
        (
            "read against a manifest of the copy itself",
            vec![copied_unproved.clone(), by("manifest-sha256")],
            "",
            3,
            "cannot_tell",
            since_then,
        ),
        (
            "proved elsewhere, and written again with the same content",
            vec![
                Proof { object: elsewhere.clone(), ..copied_unproved.clone() },
                Proof { object: elsewhere.clone(), ..from_elsewhere() },
                read.clone(),
            ],
            "",
            0,
            "may_go",
            "",
        ),
        ("a copy of unproved bytes, not read", vec![copied_unproved.clone()], "", 3, "cannot_tell", since_then),
        ("a copy of proved bytes, read", vec![copied.clone(), read.clone()], "", 0, "may_go", ""),
        ("copied again, and proved", vec![copied_unproved, copied, read.clone()], "", 0, "may_go", ""),
        ("the same as a baseline", vec![by("baseline-sha256")], "", 3, "cannot_tell", "in doubt since"),
        ("nothing", vec![], "", 1, "must_stay", "its present content was never proved"),
    ] {
        let run = safe(&rig, &proofs, policy).await;
        assert_eq!((run.exit, &run.report()["answer"]), (Some(exit), &answer.into()), "{what}: {run:?}");
        let told = run.report()["because"].to_string();
        assert!(told.contains(because), "{what}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_against_what_others_left_is_never_enough_alone() {
    let rig = Rig::busy().await;
    let bytes = data(1, 300_000);
    rig.server.put(BUCKET, KEY, &bytes, None).await;
    rig.tag_source(AMI, "123456789012");
    let md5 = stored_ami::checksum::Hasher::digest(stored_ami::checksum::Algorithm::Md5, &bytes).hex();
    rig.lab
        .with_object(BUCKET, KEY, |object| {
            object.encryption = stored_ami_lab::Encryption::Kms { key_id: "k".into(), bucket_key: false };
            object.checksum = None;
            object.metadata.insert("md5".to_owned(), md5);
        })
        .unwrap();
    let ledger = rig.path("l.db");
    let audit = ["audit", IN, "--level", "bytes", "--using", "metadata", "--ledger", &ledger];
    rig.run(&audit).await.assert_exit(0);
    let run = rig.run(&["safe-to-delete", AMI, "--in", IN, "--ledger", &ledger]).await;
    assert_eq!(run.assert_exit(3).report()["answer"], "cannot_tell");
    let told = run.report()["because"].to_string();
    assert!(told.contains("by metadata-md5 alone, which another program left with the object"), "{told}");
}

/// The object itself says what it was copied from, so that a ledger without the copy is no way around it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_marked_as_unproved_is_no_proof_by_its_own_values() {
    let (rig, _) = proved().await;
    let mark = |object: &mut stored_ami_lab::ObjectRecord| {
        object.metadata.insert("stored-ami-source".to_owned(), "unproved".to_owned());
    };
    rig.lab.with_object(BUCKET, KEY, mark).unwrap();
    let ledger = rig.path("audit.db");
    let ask = ["safe-to-delete", AMI, "--in", IN, "--ledger", &ledger];
    let run = rig.run(&ask).await;
    let told = run.assert_exit(3).report();
    let because = told["because"].to_string();
    assert!(because.contains("its metadata says that it is a copy whose bytes need not have been proved"), "{told}");
    // A read of it would change nothing.
    assert!(!told["steps"].to_string().contains("prove"), "{told}");
    // A manifest of it proves no copy of it.
    let (object, manifest) = (format!("{IN}/{KEY}"), rig.path("m.json"));
    rig.run(&["verify", &object, "--write-manifest", &manifest]).await.assert_exit(0);
    let held = rig.run(&["verify", &object, "--manifest", &manifest, "--using", "manifest"]).await;
    assert_eq!(held.assert_exit(3).verdict("proof"), "unknown: baseline");
    rig.run(&["verify", &object, "--manifest", &manifest, "--using", "manifest", "--accept", "proof"])
        .await
        .assert_exit(0);
    // Neither do its stored values prove another object.
    let other = "ami-0123456789abcdef1.bin";
    rig.server.put(BUCKET, other, &data(1, 300_000), None).await;
    let like = rig.run(&["verify", &format!("{IN}/{other}"), "--like", &object, "--using", "like"]).await;
    assert_eq!(like.assert_exit(3).verdict("proof"), "unknown: baseline");
    let itself = rig.run(&["verify", &object, "--like", &object]).await;
    let notes = itself.assert_exit(0).report()["notes"].to_string();
    assert!(notes.contains("--like names the object itself"), "{itself:?}");
}
