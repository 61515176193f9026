//! Clear messages for unsupported features, with the alternative.

use super::recorder::Recorder;
use super::rig::{OBJECT, Rig, refused};
use crate::common::Run;

#[tokio::test(flavor = "multi_thread")]
async fn ways_to_sign_in_that_need_another_program() {
    let rig = Rig::new().await;
    rig.config(
        "[profile dev]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n\
         [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.example/start\n\
         [profile old]\nsso_start_url = https://x.example/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n\
         [profile console]\nlogin_session = arn:aws:iam::1:user/x\n\
         [profile base]\naws_access_key_id = A\naws_secret_access_key = S\n\
         [profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/x\n\
         [profile by-console]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = console\n\
         [profile by-sso]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = dev\n",
    );
    let cache = rig.path(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    // SHA-1 of `s`: where the AWS CLI stores the token of the session.
    let expired = r#"{"startUrl":"https://x.example/start","region":"us-east-1","accessToken":"hunter2","expiresAt":"2020-01-01T00:00:00Z"}"#;
    let token = cache.join("a0f1490a20d0211c997b44bc357e1972deab8ae3.json");
    for expired in [None, Some(expired)] {
        if let Some(text) = expired {
            std::fs::write(&token, text).unwrap();
        }
        for (profile, words) in [
            ("dev", "aws sso login --profile dev"),
            ("old", "aws sso login --profile old"),
            ("by-sso", "aws sso login --profile dev"),
            ("console", "aws configure export-credentials --profile console"),
            ("by-console", "aws configure export-credentials --profile console"),
            ("mfa", "mfa_serial"),
            ("mfa", "aws configure export-credentials --profile mfa"),
        ] {
            let run = refused(rig.keyed(&["inspect", OBJECT, "--profile", profile]), &[words]).await;
            assert!(!run.stderr.contains("feature") && !run.stderr.contains("hunter2"), "{run:?}");
        }
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told() {
    let rig = Rig::new().await;
    for (code, date, told) in [
        ("SignatureDoesNotMatch", "Sat, 01 Jan 2022 00:00:00 GMT", true),
        ("RequestTimeTooSkewed", "Sat, 01 Jan 2022 00:00:00 GMT", true),
        ("SignatureDoesNotMatch", "no date", false),
    ] {
        let server = Recorder::start(move |_| {
            let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
            (format!("HTTP/1.1 403 X\r\ncontent-type: application/xml\r\ndate: {date}"), body)
        });
        for args in [vec!["inspect", OBJECT, "--json"], vec!["audit", "s3://archive/", "--json"]] {
            let mut command = rig.keyed(&args);
            command.env("AWS_ENDPOINT_URL", &server.url);
            let run = Run::of(command).await;
            assert!(matches!(run.exit, Some(2..=4)), "{run:?}");
            let all = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(all.contains("ahead of the server's (2022-01-01T00:00:00Z)"), told, "{code} {date} {run:?}");
            assert!(!told || all.contains(" days "), "{run:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_the_profile_is_read() {
    let rig = Rig::new().await;
    rig.config("[profile p]\nca_bundle = /nonexistent/ca.pem\n");
    refused(rig.keyed(&["inspect", OBJECT, "--profile", "p"]), &["ca_bundle of profile `p`", "/nonexistent/ca.pem"])
        .await;
    let mut command = rig.keyed(&["inspect", OBJECT, "--profile", "p"]);
    command.env("AWS_CA_BUNDLE", "/nonexistent/other.pem");
    refused(command, &["AWS_CA_BUNDLE", "/nonexistent/other.pem"]).await;
}
