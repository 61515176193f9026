//! `copy --ledger`: what a copy records, and what counts as a proof afterwards.

use serde_json::{Value, json};
use stored_ami::ledger::{Head, Ledger};

use crate::common::{Run, data};
use crate::rig::{FROM, KEY, Rig, TO, report};

const PARTS: usize = 300_000;

struct Recorded {
    rig: Rig,
    ledger: String,
}

impl Recorded {
    /// An object of four parts at the source.
    async fn new() -> Self {
        let rig = Rig::new().await;
        let bytes = data(1, 1_000_000);
        rig.source.multipart("archive", KEY, &bytes.chunks(PARTS).collect::<Vec<_>>(), None).await;
        let ledger = rig.home.path().join("l.db").to_str().unwrap().to_owned();
        Recorded { rig, ledger }
    }

    /// S3 then states nothing of the source that proves its bytes.
    fn without_references(&self) {
        let hide = |object: &mut stored_ami_lab::ObjectRecord| {
            object.encryption = stored_ami_lab::Encryption::Kms { key_id: "k".into(), bucket_key: false };
            object.checksum = None;
        };
        self.rig.from.with_object("archive", KEY, hide).unwrap();
    }

    async fn copy(&self, args: &[&str]) -> Run {
        self.rig.copy(&[&["--yes", "--ledger", &self.ledger], args].concat()).await
    }

    /// Target, verdict and kind of proof of each entry.
    fn entries(&self) -> Vec<(String, String, Option<&'static str>)> {
        let mut entries = Vec::new();
        // A run that records nothing creates no file.
        if !std::path::Path::new(&self.ledger).exists() {
            return entries;
        }
        let ledger = Ledger::open_existing(self.ledger.as_ref()).unwrap();
        let visit = |kept: stored_ami::ledger::Kept| {
            let stored_ami::audit::Entry::Proof(proof) = kept.entry else { panic!("another entry") };
            entries.push((proof.target.clone(), proof.verdict.to_string(), proof.kind().map(|kind| kind.name())));
        };
        ledger.each(None, visit).unwrap();
        entries
    }

    async fn audit(&self, args: &[&str]) -> (i32, Value) {
        let all = [&["audit", "s3://gov-archive", "--ledger", &self.ledger], args].concat();
        let run = self.rig.destination.run(&all).await;
        let line = run.lines().into_iter().find(|line| line["type"] == "audited").unwrap();
        (run.exit.unwrap(), line)
    }

