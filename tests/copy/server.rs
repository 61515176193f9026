//! `--via server`: nothing is read, and what the server states about the parts must make up the source.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Fault, FaultRule, Lab, Operation};

use crate::common::{Run, data};
use crate::rig::{FROM, KEY, Rig, report, verdict};

const TO: &str = "s3://copies/ami-0123456789abcdef0.bin";

/// Two buckets of one lab, with an object of four parts.
async fn rig() -> (Rig, Vec<u8>) {
    let rig = Rig::new().await;
    rig.source.bucket("copies").await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    let with =
        |create: aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder| {
            create.metadata("ami-name", "golden")
        };
    rig.source.multipart_with("archive", KEY, &parts, None, with).await;
    rig.source.tag("archive", KEY, "team", "a b").await;
    (rig, bytes)
}

async fn copy(rig: &Rig, args: &[&str]) -> Run {
    rig.from.clear_calls();
    let mut command = crate::common::bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["copy", FROM, TO, "--json", "--from-profile", "commercial", "--to-profile", "commercial"])
        .args(["--yes", "--accept", "public", "--via", "server"])
        .args(args);
    Run::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_keeps_it_as_stated_until_it_is_read() {
    let (rig, _) = rig().await;
    let ledger = rig.home.path().join("l.db").to_str().unwrap().to_owned();
    let run = copy(&rig, &["--accept", "proof", "--ledger", &ledger]).await;
    let recorded = report(run.assert_exit(0))["recorded"].clone();
    assert_eq!(recorded, serde_json::json!([{ "target": TO, "proof_kind": "stated-by-s3" }]), "nothing was read");
    let policy = rig.home.path().join("p.toml");
    for (accepts, exit, kind) in [
        ("", 3, "unread_proof"),
        ("proof = \"written\"\n", 3, "unread_proof"),
        ("proof = \"stated-by-s3\"\n", 0, "null"),
    ] {
        std::fs::write(&policy, format!("[object]\nproof-age = \"30d\"\n{accepts}")).unwrap();
        let policy = policy.to_str().unwrap();
        let run = rig.source.run(&["audit", "s3://copies", "--ledger", &ledger, "--policy", policy]).await;
        let line = run.lines().into_iter().find(|line| line["type"] == "audited").unwrap();
        let findings = line["findings"].as_array().unwrap();
        let age = findings.iter().find(|finding| finding["check"] == "proof-age").unwrap();
        assert_eq!((run.exit, age["reason"]["code"].as_str().unwrap_or("null")), (Some(exit), kind), "{line}");
    }
    let (rig, _) = self::rig().await;
    let ledger = rig.home.path().join("l.db").to_str().unwrap().to_owned();
    let run = copy(&rig, &["--verify-destination", "--ledger", &ledger]).await;
    let kinds: Vec<_> = report(run.assert_exit(0))["recorded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["proof_kind"].clone())
        .collect();
    assert_eq!(kinds, ["stated-by-s3", "read"]);
}

/// The server reads without requests of its own, and moves the bytes within a Region for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_estimate_is_that_of_the_server() {
    let (rig, _) = rig().await;
    let items = |run: &Run| -> Vec<String> {
        let lines = report(run)["estimate"]["lines"].as_array().unwrap().clone();
        lines.iter().map(|line| format!("{} {}", line["item"].as_str().unwrap(), line["basis"])).collect()
    };
    let run = copy(&rig, &["--dry-run", "--max-rate", "1B", "--accept", "abort-rule"]).await;
    let found = items(run.assert_exit(0));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0] == "read \"\"" && found[1].starts_with("write") && found[2].starts_with("keep"), "{found:?}");
    assert_eq!(report(&run)["estimate"]["rate_basis"], "assumed", "the rate is that of this machine: {run:?}");
    let run = copy(&rig, &["--dry-run", "--verify-destination"]).await;
    assert!(items(run.assert_exit(0))[3].starts_with("read_back"), "{run:?}");
}

async fn bytes_of(rig: &Rig) -> Option<Vec<u8>> {
    let out = rig.source.client.get_object().bucket("copies").key(KEY).send().await.ok()?;
    Some(out.body.collect().await.unwrap().to_vec())
}

async fn uploads(rig: &Rig) -> usize {
    rig.source.client.list_multipart_uploads().bucket("copies").send().await.unwrap().uploads().len()
}

