//! `doctor` finds what is wrong with settings, connection and permissions, and says what to do.

use serde_json::{Value, json};
use stored_ami_lab::{Deny, Operation};

use super::recorder::Recorder;
use super::rig::{BUCKET, EMPTY, REGION, Rig};
use crate::common::{ClosedPort, Run};

const TARGET: &str = "s3://archive";

/// Checks and their results: `pass`, `fail`, `unknown` or `not tested`.
fn results(run: &Run) -> Vec<(String, String)> {
    let report = run.report();
    assert_eq!(report["type"], "doctor");
    let findings = report["findings"].as_array().unwrap().iter();
    let of = |finding: &Value| {
        let verdict = match finding["not_tested"].as_bool() {
            Some(true) => "not tested",
            _ => finding["verdict"].as_str().unwrap(),
        };
        (finding["check"].as_str().unwrap().to_owned(), verdict.to_owned())
    };
    findings.map(of).collect()
}

fn result(run: &Run, check: &str) -> String {
    let found = results(run).into_iter().find(|(name, _)| name == check);
    found.unwrap_or_else(|| panic!("no {check} in {run:?}")).1
}

/// Detail and advice of a check.
fn finding(run: &Run, check: &str) -> (String, String) {
    let finding = run.finding(check);
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    (text("detail"), text("advice"))
}