    fn policy(&self, text: &str) -> String {
        let path = self.rig.home.path().join("policy.toml");
        std::fs::write(&path, format!("[object]\nproof-age = \"30d\"\n{text}")).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn finding<'a>(line: &'a Value, check: &str) -> &'a Value {
    line["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap()
}

fn entry(target: &str, verdict: &str, kind: Option<&'static str>) -> (String, String, Option<&'static str>) {
    (target.to_owned(), verdict.to_owned(), kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_records_what_was_read_and_what_was_written() {
    let at = Recorded::new().await;
    let run = at.copy(&[]).await;
    let copied = report(run_passed(&run));
    assert_eq!(at.entries(), [entry(FROM, "pass", Some("read")), entry(TO, "pass", Some("written"))]);
    assert_eq!(
        copied["recorded"],
        json!([{ "target": FROM, "proof_kind": "read" }, { "target": TO, "proof_kind": "written" }])
    );
    let head: Head = copied["ledger_head"].as_str().unwrap().parse().unwrap();
    assert_eq!(Ledger::open_existing(at.ledger.as_ref()).unwrap().check(Some(head)), Ok(head));

    let shown = at.rig.destination.run(&["ledger", "show", &at.ledger, TO]).await.lines()[0].clone();
    let etag = copied["source_identity"]["etag"].as_str().unwrap();
    assert_eq!((&shown["proof_kind"], &shown["entry"]["proof_kind"]), (&json!("written"), &json!("written")));
    assert_eq!(shown["entry"]["copied_from"]["target"], FROM);
    assert_eq!(shown["entry"]["copied_from"]["object"]["etag"], etag);
    assert_eq!((&shown["entry"]["object"]["etag"], &shown["entry"]["covered_bytes"]), (&json!(etag), &json!(0)));
    assert!(shown["entry"]["content"].as_array().unwrap().contains(&json!(format!("etag:{etag}"))), "{shown}");
    let verified = at.rig.destination.run(&["ledger", "verify", &at.ledger]).await.lines()[0].clone();
    assert_eq!(verified["proofs"], json!({ "read": 1, "written": 1 }));

    // The policy names the kind, and accepts it only where it says so.
    let policy = at.policy("");
    let (exit, line) = at.audit(&["--policy", &policy]).await;
    assert_eq!((exit, &line["verdict"], line.get("proof")), (3, &json!("unknown"), None));
    assert_eq!((&line["unread_proof"]["kind"], &line["change"]), (&json!("written"), &json!("same")));
    let reason = &finding(&line, "proof-age")["reason"];
    assert_eq!(reason["code"], "unread_proof");
    assert!(reason["detail"].as_str().unwrap().contains("the newest proof is `written`"), "{reason}");
    let policy = at.policy("proof = \"written\"\n");
    let (exit, line) = at.audit(&["--policy", &policy]).await;
    assert_eq!(
        (exit, &line["verdict"], &finding(&line, "proof-age")["verdict"]),
        (0, &json!("unknown"), &json!("pass"))
    );
    // An audit of bytes reads it, and then it is proved.
    let policy = at.policy("");
    let (exit, line) = at.audit(&["--policy", &policy, "--level", "bytes"]).await;
    assert_eq!((exit, &line["verdict"], &line["proof"]["kind"]), (0, &json!("pass"), &json!("read")));
    assert_eq!(line["received_bytes"], 1_000_000);
}

fn run_passed(run: &Run) -> &Run {
    run.assert_exit(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_read_is_proved_by_reading() {
    let at = Recorded::new().await;
    at.copy(&["--verify-destination"]).await.assert_exit(0);
    assert_eq!(
        at.entries(),
        [entry(FROM, "pass", Some("read")), entry(TO, "pass", Some("written")), entry(TO, "pass", Some("read"))]
    );
    let policy = at.policy("");
    let (exit, line) = at.audit(&["--policy", &policy, "--level", "bytes"]).await;
    assert_eq!((exit, &line["verdict"], line.get("examined")), (0, &json!("pass"), None), "no byte is read again");
    // The same object is there: nothing is read or written, and nothing is recorded.
    let again = at.copy(&[]).await;
    assert_eq!(report(again.assert_exit(0)).get("recorded"), None);
    assert_eq!(at.entries().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_proved_is_recorded_without_a_kind() {
    let at = Recorded::new().await;
    let bytes = data(1, 1_000_000);
    let file = at.rig.home.path().join("image.bin");
    std::fs::write(&file, &bytes).unwrap();
    let args = [file.to_str().unwrap(), TO, "--yes", "--unproved", "--ledger", &at.ledger];
    Run::of(at.rig.command(&args)).await.assert_exit(0);
    assert_eq!(at.entries(), [entry(TO, "unknown", None)], "a file has no entry");
    let (_, line) = at.audit(&["--policy", &at.policy("proof = \"stated-by-s3\"\n")]).await;
    assert_eq!((&finding(&line, "proof-age")["verdict"], line.get("unread_proof")), (&json!("fail"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_at_the_source_is_recorded_and_a_wrong_value_is_not() {
    let at = Recorded::new().await;
    at.copy(&["--expect", "crc64nvme:AAAAAAAAAAA="]).await.assert_exit(1);
    assert!(at.entries().is_empty(), "the value may be of another object");
    at.rig.from.damage("archive", KEY, 500_000, 1).unwrap();
    let folder = at.rig.home.path().join("disk");
    std::fs::create_dir(&folder).unwrap();
    let to_file = [FROM, folder.to_str().unwrap(), "--ledger", &at.ledger];
    Run::of(at.rig.command(&to_file)).await.assert_exit(1);
    assert_eq!(at.entries(), [entry(FROM, "fail", None)]);
    at.copy(&[]).await.assert_exit(1);
    assert_eq!(at.entries(), [entry(FROM, "fail", None), entry(FROM, "fail", None)]);
    assert!(!at.rig.has(KEY).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_used_ends_the_copy_before_any_request() {
    let at = Recorded::new().await;
    std::fs::write(&at.ledger, "no ledger, and long enough to be one").unwrap();
    let run = at.copy(&[]).await;
    assert!(run.assert_exit(2).stderr.contains("is not a ledger of stored-ami"), "{run:?}");
    assert!(at.rig.from.calls().is_empty() && at.rig.to.calls().is_empty());
    std::fs::remove_file(&at.ledger).unwrap();
    let run = at.copy(&["--dry-run"]).await;
    run.assert_exit(0);
    assert!(!std::path::Path::new(&at.ledger).exists(), "a rehearsal writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_proved_by_what_another_program_left_only_when_asked_for() {
    let at = Recorded::new().await;
    at.without_references();
    let md5 = stored_ami::checksum::Hasher::digest(stored_ami::checksum::Algorithm::Md5, &data(1, 1_000_000)).hex();
    at.rig.source.tag("archive", KEY, "computed-md5", &md5).await;
    let run = at.copy(&["--tags", "none"]).await;
    run.assert_exit(3);
    assert!(!at.rig.from.calls().iter().any(|call| call.operation == stored_ami_lab::Operation::GetObjectTagging));
    let run = at.copy(&["--using", "tags", "--tags", "none"]).await;
    let copied = report(run.assert_exit(0));
    assert_eq!(copied["proved_by"], json!(["tags-md5"]));
    assert_eq!(at.entries(), [entry(FROM, "pass", Some("read")), entry(TO, "pass", Some("written"))]);
}

/// The values of a copy are computed over the bytes that were sent, so that a read of it shows nothing about its source.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_a_copy_of_unproved_bytes_is_no_proof() {
    let at = Recorded::new().await;
    at.without_references();
    let baseline = at.rig.home.path().join("m.json").to_str().unwrap().to_owned();
    at.rig.source.run(&["verify", FROM, "--write-manifest", &baseline]).await.assert_exit(3);
    // The same bytes as those of a baseline are not proved either.
    let refused = at.copy(&["--manifest", &baseline]).await;
    assert_eq!(report(refused.assert_exit(3))["outcome"], "not_made");
    assert!(!at.rig.has(KEY).await && at.entries().is_empty());

    let copied = at.copy(&["--manifest", &baseline, "--unproved", "--verify-destination"]).await;
    let copied = report(run_passed(&copied));
    assert_eq!((&copied["outcome"], &finding(&copied, "source")["verdict"]), (&json!("copied"), &json!("unknown")));
    assert_eq!(finding(&copied, "read-back")["verdict"], "pass");
    assert_eq!(at.entries(), [entry(TO, "unknown", None)]);
    assert_eq!(copied["recorded"], json!([{ "target": TO }]));
    let metadata = |key: &str| at.rig.to.with_object("gov-archive", key, |object| object.metadata.clone()).unwrap();
    assert_eq!(metadata(KEY).get("stored-ami-source").map(String::as_str), Some("unproved"));
}

/// A copy of a copy of unproved bytes is not proved either, whoever made the first one, and whichever ledger knows of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_marked_copy_is_not_proved() {
    let at = Recorded::new().await;
    let mark = |object: &mut stored_ami_lab::ObjectRecord| {
        object.metadata.insert("stored-ami-source".to_owned(), "unproved".to_owned());
    };
    let proper = at.rig.home.path().join("proper.json").to_str().unwrap().to_owned();
    let bytes = data(1, 1_000_000);
    at.rig.source.multipart("archive", "original.bin", &bytes.chunks(PARTS).collect::<Vec<_>>(), None).await;
    let original = "s3://archive/original.bin";
    at.rig.source.run(&["verify", original, "--write-manifest", &proper]).await.assert_exit(0);
    at.rig.from.with_object("archive", KEY, mark).unwrap();
    let refused = at.copy(&[]).await;
    let told = report(refused.assert_exit(3));
    let detail = finding(&told, "source")["detail"].as_str().unwrap().to_owned();
    assert!(told["outcome"] == "not_made" && detail.contains("it is itself a copy of unproved bytes"), "{told}");
    let marked =
        || at.rig.to.with_object("gov-archive", KEY, |o| o.metadata.contains_key("stored-ami-source")).unwrap();
    at.copy(&["--unproved"]).await.assert_exit(0);
    assert!(marked());
    // What no byte is read of cannot be compared.
    for given in [&["--expect", "crc64nvme:AAAAAAAAAAA="][..], &["--manifest", &proper], &["--using", "tags"]] {
        let run = at.copy(&[&["--via", "server"], given].concat()).await;
        assert!(run.assert_exit(2).stderr.contains("reads no byte of the source"), "{run:?}");
    }
    at.rig.destination.client.delete_object().bucket("gov-archive").key(KEY).send().await.unwrap();
    // A value from elsewhere proves it, and then its copy is one like any other.
    let proved = at.copy(&["--manifest", &proper]).await;
    assert_eq!(report(proved.assert_exit(0))["outcome"], "copied");
    assert!(!marked());
    let last = at.entries().pop().unwrap();
    assert_eq!(last, entry(TO, "pass", Some("written")));
}

/// What the destination states of a copy of proved bytes does not decide whether they were proved.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_server_states_nothing_is_not_an_unproved_one() {
    let at = Recorded::new().await;
    let run = at.copy(&["--verify-destination", "--sse-kms-key", "arn:aws-us-gov:kms:k", "--accept", "parts"]).await;
    assert_eq!(report(run_passed(&run))["outcome"], "copied");
    assert!(at.entries().contains(&entry(TO, "pass", Some("read"))), "{:?}", at.entries());
    let marked = at.rig.to.with_object("gov-archive", KEY, |o| o.metadata.contains_key("stored-ami-source")).unwrap();
    assert!(!marked);
}

/// Metadata may be lost when an object is written again. What the ledger knows of a source counts as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_knows_of_a_source_counts_without_its_mark() {
    let at = Recorded::new().await;
    at.without_references();
    at.copy(&["--unproved"]).await.assert_exit(0);
    at.rig.to.with_object("gov-archive", KEY, |object| object.metadata.clear()).unwrap();
    let second = "s3://gov-archive/second.bin";
    let on = |more: &'static [&'static str]| {
        let args = [&[TO, second, "--yes", "--ledger", &at.ledger][..], more].concat();
        let mut command = at.rig.destination.command();
        command.arg("copy").args(&args).arg("--json");
        Run::of(command)
    };
    let refused = on(&[]).await;
    let told = report(refused.assert_exit(3));
    assert!(finding(&told, "source")["detail"].as_str().unwrap().contains("a copy of unproved bytes"), "{told}");
    // A manifest of the copy itself says no more than its own values.
    let own = at.rig.home.path().join("own.json").to_str().unwrap().to_owned();
    at.rig.destination.run(&["verify", TO, "--write-manifest", &own]).await.assert_exit(0);
    let mut command = at.rig.destination.command();
    command.args(["copy", TO, second, "--yes", "--json", "--manifest", &own, "--ledger", &at.ledger]);
    Run::of(command).await.assert_exit(3);
    on(&["--unproved"]).await.assert_exit(0);
    let marked = at.rig.to.with_object("gov-archive", "second.bin", |o| o.metadata.contains_key("stored-ami-source"));
    assert!(marked.unwrap());
}

/// A pass of such an object always comes with the remark.
#[tokio::test(flavor = "multi_thread")]
async fn what_passes_a_copy_of_unproved_bytes_says_so() {
    let at = Recorded::new().await;
    at.without_references();
    at.rig.copy(&["--yes", "--unproved"]).await.assert_exit(0);
    let policy = at.policy("");
    for level in ["facts", "bytes"] {
        let run = ["audit", "s3://gov-archive", "--ledger", &at.ledger, "--level", level, "--policy", policy.as_str()];
        let run = at.rig.destination.run(&run).await;
        let lines = run.lines();
        let notes = |kind: &str| -> Vec<String> {
            let line = lines.iter().find(|line| line["type"] == kind).unwrap();
            let notes = line["notes"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
            notes.filter(|note| note.contains("need have proved")).map(str::to_owned).collect()
        };
        let said = notes("audit");
        assert!(said.len() == 1 && said[0].contains(TO), "{level}: {run:?}");
        assert_eq!(notes("audited").len(), 1, "{level}: {run:?}");
    }
    for more in [&[][..], &["--verify"]] {
        let run = at.rig.destination.run(&[&["preflight", "restore", TO, "--name", "golden"], more].concat()).await;
        assert!(run.stdout.contains("need have proved"), "{more:?} {run:?}");
    }
}
