//! Read-only commands send no request that could change anything.

use stored_ami_lab::{Action, CallRecord, Operation};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig};

/// An explicit list, so that a new call counts as one that writes.
fn reads(call: &CallRecord) -> bool {
    use Action as A;
    use Operation as O;
    match call.operation {
        O::GetBucketEncryption
        | O::GetBucketLifecycleConfiguration
        | O::GetBucketVersioning
        | O::GetObject
        | O::GetObjectAttributes
        | O::GetObjectLegalHold
        | O::GetObjectRetention
        | O::GetObjectTagging
        | O::GetPublicAccessBlock
        | O::HeadBucket
        | O::HeadObject
        | O::ListBuckets
        | O::ListMultipartUploads
        | O::ListObjectVersions
        | O::ListObjectsV2 => true,
        O::Service(
            A::AssumeRole
            | A::DecodeAuthorizationMessage
            | A::DescribeImages
            | A::DescribeKey
            | A::DescribeSnapshots
            | A::DescribeStoreImageTasks
            | A::GetCallerIdentity
            | A::GetEbsDefaultKmsKeyId
            | A::GetEbsEncryptionByDefault
            | A::GetServiceQuota
            | A::GetSnapshotBlock
            | A::ListSnapshotBlocks,
        ) => true,
        O::Service(A::CreateRestoreImageTask | A::CreateStoreImageTask) => call.query.contains("DryRun=true"),
        _ => false,
    }
}

/// The state of the lab, except for the progress of tasks.
fn kept(rig: &Rig) -> String {
    let objects = [KEY, "other.bin"].map(|key| rig.lab.with_object(BUCKET, key, |object| format!("{object:?}")));
    let cloud = rig.ec2(|state| format!("{:?} {:?} {:?}", state.images, state.snapshots, state.default_key));
    let account = rig.lab.account(|account| format!("{account:?}"));
    format!("{objects:?} {cloud} {account}")
}

/// A lab with a stored AMI, another object, and the additional files of commands.
async fn rig() -> Rig {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    rig.server.multipart(BUCKET, "other.bin", &[&[1; 70_000], &[2; 30_000]], None).await;
    rig
}

