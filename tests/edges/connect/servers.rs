//! Which servers receive the requests.

use super::recorder::{Recorder, plain};
use super::rig::{AMI, BUCKET, OBJECT, Rig, refused};
use crate::common::Run;

/// Each service uses its own endpoint setting only.
#[tokio::test(flavor = "multi_thread")]
async fn services_have_endpoints_of_their_own() {
    let rig = Rig::new().await;
    for (variable, section, sign) in [
        ("STS", "sts", "Action=GetCallerIdentity"),
        ("EC2", "ec2", "Action=Describe"),
        ("SERVICE_QUOTAS", "service_quotas", "QuotaCode"),
        ("S3", "s3", "?list-type=2"),
    ] {
        let by_variable = Recorder::start(|_| plain(403, "<Error><Code>AccessDenied</Code></Error>"));
        let mut command = rig.keyed(&["preflight", "restore", OBJECT, "--name", "gold"]);
        command.env(format!("AWS_ENDPOINT_URL_{variable}"), &by_variable.url);
        Run::of(command).await;
        let by_section = Recorder::start(|_| plain(403, "<Error><Code>AccessDenied</Code></Error>"));
        rig.config(format!(
            "[default]\nendpoint_url = {}\nservices = x\n[services x]\n{section} =\n  endpoint_url = {}\n",
            rig.lab.endpoint(),
            by_section.url
        ));
        let mut command = rig.keyed(&["preflight", "restore", OBJECT, "--name", "gold"]);
        command.env_remove("AWS_ENDPOINT_URL");
        Run::of(command).await;
        rig.config("");
        for recorder in [by_variable, by_section] {
            let seen = recorder.seen();
            assert!(!seen.is_empty(), "{variable}");
            let is_of = |seen: &super::recorder::Seen| match variable {
                "S3" => seen.target.starts_with("/archive"),
                _ => seen.body.contains(sign),
            };
            assert!(seen.iter().any(is_of), "{variable}: {seen:?}");
            let foreign = seen.iter().filter(|seen| (variable == "S3") != seen.target.starts_with("/archive"));
            assert_eq!(foreign.count(), 0, "{variable}: {seen:?}");
        }
    }
}

/// With a misspelt section, requests would go to AWS.
#[tokio::test(flavor = "multi_thread")]
async fn a_services_section_that_is_not_there_is_refused() {
    let rig = Rig::new().await;
    rig.config("[default]\nservices = mine\n[services mien]\ns3 =\n  endpoint_url = http://127.0.0.1:1\n");
    refused(rig.keyed(&["inspect", OBJECT]), &["services of profile `default`", "[services mine]"]).await;
    assert!(rig.lab.calls().is_empty());
}

/// A proxy sees the virtual-hosted address of the bucket.
#[tokio::test(flavor = "multi_thread")]
async fn buckets_in_the_host_where_the_profile_says_so() {
    let rig = Rig::new().await;
    for (style, host) in [
        ("virtual", "http://archive.s3.example:8080/"),
        ("path", "http://s3.example:8080/archive"),
        ("auto", "http://s3.example:8080/archive"),
    ] {
        let proxy = Recorder::start(|_| plain(404, "<Error><Code>NoSuchKey</Code></Error>"));
        rig.config(format!("[default]\ns3 =\n  addressing_style = {style}\n"));
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env("AWS_ENDPOINT_URL", "http://s3.example:8080").env("http_proxy", &proxy.url);
        assert_eq!(Run::of(command).await.exit, Some(4));
        let seen = proxy.seen();
        assert!(!seen.is_empty() && seen.iter().all(|seen| seen.target.starts_with(host)), "{style}: {seen:?}");
    }
    rig.config("[default]\ns3 =\n  addressing_style = sideways\n");
    refused(rig.keyed(&["inspect", OBJECT]), &["addressing_style", "`default`"]).await;
}

/// A server that only accepts virtual-hosted addresses.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_the_bucket_in_the_host_is_heard() {
    let rig = Rig::new().await;
    let body = "<Error><Code>SecondLevelDomainForbidden</Code><Message>use the virtual host</Message></Error>";
    let server = Recorder::start(move |_| plain(403, body));
    let mut command = rig.keyed(&["audit", "s3://archive/", "--json"]);
    command.env("AWS_ENDPOINT_URL", &server.url);
    let run = Run::of(command).await;
    let all = format!("{}{}", run.stdout, run.stderr);
    assert!(all.contains("SecondLevelDomainForbidden") || all.contains("addressing_style"), "{run:?}");
    assert_ne!(run.exit, Some(0));
}

/// Requests to container and instance metadata never use a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_asked_without_the_proxy() {
    let rig = Rig::new().await;
    let keys = r#"{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"METAKEY","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#;
    let metadata = Recorder::start(move |seen| {
        let body = match seen.target.as_str() {
            "/latest/api/token" => "token",
            "/latest/meta-data/iam/security-credentials/" | "/latest/meta-data/iam/security-credentials-extended/" => {
                "role"
            }
            _ => keys,
        };
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-aws-ec2-metadata-token-ttl-seconds: 600".to_owned(),
            body.to_owned(),
        )
    });
    let proxy = Recorder::start(|_| plain(404, "<Error><Code>NoSuchKey</Code></Error>"));
    for (variable, value) in [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", metadata.url)),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url.clone()),
    ] {
        let mut command = rig.command(&["inspect", OBJECT]);
        command
            .env_remove("AWS_EC2_METADATA_DISABLED")
            .env(variable, value)
            .env("AWS_ENDPOINT_URL", "http://s3.example")
            .env("HTTP_PROXY", &proxy.url)
            .env("ALL_PROXY", &proxy.url);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(4), "the proxy answers with 404; {variable} {run:?}");
        let seen = proxy.seen();
        assert!(seen.iter().all(|seen| seen.target.starts_with("http://s3.example/")), "{seen:?}");
        assert!(seen.iter().all(|seen| seen.access_key() == Some("METAKEY")), "{seen:?}");
    }
    assert!(!metadata.seen().is_empty());
}

/// The flag takes precedence over all other settings.
#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_are_ignored() {
    let rig = Rig::new().await;
    let mut command = rig.keyed(&["preflight", "store", AMI, "--bucket", BUCKET, "--endpoint-url"]);
    command
        .arg(rig.lab.endpoint())
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    let run = Run::of(command).await;
    assert!(matches!(run.exit, Some(0 | 1 | 3)), "{run:?}");
    assert!(!rig.lab.calls().is_empty());
}

/// The host that cannot be resolved may be that of the proxy.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let rig = Rig::new().await;
    let mut command = rig.keyed(&["inspect", OBJECT]);
    command.env("AWS_ENDPOINT_URL", "http://s3.example").env("all_proxy", "http://u:hunter2@127.0.0.1:1");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(4), "{run:?}");
    assert!(run.stderr.contains("a proxy is set by all_proxy") || run.stdout.contains("a proxy is set by all_proxy"));
    assert!(!run.stderr.contains("hunter2") && !run.stdout.contains("hunter2"), "{run:?}");
    let mut command = rig.keyed(&["inspect", OBJECT]);
    command.env("http_proxy", "http://user:hunter2@+P");
    refused(command, &["http_proxy is no address of a proxy"]).await;
}
