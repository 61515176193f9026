//! The program as users and scripts see it: messages, exit codes, signals, pipes.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::common::{ClosedPort, Run, Server, bare_command, data, write};
use stored_ami_lab::{BucketOptions, Deny, Encryption, Fault, FaultRule, Lab, LabOptions, Operation, Versioning};

const KEY: &str = "ami-0123456789abcdef0.bin";

async fn lab() -> (Lab, Server) {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    (lab, server)
}

async fn bare(args: &[&str]) -> Run {
    let mut command = bare_command();
    command.args(args);
    Run::of(command).await
}

fn target(key: &str) -> String {
    format!("s3://archive/{key}")
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_end_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "x.bin", b"x");
    let torn = write(folder.path(), "torn.json", b"{\"schema\":\"stored-ami/manifest/1\",\"sha");
    let sums = write(folder.path(), "SUMS", b"nothing like it\n");
    for (args, message) in [
        (vec!["verify"], "TARGET"),
        (vec!["verify", "s3://bucket"], "names a bucket but no key"),
        (vec!["verify", "https://x/y"], "is not a URL of an S3 object"),
        (vec!["verify", &file, "--expect", "sha256:zz"], "is not a sha256 value"),
        (vec!["verify", &file, "--expect", "nonsense"], "write ALGORITHM:VALUE"),
        (vec!["verify", &file, "--using", "nonsense"], "is not a check"),
        (vec!["verify", &file, "--sample", "0%"], "is not a sample"),
        (vec!["verify", &file, "--concurrency", "0"], "0"),
        (vec!["verify", &file, "--manifest", &torn], "torn.json: is not a manifest"),
        (vec!["verify", &file, "--manifest", "/nonexistent/m"], "/nonexistent/m: there is no such file"),
        (vec!["verify", &file, "--sums", &sums], "SUMS: has no line for"),
        (vec!["verify", &file, &file, "--write-manifest", "m"], "--write-manifest"),
        (vec!["inspect", "s3://b/k"], "Region"),
        (vec!["inspect", "s3://b/k", "--region", "us-east-1"], "no usable credentials"),
        (
            vec!["inspect", "s3://b/k", "--no-sign-request", "--region", "us-east-1", "--expected-bucket-owner", "12"],
            "twelve digits",
        ),
    ] {
        let run = bare(&args).await;
        assert_eq!(run.exit, Some(2), "{args:?}: {run:?}");
        assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{args:?}: {}", run.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_ends_with_4() {
    let (_lab, server) = lab().await;
    server.put("archive", KEY, b"x", None).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (target, message) in [
        (target("ami-00000000.bin"), "there is no such object"),
        ("s3://no-such-bucket/k".to_owned(), "there is no such bucket"),
        (format!("{}?versionId=none", target(KEY)), "no such"),
        ("/nonexistent/x.bin".to_owned(), "No such file"),
        (folder.to_owned(), "is a directory"),
    ] {
        for command in ["inspect", "verify"] {
            let run = server.run(&[command, &target]).await;
            assert_eq!(run.exit, Some(4), "{run:?}");
            let error = run.report();
            assert_eq!(error["type"], "error");
            assert_eq!(error["target"], target, "the subject first");
            assert!(error["message"].as_str().unwrap().contains(message), "{run:?}");
        }
    }
    let run = server.run(&["verify", &target("ami-00000000.bin")]).await;
    assert!(run.report()["request_id"].is_string(), "for the provider's support: {run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_region_is_named() {
    let (lab, server) = lab().await;
    lab.create_bucket("abroad", BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() })
        .unwrap();
    let run = server.run(&["verify", "s3://abroad/k"]).await;
    assert!(run.assert_exit(4).stdout.contains("--region eu-west-1"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_end_with_2() {
    let (lab, _) = lab().await;
    let expired = Server::new(&lab.endpoint(), "us-east-1", "EXPIREDKEY", "x");
    let run = expired.run(&["verify", &target(KEY)]).await;
    assert!(run.assert_exit(2).stdout.contains("have expired"), "HEAD cannot say it, so a listing is asked: {run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_ends_with_4_in_bounded_time() {
    let closed = ClosedPort::new();
    let server = Server::new(&format!("http://{}", closed.address()), "us-east-1", "test", "test");
    let run = server.run(&["verify", &target(KEY)]).await;
    assert!(run.assert_exit(4).stdout.contains("no connection"), "{run:?}");
    assert!(run.stderr.contains("trying again"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_requests_are_summed_up_in_a_pipe() {
    let (lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    let slow = Fault::Status { status: 503, code: "SlowDown" };
    lab.script(FaultRule::new(Operation::GetObject, slow).times(4));
    let run = server.run(&["verify", &target(KEY)]).await;
    let lines: Vec<&str> = run.assert_exit(0).stderr.lines().collect();
    assert_eq!(lines.last(), Some(&"retried 4 requests: throttled 4× (SlowDown)"), "{lines:?}");
    let slowing = lines.iter().filter(|line| line.contains("slowing down")).count();
    assert!((1..=2).contains(&slowing), "one line every 5 s at most: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_object_is_not_read() {
    let (lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    for (class, status) in [("GLACIER", None), ("DEEP_ARCHIVE", None), ("INTELLIGENT_TIERING", Some("ARCHIVE_ACCESS"))]
    {
        lab.with_object("archive", KEY, |object| {
            object.storage_class = class.into();
            object.archive_status = status.map(Into::into);
        })
        .unwrap();
        lab.clear_calls();
        let run = server.run(&["verify", &target(KEY)]).await;
        assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: archived");
        assert!(run.finding("proof")["reason"]["advice"].as_str().unwrap().contains("stored-ami thaw"));
        assert!(lab.calls().iter().all(|call| call.operation != Operation::GetObject));
        let run = server.run(&["inspect", &target(KEY)]).await;
        assert_eq!(run.assert_exit(0).report()["readable"], "archived");
    }
    lab.with_object("archive", KEY, |object| {
        let expires = "2099-01-01T00:00:00Z".parse().unwrap();
        object.restore = Some(stored_ami_lab::RestoreState::Done { expires });
    })
    .unwrap();
    server.run(&["verify", &target(KEY)]).await.assert_exit(0);
    assert_eq!(server.run(&["inspect", &target(KEY)]).await.report()["readable"], "until");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_cost_only_their_facts() {
    let (lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    for action in ["s3:GetObjectTagging", "s3:GetObjectRetention", "s3:GetObjectAttributes"] {
        lab.deny(Deny::action(action));
    }
    let run = server.run(&["inspect", &target(KEY)]).await;
    let report = run.assert_exit(0).report();
    assert!(report["tags"]["source"].as_str().unwrap().contains("not permitted (needs s3:GetObjectTagging)"));
    assert!(report["lock"]["source"].as_str().unwrap().contains("not permitted (needs s3:GetObjectRetention"));
    assert_eq!(report["identity"]["object_bytes"], 1000);

    lab.deny(Deny::action("s3:GetObject"));
    let run = server.run(&["inspect", &target(KEY)]).await;
    assert_eq!(run.assert_exit(3).report()["source"], "ListObjectsV2", "a listing is better than nothing");
    assert_eq!(run.report()["identity"]["object_bytes"], 1000);
    lab.deny(Deny::action("s3:ListBucket"));
    let run = server.run(&["inspect", &target(KEY)]).await;
    assert!(run.assert_exit(4).stdout.contains("the same answer is given where there is no object"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checksums_under_kms_take_another_permission() {
    let (lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    lab.with_object("archive", KEY, |object| {
        object.encryption = Encryption::Kms { key_id: "key".into(), bucket_key: false };
    })
    .unwrap();
    lab.deny(Deny::action("kms:Decrypt"));
    let run = server.run(&["inspect", &target(KEY)]).await;
    assert!(run.assert_exit(0).report()["checksums_source"].as_str().unwrap().contains("needs kms:Decrypt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions() {
    let (lab, server) = lab().await;
    lab.create_bucket("kept", BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() }).unwrap();
    let first = data(1, 1000);
    server.put("kept", KEY, &first, None).await;
    let version = lab.with_object("kept", KEY, |object| object.version_id.clone()).unwrap();
    server.put("kept", KEY, &data(2, 2000), None).await;
    let run = server.run(&["verify", &format!("s3://kept/{KEY}?versionId={version}")]).await;
    assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], 1000);

    lab.clear_calls();
    server.run(&["verify", &format!("s3://kept/{KEY}")]).await.assert_exit(0);
    let pinned = |call: &stored_ami_lab::CallRecord| call.query.contains("versionId=");
    assert!(lab.calls().iter().filter(|call| call.operation == Operation::GetObject).all(pinned));

    lab.deny(Deny::action("s3:GetObjectVersion"));
    let run = server.run(&["verify", &format!("s3://kept/{KEY}")]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass", "If-Match pins the bytes without the version");
    lab.allow_all();

    server.client.delete_object().bucket("kept").key(KEY).send().await.unwrap();
    let run = server.run(&["verify", &format!("s3://kept/{KEY}")]).await;
    assert!(run.assert_exit(4).stdout.contains("delete marker"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_keys_requester_pays_and_owners() {
    let (lab, server) = lab().await;
    let folder = tempfile::tempdir().unwrap();
    let key = [7u8; 32];
    let key_file = write(folder.path(), "key", &key);
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let md5 = stored_ami_lab::checksum::Hasher::of(stored_ami_lab::checksum::Algorithm::Md5, &key);
    server
        .client
        .put_object()
        .bucket("archive")
        .key(KEY)
        .body(data(3, 5000).into())
        .sse_customer_algorithm("AES256")
        .sse_customer_key(base64(&key))
        .sse_customer_key_md5(base64(&md5))
        .send()
        .await
        .unwrap();
    assert_eq!(server.run(&["verify", &target(KEY)]).await.exit, Some(4), "without the key");
    let run = server.run(&["verify", &target(KEY), "--sse-c-key-file", &key_file]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "unknown: etag_not_md5");
    assert_eq!(run.verdict("crc64nvme"), "pass");
    assert!(!format!("{run:?}").contains(&base64(&key)), "keys are never printed");

    lab.create_bucket("paid", BucketOptions { requester_pays: true, ..BucketOptions::default() }).unwrap();
    lab.clear_script();
    server
        .client
        .put_object()
        .bucket("paid")
        .key(KEY)
        .body(data(4, 100).into())
        .request_payer("requester".into())
        .send()
        .await
        .unwrap();
    server.run(&["verify", &format!("s3://paid/{KEY}")]).await.assert_exit(4);
    server.run(&["verify", &format!("s3://paid/{KEY}"), "--request-payer", "requester"]).await.assert_exit(0);
    server
        .run(&["verify", &target(KEY), "--sse-c-key-file", &key_file, "--expected-bucket-owner", "123456789012"])
        .await
        .assert_exit(0);
    server
        .run(&["verify", &target(KEY), "--sse-c-key-file", &key_file, "--expected-bucket-owner", "999999999999"])
        .await
        .assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_shown_and_recognised_by_value() {
    let (_lab, server) = lab().await;
    server
        .client
        .put_object()
        .bucket("archive")
        .key("not-an-ami")
        .body(b"x".to_vec().into())
        .metadata("a", "123456789012")
        .metadata("b", "2022-05-04T12:00:00.000Z")
        .metadata("some-name", "web server")
        .send()
        .await
        .unwrap();
    server.tag("archive", "not-an-ami", "team", "disaster recovery").await;
    let run = server.run(&["inspect", &target("not-an-ami")]).await;
    let report = run.assert_exit(0).report();
    let seen: Vec<_> = report["metadata"].as_array().unwrap().iter().map(|e| e["recognised"].clone()).collect();
    assert_eq!(seen, ["account", "date", "ami_name"]);
    assert_eq!(report["tags"]["value"]["team"], "disaster recovery");
    assert!(report["notes"].to_string().contains("is not `ami-….bin`"), "a note, and on it goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_targets_merge_their_exit_codes() {
    let (lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    server.put("archive", "bad", &data(2, 1000), None).await;
    lab.damage("archive", "bad", 10, 1).unwrap();
    let run = server.run(&["verify", &target(KEY), &target("bad"), &target("missing")]).await;
    let lines = run.assert_exit(1).lines();
    assert_eq!(lines.len(), 4);
    let summary = lines.last().unwrap();
    assert_eq!(
        (
            summary["targets"].as_u64(),
            summary["passed"].as_u64(),
            summary["failed"].as_u64(),
            summary["errors"].as_u64()
        ),
        (Some(3), Some(1), Some(1), Some(1))
    );
    assert_eq!(summary["exit_code"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_references_is_unknown_and_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), KEY, &data(1, 1000));
    let run = bare(&["verify", &file]).await;
    assert_eq!(run.exit, Some(3), "{run:?}");
    assert!(run.stdout.contains("--manifest"), "{}", run.stdout);
    let run = bare(&["inspect", &file]).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_still_leaves_a_partial_report() {
    let (lab, server) = lab().await;
    let bytes = data(1, 3_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(500_000).collect();
    server.multipart("archive", KEY, &parts, None).await;
    // The fourth read never ends.
    lab.script(FaultRule::new(Operation::GetObject, Fault::StallAfter(10)).skip(3).always());
    let mut command = server.command();
    command.args(["verify", &target(KEY), "--json", "--concurrency", "1"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let reads = || lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count();
    while reads() < 4 {
        tokio::task::yield_now().await;
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let (exit, stdout) = tokio::task::spawn_blocking(move || {
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        (child.wait().unwrap().code(), stdout)
    })
    .await
    .unwrap();
    assert_eq!(exit, Some(130), "{stdout}");
    let report: serde_json::Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(report["stats"]["covered_bytes"], 1_500_000);
    assert_eq!(report["verdict"], "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_no_trouble() {
    let (_lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    let mut command = server.command();
    let target = target(KEY);
    command.args(["verify", &target, &target, &target]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (exit, stderr) = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (child.wait().unwrap().code(), stderr)
    })
    .await
    .unwrap();
    assert_eq!((exit, stderr.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lab_command_serves_and_stops_on_a_signal() {
    let mut command = bare_command();
    command.args(["lab", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut lab = Stop(command.spawn().unwrap());
    let child = &mut lab.0;
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let endpoint =
        line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';').to_owned();
    let server = Server::new(&endpoint, "us-east-1", "lab", "lab");
    server.bucket("bucket").await;
    server.put("bucket", KEY, b"hello", None).await;
    server.run(&["verify", &format!("s3://bucket/{KEY}")]).await.assert_exit(0);
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(bare(&["lab", "--listen", "0.0.0.0:0"]).await.exit, Some(2), "loopback only");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_to_its_end() {
    let run = bare(&["demo", "--size", "64MiB"]).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    let codes: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("# exit code")).collect();
    assert_eq!(codes, [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1].map(|code| format!("# exit code {code}")));
    assert!(run.stdout.contains("DAMAGED bytes 8,388,608–16,777,215 (part 2 of 4), read twice; "), "{}", run.stdout);
    // Both partitions state the same ETag.
    let etags: Vec<_> =
        run.stdout.lines().filter_map(|line| line.split_once(", ETag ")).map(|(_, etag)| etag).collect();
    assert!(etags.len() >= 3 && etags.iter().all(|etag| *etag == etags[0]), "{etags:?}");
    for words in ["COPIED  the bytes of the source are proved", "from s3://gov-archive/", "partition aws-us-gov"] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}

/// They would slow it down, or let commands fail that the demo expects to pass.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_this_machine_do_not_reach_the_commands_of_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let config = write(folder.path(), "config.toml", b"region = \"eu-west-1\"\nretries = 0\n");
    let mut command = bare_command();
    command
        .args(["demo", "--size", "64MiB"])
        .env("STORED_AMI_CONFIG", config)
        .env("STORED_AMI_REGION", "eu-central-1")
        .env("STORED_AMI_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("STORED_AMI_MAX_RATE", "1")
        .env("STORED_AMI_MAX_MEMORY", "1")
        .env("STORED_AMI_CONCURRENCY", "1")
        .env("STORED_AMI_TIMEOUT", "1s")
        .env("STORED_AMI_COLOR", "always")
        .env("STORED_AMI_LOG_FILE", &log)
        .env("STORED_AMI_NONSENSE", "1")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .env("AWS_PROFILE", "nobody");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert_eq!(run.stderr.matches("STORED_AMI_NONSENSE").count(), 1, "of the demo itself: {run:?}");
    assert_eq!(std::fs::read_to_string(&log).unwrap().matches(" begins, process ").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_manual_come_from_the_arguments() {
    for shell in ["bash", "zsh", "fish"] {
        let run = bare(&["completions", shell]).await;
        assert!(run.assert_exit(0).stdout.contains("write-manifest"), "{shell}");
    }
    let man = bare(&["man"]).await;
    for text in [".TH STORED-AMI", ".SH COMMANDS", "stored\\-ami\\-verify(1)"] {
        assert!(man.stdout.contains(text), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_off_a_terminal_has_no_colours() {
    let (_lab, server) = lab().await;
    server.put("archive", KEY, &data(1, 1000), None).await;
    let mut command = server.command();
    command.args(["verify", &target(KEY)]);
    let run = Run::of(command).await;
    assert!(run.stdout.contains("PASS"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'));
}

/// Ends the child with the test, also if the test fails.
struct Stop(std::process::Child);

impl Drop for Stop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
