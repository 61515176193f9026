//! Which keys sign the requests.

use stored_ami_lab::{Action, Operation};

use super::recorder::{Recorder, plain};
use super::rig::{AMI, BUCKET, KEY, OBJECT, Rig, refused};
use crate::common::Run;

const CONFIG: &str = "[profile prod]\naws_access_key_id = PRODKEY\naws_secret_access_key = s\nregion = eu-west-1\n\
    endpoint_url = http://127.0.0.1:1\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_the_flag_goes_before_the_keys_of_the_environment() {
    let rig = Rig::new().await;
    let container = Recorder::start(|_| plain(500, ""));
    rig.config(CONFIG);
    rig.credentials("[other]\naws_access_key_id = OTHERKEY\naws_secret_access_key = s\n");
    for (flag, variable, keys, signer) in [
        (Some("prod"), None, true, "PRODKEY"),
        (Some("other"), None, true, "OTHERKEY"),
        (Some("other"), Some("prod"), true, "OTHERKEY"),
        (None, Some("prod"), true, "ENVKEY"),
        (None, Some("prod"), false, "PRODKEY"),
        (None, None, true, "ENVKEY"),
    ] {
        for args in [vec!["inspect", OBJECT], vec!["preflight", "store", AMI, "--bucket", BUCKET]] {
            let mut command = if keys { rig.keyed(&args) } else { rig.command(&args) };
            command
                .args(flag.iter().flat_map(|name| ["--profile", name]))
                .envs(variable.map(|name| ("AWS_PROFILE", name)))
                .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/web")
                .env("AWS_WEB_IDENTITY_TOKEN_FILE", rig.path("token"))
                .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.url);
            let run = Run::of(command).await;
            assert!(matches!(run.exit, Some(0 | 1 | 3)), "{run:?}");
            // Region and endpoint of the environment are used; otherwise no request would reach the lab.
            assert_eq!(rig.signers(), [signer], "{flag:?} {variable:?} {keys} {args:?}");
        }
    }
    assert!(container.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_not_there_is_refused_with_those_that_are() {
    let rig = Rig::new().await;
    rig.config(CONFIG);
    rig.credentials("[other]\naws_access_key_id = OTHERKEY\naws_secret_access_key = s\n");
    for args in [vec!["inspect", OBJECT], vec!["audit", "s3://archive/"], vec!["preflight", "restore", OBJECT]] {
        let mut by_flag = rig.keyed(&args);
        by_flag.args(["--profile", "prdo"]);
        refused(by_flag, &["--profile", "`prdo`", "other, prod"]).await;
        let mut by_variable = rig.keyed(&args);
        by_variable.env("AWS_PROFILE", "prdo");
        refused(by_variable, &["AWS_PROFILE", "`prdo`", "other, prod"]).await;
    }
    let mut unsigned = rig.keyed(&["inspect", OBJECT, "--no-sign-request"]);
    unsigned.args(["--profile", "prdo"]);
    refused(unsigned, &["`prdo`"]).await;
    assert!(rig.lab.calls().is_empty());
}

/// The output of a profile's process, with whitespace that a careless script leaves.
const PRINTED: &str = r#"{"Version":1,"AccessKeyId":"PROCESSKEY\n","SecretAccessKey":"s"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_run_once_for_a_command() {
    let rig = Rig::new().await;
    let commands: [&[&str]; 4] = [
        &["verify", OBJECT],
        &["inspect", OBJECT, OBJECT],
        &["preflight", "store", AMI, "--bucket", BUCKET],
        &["audit", "s3://archive/", "--level", "bytes"],
    ];
    for args in commands {
        let log = rig.path("runs");
        std::fs::write(rig.path("printed"), PRINTED).unwrap();
        let script = format!("echo x >> {}; cat {}", log.display(), rig.path("printed").display());
        rig.config(format!("[profile p]\ncredential_process = {script}\n"));
        let mut command = rig.command(args);
        command.args(["--profile", "p"]);
        let run = Run::of(command).await;
        assert!(matches!(run.exit, Some(0 | 1 | 3)), "{run:?}");
        assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 1, "{args:?}");
        assert_eq!(run.stderr.matches("white space around access key id").count(), 1, "{run:?}");
        assert_eq!(rig.signers(), ["PROCESSKEY"]);
        std::fs::remove_file(log).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_once_with_keys_of_the_environment() {
    let rig = Rig::new().await;
    let sts = Recorder::start(|seen| {
        assert!(seen.body.contains("Action=AssumeRole"), "{seen:?}");
        let keys = "<AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
            <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
        plain(
            200,
            &format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                 <Credentials>{keys}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        )
    });
    rig.config(format!(
        "[profile r]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\nservices = mine\n\
         [services mine]\nsts =\n  endpoint_url = {0}\ns3 =\n  endpoint_url = {1}\nec2 =\n  endpoint_url = {1}\n",
        sts.url,
        rig.lab.endpoint()
    ));
    let mut command = rig.keyed(&["verify", OBJECT, "--profile", "r"]);
    command.env_remove("AWS_ENDPOINT_URL");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    let asked = sts.seen();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].access_key(), Some("ENVKEY"));
    assert_eq!(rig.signers(), ["ROLEKEY"]);

    // The message contains the error of the service.
    let refusing = Recorder::start(|_| {
        plain(
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no such trust</Message></Error></ErrorResponse>",
        )
    });
    let mut command = rig.keyed(&["verify", OBJECT, "--profile", "r"]);
    command.env("AWS_ENDPOINT_URL_STS", &refusing.url);
    refused(command, &["arn:aws:iam::1:role/r", "AccessDenied: no such trust"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_identity_is_taken_to_the_endpoint_of_the_settings() {
    let rig = Rig::new().await;
    std::fs::write(rig.path("token"), "TOKEN\n").unwrap();
    let sts = Recorder::start(|_| {
        let keys = "<AccessKeyId>WEBKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
            <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
        plain(
            200,
            &format!(
                "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <AssumeRoleWithWebIdentityResult><Credentials>{keys}</Credentials>\
                 </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            ),
        )
    });
    let role = format!("role_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = {}\n", rig.path("token").display());
    let section = format!("services = x\n[services x]\nsts =\n  endpoint_url = {}\n", sts.url);
    let mut runs = Vec::new();
    rig.config(format!("[profile w]\n{role}{section}"));
    let mut of_profile = rig.keyed(&["verify", OBJECT, "--profile", "w", "--endpoint-url"]);
    of_profile.arg(rig.lab.endpoint()).env_remove("AWS_ENDPOINT_URL");
    runs.push(of_profile);
    let mut of_environment = rig.command(&["verify", OBJECT]);
    of_environment
        .env("AWS_ENDPOINT_URL_STS", &sts.url)
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/w\n")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", rig.path("token"));
    runs.push(of_environment);
    for command in runs {
        let before = sts.seen().len();
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(0), "{run:?}");
        assert_eq!(rig.signers(), ["WEBKEY"]);
        let seen = sts.seen();
        assert_eq!(seen.len(), before + 1);
        let body = &seen[before].body;
        assert!(body.contains("WebIdentityToken=TOKEN&") || body.ends_with("WebIdentityToken=TOKEN"), "{body}");
        assert!(body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fw") && !body.contains("%0A"), "{body}");
    }
}

/// Buckets in other Regions are read with the same credentials.
#[tokio::test(flavor = "multi_thread")]
async fn other_regions_need_no_other_credentials() {
    let rig = Rig::new().await;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .endpoint_url(rig.lab.endpoint())
        .region(aws_sdk_s3::config::Region::new("eu-west-1"))
        .credentials_provider(aws_sdk_s3::config::Credentials::new("seed", "seed", None, None, "test"))
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint("eu-west-1".into()).build();
    client.create_bucket().bucket("elsewhere").create_bucket_configuration(place).send().await.unwrap();
    client.put_object().bucket("elsewhere").key(KEY).body(vec![1; 9_000].into()).send().await.unwrap();
    rig.lab.clear_calls();
    let log = rig.path("runs");
    std::fs::write(rig.path("printed"), PRINTED).unwrap();
    let script = format!("echo x >> {}; cat {}", log.display(), rig.path("printed").display());
    rig.config(format!("[profile p]\ncredential_process = {script}\n"));
    let run =
        Run::of(rig.command(&["audit", "s3://elsewhere/", "s3://archive/", "--level", "bytes", "--profile", "p"]))
            .await;
    assert!(matches!(run.exit, Some(0 | 1 | 3)), "{run:?}");
    assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 1);
    let calls = rig.lab.calls();
    let read =
        |call: &&stored_ami_lab::CallRecord| call.bucket == "elsewhere" && call.operation == Operation::GetObject;
    assert!(calls.iter().filter(read).any(|call| call.status == 206 || call.status == 200), "{calls:?}");
}

/// Only the services that a command needs are called.
#[tokio::test(flavor = "multi_thread")]
async fn reading_an_object_asks_s3_alone() {
    let rig = Rig::new().await;
    let metadata = Recorder::start(|_| plain(500, ""));
    for args in [vec!["verify", OBJECT], vec!["inspect", OBJECT], vec!["audit", "s3://archive/"]] {
        let mut command = rig.keyed(&args);
        command
            .env_remove("AWS_EC2_METADATA_DISABLED")
            .env_remove("AWS_REGION")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url);
        let run = Run::of(command).await;
        assert!(matches!(run.exit, Some(0 | 1 | 3)), "{run:?}");
        assert_eq!(rig.services_asked(), []);
        rig.lab.clear_calls();
    }
    assert!(metadata.seen().is_empty(), "{:?}", metadata.seen());
    Run::of(rig.keyed(&["preflight", "store", AMI, "--bucket", BUCKET])).await;
    assert!(rig.services_asked().contains(&Operation::Service(Action::GetCallerIdentity)));
}
