//! Meaningless settings: no value of a variable and no configuration file causes a panic.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;

use super::recorder::{Recorder, plain};
use super::rig::{OBJECT, Rig, refused};
use crate::common::{Run, data};

#[tokio::test(flavor = "multi_thread")]
async fn white_space_around_keys() {
    let rig = Rig::new().await;
    for (id, secret) in
        [("ENVKEY\n", "secret"), (" ENVKEY", "secret\r\n"), ("ENVKEY\r", "secret"), ("\u{feff}ENVKEY", "secret")]
    {
        let mut command = rig.command(&["inspect", OBJECT]);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_SESSION_TOKEN", "token\n");
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(0), "{id:?}: {run:?}");
        assert_eq!(run.stderr.matches("white space around").count(), 1, "{run:?}");
        assert_eq!(rig.signers(), ["ENVKEY"]);
    }
    rig.credentials("[default]\r\naws_access_key_id = FILEKEY\u{a0}\r\naws_secret_access_key = s\r\n");
    let run = Run::of(rig.command(&["inspect", OBJECT])).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(rig.signers(), ["FILEKEY"]);
    let mut region = rig.command(&["inspect", OBJECT]);
    region.env("AWS_REGION", "us-east-1\n").env("AWS_ENDPOINT_URL", format!(" {}\r\n", rig.lab.endpoint()));
    assert_eq!(Run::of(region).await.exit, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_no_request_can_carry() {
    let rig = Rig::new().await;
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        for value in ["AB\u{7}CD", "AB\nCD", "AB\u{7f}CD", "AB\u{85}CD"] {
            let mut command = rig.keyed(&["inspect", OBJECT]);
            command.env(variable, value);
            let run = refused(command, &[variable]).await;
            assert!(!run.stderr.contains("CD"), "{run:?}");
        }
    }
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env(variable, "ключ");
        refused(command, &[variable]).await;
    }
    rig.credentials("[p]\naws_access_key_id = AB\u{7}CD\naws_secret_access_key = s\n");
    let run = refused(rig.keyed(&["inspect", OBJECT, "--profile", "p"]), &["aws_access_key_id of profile `p`"]).await;
    assert!(!run.stderr.contains("CD"), "{run:?}");
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_are_no_utf8() {
    let rig = Rig::new().await;
    for variable in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_ROLE_ARN",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_EC2_METADATA_DISABLED",
        "HTTPS_PROXY",
        "http_proxy",
        "NO_PROXY",
        "HOME",
        "SSL_CERT_FILE",
        "XDG_STATE_HOME",
    ] {
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env(variable, OsString::from_vec(b"http://h\xff".to_vec()));
        refused(command, &[variable, "not UTF-8"]).await;
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_configuration() {
    let rig = Rig::new().await;
    rig.credentials("");
    for (text, words) in [
        (&b"[default]\nregion = \xff\n"[..], "not UTF-8"),
        (b"[default\nx\n", "line 1"),
        (b"[default]\naws_secret_access_key hunter2\n", "line 2"),
    ] {
        rig.config(text);
        let run = refused(rig.keyed(&["inspect", OBJECT]), &[words, "config"]).await;
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
    }
    rig.config("");
    for path in ["/dev/zero", "/tmp"] {
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env("AWS_CONFIG_FILE", path);
        refused(command, &[path, "must be a regular file"]).await;
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env("AWS_CA_BUNDLE", path);
        refused(command, &["AWS_CA_BUNDLE", path]).await;
    }
    let fifo = rig.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut command = rig.keyed(&["inspect", OBJECT]);
    command.env("AWS_CONFIG_FILE", &fifo);
    refused(command, &["fifo", "must be a regular file"]).await;
    let mut command = rig.keyed(&["inspect", OBJECT]);
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    assert_eq!(Run::of(command).await.exit, Some(0));
}

const VARIABLES: [&str; 24] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_SDK_UA_APP_ID",
    "AWS_EXECUTION_ENV",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_DEFAULTS_MODE",
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_CA_BUNDLE",
    "_X_AMZN_TRACE_ID",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
];

/// Bytes of one of several kinds, without NUL, which a variable cannot contain.
fn noise(seed: u64) -> Vec<u8> {
    let raw = data(seed, 12);
    let alphabet: &[u8] = match seed % 5 {
        0 => b"aA0-_.:/@?#=% ",
        1 => b"\r\n\t \x07\x1b\x7f",
        2 => b"[]=\n profile;#",
        3 => b"{}\"'\\$`<>&",
        _ => return raw.into_iter().map(|byte| byte.max(1)).collect(),
    };
    raw.into_iter().map(|byte| alphabet[usize::from(byte) % alphabet.len()]).collect()
}

fn assert_ended(run: &std::process::Output, what: &str) {
    let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(matches!(run.status.code(), Some(0..=4)), "{what}: {:?} {text}", run.status);
    assert!(!text.contains("panicked") && !text.contains('\u{fffd}'), "{what}: {text}");
}

async fn output(mut command: Command) -> std::process::Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn random_variables() {
    let rig = Rig::new().await;
    for (index, variable) in VARIABLES.into_iter().enumerate() {
        for round in 0..5 {
            let value = OsString::from_vec(noise(index as u64 * 5 + round));
            let mut command = rig.keyed(&["inspect", OBJECT, "--json"]);
            command.env(variable, &value);
            assert_ended(&output(command).await, &format!("{variable}={value:?}"));
        }
    }
}

/// Variables that are read if there are no keys. The servers respond with useless data.
#[tokio::test(flavor = "multi_thread")]
async fn random_variables_of_other_sources() {
    let rig = Rig::new().await;
    let server = Recorder::start(|_| plain(400, "<Error><Code>X</Code></Error>"));
    let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url.as_str());
    let machine = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str());
    let web = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/etc/hostname");
    for (index, (variable, base)) in [
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", container),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", container),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", machine),
        ("AWS_EC2_METADATA_V1_DISABLED", machine),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine),
        ("AWS_ROLE_ARN", web),
        ("AWS_ROLE_SESSION_NAME", web),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")),
    ]
    .into_iter()
    .enumerate()
    {
        for round in 0..5 {
            let value = OsString::from_vec(noise(1000 + index as u64 * 5 + round));
            let mut command = rig.command(&["inspect", OBJECT, "--json"]);
            command
                .env_remove("AWS_EC2_METADATA_DISABLED")
                .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
                .env("AWS_ENDPOINT_URL_STS", &server.url)
                .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &server.url)
                .env(base.0, base.1)
                .env(variable, &value);
            assert_ended(&output(command).await, &format!("{variable}={value:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_files() {
    let rig = Rig::new().await;
    for seed in 0..60 {
        let noise = noise(seed);
        let keys = ["role_arn", "source_profile", "credential_source", "sso_session", "services", "s3", "region"];
        let key = keys[seed as usize % keys.len()];
        let text = match seed % 3 {
            0 => noise.clone(),
            1 => [b"[default]\n", key.as_bytes(), b" = ", &noise, b"\n"].concat(),
            _ => [b"[default]\naws_access_key_id = A", &noise[..], b"\naws_secret_access_key = S\n"].concat(),
        };
        let what = format!("{:?}", String::from_utf8_lossy(&text));
        if seed % 2 == 0 {
            rig.config(&text)
        } else {
            rig.credentials(&text)
        }
        assert_ended(&output(rig.command(&["inspect", OBJECT, "--json"])).await, &what);
    }
}
