//! Buckets of several accounts, each with its own credentials.

use std::collections::BTreeSet;

use stored_ami_lab::{CallRecord, Deny, Operation};

use crate::common::Run;
use crate::rig::{Audited, BUCKET, Rig, key};

const ROLE: &str = "arn:aws:iam::111122223333:role/audit";
const OTHER: &str = "arn:aws:iam::444455556666:role/audit";

async fn rig() -> (Rig, String) {
    let rig = Rig::with(2).await;
    for bucket in ["second", "third", "fourth"] {
        rig.server.bucket(bucket).await;
        rig.server.put(bucket, &key(7), &[5; 900], None).await;
    }
    let file = rig.text("buckets.toml");
    let text = format!(
        "[[bucket]]\nprefix = \"s3://{BUCKET}\"\n\n[[bucket]]\nprefix = \"s3://second\"\nrole = \"{ROLE}\"\n\
         external-id = \"secret-7\"\nexpected-owner = \"123456789012\"\n\n[[bucket]]\nprefix = \"s3://third/p\"\n\
         role = \"{OTHER}\"\n\n[[bucket]]\nprefix = \"s3://fourth\"\nprofile = \"archive\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let endpoint = rig.lab.endpoint();
    let config = format!(
        "[profile archive]\nregion = us-east-1\nendpoint_url = {endpoint}\naws_access_key_id = ARCHIVE\n\
         aws_secret_access_key = s\n"
    );
    std::fs::write(rig.path("config"), config).unwrap();
    (rig, file)
}

async fn audit(rig: &Rig, more: &[&str]) -> Audited {
    let mut command = rig.server.command();
    command.env("AWS_CONFIG_FILE", rig.path("config")).args(["audit", "--json"]).args(more);
    Audited::of(Run::of(command).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bucket_is_read_with_its_own_credentials_only() {
    let (rig, file) = rig().await;
    rig.lab.clear_calls();
    let run = audit(&rig, &["--buckets", &file, "--level", "bytes"]).await;
    assert_eq!(run.assert_exit(0).end()["proved"], 5);
    let calls = rig.lab.calls();
    let keys = |bucket: &str| -> BTreeSet<String> {
        calls.iter().filter(|call| call.bucket == bucket).map(|call| call.access_key.clone().unwrap()).collect()
    };
    for (bucket, own) in
        [(BUCKET, "test"), ("second", "ASIA111122223333"), ("third", "ASIA444455556666"), ("fourth", "ARCHIVE")]
    {
        assert_eq!(keys(bucket), BTreeSet::from([own.to_owned()]), "{bucket}");
    }
    // Other servers are also asked with a wrong owner, to see whether they check it.
    for (bucket, owner) in [("second", Some("123456789012")), ("third", None)] {
        let is_read = |call: &&CallRecord| matches!(call.operation, Operation::ListObjectsV2 | Operation::GetObject);
        let read: Vec<_> = calls.iter().filter(|call| call.bucket == bucket).filter(is_read).collect();
        assert!(read.len() >= 2 && read.iter().all(|call| call.expected_owner.as_deref() == owner), "{read:#?}");
    }
    let assumed: Vec<_> = calls.iter().filter(|call| call.query.contains("Action=AssumeRole")).collect();
    assert_eq!(assumed.len(), 2, "each role once");
    assert!(assumed.iter().any(|call| call.query.contains("ExternalId=secret-7")), "{assumed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_refused_leaves_its_bucket_unknown_and_the_others_audited() {
    let (rig, file) = rig().await;
    rig.lab.deny(Deny::action("sts:AssumeRole").under(OTHER));
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[bucket]\nversioning = true\n").unwrap();
    rig.lab.clear_calls();
    let run = audit(&rig, &["--buckets", &file, "--policy", &policy]).await;
    assert_eq!(run.run.exit, Some(1), "versioning is off in three buckets: {}", run.run.stderr);
    let problems = run.end()["problems"].to_string();
    assert!(problems.contains("s3://third/p could not be listed") && problems.contains(OTHER), "{problems}");
    let third = run.of_type("audited_bucket").find(|line| line["bucket"] == "third").unwrap();
    assert_eq!(third["verdict"], "unknown");
    assert!(third["findings"][0]["reason"]["detail"].as_str().unwrap().contains("could not be assumed"), "{third}");
    assert_eq!(run.end()["objects"], 4);
    assert!(!rig.lab.calls().iter().any(|call| call.bucket == "third"), "no other credentials are tried");
    // Without the policy, nothing is wrong, and a part of the work was not done.
    audit(&rig, &["--buckets", &file]).await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_clear_is_refused_before_any_request() {
    let (rig, file) = rig().await;
    std::fs::write(&file, "[[bucket]]\nprefix = \"s3://archive\"\nrole = \"audit\"\n").unwrap();
    rig.lab.clear_calls();
    let run = audit(&rig, &["--buckets", &file]).await;
    assert!(run.assert_exit(2).run.stderr.contains("has a role that is no ARN"), "{}", run.run.stderr);
    let run = audit(&rig, &["s3://archive", "--buckets", &file]).await;
    assert!(run.assert_exit(2).run.stderr.contains("--buckets"), "{}", run.run.stderr);
    assert_eq!(rig.calls(Operation::ListObjectsV2), 0);
}
