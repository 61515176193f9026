//! If services of the account are unreachable, their checks are unknown.

use std::net::TcpListener;

use serde_json::Value;

use super::recorder::{Recorder, plain};
use super::rig::{AMI, EMPTY, OBJECT, Rig};
use crate::common::Run;

fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == check).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sts_and_quotas_out_of_reach() {
    let rig = Rig::new().await;
    // Accepts connections and never responds.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let failing = Recorder::start(|_| plain(503, ""));
    for url in [&silent, &failing.url] {
        let mut command = rig.keyed(&["preflight", "store", AMI, "--bucket", EMPTY, "--json"]);
        command.env("AWS_ENDPOINT_URL_STS", url);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(3), "{run:?}");
        let report = run.lines().into_iter().find(|line| line["type"] == "preflight").unwrap();
        assert_eq!(finding(&report, "sharing")["verdict"], "unknown");
        assert_eq!(finding(&report, "permission")["verdict"], "unknown");
        assert_eq!(finding(&report, "bucket")["verdict"], "pass", "the rest is judged");

        let mut command = rig.keyed(&["preflight", "restore", OBJECT, "--name", "gold", "--json"]);
        command.env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", url).env("AWS_ENDPOINT_URL_STS", url);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(3), "{run:?}");
        let report = run.lines().into_iter().find(|line| line["type"] == "preflight").unwrap();
        assert_eq!(finding(&report, "image-quota")["verdict"], "unknown", "{report}");
        assert_eq!(finding(&report, "permission")["verdict"], "unknown");
    }
    let asked = failing.seen().iter().filter(|seen| seen.body.contains("GetCallerIdentity")).count();
    assert!(asked <= 8, "four attempts for each of two commands at most, and not eight: {asked}");
    // An alias that cannot be set is reported; the AMI exists.
    let stored = Run::of(rig.keyed(&["store", AMI, "--bucket", EMPTY, "--yes"])).await;
    assert_eq!(stored.exit, Some(0), "{stored:?}");
    let copy = "s3://empty/ami-0123456789abcdef0.bin";
    for (url, name) in [(&silent, "first"), (&failing.url, "second")] {
        let mut command = rig.keyed(&["restore", copy, "--name", name, "--yes", "--alias", "/golden/ami", "--json"]);
        command.env("AWS_ENDPOINT_URL_SSM", url);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(3), "{run:?}");
        let report = run.lines().into_iter().find(|line| line["type"] == "task").unwrap();
        assert_eq!(finding(&report, "alias")["verdict"], "unknown", "{report}");
    }
    assert!(failing.seen().iter().filter(|seen| seen.head.contains("AmazonSSM.PutParameter")).count() <= 4);
    // Nothing is started if the account is unknown.
    let mut command = rig.keyed(&["restore", copy, "--name", "gold", "--yes", "--json"]);
    command.env("AWS_ENDPOINT_URL_STS", &silent);
    let run = Run::of(command).await;
    assert!(matches!(run.exit, Some(3 | 4)), "{run:?}");
    let started = |call: &stored_ami_lab::CallRecord| {
        call.query.contains("CreateRestoreImageTask")
            && call.query.contains("gold")
            && !call.query.contains("DryRun=true")
    };
    assert!(!rig.lab.calls().iter().any(started));
}

/// Responses of the account's services are a few hundred bytes long.
#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_account_are_bounded_and_whole() {
    let rig = Rig::new().await;
    let large = Recorder::start(|_| plain(200, &" ".repeat((1 << 20) + 1)));
    let cut = Recorder::start(|seen| {
        let account = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <GetCallerIdentityResult><Account>123456789012</Account>";
        plain(200, if seen.body.contains("GetCallerIdentity") { account } else { "{" })
    });
    for (server, words) in [(&large, "larger than 1 MiB"), (&cut, "cut off")] {
        let mut command = rig.keyed(&["preflight", "restore", OBJECT, "--name", "gold", "--json"]);
        command.env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", &large.url).env("AWS_ENDPOINT_URL_STS", &server.url);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(3), "{run:?}");
        let report = run.lines().into_iter().find(|line| line["type"] == "preflight").unwrap();
        let quota = finding(&report, "image-quota").to_string();
        assert!(quota.contains("unknown") && quota.contains("larger than 1 MiB"), "{quota}");
        assert!(report.to_string().contains(words), "{words}: {report}");
    }
    let asked = cut.seen().len();
    assert!(asked <= 2, "not asked again: {asked}");
}
