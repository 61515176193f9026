//! No output or file contains a secret, in plain text or in another encoding.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use stored_ami_lab::checksum::{Algorithm, Hasher};
use stored_ami_lab::{Action, Deny, Fault, FaultRule, Operation};

use crate::common::{ClosedPort, Run, write};
use crate::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig};

const ACCESS_KEY: &str = "AKIAIOSFODNN7DISTINCT";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY-DISTINCT-SECRET";
const SESSION_TOKEN: &str = "FwoGZXIvYXdzEBYaDISTINCT-TOKEN//////////wEaDEXAMPLE";
const PROXY_PASSWORD: &str = "distinct-password-of-a-proxy";
/// Contains a line break and bytes that are not text, like random keys.
const CUSTOMER_KEY: [u8; 32] = *b"DISTINCT\nkey \xff\xfe of thirty-two !?";

/// As short as possible.
const BENCH: [&str; 8] = ["bench", OBJECT, "--connections", "1", "--range-size", "1MiB", "--time", "1s"];

/// The encodings in which a secret could appear.
fn notations(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![secret.to_vec(), hex::encode(secret).into_bytes(), hex::encode_upper(secret).into_bytes()];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        all.push(engine.encode(secret).into_bytes());
    }
    // As `{:?}` formats text and bytes.
    all.push(format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec());
    all.push(format!("{:?}", String::from_utf8_lossy(secret)).trim_matches('"').as_bytes().to_vec());
    all
}

fn secrets() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let md5 = Hasher::of(Algorithm::Md5, &CUSTOMER_KEY);
    let basic = format!("user:{PROXY_PASSWORD}");
    BTreeMap::from([
        ("secret access key", notations(SECRET_KEY.as_bytes())),
        ("session token", notations(SESSION_TOKEN.as_bytes())),
        ("customer key", notations(&CUSTOMER_KEY)),
        // It is sent to the server, and lets anyone verify a guess of the key.
        ("MD5 of the customer key", notations(&md5)),
        ("password of the proxy", [notations(PROXY_PASSWORD.as_bytes()), notations(basic.as_bytes())].concat()),
    ])
}

fn assert_none_in(text: &[u8], place: &str) {
    for (name, notations) in secrets() {
        for secret in notations {
            let found = text.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "the {name} is in {place}, as {}", String::from_utf8_lossy(&secret));
        }
    }
}

/// Checks every file below a directory, except for the key file.
fn assert_none_below(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_none_below(&path);
        } else if path.extension().is_none_or(|extension| extension != "secret") {
            assert_none_in(&std::fs::read(&path).unwrap(), path.to_str().unwrap());
            files += 1;
        }
    }
    files
}

fn key_file(rig: &Rig) -> String {
    write(rig.home.path(), "customer-key.secret", &CUSTOMER_KEY)
}

/// Name of the log file in the home directory.
const LOG: &str = "events.log";

/// The program with all secrets. All its events go to standard error.
fn command(rig: &Rig, args: &[&str]) -> Command {
    let mut command = rig.command();
    command
        .args(args)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_SESSION_TOKEN", SESSION_TOKEN)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1");
    command
}

/// The same with all its events in the log file.
fn logged(rig: &Rig, args: &[&str]) -> Command {
    let mut command = command(rig, args);
    command.args(["-vv", "--log-file"]).arg(rig.path(LOG));
    command
}

/// Checks the log file, and that it contains these texts.
fn assert_none_in_the_log(rig: &Rig, texts: &[&str]) {
    let log = std::fs::read(rig.path(LOG)).unwrap();
    assert_none_in(&log, "the log file");
    let log = String::from_utf8(log).unwrap();
    assert!(texts.iter().all(|text| log.contains(text)), "{texts:?}: {log}");
}

async fn run(command: Command) -> Run {
    let what = format!("{:?}", command.get_args().collect::<Vec<_>>());
    let run = Run::of(command).await;
    assert_none_in(run.stdout.as_bytes(), &format!("standard output of {what}"));
    assert_none_in(run.stderr.as_bytes(), &format!("standard error of {what}"));
    run
}

type Program = fn(&Rig, &[&str]) -> Command;
/// The program with its events in each place.
const PLACES: [Program; 2] = [command, logged];

