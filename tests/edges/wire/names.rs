//! Names of objects, and that printed names are accepted as arguments.

use std::process::Command;

use stored_ami_lab::{BucketOptions, Lab, LabOptions, Versioning};

use crate::common::{Run, Server};

/// Keys that S3 allows and that could be mistaken for shell syntax, a URL or a version.
const KEYS: [&str; 13] = [
    "ami-0000000000000001a.bin",
    "p/ami-1?versionId=abc",
    "p/ami-2?versionId=",
    "p/ami-3?versionId=abc/x.bin",
    "p/100%25.bin",
    "p/%3FversionId=1",
    "p/a b 'c' \"d\" $HOME `id`.bin",
    "p/a\\b*[x]?.bin",
    "p/\u{fc}\u{65e5}.bin",
    "p/tab\tbell\u{7}.bin",
    "p/x&y;z|w<v>(u)#t",
    "p/-dash",
    "p/~",
];

async fn lab() -> (Lab, Server) {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    (lab, server)
}

/// Runs a shell command in which `stored-ami` is the program.
async fn shell(server: &Server, line: &str) -> Run {
    let program = server.command();
    let mut command = Command::new("sh");
    let line = format!("{} {line}", program.get_program().to_str().unwrap());
    command.args(["-c", &line]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Run::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_can_be_named_and_every_printed_target_given_back() {
    let (_lab, server) = lab().await;
    for (index, key) in KEYS.into_iter().enumerate() {
        server.put("archive", key, &vec![7; 100 + index], None).await;
        let size = 100 + index as u64;
        // The whole rest is the key, in URIs and in ARNs.
        for target in [format!("s3://archive/{key}"), format!("arn:aws:s3:::archive/{key}")] {
            let run = server.run(&["inspect", &target, "--version-id", "none"]).await;
            assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], size, "{target}");
            // The target in JSON needs no further option.
            let named = run.report()["target"].as_str().unwrap().to_owned();
            let run = server.run(&["inspect", &named]).await;
            assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], size, "{named}");
        }
        // The first line of the text output is a single shell word.
        let mut command = server.command();
        command.args(["inspect", &format!("s3://archive/{key}"), "--version-id", "none"]);
        let text = Run::of(command).await;
        let printed = text.assert_exit(0).stdout.lines().next().unwrap().to_owned();
        let run = shell(&server, &format!("inspect {printed} --json")).await;
        assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], size, "{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_audit_prints_can_be_given_back() {
    let (_lab, server) = lab().await;
    let keys =
        ["a b/ami-0123456789abcdef0.bin", "x?versionId=1/ami-0123456789abcdef1.bin", "ami-0123456789abcdef2.bin"];
    for key in keys {
        server.put("archive", key, key.as_bytes(), None).await;
    }
    let ledger = tempfile::tempdir().unwrap();
    let mut command = server.command();
    let path = ledger.path().join("l.db");
    command.args(["audit", "s3://archive", "--level", "bytes", "--ledger", path.to_str().unwrap(), "-v"]);
    let text = Run::of(command).await;
    text.assert_exit(0);
    let mut sizes = Vec::new();
    for line in text.stdout.lines().filter(|line| line.starts_with("PASS") && line.contains("s3://")) {
        let from = line.find("s3://").map(|at| if line[..at].ends_with('\'') { at - 1 } else { at }).unwrap();
        let word = line[from..].split("  ").next().unwrap();
        let run = shell(&server, &format!("verify {word} --json")).await;
        sizes.push(run.assert_exit(0).report()["identity"]["object_bytes"].as_u64().unwrap());
    }
    sizes.sort_unstable();
    let mut expected = keys.map(|key| key.len() as u64).to_vec();
    expected.sort_unstable();
    assert_eq!(sizes, expected, "{}", text.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_can_be_named_beside_a_key() {
    let (lab, server) = lab().await;
    lab.create_bucket("versioned", BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() })
        .unwrap();
    let key = "k?versionId=v";
    let put = |size: usize| {
        let request = server.client.put_object().bucket("versioned").key(key).body(vec![1; size].into());
        async move { request.send().await.unwrap().version_id().unwrap().to_owned() }
    };
    let (first, second) = (put(10).await, put(20).await);
    let target = format!("s3://versioned/{key}");
    for (id, size) in [(first.as_str(), 10), (&second, 20), ("none", 20)] {
        for command in ["inspect", "verify"] {
            let run = server.run(&[command, &target, "--version-id", id]).await;
            assert_eq!(run.assert_exit(0).report()["identity"]["object_bytes"], size, "{command} {id}");
        }
    }
    // Without `--version-id`, the text after the mark is a version, which does not exist.
    server.run(&["inspect", &target]).await.assert_exit(4);
    let run = server.run(&["inspect", "s3://versioned/k?versionId="]).await;
    assert!(run.assert_exit(2).stderr.contains("has an empty versionId"), "{run:?}");
    let run = server.run(&["inspect", "file.bin", "--version-id", "v"]).await;
    assert!(run.assert_exit(2).stderr.contains("has no versions"), "{run:?}");
}
