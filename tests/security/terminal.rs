//! External text cannot control the terminal: keys, tags, metadata, names, ETags, messages of servers, and arguments
//! passed by scripts.

use std::io::Write as _;

use stored_ami_lab::{Fault, FaultRule, Operation};

use crate::common::{Run, Server, bare_command};
use crate::hostile::{HOSTILE, assert_tame};
use crate::http::{Request, answer, listen, request};
use crate::rig::{AMI, BUCKET, KEY, OBJECT, Rig};

/// The part of it that HTTP allows in a header.
const IN_A_HEADER: &str = "\u{9b}2J\u{202e}\u{2066}\u{61c}\u{2028}FORGED";
/// The part of it that XML allows in a document.
const IN_XML: &str = "\u{9b}2J\u{7f}\u{202e}\u{2066}\u{61c}\u{2028}\r\nFORGED";

/// Runs a command with both output formats. Returns the combined output without line breaks.
async fn tame(server: &Server, home: &std::path::Path, args: &[&str]) -> String {
    let mut said = String::new();
    for json in [false, true] {
        let mut command = server.command();
        command.args(args).args(json.then_some("--json")).env("XDG_STATE_HOME", home);
        let run = Run::of(command).await;
        assert_tame(&run.stdout);
        assert_tame(&run.stderr);
        assert!(run.exit.is_some(), "{args:?}: {run:?}");
        said += &run.stdout;
        said += &run.stderr;
    }
    said
}

