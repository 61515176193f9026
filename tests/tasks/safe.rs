//! `safe-to-delete`: reasons to keep an AMI although it has a proved copy.

use stored_ami_lab::{BucketOptions, Deny, Encryption, Versioning};

use crate::common::{Run, data};
use crate::rig::{AMI, BUCKET, KEY, Rig};

const IN: &str = "s3://archive";

/// A lab in which stores never end, with a copy of the AMI of which every byte is proved.
async fn proved() -> (Rig, String) {
    let rig = Rig::busy().await;
    rig.server.put(BUCKET, KEY, &data(1, 300_000), None).await;
    rig.tag_source(AMI, "123456789012");
    let ledger = rig.path("l.db");
    rig.run(&["audit", IN, "--level", "bytes", "--ledger", &ledger]).await.assert_exit(0);
    (rig, ledger)
}

async fn safe(rig: &Rig, ledger: &str, more: &[&str]) -> Run {
    rig.run(&[&["safe-to-delete", AMI, "--in", IN, "--ledger", ledger], more].concat()).await
}

fn assert_answer(run: &Run, answer: &str, exit: i32, because: &str) {
    assert_eq!(run.assert_exit(exit).report()["answer"], answer, "{run:?}");
    let told = [&run.report()["because"], &run.report()["notes"]].map(ToString::to_string).concat();
    assert!(told.contains(because), "{because}: {told}");
}