fn count(lab: &Lab, operation: Operation) -> usize {
    lab.calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_copies_and_only_states_it() {
    for (args, exit, proof) in
        [(&[][..], 3, "unknown"), (&["--accept", "proof"], 0, "unknown"), (&["--verify-destination"], 0, "pass")]
    {
        let (rig, bytes) = rig().await;
        let run = copy(&rig, args).await;
        run.assert_exit(exit);
        assert_eq!((&report(&run)["outcome"], &report(&run)["by_server"]), (&"copied".into(), &true.into()));
        assert_eq!(verdict(&run, "proof"), proof, "{run:?}");
        for check in ["parts", "size", "etag", "checksum", "metadata", "tags"] {
            assert_eq!(verdict(&run, check), "pass", "{check}: {run:?}");
        }
        assert_eq!(report(&run)["proved_by"], serde_json::json!([]), "nothing is proved by a statement");
        assert_eq!((count(&rig.from, Operation::UploadPartCopy), count(&rig.from, Operation::UploadPart)), (4, 0));
        let read: Vec<_> = rig
            .from
            .calls()
            .into_iter()
            .filter(|call| call.operation == Operation::GetObject && call.status == 206)
            .collect();
        assert_eq!(!read.is_empty(), proof == "pass", "{read:?}");
        let calls = rig.from.calls();
        let copied = calls.iter().find(|call| call.operation == Operation::UploadPartCopy).unwrap();
        assert_eq!(copied.expected_owner.as_deref(), Some("123456789012"));
        assert_eq!(bytes_of(&rig).await.unwrap(), bytes);
        let etag = async |bucket: &str| {
            let head = rig.source.client.head_object().bucket(bucket).key(KEY).send().await.unwrap();
            head.e_tag().map(str::to_owned)
        };
        assert_eq!(etag("archive").await, etag("copies").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_checksum_and_one_request() {
    for checksum in [
        Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite)),
        Some((ChecksumAlgorithm::Crc32, ChecksumType::FullObject)),
        None,
    ] {
        let rig = Rig::new().await;
        rig.source.bucket("copies").await;
        let bytes = data(1, 1_000_000);
        match checksum.clone() {
            Some(checksum) => {
                let parts = [&bytes[..200_000], &bytes[200_000..700_000], &bytes[700_000..]];
                rig.source.multipart("archive", KEY, &parts, Some(checksum)).await;
            }
            None => rig.source.put("archive", KEY, &bytes, None).await,
        }
        let run = copy(&rig, &["--verify-destination"]).await;
        assert_eq!(run.exit, Some(0), "{checksum:?}: {run:?}");
        assert_eq!(verdict(&run, "read-back"), "pass", "{checksum:?}: {run:?}");
        assert_eq!(bytes_of(&rig).await.unwrap(), bytes);
        let says = run.stdout.contains("and the server copies in parts");
        assert_eq!(says, checksum.is_none(), "another ETag is announced: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_source_is_refused_before_a_write() {
    let rig = Rig::new().await;
    rig.source.bucket("copies").await;
    let put = rig.source.client.put_object().bucket("archive").key(KEY).body(data(1, 1000).into());
    put.storage_class(aws_sdk_s3::types::StorageClass::DeepArchive).send().await.unwrap();
    let run = copy(&rig, &["--accept", "proof"]).await;
    run.assert_exit(2);
    assert!(run.stdout.contains("no server copies it before it is restored"), "{run:?}");
    assert_eq!(count(&rig.from, Operation::CreateMultipartUpload), 0);
}

/// The bytes at rest are not those that the stored values were computed over: the server states other values for its
/// parts.
#[tokio::test(flavor = "multi_thread")]
async fn parts_that_do_not_make_up_the_source_are_no_object() {
    let (rig, _) = rig().await;
    rig.from.damage("archive", KEY, 500_000, 1).unwrap();
    let run = copy(&rig, &["--accept", "proof"]).await;
    run.assert_exit(1);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "parts")), (&"not_made".into(), "fail".into()), "{run:?}");
    assert!(bytes_of(&rig).await.is_none());
    assert_eq!(uploads(&rig).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_is_not_copied() {
    let (rig, _) = rig().await;
    rig.from.script(FaultRule::new(Operation::UploadPartCopy, Fault::ReplaceObject).key_contains("nothing"));
    rig.from.script(FaultRule::new(Operation::CreateMultipartUpload, Fault::AnswerLost).key_contains("nothing"));
    // Tags of the source are the last that is asked about it before the write.
    rig.from.script(FaultRule::new(Operation::GetObjectTagging, Fault::ReplaceObject));
    let run = copy(&rig, &["--accept", "proof"]).await;
    assert_ne!(run.exit, Some(0), "{run:?}");
    assert!(bytes_of(&rig).await.is_none());
    assert_eq!(uploads(&rig).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_made_up_for() {
    for fault in
        [Fault::Status { status: 503, code: "SlowDown" }, Fault::SlowDownInside200, Fault::Dropped, Fault::AnswerLost]
    {
        let (rig, bytes) = rig().await;
        rig.from.script(FaultRule::new(Operation::UploadPartCopy, fault.clone()).skip(1));
        let run = copy(&rig, &["--accept", "proof"]).await;
        assert_eq!(run.exit, Some(0), "{fault}: {run:?}");
        assert_eq!(bytes_of(&rig).await.unwrap(), bytes, "{fault}");
        assert_eq!(uploads(&rig).await, 0, "{fault}");
    }
    let (rig, _) = rig().await;
    let denied = Fault::Status { status: 403, code: "AccessDenied" };
    rig.from.script(FaultRule::new(Operation::UploadPartCopy, denied).always());
    let run = copy(&rig, &["--accept", "proof"]).await;
    run.assert_exit(4);
    assert!(run.stdout.contains("s3:GetObject of the source with the credentials of the destination"), "{run:?}");
    assert_eq!(uploads(&rig).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_that_no_server_joins_are_refused() {
    let (rig, _) = rig().await;
    let run = rig.copy(&["--yes", "--via", "server"]).await;
    assert!(run.assert_exit(2).stderr.contains("--via server: the endpoints of the ends differ"), "{run:?}");
    assert!(rig.calls(Operation::CreateMultipartUpload).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let path = crate::common::write(folder.path(), "image.bin", b"x");
    for ends in [[path.as_str(), crate::rig::TO], [FROM, folder.path().to_str().unwrap()]] {
        let run = Run::of(rig.command(&[&ends[..], &["--yes", "--via", "server"]].concat())).await;
        assert!(run.assert_exit(2).stderr.contains("--via server"), "{run:?}");
    }
}

/// The key of the source goes to the server with each part, and the copy has the encryption that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_under_a_customer_key() {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let rig = Rig::new().await;
    rig.source.bucket("copies").await;
    let key = data(5, 32);
    let md5 = stored_ami_lab::checksum::Hasher::of(stored_ami_lab::checksum::Algorithm::Md5, &key);
    let bytes = data(1, 1_000_000);
    let put = rig.source.client.put_object().bucket("archive").key(KEY).body(bytes.clone().into());
    put.sse_customer_algorithm("AES256")
        .sse_customer_key(base64(&key))
        .sse_customer_key_md5(base64(&md5))
        .send()
        .await
        .unwrap();
    let file = |name: &str, key: &[u8]| crate::common::write(rig.home.path(), name, key);
    let (right, wrong) = (file("right", &key), file("wrong", &data(6, 32)));
    copy(&rig, &["--accept", "proof", "--from-sse-c-key-file", &wrong]).await.assert_exit(4);
    let run = copy(&rig, &["--verify-destination", "--from-sse-c-key-file", &right]).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!((verdict(&run, "parts"), verdict(&run, "read-back")), ("pass".into(), "pass".into()), "{run:?}");
    assert!(count(&rig.from, Operation::UploadPartCopy) > 0);
    assert_eq!(bytes_of(&rig).await, Some(bytes), "the bucket's encryption");
    assert!(!format!("{run:?}").contains(&base64(&key)), "keys are never printed");
    rig.source.client.delete_object().bucket("copies").key(KEY).send().await.unwrap();
    let args = ["--verify-destination", "--from-sse-c-key-file", &right, "--to-sse-c-key-file", &wrong];
    let run = copy(&rig, &args).await;
    assert_eq!((run.exit, verdict(&run, "read-back")), (Some(0), "pass".into()), "{run:?}");
    assert!(bytes_of(&rig).await.is_none(), "not without the key of the copy");
}

/// The server copies bytes that nothing proved as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_unproved_bytes_is_copied_by_the_server_only_when_asked_for() {
    let lab = Lab::start(stored_ami_lab::LabOptions::default()).await.unwrap();
    let server = crate::common::Server::new(&lab.endpoint(), "us-east-1", "seed", "seed");
    server.bucket("archive").await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    let mark = |object: &mut stored_ami_lab::ObjectRecord| {
        object.metadata.insert("stored-ami-source".to_owned(), "unproved".to_owned());
    };
    lab.with_object("archive", KEY, mark).unwrap();
    let copy =
        ["copy", crate::rig::FROM, "s3://archive/second.bin", "--via", "server", "--yes", "--accept", "public,proof"];
    let run = server.run(&copy).await;
    assert!(run.assert_exit(3).stdout.contains("it is itself a copy of unproved bytes"), "{run:?}");
    assert!(lab.with_object("archive", "second.bin", |_| ()).is_err());
    server.run(&[&copy[..], &["--unproved"]].concat()).await.assert_exit(0);
    let marked = lab.with_object("archive", "second.bin", |object| object.metadata.contains_key("stored-ami-source"));
    assert!(marked.unwrap());
}
