//! `batch`: jobs of S3 Batch Operations that compute checksums at rest.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use serde_json::{Value, json};
use stored_ami::ledger::{Ledger, LedgerError};
use stored_ami_lab::{
    Action, BucketOptions, Deny, Encryption, Fault, FaultRule, Lab, LabOptions, Operation, TaskPace, Versioning,
};

use crate::common::{Run, Server, data};
use crate::rig::{BUCKET, Rig, key, target};

const ROLE: &str = "arn:aws:iam::123456789012:role/batch";
const REPORTS: &str = "reports";

struct Batch {
    rig: Rig,
    plan: String,
    ledger: String,
}

impl Batch {
    /// A lab whose jobs end when they are described for the second time.
    async fn new() -> Self {
        let lab = Lab::start(LabOptions { tasks: TaskPace::Polls(2), ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket(BUCKET).await;
        server.bucket(REPORTS).await;
        let rig = Rig { lab, server, folder: tempfile::tempdir().unwrap() };
        let (plan, ledger) = (rig.text("plan.json"), rig.text("l.db"));
        Batch { rig, plan, ledger }
    }

    async fn with(objects: u64) -> Self {
        let batch = Batch::new().await;
        for number in 0..objects {
            batch.rig.put(&key(number), number, 2_000).await;
        }
        batch
    }

    async fn run(&self, args: &[&str]) -> Run {
        self.rig.server.run(&[&["batch"], args].concat()).await
    }

    async fn plan(&self, args: &[&str]) -> Run {
        self.run(&[&["plan", "s3://archive", "--plan", &self.plan, "--force"], args].concat()).await
    }

    async fn submit(&self, args: &[&str]) -> Run {
        self.run(&[&["submit", "--plan", &self.plan, "--to", "s3://reports/p/", "--role", ROLE], args].concat()).await
    }

    /// Submits the plan, and waits until its jobs are complete. Returns their ids.
    async fn complete(&self) -> Vec<String> {
        let run = self.submit(&["--yes"]).await;
        let jobs: Vec<String> =
            of_type(run.assert_exit(0), "batch_job").iter().map(|job| text(&job["job_id"]).to_owned()).collect();
        for job in &jobs {
            self.run(&["follow", job]).await.assert_exit(0);
        }
        jobs
    }

    async fn reconcile(&self, from: &str, args: &[&str]) -> Run {
        self.run(&[&["reconcile", from, "--plan", &self.plan], args].concat()).await
    }

    /// Keys of the report of the first job.
    async fn report(&self) -> Vec<String> {
        let listed = self.rig.server.client.list_objects_v2().bucket(REPORTS).send().await.unwrap();
        listed
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .filter(|key| key.contains("/report-1/"))
            .map(str::to_owned)
            .collect()
    }

    async fn content(&self, key: &str) -> Vec<u8> {
        let out = self.rig.server.client.get_object().bucket(REPORTS).key(key).send().await.unwrap();
        out.body.collect().await.unwrap().to_vec()
    }

    /// Target, verdict and kind of proof of each entry of the ledger.
    fn entries(&self) -> Vec<(String, String, Option<&'static str>)> {
        let mut entries = Vec::new();
        let visit = |kept: stored_ami::ledger::Kept| {
            let stored_ami::audit::Entry::Proof(proof) = kept.entry else { panic!("another entry") };
            entries.push((proof.target.clone(), proof.verdict.to_string(), proof.kind().map(|kind| kind.name())));
        };
        match Ledger::open_existing(self.ledger.as_ref()) {
            Ok(ledger) => drop(ledger.each(None, visit).unwrap()),
            // Its first entry creates it.
            Err(LedgerError::Missing(_)) => {}
            Err(error) => panic!("{error}"),
        }
        entries
    }

    fn policy(&self, proof: &str) -> String {
        std::fs::write(self.rig.path("policy.toml"), format!("[object]\nproof-age = \"30d\"\n{proof}")).unwrap();
        self.rig.text("policy.toml")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

fn of_type(run: &Run, kind: &str) -> Vec<Value> {
    run.lines().into_iter().filter(|line| line["type"] == kind).collect()
}

/// The outcome of each object whose value S3 does not state.
fn named(run: &Run) -> BTreeMap<String, String> {
    let objects = of_type(run, "batch_object").into_iter().filter(|line| line["outcome"] != "stated");
    objects.map(|line| (text(&line["target"]).to_owned(), text(&line["outcome"]).to_owned())).collect()
}

fn end(run: &Run) -> Value {
    let mut ends = of_type(run, "batch");
    assert_eq!(ends.len(), 1, "{run:?}");
    ends.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_objects_of_which_every_wrong_one_is_named() {
    let batch = Batch::with(200).await;
    let planned = batch.plan(&[]).await;
    let report = of_type(planned.assert_exit(0), "batch_plan").remove(0);
    assert_eq!((&report["objects"], &report["jobs"][0]["baselines"]), (&json!(200), &json!(0)));
    assert_eq!(report["jobs"][0]["algorithm"], "crc64nvme");
    let costs: Vec<bool> = report["costs"].as_array().unwrap().iter().map(|line| line["reason"].is_null()).collect();
    assert_eq!(costs, [true, false, false], "the fees of Batch Operations are named as unknown");

    let mut expected = BTreeMap::new();
    let lab = &batch.rig.lab;
    for number in [3, 40, 77] {
        lab.damage(BUCKET, &key(number), 1_000, 1).unwrap();
        expected.insert(target(&key(number)), "differs".to_owned());
    }
    for number in [5, 120] {
        batch.rig.put(&key(number), 1_000 + number, 2_000).await;
        expected.insert(target(&key(number)), "replaced".to_owned());
    }
    let customer = || Encryption::Customer { key_md5: "x".to_owned() };
    lab.with_object(BUCKET, &key(9), |object| object.encryption = customer()).unwrap();
    batch.rig.delete(&key(150)).await;
    for number in [9, 150] {
        expected.insert(target(&key(number)), "failed".to_owned());
    }

    let jobs = batch.complete().await;
    let run = batch.reconcile(&jobs[0], &["--ledger", &batch.ledger]).await;
    assert_eq!(named(run.assert_exit(1)), expected);
    let end = end(&run);
    assert_eq!((&end["counts"]["stated"], &end["recorded"]), (&json!(193), &json!(196)));
    assert_eq!((&end["problems"], &end["basis"]), (&json!([]), &json!("job")));
    let failed = of_type(&run, "batch_object").into_iter().find(|line| line["target"] == target(&key(9))).unwrap();
    assert_eq!((&failed["http_status"], &failed["error_code"]), (&json!(400), &json!("InvalidRequest")));
    let entries = batch.entries();
    let kinds = |kind, verdict| entries.iter().filter(|entry| entry.2 == kind && entry.1 == verdict).count();
    assert_eq!((kinds(Some("stated-by-s3"), "pass"), kinds(None, "fail")), (193, 3));

    // Run again, it adds nothing.
    let again = batch.reconcile(&jobs[0], &["--ledger", &batch.ledger]).await;
    assert_eq!(self::end(again.assert_exit(1))["recorded"], 0);
    // What S3 stated is not due any more.
    let planned = batch.plan(&["--ledger", &batch.ledger]).await;
    let report = of_type(&planned, "batch_plan").remove(0);
    assert_eq!((&report["still_good"], &report["objects"]), (&json!(193), &json!(5)), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_a_report_takes_its_rows_away() {
    let batch = Batch::with(120).await;
    batch.plan(&[]).await.assert_exit(0);
    let jobs = batch.complete().await;
    let files = batch.report().await;
    let results: Vec<&String> = files.iter().filter(|key| key.ends_with(".csv")).collect();
    assert_eq!((files.len(), results.len()), (4, 3));
    // Torn: a byte is another one. Forged: a checksum is replaced by another, in a file of the same length.
    let before = batch.content(results[0]).await;
    let forged = String::from_utf8(before.clone()).unwrap();
    let at = forged.find("checksum_base64").unwrap() + 25;
    for (what, offset) in [("torn", 3), ("forged", at as u64)] {
        batch.rig.lab.damage(REPORTS, results[0], offset, 1).unwrap();
        let run = batch.reconcile(&jobs[0], &[]).await;
        let rows = before.iter().filter(|byte| **byte == b'\n').count();
        let named = named(run.assert_exit(3));
        assert_eq!(named.len(), rows, "{what}");
        assert!(named.values().all(|outcome| outcome == "missing"), "{what}: {named:?}");
        let problems = end(&run)["problems"].clone();
        assert_eq!(problems.as_array().unwrap().len(), 1, "{what}: {problems}");
        let name = results[0].rsplit('/').next().unwrap();
        assert!(text(&problems[0]).starts_with(name) && text(&problems[0]).contains("does not have the MD5"));
        batch.rig.lab.damage(REPORTS, results[0], offset, 1).unwrap();
    }
    batch.reconcile(&jobs[0], &[]).await.assert_exit(0);
    let delete = batch.rig.server.client.delete_object().bucket(REPORTS).key(results[1]);
    delete.send().await.unwrap();
    let run = batch.reconcile(&jobs[0], &[]).await;
    assert!(text(&end(run.assert_exit(3))["problems"][0]).contains("is not there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_another_job_is_no_evidence() {
    let batch = Batch::with(4).await;
    batch.plan(&[]).await.assert_exit(0);
    let other = batch.complete().await.remove(0);
    batch.rig.put(&key(4), 4, 2_000).await;
    batch.plan(&[]).await.assert_exit(0);
    let run = batch.reconcile(&other, &["--ledger", &batch.ledger]).await;
    let error = of_type(run.assert_exit(3), "error").remove(0);
    assert!(text(&error["message"]).contains("is not of this plan; nothing is recorded"), "{error}");
    assert!(batch.entries().is_empty());

    // The files of the other report, put in the place of ours.
    let foreign = batch.report().await;
    let foreign: Vec<&String> = foreign.iter().filter(|key| key.contains(&other)).collect();
    let own = batch.complete().await.remove(0);
    let all = batch.report().await;
    let place = all.iter().find(|key| key.contains(&own) && key.ends_with("manifest.json")).unwrap();
    let manifest = foreign.iter().find(|key| key.ends_with("manifest.json")).unwrap();
    batch.rig.server.put(REPORTS, place, &batch.content(manifest).await, None).await;
    let run = batch.reconcile(&own, &["--ledger", &batch.ledger]).await;
    assert_eq!(end(run.assert_exit(3))["counts"]["missing"], 5);
    assert!(text(&end(&run)["problems"][0]).contains("names a file of another place"));
    assert!(batch.entries().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_proves_nothing() {
    let batch = Batch::with(3).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.lab.damage(BUCKET, &key(1), 5, 1).unwrap();
    batch.complete().await;
    let folder = batch.rig.path("job");
    std::fs::create_dir_all(folder.join("results")).unwrap();
    for key in batch.report().await {
        let name = key.rsplit('/').next().unwrap();
        let place = if name == "manifest.json" { folder.join(name) } else { folder.join("results").join(name) };
        std::fs::write(place, batch.content(&key).await).unwrap();
    }
    let from = folder.to_str().unwrap();
    let run = batch.reconcile(from, &[]).await;
    assert_eq!(named(run.assert_exit(3)), BTreeMap::from([(target(&key(1)), "differs".to_owned())]));
    assert_eq!((&end(&run)["basis"], &end(&run)["counts"]["stated"]), (&json!("report"), &json!(2)));
    assert!(of_type(&run, "batch_object").iter().all(|line| line["verdict"] == "unknown"));
    let refused = batch.reconcile(from, &["--ledger", &batch.ledger]).await;
    assert!(refused.assert_exit(2).stderr.contains("nothing is recorded from a folder"));
    let mut command = batch.rig.server.command();
    command.args(["batch", "reconcile", from, "--plan", &batch.plan]);
    let human = Run::of(command).await;
    assert!(human.assert_exit(3).stdout.contains("as the report says; nothing shows that S3 wrote these files"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_asked_for_and_makes_one_job() {
    let batch = Batch::with(2).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.lab.clear_calls();
    let refused = batch.submit(&[]).await;
    assert!(refused.assert_exit(2).stderr.contains("no terminal to ask at"));
    let shown = batch.submit(&["--dry-run"]).await;
    assert_eq!(of_type(shown.assert_exit(0), "batch_plan").len(), 1);
    let written = |batch: &Batch| {
        let calls = batch.rig.lab.calls();
        let creates = calls.iter().filter(|call| call.operation == create()).count();
        (calls.iter().filter(|call| call.operation == Operation::PutObject).count(), creates)
    };
    assert_eq!(written(&batch), (0, 0));
    let (first, second) = (batch.submit(&["--yes"]).await, batch.submit(&["--yes"]).await);
    let id = |run: &Run| text(&of_type(run.assert_exit(0), "batch_job")[0]["job_id"]).to_owned();
    assert_eq!(id(&first), id(&second));
    assert_eq!(written(&batch), (2, 2));
    // Another plan in the place of the manifest is not overwritten.
    let manifest = text(&of_type(&first, "batch_job")[0]["manifest"]).strip_prefix("s3://reports/").unwrap().to_owned();
    batch.rig.server.put(REPORTS, &manifest, b"archive,other\n", None).await;
    let refused = batch.submit(&["--yes"]).await;
    assert!(refused.assert_exit(3).stdout.contains("another object is in the place of the manifest"));
}

fn create() -> Operation {
    Operation::Service(stored_ami_lab::Action::CreateJob)
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_not_complete_record_nothing() {
    let batch = Batch::with(1).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.lab.fail_next_job("InternalError: the lab ends it");
    let run = batch.submit(&["--yes"]).await;
    let job = text(&of_type(run.assert_exit(0), "batch_job")[0]["job_id"]).to_owned();
    let early = batch.run(&["status", &job]).await;
    assert!(matches!(early.exit, Some(1 | 3)), "{early:?}");
    let over = batch.run(&["follow", &job]).await;
    let report = of_type(over.assert_exit(1), "batch_job").remove(0);
    assert_eq!((&report["state"], &report["reasons"][0]), (&json!("Failed"), &json!("InternalError: the lab ends it")));
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    assert!(run.assert_exit(3).stdout.contains("its state is Failed"));
    assert!(batch.entries().is_empty());
    batch.rig.lab.deny(Deny::action("s3:DescribeJob"));
    let denied = batch.run(&["status", &job]).await;
    assert!(denied.assert_exit(4).stdout.contains("s3:DescribeJob"), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_stays_what_it_was() {
    let batch = Batch::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    batch.rig.lab.create_bucket(BUCKET, versioned).unwrap();
    batch.rig.put(&key(0), 0, 2_000).await;
    let parts = data(5, 900_000);
    let parts: Vec<&[u8]> = parts.chunks(300_000).collect();
    let composite = Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite));
    batch.rig.server.multipart(BUCKET, &key(1), &parts, composite).await;
    let planned = batch.plan(&[]).await;
    let report = of_type(planned.assert_exit(0), "batch_plan").remove(0);
    let jobs: Vec<(&str, &str, bool)> = report["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (text(&job["algorithm"]), text(&job["checksum_type"]), job["versions"] == true))
        .collect();
    assert_eq!(jobs, [("crc64nvme", "full_object", true), ("sha256", "composite", true)]);
    // A newer version does not matter to the planned one.
    batch.rig.put(&key(0), 9, 2_000).await;
    for (job, said) in batch.complete().await.into_iter().zip([
        "every object of job 1, at rest; job 2 of the plan is not in this result",
        "every object of job 2, at rest; job 1 of the plan is not in this result",
    ]) {
        let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
        assert!(named(run.assert_exit(0)).is_empty());
        assert_eq!(end(&run)["jobs"], 2);
        let mut command = batch.rig.server.command();
        command.args(["batch", "reconcile", &job, "--plan", &batch.plan]);
        let words = Run::of(command).await.assert_exit(0).stdout.clone();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(said), "{words}");
    }
    assert_eq!(batch.entries().len(), 2);
    // The proof is of the planned state, not of the newer one.
    let policy = batch.policy("proof = \"stated-by-s3\"\n");
    let audited = batch.rig.audit(&["--policy", &policy]).await;
    let proved = |key: &str| !audited.object(key)["unread_proof"].is_null();
    assert_eq!((proved(&key(0)), proved(&key(1))), (false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_proves_nothing_and_is_repeated_by_the_next_job() {
    let batch = Batch::with(1).await;
    batch.rig.lab.with_object(BUCKET, &key(0), |object| object.checksum = None).unwrap();
    let planned = batch.plan(&[]).await;
    let report = of_type(planned.assert_exit(0), "batch_plan").remove(0);
    assert_eq!((&report["jobs"][0]["algorithm"], &report["jobs"][0]["baselines"]), (&json!("sha256"), &json!(1)));
    let job = batch.complete().await.remove(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    assert_eq!(named(run.assert_exit(3)), BTreeMap::from([(target(&key(0)), "baseline".to_owned())]));
    assert_eq!(batch.entries(), [(target(&key(0)), "unknown".to_owned(), None)]);
    let policy = batch.policy("proof = \"stated-by-s3\"\n");
    let age = async |batch: &Batch| {
        let audited = batch.rig.audit(&["--policy", &policy]).await;
        let findings = audited.object(&key(0))["findings"].as_array().unwrap().clone();
        let found = findings.into_iter().find(|finding| finding["check"] == "proof-age").unwrap();
        text(&found["verdict"]).to_owned()
    };
    assert_ne!(age(&batch).await, "pass", "a baseline never meets proof-age");
    // The next job is held against it.
    batch.plan(&["--ledger", &batch.ledger]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    let object = of_type(run.assert_exit(3), "batch_object").remove(0);
    assert_eq!((&object["outcome"], &object["reference_from"]), (&json!("baseline"), &json!("baseline")));
    assert_ne!(age(&batch).await, "pass", "S3 has only repeated itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_refutes_a_later_change() {
    let batch = Batch::with(1).await;
    batch.rig.lab.with_object(BUCKET, &key(0), |object| object.checksum = None).unwrap();
    batch.plan(&[]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    batch.reconcile(&job, &["--ledger", &batch.ledger]).await.assert_exit(3);
    // The bytes change under the same ETag.
    batch.rig.lab.damage(BUCKET, &key(0), 5, 1).unwrap();
    batch.plan(&["--ledger", &batch.ledger]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    assert_eq!(of_type(run.assert_exit(1), "batch_object").remove(0)["outcome"], "differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_s3_cannot_hash_are_left_out_by_name() {
    let batch = Batch::with(2).await;
    let customer = Encryption::Customer { key_md5: "x".to_owned() };
    batch.rig.lab.with_object(BUCKET, &key(1), |object| object.encryption = customer.clone()).unwrap();
    let planned = batch.plan(&[]).await;
    let report = of_type(planned.assert_exit(3), "batch_plan").remove(0);
    let left_out = &report["left_out"][0];
    assert_eq!((&report["objects"], &left_out["target"]), (&json!(1), &json!(target(&key(1)))));
    // Without its key, S3 does not describe it.
    assert_eq!(left_out["code"], "not_described");
    assert!(text(&left_out["detail"]).contains("encrypted with a customer key"), "{left_out}");
    // Without its checksums, any value could later contradict one that S3 stores.
    let kms = Encryption::Kms { key_id: "k".to_owned(), bucket_key: false };
    batch.rig.lab.with_object(BUCKET, &key(1), |object| object.encryption = kms).unwrap();
    batch.rig.lab.deny(Deny::action("kms:Decrypt"));
    let planned = batch.plan(&[]).await;
    let report = of_type(planned.assert_exit(3), "batch_plan").remove(0);
    let left_out = &report["left_out"][0];
    assert_eq!((&report["objects"], &left_out["code"]), (&json!(1), &json!("checksums_not_known")));
    assert!(text(&left_out["detail"]).contains("needs kms:Decrypt"), "{left_out}");
    batch.rig.lab.allow_all();
    assert_eq!(of_type(batch.plan(&[]).await.assert_exit(0), "batch_plan")[0]["objects"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_and_its_jobs_name_the_next_command() {
    let batch = Batch::with(1).await;
    let human = async |args: &[&str]| {
        let mut command = batch.rig.server.command();
        command.arg("batch").args(args);
        Run::of(command).await
    };
    let planned = human(&["plan", "s3://archive", "--plan", &batch.plan]).await;
    let words = planned.assert_exit(0).stdout.replace(" \\\n", " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let next = format!("next stored-ami batch submit --plan {} --to s3://BUCKET/PREFIX/ --role ROLE-ARN", batch.plan);
    assert!(words.contains(&next), "{words}");
    let submit = ["submit", "--plan", &batch.plan, "--to", "s3://reports/p/", "--role", ROLE, "--yes"];
    let submitted = human(&submit).await;
    let said = &submitted.assert_exit(0).stdout;
    assert!(said.contains("stored-ami batch follow") && !said.contains("batch submit"), "{said}");
    let job = said.split_whitespace().skip_while(|word| *word != "follow").nth(1).unwrap();
    let followed = human(&["follow", job]).await;
    let words = followed.assert_exit(0).stdout.replace(" \\\n", " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let next = format!("next stored-ami batch reconcile {job} --plan FILE --ledger FILE");
    assert!(words.contains(&next), "{words}");
    // Nothing is due, and nothing comes next.
    let elsewhere = batch.rig.text("none.json");
    let nothing = human(&["plan", "s3://reports/none/", "--plan", &elsewhere]).await;
    assert!(!nothing.stdout.contains("batch submit"), "{nothing:?}");
}

/// Without its plan, what the jobs found cannot be reconciled, and the same plan makes the same jobs.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_jobs_is_not_replaced() {
    let batch = Batch::with(1).await;
    let plan = async |prefix: &str| batch.run(&["plan", prefix, "--plan", &batch.plan]).await;
    let none = plan("s3://archive/misspelt").await;
    none.assert_exit(3);
    assert!(!std::path::Path::new(&batch.plan).exists(), "a plan of nothing is of no use");
    plan("s3://archive").await.assert_exit(0);
    let before = std::fs::read(&batch.plan).unwrap();
    batch.rig.lab.clear_calls();
    for prefix in ["s3://archive/misspelt", "s3://archive"] {
        let run = plan(prefix).await;
        assert!(run.assert_exit(2).stderr.contains("holds a plan of 1 job, which may have been submitted"), "{run:?}");
        assert_eq!(std::fs::read(&batch.plan).unwrap(), before);
    }
    assert!(batch.rig.lab.calls().is_empty());
    batch.run(&["plan", "s3://archive", "--plan", &batch.plan, "--force"]).await.assert_exit(0);
    // So is one that this version cannot read.
    let newer = std::fs::read_to_string(&batch.plan).unwrap().replace("batch-plan/", "batch-plan/9");
    std::fs::write(&batch.plan, &newer).unwrap();
    let run = plan("s3://archive").await;
    assert!(run.assert_exit(2).stderr.contains("cannot be read"), "{run:?}");
    assert_eq!(std::fs::read_to_string(&batch.plan).unwrap(), newer);
}

/// A repeated submission finds the job that failed, and another place makes a new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_is_not_submitted_with_success() {
    let batch = Batch::with(1).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.lab.fail_next_job("InternalError: the lab ends it");
    let first = of_type(batch.submit(&["--yes"]).await.assert_exit(0), "batch_job").remove(0);
    batch.run(&["follow", text(&first["job_id"])]).await.assert_exit(1);
    let again = of_type(batch.submit(&["--yes"]).await.assert_exit(1), "batch_job").remove(0);
    assert_eq!((&again["job_id"], &again["state"]), (&first["job_id"], &json!("Failed")));
    let submit = ["batch", "submit", "--plan", &batch.plan, "--role", ROLE, "--yes", "--to"];
    let mut command = batch.rig.server.command();
    command.args(submit).arg("s3://reports/p/");
    let human = Run::of(command).await;
    assert!(human.assert_exit(1).stdout.contains("submit with another --to"), "{}", human.stdout);
    let elsewhere = batch.rig.server.run(&[&submit[..], &["s3://reports/q/"]].concat()).await;
    assert_ne!(of_type(elsewhere.assert_exit(0), "batch_job")[0]["job_id"], first["job_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_job_that_is_not_described_is_not_lost() {
    let batch = Batch::with(1).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.lab.deny(Deny::action("s3:DescribeJob"));
    let run = batch.submit(&["--yes"]).await;
    let job = of_type(run.assert_exit(3), "batch_job").remove(0);
    assert_eq!((&job["state"], &job["submitted"], &job["number"]), (&json!("unknown"), &json!(true), &json!(1)));
    assert!(text(&job["reasons"][0]).contains("s3:DescribeJob"), "{job}");
    batch.rig.lab.allow_all();
    let followed = batch.run(&["follow", text(&job["job_id"])]).await;
    let described = of_type(followed.assert_exit(0), "batch_job").remove(0);
    for field in ["job_id", "manifest", "report"] {
        assert_eq!(described[field], job[field], "{field}");
    }
}

/// Another writer is at work at the place of the manifest at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_does_not_end_a_submission() {
    let batch = Batch::with(1).await;
    batch.plan(&[]).await.assert_exit(0);
    let conflict = Fault::Status { status: 409, code: "ConditionalRequestConflict" };
    batch.rig.lab.script(FaultRule::new(Operation::PutObject, conflict));
    batch.submit(&["--yes"]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_has_every_action_and_only_submit_writes() {
    let batch = Batch::with(2).await;
    let mut program = batch.rig.server.command();
    program.args(["policy", "batch", "--bucket", REPORTS]);
    let printed = Run::of(program).await;
    let document: Value = serde_json::from_str(&printed.assert_exit(0).stdout).unwrap();
    let statements = document["Statement"].as_array().unwrap().iter();
    let policy: Vec<&str> =
        statements.flat_map(|statement| statement["Action"].as_array().unwrap()).map(text).collect();
    assert!(policy.contains(&"iam:PassRole") && printed.stderr.contains("batchoperations.s3.amazonaws.com"));
    let needed = |what: &str| {
        for action in batch.rig.lab.calls().iter().flat_map(|call| call.iam_actions()) {
            // AWS requires no permission for it.
            assert!(action == "sts:GetCallerIdentity" || policy.contains(&action), "{what} needs {action}");
        }
    };
    let writes = || {
        let calls = batch.rig.lab.calls();
        calls.iter().filter(|call| call.operation == Operation::PutObject || call.operation == create()).count()
    };
    batch.rig.lab.clear_calls();
    batch.plan(&[]).await.assert_exit(0);
    needed("plan");
    assert_eq!(writes(), 0);
    let job = batch.complete().await.remove(0);
    needed("submit");
    assert_eq!(writes(), 2);
    batch.rig.lab.clear_calls();
    batch.run(&["status", &job]).await.assert_exit(0);
    batch.reconcile(&job, &[]).await.assert_exit(0);
    needed("reconcile");
    assert_eq!(writes(), 0);
}

/// What `proof-age` and `safe-to-delete` make of each thing that a report can show of the copy of an AMI.
#[tokio::test(flavor = "multi_thread")]
async fn what_policies_and_deletions_accept_of_it() {
    let (none, written, stated) = ("", "proof = \"written\"\n", "proof = \"stated-by-s3\"\n");
    type Plant = fn(&Lab);
    let in_order: Plant = |_| {};
    let unknown_before: Plant = |lab| lab.with_object(BUCKET, &key(1), |object| object.checksum = None).unwrap();
    let damaged: Plant = |lab| lab.damage(BUCKET, &key(1), 9, 1).unwrap();
    for (what, plant, rows) in [
        (
            "stated",
            in_order,
            [(none, "unknown", "cannot_tell"), (written, "unknown", "cannot_tell"), (stated, "pass", "may_go")],
        ),
        (
            "baseline",
            unknown_before,
            [(none, "fail", "must_stay"), (written, "fail", "must_stay"), (stated, "fail", "must_stay")],
        ),
        (
            "differs",
            damaged,
            [(none, "fail", "must_stay"), (written, "fail", "must_stay"), (stated, "fail", "must_stay")],
        ),
    ] {
        let batch = Batch::with(2).await;
        batch.rig.source(1);
        plant(&batch.rig.lab);
        batch.plan(&[]).await.assert_exit(0);
        for job in batch.complete().await {
            batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
        }
        for (proof, age, answer) in rows {
            let policy = batch.policy(proof);
            let audited = batch.rig.audit(&["--policy", &policy]).await;
            let findings = audited.object(&key(1))["findings"].as_array().unwrap().clone();
            let found = findings.iter().find(|finding| finding["check"] == "proof-age").unwrap();
            assert_eq!(found["verdict"], age, "{what}, {proof}: {found}");
            let safe = ["safe-to-delete", "ami-00000000000000001", "--in", "s3://archive", "--ledger", &batch.ledger];
            let run = batch.rig.server.run(&[&safe[..], &["--policy", &policy]].concat()).await;
            assert_eq!(run.report()["answer"], answer, "{what}, {proof}: {run:?}");
        }
    }
}

/// A read found damage, and S3 states the right value later: its statement does not end that.
#[tokio::test(flavor = "multi_thread")]
async fn what_s3_states_does_not_end_damage_that_a_read_found() {
    let batch = Batch::with(3).await;
    let flip = || batch.rig.lab.damage(BUCKET, &key(1), 1_000, 1).unwrap();
    flip();
    batch.rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    let before = batch.entries().len();
    flip();
    batch.plan(&[]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    // Without the ledger, nothing is known.
    batch.reconcile(&job, &[]).await.assert_exit(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    let objects = of_type(run.assert_exit(1), "batch_object");
    let of = |number| objects.iter().find(|line| line["target"] == target(&key(number))).unwrap();
    assert_eq!(
        (&of(1)["outcome"], &of(1)["verdict"], &of(1)["exit_code"]),
        (&json!("stated"), &json!("fail"), &json!(1))
    );
    assert_eq!(of(1)["trouble"]["verdict"], "fail");
    assert!(of(1)["trouble"]["failed"].as_array().unwrap().contains(&json!("crc64nvme")), "{:#}", of(1));
    assert_eq!((&of(2)["verdict"], &of(2)["trouble"]), (&json!("pass"), &Value::Null));
    let end = end(&run);
    assert_eq!((&end["counts"]["stated"], &end["troubled"], &end["recorded"]), (&json!(3), &json!(1), &json!(2)));
    let new = batch.entries().split_off(before);
    assert!(new.iter().all(|entry| entry.0 != target(&key(1)) && entry.2 == Some("stated-by-s3")), "{new:?}");
    let mut command = batch.rig.server.command();
    command.args(["batch", "reconcile", &job, "--plan", &batch.plan, "--ledger", &batch.ledger]);
    let human = Run::of(command).await;
    let said = &human.assert_exit(1).stdout;
    assert!(said.contains("stated") && said.contains("no read has proved these bytes since"), "{said}");
    assert!(said.contains("the ledger has damage that no statement of S3 ends"), "{said}");
}

/// An audit between the job and its reconciliation saw that an object is gone, and that another one was replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_reconciliation_does_not_undo_later_entries() {
    let batch = Batch::with(3).await;
    batch.rig.audit(&[]).await.assert_exit(0);
    batch.plan(&[]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    batch.rig.delete(&key(1)).await;
    batch.rig.put(&key(2), 77, 2_000).await;
    batch.rig.audit(&[]).await.assert_exit(1);
    let state = || async {
        let mut all = Vec::new();
        for number in [1, 2] {
            let shown = batch.rig.server.run(&["ledger", "show", &batch.ledger, &target(&key(number))]).await;
            all.push(shown.lines().into_iter().map(|line| line["entry"].clone()).collect::<Vec<_>>());
        }
        all
    };
    let before = state().await;
    for recorded in [1, 0] {
        let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
        let end = end(run.assert_exit(3));
        assert_eq!((&end["counts"]["stated"], &end["recorded"]), (&json!(3), &json!(recorded)));
        let left: Vec<&str> = end["not_recorded"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(
            left.iter()
                .any(|one| one.starts_with(&format!("{}: by the ledger the object was gone at", target(&key(1)))))
        );
        assert!(
            left.iter()
                .any(|one| one.starts_with(&format!("{}: by the ledger the object was in another", target(&key(2)))))
        );
        assert_eq!(state().await, before);
    }
    // The object stays missing.
    let audited = batch.rig.audit(&[]).await;
    assert_eq!(audited.object(&key(1))["change"], "missing");
}

/// The plan is of a version that was replaced before the job was created, as an audit saw between the two.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_audit_saw_after_the_plan_is_not_undone() {
    let batch = Batch::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    batch.rig.lab.create_bucket(BUCKET, versioned).unwrap();
    batch.rig.put(&key(0), 0, 2_000).await;
    batch.plan(&[]).await.assert_exit(0);
    batch.rig.put(&key(0), 9, 2_000).await;
    batch.rig.audit(&[]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    let end = end(run.assert_exit(3));
    assert_eq!((&end["counts"]["stated"], &end["recorded"]), (&json!(1), &json!(0)));
    let left = text(&end["not_recorded"][0]);
    assert!(left.contains("in another state") && left.ends_with("after the plan was made"), "{left}");
    assert_eq!(batch.rig.audit(&[]).await.assert_exit(0).object(&key(0))["change"], "same");
}

/// Two reads of an object differed, and S3 states the right value later: its statement does not end the doubt.
#[tokio::test(flavor = "multi_thread")]
async fn what_s3_states_does_not_end_a_doubt() {
    let batch = Batch::with(2).await;
    let flip = Fault::FlipOnWire { offset: 9, mask: 1 };
    batch.rig.lab.script(FaultRule::new(Operation::GetObject, flip).key_contains(&key(1)));
    batch.rig.audit(&["--level", "bytes"]).await.assert_exit(3);
    let before = batch.entries().len();
    batch.plan(&[]).await.assert_exit(0);
    let job = batch.complete().await.remove(0);
    let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
    let objects = of_type(run.assert_exit(3), "batch_object");
    let of = |number| objects.iter().find(|line| line["target"] == target(&key(number))).unwrap();
    assert_eq!((&of(0)["verdict"], &of(0)["trouble"]), (&json!("pass"), &Value::Null));
    assert_eq!(
        (&of(1)["outcome"], &of(1)["verdict"], &of(1)["exit_code"]),
        (&json!("stated"), &json!("unknown"), &json!(3))
    );
    assert_eq!((&of(1)["trouble"]["verdict"], &of(1)["trouble"]["doubt"]), (&json!("unknown"), &json!("unstable")));
    let end = end(&run);
    assert_eq!((&end["counts"]["stated"], &end["troubled"], &end["recorded"]), (&json!(2), &json!(1), &json!(1)));
    assert!(batch.entries().split_off(before).iter().all(|entry| entry.0 == target(&key(0))));
    let mut command = batch.rig.server.command();
    command.args(["batch", "reconcile", &job, "--plan", &batch.plan, "--ledger", &batch.ledger]);
    let human = Run::of(command).await;
    let said = &human.assert_exit(3).stdout;
    assert!(said.contains("in doubt") && said.contains("what is named above leaves the result open"), "{said}");
}

/// A batch whose list names two versions of an object.
async fn two_versions() -> (Batch, Vec<String>, String) {
    let batch = Batch::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    batch.rig.lab.create_bucket(BUCKET, versioned).unwrap();
    batch.rig.put(&key(0), 0, 2_000).await;
    batch.rig.put(&key(0), 1, 2_000).await;
    let client = &batch.rig.server.client;
    let versions = client.list_object_versions().bucket(BUCKET).send().await.unwrap();
    let uris: Vec<String> = versions
        .versions()
        .iter()
        .map(|version| format!("{}?versionId={}", target(&key(0)), version.version_id().unwrap()))
        .collect();
    assert_eq!(uris.len(), 2);
    std::fs::write(batch.rig.path("list"), uris.join("\n")).unwrap();
    let list = batch.rig.text("list");
    let planned = batch.run(&["plan", "--list", &list, "--plan", &batch.plan]).await;
    let report = of_type(planned.assert_exit(0), "batch_plan").remove(0);
    assert_eq!((&report["objects"], report["jobs"].as_array().unwrap().len()), (&json!(2), 2));
    (batch, uris, list)
}

/// The request under way ends when the signal arrives, and no other job is created.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_signal_no_further_job_is_created() {
    let (batch, ..) = two_versions().await;
    let lab = &batch.rig.lab;
    let created = || {
        let create = Operation::Service(Action::CreateJob);
        lab.calls().iter().filter(|call| call.operation == create && call.status == 200).count()
    };
    // While the manifest of the first job is written, and while the job itself is created.
    for (operation, jobs, left) in
        [(Operation::PutObject, 0, vec!["job 1", "job 2"]), (Operation::Service(Action::CreateJob), 1, vec!["job 2"])]
    {
        let busy = Fault::Status { status: 503, code: "ServiceUnavailable" };
        lab.script(FaultRule::new(operation, busy).times(3));
        lab.clear_calls();
        let mut command = batch.rig.server.command();
        command.args(["batch", "submit", "--plan", &batch.plan, "--to", "s3://reports/p/", "--role", ROLE]);
        command.args(["--yes", "--json"]);
        let run = Run::terminated(command, lab).await;
        run.assert_exit(130);
        assert_eq!(created(), jobs, "{run:?}");
        assert_eq!(of_type(&run, "batch_job").len(), jobs, "{run:?}");
        let errors = of_type(&run, "error");
        let named: Vec<&str> = errors.iter().map(|line| text(&line["target"])).collect();
        assert_eq!(named, left, "{run:?}");
        assert!(errors.iter().all(|line| line["exit_code"] == 130), "{errors:?}");
        assert!(text(&errors[0]["message"]).starts_with("not started: "), "{errors:?}");
    }
    // The same command creates the rest.
    assert_eq!(of_type(batch.submit(&["--yes"]).await.assert_exit(0), "batch_job").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_of_an_object_that_a_list_names_are_two_jobs() {
    let (batch, uris, list) = two_versions().await;
    for job in batch.complete().await {
        let run = batch.reconcile(&job, &["--ledger", &batch.ledger]).await;
        assert!(named(run.assert_exit(0)).is_empty());
    }
    // Each under its own name, so that neither looks like a replacement of the other.
    let mut recorded: Vec<String> = batch.entries().into_iter().map(|entry| entry.0).collect();
    recorded.sort();
    let mut expected = uris.clone();
    expected.sort();
    assert_eq!(recorded, expected);
    let planned =
        batch.run(&["plan", "--list", &list, "--plan", &batch.plan, "--force", "--ledger", &batch.ledger]).await;
    assert_eq!(of_type(planned.assert_exit(0), "batch_plan").remove(0)["still_good"], 2);
}

/// A misspelt prefix does not look like one of which every object was proved lately.
#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_without_objects_is_no_plan_in_which_nothing_is_due() {
    let batch = Batch::with(2).await;
    let plan = ["plan", "s3://archive/typo/", "--plan", &batch.plan, "--force"];
    let said = "no stored AMI object was found under s3://archive/typo/, so there is nothing to report";
    let report = of_type(batch.run(&plan).await.assert_exit(3), "batch_plan").remove(0);
    assert_eq!((&report["problems"], &report["exit_code"]), (&json!([said]), &json!(3)), "{report:#}");
    let told = batch.rig.told(&[&["batch"], &plan[..]].concat(), 3).await;
    assert!(told.contains("no object could be planned") && !told.contains("no object is due"), "{told}");

    // Every object still has a valid proof.
    batch.plan(&[]).await.assert_exit(0);
    let jobs = batch.complete().await;
    batch.reconcile(&jobs[0], &["--ledger", &batch.ledger]).await.assert_exit(0);
    let report = of_type(batch.plan(&["--ledger", &batch.ledger]).await.assert_exit(0), "batch_plan").remove(0);
    assert_eq!((&report["still_good"], &report["objects"]), (&json!(2), &json!(0)), "{report:#}");
}
