//! Copies to and from a disk.

use std::process::Command;

use crate::common::{Run, data, write};
use crate::rig::{FROM, KEY, Rig, TO, report, verdict};

const PARTS: [usize; 4] = [300_000, 300_000, 300_000, 100_000];

async fn rig() -> (Rig, Vec<u8>) {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(PARTS[0]).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    (rig, bytes)
}

fn names(folder: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_gets_its_name_when_the_source_is_proved() {
    let (rig, bytes) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let run = Run::of(rig.command(&[FROM, path, "--verify-destination"])).await;
    run.assert_exit(0);
    assert_eq!((verdict(&run, "source"), verdict(&run, "read-back")), ("pass".into(), "pass".into()));
    assert_eq!(std::fs::read(folder.path().join(KEY)).unwrap(), bytes);
    assert_eq!(names(folder.path()), [KEY]);
    let again = Run::of(rig.command(&[FROM, path])).await;
    again.assert_exit(1);
    assert_eq!(report(&again)["outcome"], "occupied");
    assert_eq!(std::fs::read(folder.path().join(KEY)).unwrap(), bytes);

    let folder = tempfile::tempdir().unwrap();
    rig.from.damage("archive", KEY, 500_000, 1).unwrap();
    let run = Run::of(rig.command(&[FROM, folder.path().to_str().unwrap()])).await;
    run.assert_exit(1);
    assert_eq!(report(&run)["outcome"], "not_made");
    assert_eq!(names(folder.path()), Vec::<String>::new());
    assert!(rig.to.calls().is_empty(), "the destination is a file");
}

/// With an option of the connection, the user believes that the end is in S3.
#[tokio::test(flavor = "multi_thread")]
async fn the_options_of_a_connection_are_refused_where_the_end_is_a_file() {
    let (rig, bytes) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "here", &bytes);
    rig.from.clear_calls();
    for (args, option, written) in [
        (&["copy", FROM, "gov-backup", "--to-profile", "gov", "--yes"][..], "--to-profile", "s3://gov-backup/"),
        (&["copy", FROM, "gov-backup", "--to-region", "eu-west-1"], "--to-region", "s3://gov-backup/"),
        (&["copy", FROM, "./x", "--to-endpoint-url", "http://h"], "--to-endpoint-url", "s3://BUCKET/KEY"),
        (
            &["copy", FROM, "gov", "--to-expected-bucket-owner", "111111111111"],
            "--to-expected-bucket-owner",
            "s3://gov/",
        ),
        (&["copy", FROM, "gov-backup", "--storage-class", "GLACIER_IR"], "--storage-class", "s3://gov-backup/"),
        (&["copy", FROM, "./x", "--object-lock-legal-hold"], "--object-lock-legal-hold", "s3://BUCKET/KEY"),
        (&["copy", FROM, "./x", "--sse-kms-key", "k"], "--sse-kms-key", "s3://BUCKET/KEY"),
        (&["copy", FROM, "./x", "--tags", "none"], "--tags", "s3://BUCKET/KEY"),
        (&["copy", FROM, "./x", "--metadata", "none"], "--metadata", "s3://BUCKET/KEY"),
        (&["copy", "here", TO, "--from-profile", "commercial"], "--from-profile", "s3://here/"),
        (&["compare", FROM, "here", "--to-profile", "gov"], "--to-profile", "s3://here/"),
        (&["compare", "here", TO, "--from-region", "eu-west-1"], "--from-region", "s3://here/"),
    ] {
        let mut command = crate::common::bare_command();
        command.env("AWS_CONFIG_FILE", rig.home.path().join("config")).current_dir(folder.path()).args(args);
        let run = Run::of(command).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(&format!("{option}: is for a bucket, and ")), "{run:?}");
        assert!(run.stderr.contains(&format!("is a file; write {written}")), "{run:?}");
    }
    assert_eq!(names(folder.path()), ["here"]);
    assert!(rig.from.calls().is_empty() && rig.to.calls().is_empty());
}