/// Runs a command for a person, and returns its output with single spaces.
async fn told(rig: &Rig, args: &[&str], exit: i32) -> String {
    let mut command = rig.command();
    command.args(args);
    let run = Run::of(command).await;
    run.assert_exit(exit);
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_yes_says_how_old_the_proof_is() {
    let (rig, ledger) = proved().await;
    let report = safe(&rig, &ledger, &[]).await.report();
    let proof = &report["proof"];
    assert_eq!((&proof["kind"], &proof["max_age_seconds"]), (&"read".into(), &(90 * 86_400).into()), "{report}");
    assert!(proof["at"].is_string() && proof["age_seconds"].as_i64().is_some_and(|age| age >= 0), "{report}");
    assert!(proof["by"].as_array().is_some_and(|by| !by.is_empty()), "{report}");
    // The smaller age counts.
    let policy = rig.path("p.toml");
    std::fs::write(&policy, "[object]\nproof-age = \"7d\"\n").unwrap();
    let report = safe(&rig, &ledger, &["--policy", &policy]).await.report();
    assert_eq!(report["proof"]["max_age_seconds"], 7 * 86_400, "{report}");
    let text = told(&rig, &["safe-to-delete", AMI, "--in", IN, "--ledger", &ledger], 0).await;
    assert!(text.contains("not read now; a proof counts for 90 d"), "{text}");
    assert!(text.contains(" ago, and not read now, meets the requirements"), "{text}");
    // A no rests on no proof.
    rig.deny("ec2:DescribeStoreImageTasks");
    assert_eq!(safe(&rig, &ledger, &[]).await.report().get("proof"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_was_verified_is_recorded_by_the_command_that_is_shown() {
    let (rig, ledger) = proved().await;
    rig.lab.damage(BUCKET, KEY, 9, 1).unwrap();
    let object = format!("{IN}/{KEY}");
    let text = told(&rig, &["verify", &object], 1).await;
    let step = format!("record it stored-ami audit {object} --level bytes --max-age 0d --ledger LEDGER");
    assert!(text.contains(&step), "{text}");
    assert_answer(&safe(&rig, &ledger, &[]).await, "may_go", 0, "");
    let run = rig.run(&["audit", &object, "--level", "bytes", "--max-age", "0d", "--ledger", &ledger]).await;
    assert!(!run.assert_exit(1).stderr.contains("checks its bytes"), "{run:?}");
    assert_answer(&safe(&rig, &ledger, &[]).await, "must_stay", 1, "sound: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_on_keeps_it_and_so_does_one_that_cannot_be_asked_for() {
    let (rig, ledger) = proved().await;
    assert_answer(&safe(&rig, &ledger, &[]).await, "may_go", 0, "");
    rig.deny("ec2:DescribeStoreImageTasks");
    assert_answer(
        &safe(&rig, &ledger, &[]).await,
        "cannot_tell",
        3,
        "whether a store of it is in progress is not known",
    );
    rig.lab.allow_all();
    assert_answer(&safe(&rig, &ledger, &["--no-sign-request"]).await, "cannot_tell", 3, "accepts only signed requests");
    // Into a bucket that is not among the prefixes.
    rig.server.bucket("elsewhere").await;
    rig.start_store(AMI, "elsewhere").await;
    assert_answer(&safe(&rig, &ledger, &[]).await, "must_stay", 1, "a store of it is in progress");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_read_does_not_stand_in_for_it() {
    let (rig, ledger) = proved().await;
    let kms = Encryption::Kms { key_id: "k".into(), bucket_key: false };
    rig.lab.with_object(BUCKET, KEY, |object| object.encryption = kms).unwrap();
    rig.lab.deny(Deny::action("kms:Decrypt"));
    assert_answer(&safe(&rig, &ledger, &[]).await, "cannot_tell", 3, "one byte of it could not be read");
    rig.lab.allow_all();
    assert_answer(&safe(&rig, &ledger, &[]).await, "may_go", 0, "");
    rig.lab.with_object(BUCKET, KEY, |object| object.storage_class = "DEEP_ARCHIVE".into()).unwrap();
    assert_answer(
        &safe(&rig, &ledger, &[]).await,
        "may_go",
        0,
        "it must be restored from the archive tier before EC2 can restore the AMI",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_younger_proof_makes_no_shorter_life_enough() {
    let (rig, ledger) = proved().await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48);
    let soon = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
    let rule = format!("expiry-date=\"{soon}\", rule-id=\"old\"");
    rig.lab.with_object(BUCKET, KEY, |object| object.expiration = Some(rule)).unwrap();
    for more in [&[][..], &["--max-age", "1d"]] {
        assert_answer(&safe(&rig, &ledger, more).await, "must_stay", 1, "stays: expiry-date");
    }
    // If the policy says that a day is enough, the rule is still mentioned.
    let policy = rig.path("p.toml");
    std::fs::write(&policy, "[object]\nstays = \"1d\"\nother-region = true\n").unwrap();
    let run = safe(&rig, &ledger, &["--policy", &policy]).await;
    assert_answer(&run, "cannot_tell", 3, "other-region is judged by `audit`");
    std::fs::write(&policy, "[object]\nstays = \"1d\"\n").unwrap();
    let run = safe(&rig, &ledger, &["--policy", &policy]).await;
    assert_answer(&run, "may_go", 0, "a lifecycle rule will remove it");
}

/// The ledger has a proof of a version, which a restore does not read any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_proved_version_that_is_not_the_current_one_does_not_stand_in_for_it() {
    for (is_deleted, because) in [(true, "there is no object ami-0123456789abcdef0.bin"), (false, "proof-age: ")] {
        let rig = Rig::new().await;
        let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
        rig.lab.create_bucket(BUCKET, versioned).unwrap();
        rig.server.put(BUCKET, KEY, &data(1, 300_000), None).await;
        rig.tag_source(AMI, "123456789012");
        let client = &rig.server.client;
        let head = client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
        let (list, ledger) = (rig.path("list"), rig.path("l.db"));
        std::fs::write(&list, format!("{IN}/{KEY}?versionId={}\n", head.version_id().unwrap())).unwrap();
        rig.run(&["audit", "--list", &list, "--level", "bytes", "--ledger", &ledger]).await.assert_exit(0);
        match is_deleted {
            true => drop(client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap()),
            false => {
                rig.server.put(BUCKET, KEY, &data(2, 300_000), None).await;
                rig.tag_source(AMI, "123456789012");
            }
        }
        assert_answer(&safe(&rig, &ledger, &[]).await, "must_stay", 1, because);
    }
}

/// What only a request can show is no open condition: the question could not be asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_and_a_server_that_does_not_answer_are_exit_code_4() {
    let (rig, ledger) = proved().await;
    let args = ["safe-to-delete", AMI, "--in", "s3://archiv", "--ledger", &ledger];
    assert_answer(&rig.run(&args).await, "cannot_tell", 4, "there is no such bucket");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let away = safe(&rig, &ledger, &["--endpoint-url", &endpoint, "--retries", "0"]).await;
    assert_answer(&away, "cannot_tell", 4, "could not be listed");
    // A second prefix that is in order does not hide the first.
    let both = ["safe-to-delete", AMI, "--in", "s3://archiv", "--in", "s3://archive/none/", "--ledger", &ledger];
    assert_answer(&rig.run(&both).await, "cannot_tell", 4, "there is no such bucket");
}
