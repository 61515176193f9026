//! Credentials, endpoints and the network.

use super::rig::{KEYS, Rig, Row, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_connections() {
    let rig = Rig::new(&[]).await;
    rig.check_all(ROWS).await;
}

const ROWS: &[Row] = &[
    Row {
        when: "a profile that is in no file",
        env: &[KEYS, SECRET],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --profile nobody",
        exit: 2,
        out: "",
        err: r#"stored-ami: --profile: there is no profile `nobody` in <HOME>/config and <HOME>/credentials; existing profiles: default, dev, minio"#,
    },
    Row {
        when: "a variable names a profile that is in no file",
        env: &[KEYS, SECRET, ("AWS_PROFILE", "nobody")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: "",
        err: r#"stored-ami: AWS_PROFILE: there is no profile `nobody` in <HOME>/config and <HOME>/credentials; existing profiles: default, dev, minio"#,
    },
    Row {
        when: "no credentials, and the metadata of the machine is switched off",
        env: &[],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: "",
        err: r#"stored-ami: no usable credentials: AWS_ACCESS_KEY_ID is not set, profile `default` has no keys, and the metadata of this machine gives none (IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or --profile; public objects need only --no-sign-request"#,
    },
    Row {
        when: "no credentials, and no metadata service answers",
        env: &[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://<CLOSED>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: "",
        err: r#"stored-ami: no usable credentials: AWS_ACCESS_KEY_ID is not set, profile `default` has no keys, and the metadata of this machine gives none (Connection refused (os error 111)); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or --profile; public objects need only --no-sign-request"#,
    },
    Row {
        when: "a profile without credentials, beside the keys of the environment",
        env: &[KEYS, SECRET, ("AWS_EC2_METADATA_DISABLED", "true")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --profile dev",
        exit: 2,
        out: "",
        err: r#"stored-ami: no usable credentials: the keys of the environment do not count beside --profile, profile `dev` has no keys, and the metadata of this machine gives none (IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or --profile; public objects need only --no-sign-request"#,
    },
    Row {
        when: "nothing listens on the port",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "http://<CLOSED>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --json",
        exit: 4,
        out: r#"
{"schema":"stored-ami/1","type":"error","target":"s3://archive/ami-0123456789abcdef0.bin","message":"no connection to <CLOSED>: connection refused","advice":"check that the server runs, and host and port of http://<CLOSED> (AWS_ENDPOINT_URL)","exit_code":4}
{"schema":"stored-ami/1","type":"summary","targets":1,"passed":0,"failed":0,"unknown":0,"errors":1,"exit_code":4,"files_written":[]}"#,
        err: "",
    },
    Row {
        when: "nothing listens on the port of EC2",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "http://<CLOSED>")],
        typed: "preflight store ami-0123456789abcdef0 --bucket archive --json",
        exit: 4,
        out: r#"
{"schema":"stored-ami/1","type":"error","target":"ami-0123456789abcdef0","message":"the caller: no connection to <CLOSED>: connection refused","advice":"check that the server runs, and host and port of http://<CLOSED> (AWS_ENDPOINT_URL)","exit_code":4}
{"schema":"stored-ami/1","type":"summary","targets":1,"passed":0,"failed":0,"unknown":0,"errors":1,"exit_code":4,"files_written":[]}"#,
        err: "",
    },
    Row {
        when: "the host has no address",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "http://no-such-host.invalid:9000")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --json",
        exit: 4,
        out: r#"
{"schema":"stored-ami/1","type":"error","target":"s3://archive/ami-0123456789abcdef0.bin","message":"no connection to no-such-host.invalid:9000: the name no-such-host.invalid cannot be resolved","advice":"check that the server runs, and host and port of http://no-such-host.invalid:9000 (AWS_ENDPOINT_URL)","exit_code":4}
{"schema":"stored-ami/1","type":"summary","targets":1,"passed":0,"failed":0,"unknown":0,"errors":1,"exit_code":4,"files_written":[]}"#,
        err: "",
    },
    Row {
        when: "the variable names a closed port, and the profile another server",
        env: &[("AWS_ENDPOINT_URL_S3", "http://<CLOSED>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin --profile minio",
        exit: 4,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   no connection to <CLOSED>: connection refused
  help    check that the server runs, and host and port of http://<CLOSED> (AWS_ENDPOINT_URL_S3, which takes precedence over endpoint_url of profile `minio`)"#,
        err: "",
    },
    Row {
        when: "https:// to a server without TLS",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "https://<LAB>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   <LAB> does not speak TLS, and the endpoint is https://
  help    write http:// instead of https:// in https://<LAB> (AWS_ENDPOINT_URL)"#,
        err: "",
    },
    Row {
        when: "http:// to a server with TLS",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "http://<TLS>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   <TLS> speaks TLS, and the endpoint is http://
  help    write https:// instead of http:// in http://<TLS> (AWS_ENDPOINT_URL)"#,
        err: "",
    },
    Row {
        when: "a certificate that nobody trusts",
        env: &[KEYS, SECRET, ("AWS_ENDPOINT_URL", "https://<UNTRUSTED>")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 4,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   the certificate of <UNTRUSTED> is not trusted: invalid peer certificate: UnknownIssuer
  help    name the CA that signed it with AWS_CA_BUNDLE or ca_bundle of the profile"#,
        err: "",
    },
    Row {
        when: "a bucket in another Region",
        env: &[KEYS, SECRET, ("AWS_REGION", "eu-west-1")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 4,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   the bucket is in Region us-east-1; run again with --region us-east-1"#,
        err: "",
    },
    Row {
        when: "credentials that have expired",
        env: &[("AWS_ACCESS_KEY_ID", "EXPIREDKEY"), ("AWS_SECRET_ACCESS_KEY", "x")],
        typed: "inspect s3://archive/ami-0123456789abcdef0.bin",
        exit: 2,
        out: r#"
s3://archive/ami-0123456789abcdef0.bin
  ERROR   the credentials have expired; renew them and run again: The provided token has expired (ExpiredToken)"#,
        err: "",
    },
];