/// A bare word may be meant as a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_may_be_meant_as_a_bucket_is_shown_as_the_file_that_it_is() {
    let (rig, _) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap().join("vault");
    for (typed, asks) in [("vault", true), ("./vault", false), ("vault.bin", false)] {
        let mut command = rig.command(&[FROM, typed, "--dry-run"]);
        command.current_dir(folder.path());
        let run = Run::of(command).await;
        run.assert_exit(0);
        assert_eq!(run.stderr.contains("for a bucket write s3://vault/"), asks, "{typed}: {run:?}");
        if typed == "vault" {
            assert_eq!(report(&run)["destination_file"], place.to_str().unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_reference_is_copied_only_when_asked_for() {
    let (rig, bytes) = rig().await;
    rig.from.clear_calls();
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "image.bin", &bytes);
    let run = Run::of(rig.command(&[&path, TO, "--yes"])).await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "source")), (&"not_made".into(), "unknown".into()));
    assert!(!rig.has(KEY).await);
    let run = Run::of(rig.command(&[&path, TO, "--yes", "--unproved"])).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["verdict"], "unknown", "accepted, and not proved");
    assert_eq!(rig.bytes(KEY).await, bytes);
    assert!(rig.from.calls().is_empty(), "the source is a file");
}

/// An air-gapped partition: to a disk at one side, from it at the other.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_manifest_a_file_becomes_the_same_object_again() {
    let (rig, bytes) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json").to_str().unwrap().to_owned();
    let mut command = rig.source.command();
    command.args(["verify", FROM, "--write-manifest", &manifest, "--json"]);
    Run::of(command).await.assert_exit(0);
    let file = folder.path().join("image.bin").to_str().unwrap().to_owned();
    Run::of(rig.command(&[FROM, &file])).await.assert_exit(0);
    let run = Run::of(rig.command(&[&file, TO, "--yes", "--manifest", &manifest])).await;
    run.assert_exit(0);
    assert_eq!(verdict(&run, "source"), "pass");
    assert_eq!(rig.bytes(KEY).await, bytes);
    let etag = async |server: &crate::common::Server, bucket: &str| {
        server.client.head_object().bucket(bucket).key(KEY).send().await.unwrap().e_tag().map(str::to_owned)
    };
    assert_eq!(etag(&rig.source, "archive").await, etag(&rig.destination, "gov-archive").await);
}

/// The same command below another program.
fn below(program: &str, args: &[&str], inner: &Command) -> Command {
    let mut outer = Command::new(program);
    outer.args(args).arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_the_limit_is_not_begun() {
    let (rig, _) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    // Without the signal, the call fails as it does on a disk without room.
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\"";
    let run = Run::of(below("sh", &["-c", script, "sh"], &rig.command(&[FROM, path]))).await;
    run.assert_exit(4);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "file")), (&"not_made".into(), "unknown".into()), "{run:?}");
    assert!(run.stdout.contains("File too large (os error 27); the file system or `ulimit -f`"), "{run:?}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_with_too_little_room_gets_no_byte() {
    let (rig, _) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let (path, list) = (folder.path().to_str().unwrap(), rig.home.path().join("list"));
    // A disk of 400 KiB, which only this process sees.
    let script =
        "mount -t tmpfs -o size=400k none \"$0\" || exit 99; \"$@\"; code=$?; ls -A \"$0\" > \"$LIST\"; exit $code";
    let mut command = below("unshare", &["-rm", "sh", "-c", script, path], &rig.command(&[FROM, path]));
    command.env("LIST", &list);
    let run = Run::of(command).await;
    let Ok(left) = std::fs::read_to_string(&list) else {
        eprintln!("skipped: no disk can be mounted here: {}", run.stderr);
        return;
    };
    run.assert_exit(4);
    assert_eq!((&report(&run)["outcome"], &report(&run)["sent_bytes"]), (&"not_made".into(), &0.into()));
    assert!(run.stdout.contains("976.56 KiB are needed and 400 KiB are free"), "{run:?}");
    assert_eq!(left, "", "{run:?}");
}