async fn tame_in(rig: &Rig, args: &[&str]) -> String {
    tame(&rig.server, rig.home.path(), args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys() {
    let rig = Rig::new().await;
    let key = format!("{HOSTILE}{KEY}");
    rig.server.put(BUCKET, &key, b"some bytes", None).await;
    let object = format!("s3://{BUCKET}/{key}");
    let gone = format!("s3://{BUCKET}/{HOSTILE}");
    let plot = rig.path("plot.svg");
    for args in [
        vec!["inspect", &object],
        vec!["inspect", &gone],
        vec!["verify", &object],
        vec!["verify", &object, "--like", &gone],
        vec!["verify", &object, &gone],
        vec!["bench", &object, "--connections", "1", "--time", "1s", "--plot", &plot],
        vec!["bench", &gone],
        vec!["preflight", "restore", &object, "--name", "gold"],
        vec!["restore", &object, "--name", "gold", "--yes"],
    ] {
        let said = tame_in(&rig, &args).await;
        assert!(said.contains("FORGED"), "{args:?}: {said}");
    }
    assert_tame(&std::fs::read_to_string(&plot).unwrap());
    // A damaged byte, so that a manifest with a hostile name is quoted too.
    let manifest = rig.path("manifest.json");
    tame_in(&rig, &["verify", &object, "--write-manifest", &manifest]).await;
    rig.lab.damage(BUCKET, &key, 3, 1).unwrap();
    let said = tame_in(&rig, &["verify", &object, "--manifest", &manifest]).await;
    assert!(said.contains("manifest-sha256"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_with_an_object() {
    let rig = Rig::new().await;
    rig.store().await;
    let text = IN_A_HEADER.to_owned();
    rig.lab
        .with_object(BUCKET, KEY, |object| {
            object.metadata.insert("note".into(), text.clone());
            object.headers.insert("content-type".into(), text.clone());
            object.tags = vec![(IN_XML.into(), IN_XML.into()), ("stored-ami:source-ami".into(), HOSTILE.into())];
            object.version_id = text.clone();
            object.storage_class = text.clone();
            object.replication_status = Some(text.clone());
            object.expiration = Some(text.clone());
            object.encryption = stored_ami_lab::Encryption::Kms { key_id: text.clone(), bucket_key: false };
            object.legal_hold = Some(text.clone());
        })
        .unwrap();
    let restore = ["preflight", "restore", OBJECT, "--name", "gold"];
    for args in [&["inspect", OBJECT][..], &["verify", OBJECT], &restore, &["stored", AMI, "--bucket", BUCKET]] {
        tame_in(&rig, args).await;
    }
    assert!(tame_in(&rig, &["inspect", OBJECT]).await.contains("FORGED"));
    rig.lab.with_object(BUCKET, KEY, |object| object.etag = text.clone()).unwrap();
    let said = tame_in(&rig, &["inspect", OBJECT]).await;
    assert!(said.contains("(opaque)") && said.contains("FORGED"), "{said}");
    // The ETag of a read differs, and both are quoted.
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::OtherETag(format!("x{IN_A_HEADER}"))).always());
    for args in [&["verify", OBJECT, "--digest", "sha256"][..], &["bench", OBJECT], &restore] {
        let said = tame_in(&rig, args).await;
        assert!(said.contains("ETag is x"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_with_an_ami() {
    let rig = Rig::new().await;
    for text in [IN_XML, HOSTILE] {
        rig.image(|image| {
            image.name = text.to_owned();
            image.description = text.to_owned();
            image.architecture = text.to_owned();
            image.boot_mode = Some(text.to_owned());
            image.virtualization = text.to_owned();
            image.tags.insert(text.to_owned(), text.to_owned());
            image.mappings[0].device = text.to_owned();
        });
        for args in [
            &["preflight", "store", AMI, "--bucket", BUCKET][..],
            &["stored", AMI, "--bucket", BUCKET],
            &["store", AMI, "--bucket", BUCKET, "--yes", "--record", &rig.path("record.json")],
            &["preflight", "restore", OBJECT, "--name", "gold"],
            &["preflight", "restore", OBJECT, "--name", "gold", "--record", &rig.path("record.json")],
        ] {
            tame_in(&rig, args).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_of_failed_tasks() {
    let rig = Rig::new().await;
    for text in [IN_XML, HOSTILE] {
        let store = ["store", AMI, "--bucket", BUCKET, "--yes"];
        rig.lab.fail_next_store(text);
        rig.lab.fail_next_store(text);
        let said = tame_in(&rig, &store).await + &tame_in(&rig, &["stored", AMI, "--bucket", BUCKET]).await;
        assert!(text == HOSTILE || said.contains("FORGED"), "{said}");
    }
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.fail_next_restore(IN_XML);
    let said = tame_in(&rig, &["restore", OBJECT, "--name", "gold", "--yes"]).await;
    assert!(said.contains("FORGED"), "{said}");
}

/// What the server below answers besides errors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knows {
    Nothing,
    /// The caller, so that the other requests are sent too.
    Caller,
}

fn refuse(stream: &mut impl std::io::Write, request: &Request, message: &str, knows: Knows) {
    let xml: String = message.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let id = ("x-amz-request-id", IN_A_HEADER);
    let error = format!("<Error><Code>InvalidToken</Code><Message>{xml}</Message></Error>");
    if request.method != "POST" {
        let body = error.replace("</Error>", &format!("<RequestId>{xml}</RequestId></Error>"));
        answer(stream, request, 400, &[id], &body);
    } else if request.head.contains("x-amz-target") {
        let body = serde_json::json!({ "__type": message, "message": message }).to_string();
        answer(stream, request, 400, &[id, ("content-type", "application/x-amz-json-1.1")], &body);
    } else if request.body.contains("2011-06-15") && knows == Knows::Caller {
        let result = format!("<Arn>{xml}</Arn><UserId>{xml}</UserId><Account>{xml}</Account>");
        let body = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult>{result}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        answer(stream, request, 200, &[id], &body);
    } else if request.body.contains("2011-06-15") {
        answer(
            stream,
            request,
            400,
            &[id],
            &format!("<ErrorResponse>{error}<RequestId>{xml}</RequestId></ErrorResponse>"),
        );
    } else {
        let body = format!("<Response><Errors>{error}</Errors><RequestID>{xml}</RequestID></Response>");
        answer(stream, request, 400, &[id], &body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals() {
    let home = tempfile::tempdir().unwrap();
    for (message, knows) in
        [(HOSTILE, Knows::Nothing), (HOSTILE, Knows::Caller), (IN_XML, Knows::Nothing), (IN_XML, Knows::Caller)]
    {
        let port = listen(move |mut stream| {
            while let Some(request) = request(&mut stream) {
                refuse(&mut stream, &request, message, knows);
            }
        });
        let server = Server::new(&format!("http://127.0.0.1:{port}"), "us-east-1", "test", "test");
        for args in [
            &["inspect", OBJECT][..],
            &["verify", OBJECT],
            &["bench", OBJECT],
            &["stored", AMI, "--bucket", BUCKET],
            &["preflight", "store", AMI, "--bucket", BUCKET],
            &["preflight", "restore", OBJECT, "--name", "gold"],
            &["store", AMI, "--bucket", BUCKET, "--yes"],
            &["store", "--follow", AMI, "--bucket", BUCKET],
            &["restore", OBJECT, "--name", "gold", "--yes"],
            &["restore", "--follow", AMI],
        ] {
            let said = tame(&server, home.path(), args).await;
            assert!(said.contains("FORGED"), "{args:?}: {said}");
        }
    }
}

/// HEAD describes an object of ten bytes; all other requests get invalid responses.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_do_not_fit() {
    let home = tempfile::tempdir().unwrap();
    let port = listen(|mut stream| {
        while let Some(request) = request(&mut stream) {
            let range = format!("bytes {IN_A_HEADER}");
            let bytes = ("etag", "\"65247a1c5755517a32636c78de3d624a\"");
            if request.method == "HEAD" {
                let checksum = ("x-amz-checksum-sha256", IN_A_HEADER);
                answer(&mut stream, &request, 200, &[bytes, checksum, ("content-length", "10")], "");
            } else if request.head.contains("range: bytes=") {
                answer(&mut stream, &request, 206, &[bytes, ("content-range", &range)], "0123456789");
            } else {
                answer(&mut stream, &request, 400, &[], IN_XML);
            }
        }
    });
    let server = Server::new(&format!("http://127.0.0.1:{port}"), "us-east-1", "test", "test");
    for (args, quoted) in [
        (&["verify", OBJECT][..], "asked for bytes 0..10 of 10, got `bytes"),
        (&["bench", OBJECT], "asked for bytes 0..10 of 10, got `bytes"),
        (&["inspect", OBJECT], "a stored checksum cannot be read"),
    ] {
        let said = tame(&server, home.path(), args).await;
        assert!(said.contains(quoted) && said.contains("FORGED"), "{args:?}: {said}");
    }
    // A response that is not HTTP.
    let port = listen(|mut stream| {
        if request(&mut stream).is_some() {
            drop(stream.write_all(format!("HTTP/1.1 {HOSTILE}\r\n{HOSTILE}\r\n\r\n").as_bytes()));
        }
    });
    let mut command = bare_command();
    command.args(["inspect", OBJECT, "--no-sign-request", "--region", "us-east-1"]);
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    let run = Run::of(command).await;
    assert_tame(&run.assert_exit(4).stdout);
    assert_tame(&run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_a_script_typed() {
    let file = format!("/nonexistent/{HOSTILE}");
    let unversioned = format!("s3://{BUCKET}/{HOSTILE}?versionId=");
    let flag = format!("--{HOSTILE}");
    let folder = tempfile::tempdir().unwrap();
    let copy = crate::common::write(folder.path(), "copy.bin", b"x");
    let torn = crate::common::write(folder.path(), HOSTILE, b"{");
    for args in [
        vec![HOSTILE],
        vec!["inspect", &flag],
        vec!["inspect", &file],
        vec!["inspect", &unversioned],
        vec!["verify", HOSTILE],
        vec!["verify", &unversioned],
        vec!["verify", &copy, "--expect", HOSTILE],
        vec!["verify", &copy, "--using", HOSTILE],
        vec!["verify", &copy, "--manifest", &file],
        vec!["verify", &copy, "--sums", &file],
        vec!["verify", &copy, "--tuning", &file],
        vec!["verify", &copy, "--digest", "sha256", "--write-manifest", &file],
        vec!["verify", &copy, "--report", &file],
        vec!["verify", &copy, "--digest", "sha256", "--resume", &torn],
        vec!["verify", &copy, "--like", &file],
        vec!["verify", &copy, "--manifest", &copy, "--manifest-key", &file],
        vec!["verify", OBJECT, "--sse-c-key-file", &file],
        vec!["verify", OBJECT, "--expected-bucket-owner", HOSTILE],
        vec!["bench", &copy, "--connections", HOSTILE],
        vec!["bench", &copy, "--time", "1s", "--connections", "1", "--plot", &file],
        vec!["stored", HOSTILE, "--bucket", BUCKET],
        vec!["stored", AMI, "--bucket", HOSTILE],
        vec!["store", HOSTILE, "--bucket", HOSTILE],
        vec!["preflight", HOSTILE],
        vec!["preflight", "restore", OBJECT, "--name", HOSTILE],
        vec!["preflight", "restore", OBJECT, "--record", &file],
        vec!["restore", OBJECT, "--yes", "--name", HOSTILE],
        vec!["policy", HOSTILE, "--bucket", BUCKET],
        vec!["policy", "restore", "--bucket", BUCKET, "--region", HOSTILE],
        vec!["lab", "--deny", HOSTILE],
        vec!["completions", HOSTILE],
    ] {
        let mut command = bare_command();
        command.args(&args).current_dir(folder.path()).env("AWS_REGION", "us-east-1");
        let run = Run::of(command).await;
        assert_tame(&run.stdout);
        assert_tame(&run.stderr);
        assert!((run.stdout + &run.stderr).contains("FORGED"), "{args:?}");
    }
    // Harmless text is repeated as typed.
    let mut command = bare_command();
    command.args(["inspect", "s3://b/naïve–日本?versionId="]);
    let run = Run::of(command).await;
    assert!(run.assert_exit(2).stderr.contains("s3://b/naïve–日本?versionId=: has an empty versionId"), "{run:?}");
}
