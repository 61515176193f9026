use std::path::Path;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use jiff::Timestamp;
use stored_ami_lab::{BucketOptions, Fault, FaultRule, Operation, Versioning};

use super::rig::{KEY, Rig, TARGET, bare, with_stdin};
use crate::common::{Run, data, write};

/// Stands for the secrets of a URL.
const SIGNATURE: &str = "5ecre7515ecre7515ecre7515ecre7515ecre7515ecre7515ecre7515ecre751";

impl Rig {
    /// A URL that is valid for this number of seconds from now on.
    fn url(&self, key: &str, seconds: i64, more: &str) -> String {
        let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let scope = "AKIDSECRET%2F20260101%2Fus-east-1%2Fs3%2Faws4_request";
        let headers = if more.contains("SignedHeaders") { "" } else { "&X-Amz-SignedHeaders=host" };
        format!(
            "{}/archive/{key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date={date}\
             &X-Amz-Expires={seconds}{headers}&X-Amz-Signature={SIGNATURE}{more}",
            self.lab.endpoint()
        )
    }
}

fn assert_no_secret(text: &str) {
    for secret in [SIGNATURE, "AKIDSECRET", "X-Amz", "Signature="] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Runs a command with all its events on standard error.
async fn run(args: &[&str]) -> Run {
    let run = bare(&[args, &["--json", "-vv"]].concat()).await;
    assert_no_secret(&format!("{}{}", run.stdout, run.stderr));
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_verified_by_get_alone_without_credentials() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", KEY, &data(1, 5_000_000), None).await;
    let (manifest, page) = (rig.path("manifest.json"), rig.path("page.html"));
    rig.lab.clear_calls();
    let url = rig.url(KEY, 600, "");
    let run = run(&["verify", &url, "--write-manifest", &manifest, "--report", &page]).await;
    assert_eq!(run.assert_exit(0).verdict("etag"), "pass");
    assert_eq!(run.report()["target"], TARGET);
    let calls = rig.lab.calls();
    assert!(calls.iter().all(|call| call.operation == Operation::GetObject && call.status < 300), "{calls:?}");
    assert_eq!(calls[0].range.as_deref(), Some("bytes=0-0"));
    // The URL is sent as it was signed, and every read is held to the ETag.
    let query = url.split_once('?').unwrap().1;
    assert!(calls.iter().all(|call| call.query == query));
    let reads: Vec<_> = calls.iter().filter(|call| call.range.as_deref() != Some("bytes=0-0")).collect();
    assert!(!reads.is_empty() && reads.iter().all(|call| call.if_match.is_some()), "{reads:?}");
    for file in [&manifest, &page] {
        let text = std::fs::read_to_string(file).unwrap();
        assert_no_secret(&text);
        assert!(text.contains(KEY));
    }
    // Damage is found.
    rig.lab.damage("archive", KEY, 4_000_000, 1).unwrap();
    let run = self::run(&["verify", &url]).await;
    assert_eq!(run.assert_exit(1).verdict("etag"), "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_contains_the_signature() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", KEY, b"bytes", None).await;
    let (url, log) = (rig.url(KEY, 600, ""), rig.path("log"));
    let refusal = Fault::Status { status: 403, code: "AccessDenied" };
    for (fault, exit) in [(Fault::Dropped, 0), (Fault::ResetAfter(2), 0), (refusal, 4)] {
        rig.lab.script(FaultRule::new(Operation::GetObject, fault.clone()).times(1));
        let run = run(&["verify", &url]).await;
        run.assert_exit(exit);
        assert!(run.stderr.contains("operation=\"GetObject\""), "{run:?}");
        rig.lab.script(FaultRule::new(Operation::GetObject, fault).times(1));
        self::run(&["verify", &url, "--log-file", &log]).await.assert_exit(exit);
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert_no_secret(&log);
    assert!(log.contains("operation=\"GetObject\"") && log.contains("next attempt after a wait"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_checksums_come_with_a_url_that_is_signed_for_them() {
    let rig = Rig::new(None).await;
    let bytes = data(2, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(256 << 10).collect();
    for (key, kind, check) in
        [("full.bin", ChecksumType::FullObject, "crc64nvme"), ("composite.bin", ChecksumType::Composite, "sha256")]
    {
        let algorithm = if check == "sha256" { ChecksumAlgorithm::Sha256 } else { ChecksumAlgorithm::Crc64Nvme };
        rig.server.multipart("archive", key, &parts, Some((algorithm, kind))).await;
        for more in ["&x-amz-checksum-mode=ENABLED", "&X-Amz-SignedHeaders=host%3Bx-amz-checksum-mode"] {
            let run = run(&["verify", &rig.url(key, 600, more)]).await;
            assert_eq!(run.assert_exit(0).verdict(check), "pass", "{more}");
        }
        // Without it, the ETag proves the object by the part sizes that fit.
        let plain = run(&["verify", &rig.url(key, 600, "")]).await;
        assert_eq!(plain.assert_exit(0).verdict("etag"), "pass");
        let inspected = run(&["inspect", &rig.url(key, 600, "")]).await;
        let source = inspected.assert_exit(0).report()["checksums_source"].to_string();
        assert!(source.contains("signed with x-amz-checksum-mode"), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_file_from_standard_input_and_from_a_list() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", KEY, b"bytes", None).await;
    let url = rig.url(KEY, 600, "");
    let file = write(rig.folder.path(), "url", format!("{url}\r\n").as_bytes());
    for command in ["inspect", "verify", "cost"] {
        let run = run(&[command, &format!("@{file}"), "--region", "us-east-1"]).await;
        assert_eq!(run.report()["target"], TARGET, "{run:?}");
    }
    run(&["verify", "--targets-from", &file]).await.assert_exit(0);
    for args in [["inspect", "@-", "--json"], ["inspect", "--targets-from=-", "--json"]] {
        let mut command = crate::common::bare_command();
        command.args(args);
        assert_eq!(with_stdin(command, &url).await.assert_exit(0).report()["target"], TARGET);
    }
    let two = write(rig.folder.path(), "two", format!("{url}\n{url}\n").as_bytes());
    let refused = run(&["verify", &format!("@{two}")]).await;
    assert!(refused.assert_exit(2).stderr.contains("must hold one URL"), "{refused:?}");
    // A URL is a reference for another object too, and names no file of a path.
    run(&["verify", &url, "--like", &url]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_expires_in_mid_read_ends_with_4_and_a_new_one_goes_on() {
    const SIZE: usize = 8_000_000;
    let rig = Rig::new(Some(2_000_000)).await;
    rig.server.put("archive", KEY, &data(3, SIZE), None).await;
    rig.lab.clear_calls();
    let state = rig.path("state.json");
    let rest = ["--resume", &state, "--concurrency", "1", "--range-size", "256KiB"];
    let first = run(&[&["verify", &rig.url(KEY, 2, "")][..], &rest].concat()).await;
    assert!(first.assert_exit(4).stdout.contains("the presigned URL expired at "), "{first:?}");
    assert_no_secret(&std::fs::read_to_string(&state).unwrap());
    let second = run(&[&["verify", &rig.url(KEY, 600, "")][..], &rest].concat()).await;
    assert_eq!(second.assert_exit(0).verdict("etag"), "pass");
    assert!(!Path::new(&state).exists());
    let sent: u64 = rig.lab.calls().iter().map(|call| call.bytes_sent).sum();
    assert!(sent < 10_000 + SIZE as u64, "no range was read twice: {sent}");
    // One that has expired already sends one request.
    rig.lab.clear_calls();
    let late = run(&["verify", &rig.url(KEY, 0, "")]).await;
    assert!(late.assert_exit(4).stdout.contains("make a new one"), "{late:?}");
    assert_eq!(rig.calls(), [Operation::GetObject]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_behind_the_url_is_no_proof() {
    let rig = Rig::new(None).await;
    for fault in [Fault::ReplaceObject, Fault::OtherETag("another".into()), Fault::HeaderAbsent("etag")] {
        rig.server.put("archive", KEY, &data(4, 2_000_000), None).await;
        rig.lab.script(FaultRule::new(Operation::GetObject, fault.clone()).skip(1));
        let run = run(&["verify", &rig.url(KEY, 600, ""), "--concurrency", "1", "--range-size", "512KiB"]).await;
        assert_eq!(run.assert_exit(3).verdict("proof"), "unknown: changed", "{fault:?}");
        rig.lab.clear_script();
    }
    for fault in [Fault::RangeIgnored, Fault::ContentRangeShifted(1), Fault::ContentRangeTotal(5)] {
        rig.lab.script(FaultRule::new(Operation::GetObject, fault.clone()).skip(1).always());
        let run = run(&["verify", &rig.url(KEY, 600, ""), "--range-size", "512KiB"]).await;
        assert!(matches!(run.exit, Some(3 | 4)), "{fault:?}: {run:?}");
        rig.lab.clear_script();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_objects_versions_and_old_signatures() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", "empty.bin", b"", None).await;
    assert_eq!(run(&["verify", &rig.url("empty.bin", 600, "")]).await.assert_exit(0).verdict("etag"), "pass");
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("archive", versioned).unwrap();
    rig.server.put("archive", KEY, b"first", None).await;
    let version = rig.lab.with_object("archive", KEY, |record| record.version_id.clone()).unwrap();
    rig.server.put("archive", KEY, b"second and longer", None).await;
    let old = run(&["verify", &rig.url(KEY, 600, &format!("&versionId={version}"))]).await;
    assert_eq!(old.assert_exit(0).report()["identity"]["object_bytes"], 5);
    assert_eq!(old.report()["target"], format!("{TARGET}?versionId={version}"));
    let end = Timestamp::now().as_second() + 600;
    let url =
        format!("{}/archive/{KEY}?AWSAccessKeyId=AKIDSECRET&Signature={SIGNATURE}&Expires={end}", rig.lab.endpoint());
    assert_eq!(run(&["verify", &url]).await.assert_exit(0).report()["identity"]["object_bytes"], 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_url_cannot_do_is_refused() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", KEY, b"bytes", None).await;
    rig.lab.clear_calls();
    let url = rig.url(KEY, 600, "");
    for (args, problem) in [
        (vec!["verify", &rig.url(KEY, 600, "&partNumber=1")], "signed for one part"),
        (vec!["verify", &rig.url(KEY, 600, "&X-Amz-SignedHeaders=host%3Brange")], "the header `range`"),
        (vec!["verify", &url, "--version-id", "v"], "states its version already"),
        (vec!["verify", &url, "--expected-bucket-owner", "123456789012"], "--expected-bucket-owner: cannot be sent"),
        (vec!["verify", &url, "--request-payer"], "--request-payer: cannot be sent"),
        (vec!["restore", &url, "--name", "x"], "s3://bucket/key"),
    ] {
        let run = run(&args).await;
        assert!(run.assert_exit(2).stderr.contains(problem), "{run:?}");
    }
    assert!(rig.calls().is_empty());
    // The server's own refusals, each with one request.
    for (fault, problem) in [
        (Fault::Status { status: 403, code: "SignatureDoesNotMatch" }, "signed for GET"),
        (Fault::Status { status: 403, code: "AccessDenied" }, "its signer needs s3:GetObject"),
        (Fault::Status { status: 400, code: "ExpiredToken" }, "session token in the presigned URL has expired"),
        (Fault::Status { status: 307, code: "TemporaryRedirect" }, "redirects are not followed"),
    ] {
        rig.lab.clear_calls();
        rig.lab.script(FaultRule::new(Operation::GetObject, fault));
        let run = run(&["verify", &url]).await;
        assert!(run.assert_exit(4).stdout.contains(problem), "{run:?}");
        assert_eq!(rig.calls(), [Operation::GetObject]);
    }
}