async fn doctor(rig: &Rig, args: &[&str], env: &[(&str, &str)]) -> Run {
    let mut command = rig.keyed(&[&["doctor"], args, &["--json"]].concat());
    command.envs(env.iter().copied());
    Run::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_order() {
    let rig = Rig::new().await;
    let run = doctor(&rig, &[TARGET], &[]).await;
    run.assert_exit(0);
    let checks = ["credentials", "region", "endpoint", "clock", "bucket", "list", "read", "write", "memory", "hashing"];
    let expected =
        checks.map(|check| (check.to_owned(), if check == "write" { "not tested" } else { "pass" }.to_owned()));
    assert_eq!(results(&run), expected);
    let report = run.report();
    assert_eq!((&report["region"], &report["region_source"]), (&json!(REGION), &json!("AWS_REGION")));
    assert_eq!(
        (&report["endpoint_source"], &report["credentials_source"]),
        (&json!("AWS_ENDPOINT_URL"), &json!("AWS_ACCESS_KEY_ID"))
    );
    assert!(report["arn"].as_str().unwrap().starts_with("arn:aws:") && report["account"].as_str().unwrap().len() == 12);
    assert!(report["hash_rates"].as_array().unwrap().len() == 3 && report["cores"].as_u64().unwrap() > 0);
    let mut operations: Vec<String> = rig.lab.calls().iter().map(|call| format!("{:?}", call.operation)).collect();
    operations.retain(|operation| operation != "Connect");
    operations.sort();
    let asked =
        ["GetObject", "GetObjectAttributes", "HeadBucket", "HeadObject", "ListObjectsV2", "Service(GetCallerIdentity)"];
    assert_eq!(operations, asked);
    assert_eq!(report["requests"], 6);

    rig.lab.clear_calls();
    let run = doctor(&rig, &[], &[]).await;
    run.assert_exit(0);
    assert_eq!(results(&run).len(), 6, "{run:?}");
    assert!(rig.lab.calls().iter().any(|call| call.operation == Operation::ListBuckets));
    let text = Run::of(rig.keyed(&["doctor", TARGET])).await;
    assert!(text.stdout.contains("NOT TESTED write") && text.stdout.contains("→ `stored-ami policy store"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_actions_are_named_with_the_policy_that_permits_them() {
    for (action, check, result_of_it, advice) in [
        ("s3:ListBucket", "list", "fail", "stored-ami policy audit --bucket archive"),
        ("s3:ListBucket", "read", "unknown", "stored-ami inspect s3://BUCKET/KEY"),
        ("s3:GetObject", "read", "fail", "stored-ami policy verify --bucket archive"),
        ("s3:GetObjectAttributes", "read", "fail", "stored-ami policy verify --bucket archive"),
    ] {
        let rig = Rig::new().await;
        rig.lab.deny(Deny::action(action));
        let run = doctor(&rig, &[TARGET], &[]).await;
        run.assert_exit(1);
        assert_eq!(result(&run, check), result_of_it, "{action}: {run:?}");
        assert!(finding(&run, check).1.contains(advice), "{action}: {run:?}");
    }
    let rig = Rig::new().await;
    rig.lab.deny(Deny::action("s3:ListAllMyBuckets"));
    doctor(&rig, &[], &[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_named() {
    let rig = Rig::new().await;
    for (name, value) in [("AWS_PROFILE", "nope"), ("AWS_ENDPOINT_URL", "foo"), ("AWS_REGION", "a b")] {
        let run = doctor(&rig, &[], &[(name, value)]).await;
        run.assert_exit(1);
        let (detail, advice) = finding(&run, "settings");
        assert!(detail.contains(name) && detail.contains(value), "{detail}");
        assert_eq!(advice, format!("correct or remove {name}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_another_region_is_examined_there() {
    let rig = Rig::new().await;
    let run = doctor(&rig, &[TARGET], &[("AWS_REGION", "eu-west-1")]).await;
    run.assert_exit(1);
    let (detail, advice) = finding(&run, "region");
    assert!(detail.contains("eu-west-1, from AWS_REGION; the bucket is in us-east-1"), "{detail}");
    assert!(advice.contains("--region us-east-1"), "{advice}");
    for check in ["endpoint", "bucket", "list", "read"] {
        assert_eq!(result(&run, check), "pass", "{check}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_expired_or_missing() {
    let rig = Rig::new().await;
    let run = doctor(&rig, &[TARGET], &[("AWS_ACCESS_KEY_ID", "EXPIREDKEY")]).await;
    run.assert_exit(1);
    let (detail, advice) = finding(&run, "credentials");
    assert!(detail.contains("have expired") && detail.contains("they come from AWS_ACCESS_KEY_ID"), "{detail}");
    assert!(advice.contains("aws sso login"), "{advice}");
    assert_eq!((result(&run, "endpoint"), result(&run, "read")), ("pass".into(), "unknown".into()));

    let run = Run::of(rig.command(&["doctor", TARGET, "--json"])).await;
    run.assert_exit(1);
    assert!(finding(&run, "credentials").0.contains("AWS_ACCESS_KEY_ID is not set"), "{run:?}");
    // The server is examined all the same.
    assert_eq!((result(&run, "endpoint"), result(&run, "clock")), ("pass".into(), "pass".into()));
    assert_eq!(result(&run, "bucket"), "unknown");

    let answer = "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\",\"SessionToken\":\"C\",\"Expiration\":\"2999-01-01T00:00:00Z\"}";
    std::fs::write(rig.path("answer"), answer).unwrap();
    rig.config(format!("[default]\ncredential_process = cat {}\n", rig.path("answer").display()));
    let run = Run::of(rig.command(&["doctor", TARGET, "--json"])).await;
    run.assert_exit(0);
    assert_eq!(run.report()["credentials_expire"], "2999-01-01T00:00:00Z");
    assert_eq!(run.report()["credentials_source"], "the credential_process of profile `default`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_closed() {
    let (rig, closed) = (Rig::new().await, ClosedPort::new());
    let url = format!("http://{}", closed.address());
    let run = doctor(&rig, &[TARGET, "--endpoint-url", &url, "--retries", "0"], &[]).await;
    run.assert_exit(1);
    let (detail, advice) = finding(&run, "endpoint");
    assert!(
        detail.contains(&url) && detail.contains("from --endpoint-url") && detail.contains("connection refused"),
        "{detail}"
    );
    assert!(advice.contains("check that the server runs"), "{advice}");
    assert_eq!((result(&run, "clock"), result(&run, "bucket")), ("unknown".into(), "unknown".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let rig = Rig::new().await;
    let server = Recorder::start(|seen| {
        let status = if seen.method == "HEAD" { 200 } else { 403 };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ndate: Thu, 26 Nov 2020 12:00:00 GMT");
        (head, "<Error><Code>AccessDenied</Code></Error>".to_owned())
    });
    let run = doctor(&rig, &[TARGET], &[("AWS_ENDPOINT_URL", &server.url)]).await;
    run.assert_exit(1);
    let (detail, advice) = finding(&run, "clock");
    assert!(detail.contains(" s ahead of the server's"), "{detail}");
    assert!(advice.contains("set the clock"), "{advice}");
    assert!(run.report()["clock_ahead_seconds"].as_i64().unwrap() > 150_000_000, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_buckets_that_cannot_be_used() {
    let rig = Rig::new().await;
    let run = doctor(&rig, &[TARGET], &[("AWS_PROFILE", "nobody")]).await;
    run.assert_exit(1);
    let expected = [("settings", "fail"), ("memory", "pass"), ("hashing", "pass")];
    assert_eq!(results(&run), expected.map(|(check, verdict)| (check.to_owned(), verdict.to_owned())));
    assert!(finding(&run, "settings").0.contains("there is no profile `nobody`"), "{run:?}");
    assert!(rig.lab.calls().is_empty());

    let empty = doctor(&rig, &[&format!("s3://{EMPTY}")], &[]).await;
    empty.assert_exit(3);
    assert!(finding(&empty, "read").0.contains("there is no object to try it with"), "{empty:?}");
    let gone = doctor(&rig, &["s3://nowhere"], &[]).await;
    gone.assert_exit(1);
    assert!(finding(&gone, "bucket").0.contains("there is no bucket nowhere"), "{gone:?}");
    let refused = Run::of(rig.keyed(&["doctor", BUCKET])).await;
    refused.assert_exit(2);
}