/// Runs a command with both output formats and both places of events, and returns the second run.
async fn told(rig: &Rig, args: &[&str]) -> Run {
    run(command(rig, args)).await;
    run(logged(rig, &[args, &["--json"]].concat())).await
}

#[test]
fn a_secret_would_be_found() {
    for text in [
        format!("x{SECRET_KEY}y"),
        STANDARD.encode(CUSTOMER_KEY),
        format!("{:?}", SESSION_TOKEN.as_bytes()),
        format!("Basic {}", STANDARD.encode(format!("user:{PROXY_PASSWORD}"))),
    ] {
        assert!(std::panic::catch_unwind(|| assert_none_in(text.as_bytes(), "a test")).is_err(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading() {
    let rig = Rig::new().await;
    let (manifest, tuning, plot) = (rig.path("manifest.json"), rig.path("tuning.json"), rig.path("plot.svg"));
    let (state, facts) = (rig.path("state.json"), rig.path("facts.json"));
    rig.store().await;
    told(&rig, &["inspect", OBJECT, "--facts-file", &facts, "--yes"]).await.assert_exit(0);
    told(&rig, &["verify", OBJECT, "--write-manifest", &manifest]).await.assert_exit(0);
    told(&rig, &[&BENCH[..], &["--plot", &plot, "--write-tuning", &tuning]].concat()).await.assert_exit(0);
    let some = ["verify", OBJECT, "--resume", &state, "--max-bytes", "1", "--range-size", "64KiB"];
    run(command(&rig, &some)).await.assert_exit(3);
    // The next run might complete an object of two ranges.
    std::fs::remove_file(&state).unwrap();
    run(logged(&rig, &[&some[..], &["--json"]].concat())).await.assert_exit(3);
    assert_none_in_the_log(&rig, &["operation=\"GetObject\"", "read plan"]);
    assert_eq!(assert_none_below(rig.home.path()), 6);
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    told(&rig, &["verify", OBJECT, "--manifest", &manifest]).await.assert_exit(1);
    for command in PLACES {
        rig.lab.script(FaultRule::new(Operation::GetObject, Fault::ResetAfter(10)).times(2));
        run(command(&rig, &["verify", OBJECT])).await.assert_exit(1);
    }
    for action in ["s3:GetObjectAttributes", "s3:GetObjectTagging", "s3:ListBucket", "s3:GetObject"] {
        rig.lab.deny(Deny::action(action));
        for args in [&["inspect", OBJECT][..], &["verify", OBJECT], &BENCH] {
            told(&rig, args).await;
        }
    }
    assert_none_in_the_log(&rig, &["next attempt after a wait", "status=403"]);
    assert_eq!(assert_none_below(rig.home.path()), 6);
}

/// A file of facts is published: nothing that the server stated may be in it, besides names, sizes and known words.
#[tokio::test(flavor = "multi_thread")]
async fn facts_to_publish() {
    const VALUES: [&str; 4] = ["DISTINCT of an owner", "arn:aws:iam::123456789012:user/x", "123456789012", AMI];
    let rig = Rig::new().await;
    let (bucket, key) = ("distinct-bucket", format!("distinct-folder/{AMI}.bin"));
    rig.server.bucket(bucket).await;
    let put = rig.server.client.put_object().bucket(bucket).key(&key).body(vec![7; 5000].into());
    put.content_type("distinct/type")
        .tagging("distinct-tag=DISTINCT")
        .metadata("name", VALUES[0])
        .metadata("arn", VALUES[1])
        .metadata("owner", VALUES[2])
        .metadata("distinct-bucket-of", VALUES[3])
        .metadata("of-123456789012", "x")
        .send()
        .await
        .unwrap();
    let (target, facts) = (format!("s3://{bucket}/{key}"), rig.path("facts.json"));
    let known = run(command(&rig, &["inspect", &target, "--json"])).await.report();
    told(&rig, &["inspect", &target, "--facts-file", &facts, "--yes"]).await.assert_exit(0);
    let text = std::fs::read_to_string(&facts).unwrap().to_ascii_lowercase();
    let identity = ["etag", "last_modified"].map(|name| known["identity"][name].as_str().unwrap().to_owned());
    let stated = VALUES.iter().map(ToString::to_string).chain(identity);
    let private = [bucket, "distinct", "127.0.0.1", REGION, &key].map(str::to_owned);
    for private in stated.chain(private) {
        assert!(!text.contains(&private.to_ascii_lowercase()), "{private} is in {text}");
    }
    for name in ["\"name\"", "\"arn\"", "\"owner\"", "content-type", "twelve_digits"] {
        assert!(text.contains(name), "{name} is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_under_a_customer_key() {
    let rig = Rig::new().await;
    let key = key_file(&rig);
    let put = rig.server.client.put_object().bucket(BUCKET).key(KEY).body(vec![7; 5000].into());
    put.sse_customer_algorithm("AES256")
        .sse_customer_key(STANDARD.encode(CUSTOMER_KEY))
        .sse_customer_key_md5(STANDARD.encode(Hasher::of(Algorithm::Md5, &CUSTOMER_KEY)))
        .send()
        .await
        .unwrap();
    let manifest = rig.path("manifest.json");
    let with_key = ["--sse-c-key-file", &key];
    for (args, exit) in [
        (&["inspect", OBJECT][..], 0),
        (&["verify", OBJECT, "--write-manifest", &manifest], 0),
        (&["verify", OBJECT, "--manifest", &manifest], 0),
        (&BENCH, 0),
        (&["verify", &format!("s3://{BUCKET}/gone.bin")], 4),
    ] {
        told(&rig, &[args, &with_key].concat()).await.assert_exit(exit);
    }
    told(&rig, &["preflight", "restore", OBJECT, "--name", "gold", "--sse-c-key-file", &key]).await;
    // Another key than that of the object, and a file that is not a key.
    rig.server.put(BUCKET, "plain.bin", b"bytes", None).await;
    told(&rig, &["verify", &format!("s3://{BUCKET}/plain.bin"), "--sse-c-key-file", &key]).await;
    told(&rig, &["verify", OBJECT]).await.assert_exit(4);
    let long = write(rig.home.path(), "long.secret", &[&CUSTOMER_KEY[..], b"\n"].concat());
    let refused = told(&rig, &["verify", OBJECT, "--sse-c-key-file", &long]).await;
    assert!(refused.assert_exit(2).stderr.contains("this file has 33"), "{refused:?}");
    assert_none_in_the_log(&rig, &["operation=\"HeadObject\"", "this file has 33"]);
    assert_eq!(assert_none_below(rig.home.path()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn storing_and_restoring() {
    let rig = Rig::new().await;
    let (record, journal) = (rig.path("record.json"), rig.path("journal"));
    told(&rig, &["preflight", "store", AMI, "--bucket", BUCKET]).await.assert_exit(0);
    told(&rig, &["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await;
    told(&rig, &["stored", AMI, "--bucket", BUCKET]).await.assert_exit(1);
    let restore = [OBJECT, "--name", "gold", "--record", &record];
    told(&rig, &[&["preflight", "restore"][..], &restore, &["--verify"]].concat()).await.assert_exit(0);
    let start = [&["restore"][..], &restore, &["--yes", "--journal", &journal, "--alias", "/golden"]].concat();
    told(&rig, &start).await.assert_exit(0);
    // A lost response, and rejections of every kind.
    let lost = FaultRule::new(Operation::Service(Action::CreateRestoreImageTask), Fault::AnswerLost);
    rig.lab.script(lost.skip(1));
    told(&rig, &["restore", OBJECT, "--name", "silver", "--yes", "--journal", &journal]).await;
    for action in ["ec2:CreateRestoreImageTask", "ec2:DescribeImages", "s3:GetObject"] {
        rig.deny(action);
        told(&rig, &["preflight", "store", AMI, "--bucket", BUCKET]).await;
        told(&rig, &["preflight", "restore", OBJECT, "--name", "bronze"]).await;
        told(&rig, &["restore", OBJECT, "--name", "bronze", "--yes", "--journal", &journal]).await;
    }
    assert_none_in_the_log(&rig, &["operation=\"CreateRestoreImageTask\"", "operation=\"DescribeImages\""]);
    assert!(assert_none_below(rig.home.path()) >= 3, "a record, a journal and a log");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_or_cannot_be_used() {
    let rig = Rig::new().await;
    let commands: [&[&str]; 3] = [&["inspect", OBJECT], &["verify", OBJECT], &["stored", AMI, "--bucket", BUCKET]];
    for (args, command) in commands.into_iter().flat_map(|args| [(args, PLACES[0]), (args, PLACES[1])]) {
        let mut expired = command(&rig, args);
        expired.env("AWS_ACCESS_KEY_ID", "EXPIREDKEY");
        run(expired).await.assert_exit(2);
        // A trailing line break, as from a file or a copied line, is invalid in a header.
        let mut broken = command(&rig, args);
        broken.env("AWS_SESSION_TOKEN", format!("{SESSION_TOKEN}\n"));
        run(broken).await;
        let mut broken = command(&rig, args);
        broken.env("AWS_SECRET_ACCESS_KEY", format!("{SECRET_KEY}\n"));
        run(broken).await;
    }
    // Files with a broken line at the secret, and programs that print it in an unknown format.
    let file = |name: &str, text: String| write(rig.home.path(), &format!("{name}.secret"), text.as_bytes());
    let torn =
        file("torn", format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key {SECRET_KEY}\n"));
    let json = format!("{{\"Version\":1,\"AccessKeyId\":\"{ACCESS_KEY}\",\"SecretAccessKey\":\"{SECRET_KEY}\"");
    let answer = file("answer", json);
    let process = file("process", format!("[default]\ncredential_process = cat {answer}\n"));
    let dated = format!(
        "{{\"Version\":1,\"AccessKeyId\":\"{ACCESS_KEY}\",\"SecretAccessKey\":\"{SECRET_KEY}\",\"SessionToken\":\"{SESSION_TOKEN}\",\"Expiration\":\"soon\"}}"
    );
    let dated = file("dated", dated);
    let dated = file("dated-process", format!("[default]\ncredential_process = cat {dated}\n"));
    for (variable, path) in
        [("AWS_SHARED_CREDENTIALS_FILE", &torn), ("AWS_CONFIG_FILE", &process), ("AWS_CONFIG_FILE", &dated)]
    {
        for (args, command) in commands.into_iter().flat_map(|args| [(args, PLACES[0]), (args, PLACES[1])]) {
            let mut command = command(&rig, args);
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
                command.env_remove(name);
            }
            command.env(variable, path);
            run(command).await.assert_exit(2);
        }
    }
    assert_none_in_the_log(&rig, &["credential_process of profile"]);
}

/// Each of these is retried until the retries are exhausted.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_cannot_be_reached() {
    let rig = Rig::new().await;
    let closed = ClosedPort::new();
    let key = key_file(&rig);
    for command in PLACES {
        unreachable(&rig, command, &key, closed.address()).await;
    }
    assert_none_in_the_log(&rig, &["next attempt after a wait"]);
}

async fn unreachable(rig: &Rig, command: Program, key: &str, closed: std::net::SocketAddr) {
    let mut nowhere = command(rig, &["verify", OBJECT, "--sse-c-key-file", key]);
    nowhere.env("AWS_ENDPOINT_URL", format!("http://{closed}"));
    let mut named = command(rig, &["stored", AMI, "--bucket", BUCKET]);
    named.env("AWS_ENDPOINT_URL", format!("http://user:{PROXY_PASSWORD}@{closed}"));
    let mut proxied = command(rig, &["verify", OBJECT, "--sse-c-key-file", key]);
    proxied.env("HTTP_PROXY", format!("http://user:{PROXY_PASSWORD}@{closed}"));
    let mut wrong = command(rig, &["inspect", OBJECT]);
    wrong.env("HTTP_PROXY", format!("user:{PROXY_PASSWORD}@not a proxy"));
    let (nowhere, named, proxied, wrong) = tokio::join!(run(nowhere), run(named), run(proxied), run(wrong));
    nowhere.assert_exit(4);
    assert_ne!(named.exit, Some(0));
    proxied.assert_exit(4);
    assert!(wrong.exit.is_some());
}