/// Runs a command with both output formats, and checks its calls and that the lab is unchanged.
async fn changes_nothing(rig: &Rig, args: &[&str]) -> Run {
    let before = kept(rig);
    rig.lab.clear_calls();
    let run = rig.run(args).await;
    let mut command = rig.command();
    command.args(args);
    Run::of(command).await;
    let writing: Vec<_> = rig.lab.calls().into_iter().filter(|call| !reads(call)).collect();
    assert!(writing.is_empty(), "{args:?}: {writing:#?}");
    assert!(kept(rig) == before, "{args:?} changed the lab");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_object() {
    let rig = rig().await;
    let file = |name: &str| rig.path(name);
    let (manifest, tuning, plot) = (file("manifest.json"), file("tuning.json"), file("plot.svg"));
    let state = file("state.json");
    let other = format!("s3://{BUCKET}/other.bin");
    for target in [OBJECT, &other] {
        changes_nothing(&rig, &["inspect", target]).await.assert_exit(0);
        changes_nothing(&rig, &["cost", target]).await;
        let against = if target == OBJECT { other.as_str() } else { OBJECT };
        changes_nothing(&rig, &["compare", target, against, "--read"]).await.assert_exit(1);
        changes_nothing(&rig, &["thaw", target, "--dry-run"]).await.assert_exit(0);
        changes_nothing(&rig, &["doctor", &format!("s3://{BUCKET}")]).await.assert_exit(0);
        changes_nothing(&rig, &["doctor"]).await.assert_exit(0);
        let bench = ["bench", target, "--connections", "1", "--range-size", "1MiB", "--time", "1s"];
        let kept = ["--plot", &plot, "--write-tuning", &tuning];
        changes_nothing(&rig, &[&bench[..], &kept].concat()).await.assert_exit(0);
        let keep = ["verify", target, "--write-manifest", &manifest, "--force"];
        let keep = [&keep[..], &["--digest", "sha512,xxh3", "--tuning", &tuning]].concat();
        changes_nothing(&rig, &keep).await.assert_exit(0);
        let hold = ["verify", target, "--manifest", &manifest, "--require", "manifest", "--like", target];
        changes_nothing(&rig, &hold).await.assert_exit(0);
        changes_nothing(&rig, &["verify", target, "--sample", "1/2", "--no-reread"]).await.assert_exit(3);
        changes_nothing(&rig, &["verify", target, "--resume", &state, "--max-time", "1h"]).await.assert_exit(0);
    }
    assert!(std::path::Path::new(&plot).exists() && std::path::Path::new(&tuning).exists());
    // A mismatch is read again, and its layout is requested part by part.
    rig.lab.damage(BUCKET, "other.bin", 7, 1).unwrap();
    changes_nothing(&rig, &["verify", &other, "--manifest", &manifest]).await.assert_exit(1);
    // With fewer permissions, more sources are tried.
    rig.deny("s3:GetObject");
    for command in ["inspect", "verify", "bench"] {
        changes_nothing(&rig, &[command, OBJECT]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_stores_and_restores() {
    let rig = rig().await;
    let manifest = rig.path("manifest.json");
    let record = rig.path("record.json");
    rig.run(&["verify", OBJECT, "--write-manifest", &manifest]).await.assert_exit(0);
    let again = rig.create(None, "another", &[("/dev/sda1", 1)]);
    let restore = ["preflight", "restore", OBJECT, "--name", "gold"];
    let known = ["--record", &record, "--manifest", &manifest, "--verify", "--logical-size", "29GiB"];
    for (args, exit) in [
        (&["is-stored", AMI, "--bucket", BUCKET][..], 0),
        (&["is-stored", &again, "--bucket", BUCKET], 1),
        (&["preflight", "store", AMI, "--bucket", BUCKET], 1),
        (&["preflight", "store", &again, "--bucket", BUCKET], 0),
        (&["preflight", "store", &again, "--bucket", "archive/path", "--no-tags"], 0),
        (&restore, 0),
        (&[&restore[..], &known].concat(), 0),
        // These two could start something, but have `--dry-run`.
        (&["store", &again, "--bucket", BUCKET, "--dry-run"], 0),
        (&["restore", OBJECT, "--name", "gold", "--dry-run"], 0),
        (&["store", "--follow", AMI, "--bucket", BUCKET], 0),
    ] {
        changes_nothing(&rig, args).await.assert_exit(exit);
    }
    changes_nothing(&rig, &["cost", AMI]).await;
    // The message of a denial is decoded if that is permitted.
    for action in ["ec2:CreateStoreImageTask", "ec2:CreateRestoreImageTask"] {
        rig.deny(action);
    }
    changes_nothing(&rig, &["preflight", "store", &again, "--bucket", BUCKET]).await.assert_exit(1);
    changes_nothing(&rig, &restore).await.assert_exit(1);
    assert!(rig.restored().is_empty() && rig.starts().is_empty());
    assert!(!rig.home.path().join("stored-ami").exists(), "nor is a journal kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_archive() {
    let rig = rig().await;
    let (bucket, ledger, policy) = (format!("s3://{BUCKET}"), rig.path("l.db"), rig.path("p.toml"));
    let demands = "[bucket]\nversioning = true\npublic-access-blocked = true\nencryption = [\"AES256\"]\n\
                   [object]\nencryption = [\"AES256\"]\nlock = \"any\"\ntags = [\"Owner\"]\nstays = \"30d\"\n\
                   storage-classes = [\"STANDARD\"]\nproof-age = \"9d\"\nother-region = true\n";
    std::fs::write(&policy, demands).unwrap();
    for level in ["facts", "sample", "bytes"] {
        changes_nothing(&rig, &["audit", &bucket, "--level", level, "--images"]).await.assert_exit(0);
        let all = ["audit", &bucket, "--level", level, "--images", "--ledger", &ledger, "--policy", &policy];
        changes_nothing(&rig, &all).await.assert_exit(1);
    }
    let safe = ["safe-to-delete", AMI, "--in", &bucket, "--ledger", &ledger];
    changes_nothing(&rig, &safe).await.assert_exit(0);
}

/// A server that ignores `DryRun` starts a task, which can only be reported. Every such call sets `DryRun`.
#[tokio::test(flavor = "multi_thread")]
async fn each_call_that_could_start_something_says_dry_run() {
    let rig = rig().await;
    rig.lab.clear_calls();
    rig.run(&["preflight", "restore", OBJECT, "--name", "gold"]).await.assert_exit(0);
    let again = rig.create(None, "another", &[("/dev/sda1", 1)]);
    rig.run(&["preflight", "store", &again, "--bucket", BUCKET]).await.assert_exit(0);
    let dry = |action| {
        let calls = rig.lab.calls();
        calls.iter().filter(|call| call.operation == Operation::Service(action) && reads(call)).count()
    };
    assert_eq!((dry(Action::CreateRestoreImageTask), dry(Action::CreateStoreImageTask)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_server_asks_none() {
    let rig = Rig::new().await;
    rig.lab.clear_calls();
    let copy = crate::common::write(rig.home.path(), "copy.bin", b"bytes");
    for args in [
        &["policy", "inspect", "store", "restore", "--bucket", BUCKET, "--region", REGION][..],
        &["bench", "--hashes"],
        &["inspect", &copy],
        &["verify", &copy, "--digest", "sha256", "--write-manifest", &rig.path("copy.json")],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut command = rig.command();
        command.args(args);
        let run = Run::of(command).await;
        assert!(matches!(run.exit, Some(0 | 3)), "{args:?}: {run:?}");
    }
    assert!(rig.lab.calls().is_empty(), "{:?}", rig.lab.calls());
}
