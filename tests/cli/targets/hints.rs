//! What is typed wrongly most, and what the program answers.

use super::rig::{KEY, Rig, bare};
use crate::common::Run;

/// Each mistake with its whole message; all end with exit code 2, before any request.
const MISTAKES: [(&str, &str); 16] = [
    (
        "ami-0123456789abcdef0",
        "is an AMI id, and this command reads objects; write s3://BUCKET/ami-0123456789abcdef0.bin. `is-stored`, `store`, `cost` and `preflight store` take AMI ids; a file of this name is ./ami-0123456789abcdef0",
    ),
    ("bucket/key", "there is no such file; write s3://bucket/key for an object in S3"),
    ("S3://bucket/key", "is not how an object is written; write s3://bucket/key"),
    ("s3:/bucket/key", "is not how an object is written; write s3://bucket/key"),
    ("~/x.bin", "begins with ~, which the shell does not expand inside quotes; leave out the quotes, or write $HOME/…"),
    (
        "-",
        "is standard input, which cannot be verified: its size is not known before its bytes, and nothing can be read \
         twice; save it to a file. `--targets-from -` reads a list of targets from standard input",
    ),
    (
        "s3://bucket",
        "names a bucket but no key; write s3://bucket/key. For all stored AMI objects of a bucket there are `audit` and \
         `verify --prefix`",
    ),
    ("s3:///key", "names no bucket; write s3://bucket/key"),
    ("s3://b/k?versionId=", "has an empty versionId; write ?versionId=ID, or leave it out for the current version"),
    (
        "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
        "names an access point but no key; write …:accesspoint/NAME/object/KEY",
    ),
    (
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/key",
        "has an ARN in the place of a bucket; write the ARN by itself, as arn:…:accesspoint/NAME/object/KEY",
    ),
    ("arn:aws:s3:::bucket", "names a bucket but no key; write arn:aws:s3:::bucket/key"),
    (
        "https://example.com/b/k",
        "is not a URL of an S3 object; write s3://bucket/key, with --endpoint-url https://HOST for another server than AWS",
    ),
    (
        "https://console.aws.amazon.com/s3/buckets/b",
        "is a URL of S3 without an object; write s3://bucket/key, or the URL of the object's page",
    ),
    (
        "https://ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/k",
        "is a URL of an access point; write its ARN: arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY",
    ),
    (
        "gs://bucket/key",
        "has a scheme that is not known; write s3://bucket/key, an https:// URL of S3, an S3 ARN or a file",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_ends_with_2_and_says_what_to_type() {
    for (typed, message) in MISTAKES {
        for command in ["inspect", "verify", "bench"] {
            let run = bare(&[command, typed]).await;
            assert_eq!(run.exit, Some(2), "{run:?}");
            assert_eq!(run.stderr, format!("stored-ami: {typed}: {message}\n"), "{command}");
            assert!(run.stdout.is_empty(), "{run:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_like_mistakes_are_files_behind_a_dot() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ami-0123456789abcdef0", "~", "-", "@x", "s3:x"] {
        std::fs::write(folder.path().join(name), "bytes").unwrap();
        let mut command = crate::common::bare_command();
        command.args(["inspect", &format!("./{name}"), "--json"]).current_dir(folder.path());
        Run::of(command).await.assert_exit(0);
    }
    // Without an object's name before it, a missing file is missing.
    let run = bare(&["verify", "./bucket/key", "nothing", "--json"]).await;
    assert_eq!(run.assert_exit(4).stdout.matches(r#""message":"No such file"#).count(), 2, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_key_with_wildcards_gets_the_hint() {
    let rig = Rig::new(None).await;
    rig.server.put("archive", KEY, b"bytes", None).await;
    rig.server.put("archive", "ami-*.bin", b"a literal star", None).await;
    let run = rig.server.run(&["inspect", "s3://archive/ami-*.bin"]).await;
    assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], 14, "one literal key");
    for (key, hint) in [("ami-0*", "--glob"), ("x[1].bin", "--glob"), ("p/", "--prefix")] {
        let run = rig.server.run(&["verify", &format!("s3://archive/{key}")]).await;
        let message = run.assert_exit(4).report()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("there is no such object") && message.contains(hint), "{message}");
    }
    let plain = rig.server.run(&["verify", "s3://archive/gone.bin"]).await;
    assert!(!plain.assert_exit(4).stdout.contains("--glob"), "{plain:?}");
}
