//! Invalid input and failing servers: clear errors, documented exit codes, and nothing started twice.

use stored_ami_lab::{Action, Fault, FaultRule, Operation};

use crate::common::{Run, bare_command};
use crate::rig::{AMI, BUCKET, OBJECT, Rig, line};

async fn bare(args: &[&str]) -> Run {
    let mut command = bare_command();
    command.args(args);
    Run::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_end_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let torn = crate::common::write(folder.path(), "torn.json", b"{}");
    let long = "x".repeat(129);
    for (args, message) in [
        (vec!["stored", "ami-123", "--bucket", "archive"], "8 or 17 hexadecimal digits"),
        (vec!["stored", "i-0123456789abcdef0", "--bucket", "archive"], "8 or 17 hexadecimal digits"),
        (vec!["store", AMI], "--bucket"),
        (vec!["store", "--bucket", "archive"], "AMI-ID"),
        (vec!["store", AMI, "--bucket", "archive"], "give --yes, or --dry-run"),
        (vec!["restore", OBJECT, "--name", "gold"], "give --yes, or --dry-run"),
        (vec!["restore", OBJECT, "--yes"], "give --name or --record"),
        (vec!["restore", OBJECT, "--name", "ab"], "3 to 128 are allowed"),
        (vec!["restore", OBJECT, "--name", &long], "3 to 128 are allowed"),
        (vec!["restore", OBJECT, "--name", "gold*"], "`*`"),
        (vec!["restore", OBJECT, "--name", "göld"], "`ö`"),
        (vec!["restore", "s3://archive"], "names a bucket but no key"),
        (vec!["restore", "x.bin", "--name", "gold", "--yes"], "s3://"),
        (vec!["restore", OBJECT, "--name", "gold", "--yes", "--record", &torn], "torn.json"),
        (vec!["preflight", "restore", OBJECT, "--manifest", &torn], "torn.json"),
        (vec!["preflight", "restore", OBJECT, "--accept", "nonsense"], "is not a check"),
        (vec!["preflight", "store", AMI, "--bucket", "archive", "--region", "us-east-1"], "no usable credentials"),
        (vec!["preflight", "store", AMI, "--bucket", "archive"], "Region"),
        (vec!["stored", AMI, "--bucket", "archive", "--no-sign-request"], "EC2 accepts only signed requests"),
        (vec!["policy", "nonsense", "--bucket", "archive"], "possible values: inspect, verify"),
    ] {
        let mut args = args;
        if args[0] == "restore" || (args[0] == "preflight" && args[1] == "restore") {
            args.extend(["--region", "us-east-1"]);
        }
        let run = bare(&args).await;
        assert_eq!(run.exit, Some(2), "{args:?}: {run:?}");
        let said = format!("{}{}", run.stderr, run.stdout);
        assert!(said.contains(message), "{args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_that_is_not_there_is_an_answer() {
    let rig = Rig::new().await;
    let run = rig.run(&["store", "ami-0eeeeeeeeeeeeeeee", "--bucket", BUCKET, "--yes"]).await;
    run.assert_exit(1);
    assert_eq!(run.verdict("image"), "fail");
    assert!(rig.starts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_are_named_before_any_work() {
    let rig = Rig::new().await;
    for args in [
        vec!["preflight", "store", AMI, "--bucket", BUCKET],
        vec!["stored", AMI, "--bucket", BUCKET],
        vec!["store", AMI, "--bucket", BUCKET, "--yes"],
        vec!["restore", OBJECT, "--name", "gold", "--yes"],
        vec!["restore", "--follow", AMI],
    ] {
        let mut command = rig.command();
        command.args(&args).arg("--json").env("AWS_ACCESS_KEY_ID", "EXPIREDKEY");
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(2), "{args:?}: {run:?}");
        assert!(line(&run, "error")["message"].as_str().unwrap().contains("expired"), "{run:?}");
    }
    assert!(rig.starts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_cannot_be_reached_is_named() {
    let mut command = bare_command();
    command
        .args(["stored", AMI, "--bucket", BUCKET, "--region", "xx-nowhere-9", "--json"])
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "b");
    let run = Run::of(command).await;
    run.assert_exit(4);
    let error = line(&run, "error");
    assert!(error["message"].as_str().unwrap().contains("no connection to 127.0.0.1:1"), "{error}");
    assert!(error["advice"].as_str().unwrap().starts_with("check that the server runs"), "{error}");
}

/// Reads are retried; starting a task never is.
#[tokio::test(flavor = "multi_thread")]
async fn throttling() {
    let rig = Rig::new().await;
    let slow = Fault::Status { status: 503, code: "RequestLimitExceeded" };
    for action in [Action::DescribeImages, Action::DescribeSnapshots, Action::GetCallerIdentity] {
        rig.lab.script(FaultRule::new(Operation::Service(action), slow.clone()).times(2));
    }
    rig.run(&["preflight", "store", AMI, "--bucket", BUCKET]).await.assert_exit(0);

    let rule = FaultRule::new(Operation::Service(Action::CreateStoreImageTask), slow);
    rig.lab.script(rule.key_contains("S3ObjectTag").always());
    let run = rig.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await;
    run.assert_exit(4);
    assert_eq!(rig.starts().len(), 1, "one call, however it was answered");
    assert_eq!(line(&run, "error")["error_code"], "RequestLimitExceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_error_code_is_shown_whole_and_not_tried_again() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.clear_calls();
    rig.answer(Action::CreateRestoreImageTask, "TagSpecification", 400, "Brand.NewRefusal");
    let run = rig.run(&["restore", OBJECT, "--name", "gold", "--yes"]).await;
    run.assert_exit(4);
    let error = line(&run, "error");
    assert_eq!(error["error_code"], "Brand.NewRefusal");
    assert!(error["message"].as_str().unwrap().contains("script of the lab"), "{error}");
    assert!(!error["request_id"].as_str().unwrap().is_empty());
    assert_eq!(rig.starts().len(), 1);
    // EC2 rejected it, so the journal has no open entry.
    rig.lab.clear_script();
    rig.run(&["restore", OBJECT, "--name", "gold", "--yes"]).await.assert_exit(0);
    assert_eq!(rig.restored().len(), 1);
}

/// The call may be denied although the preflight was permitted; the message is decoded.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.deny("ec2:CreateRestoreImageTask");
    let run = rig.run(&["restore", OBJECT, "--name", "gold", "--yes"]).await;
    run.assert_exit(1);
    assert_eq!(run.verdict("permission"), "fail");
    assert_eq!(rig.starts().len(), 1, "that of the store");
}
