//! `policy`: its output compared with the calls that commands send.

use std::collections::BTreeSet;

use stored_ami_lab::{BucketOptions, Versioning};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, Rig};

type Actions = BTreeSet<String>;

async fn printed(rig: &Rig, command: &str) -> Actions {
    let mut program = rig.command();
    program.args(["policy", command, "--bucket", "versions", "--alias", "/golden"]);
    let run = Run::of(program).await;
    run.assert_exit(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let statements = document["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn set(actions: &[&str]) -> Actions {
    actions.iter().map(|action| (*action).to_owned()).collect()
}

/// The policy contains every action that a call needed. Actions that no call needed are listed here, so that additions
/// are noticed.
#[tokio::test(flavor = "multi_thread")]
async fn each_command_makes_the_calls_of_its_policy() {
    let rig = Rig::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("versions", versioned).unwrap();
    rig.lab.account(|account| account.keys.insert("arn:aws:kms:us-east-1:123456789012:key/k".into(), "Enabled".into()));
    rig.ec2(|state| state.encrypt_by_default = true);
    let object = format!("s3://versions/{KEY}");
    let task_of_store = [
        "ebs:GetSnapshotBlock",
        "ebs:ListChangedBlocks",
        "ebs:ListSnapshotBlocks",
        "ec2:DescribeTags",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:PutObject",
        "s3:PutObjectTagging",
    ];
    let task_of_restore =
        ["ebs:CompleteSnapshot", "ebs:PutSnapshotBlock", "ebs:StartSnapshot", "ec2:CreateTags", "ec2:DescribeTags"];
    let lists = ["s3:ListBucket"];
    let keys = ["kms:DescribeKey"];
    let plain = ["s3:GetObjectTagging"];
    // An object of one part needs no attributes.
    let parts = ["s3:GetObjectAttributes"];
    let (ledger, kept) = (rig.home.path().join("l.db"), rig.home.path().join("policy.toml"));
    let (ledger, kept) = (ledger.to_str().unwrap(), kept.to_str().unwrap());
    let everything = "[bucket]\nversioning = true\npublic-access-blocked = true\nencryption = [\"AES256\"]\n\
                      [object]\nencryption = [\"AES256\"]\nlock = \"any\"\ntags = [\"x\"]\nstays = \"1d\"\n";
    std::fs::write(kept, everything).unwrap();
    let audit = vec!["audit", "s3://versions", "--images", "--ledger", ledger, "--policy", kept, "--level", "bytes"];
    let safe = vec!["safe-to-delete", AMI, "--in", "s3://versions", "--ledger", ledger, "--policy", kept];
    let drill = vec!["drill", &object, "--source", AMI, "--yes"];
    let table: [(&str, Vec<&str>, Vec<&str>); 10] = [
        ("is-stored", vec!["is-stored", AMI, "--bucket", "versions"], vec![]),
        ("preflight-store", vec!["preflight", "store", AMI, "--bucket", "versions"], keys.to_vec()),
        ("store", vec!["store", AMI, "--bucket", "versions", "--yes"], [&keys[..], &task_of_store].concat()),
        ("inspect", vec!["inspect", &object], [&lists[..], &plain, &parts].concat()),
        ("verify", vec!["verify", &object, "--using", "etag,tags"], [&lists[..], &plain, &parts].concat()),
        ("preflight-restore", vec!["preflight", "restore", &object, "--name", "gold"], plain.to_vec()),
        (
            "restore",
            vec!["restore", &object, "--name", "gold", "--yes", "--alias", "/golden"],
            [&plain[..], &task_of_restore].concat(),
        ),
        // No snapshot of the lab is encrypted.
        ("drill", drill, [&plain[..], &parts, &task_of_restore, &["kms:Decrypt"]].concat()),
        ("audit", audit, [&plain[..], &parts].concat()),
        // HEAD states the checksums, so the attributes of a version are not requested.
        (
            "safe-to-delete",
            safe,
            [&plain[..], &parts, &["s3:GetObjectVersion", "s3:GetObjectVersionAttributes"]].concat(),
        ),
    ];
    for (command, args, unused) in table {
        let policy = printed(&rig, command).await;
        rig.lab.clear_calls();
        let judges = matches!(command, "audit" | "safe-to-delete" | "is-stored");
        rig.run(&args).await.assert_exit(if judges { 1 } else { 0 });
        let calls = rig.lab.calls();
        let mut needed: Actions = calls.iter().flat_map(|call| call.iam_actions()).map(str::to_owned).collect();
        // AWS requires no permission for it.
        needed.remove("sts:GetCallerIdentity");
        let missing: Vec<_> = needed.difference(&policy).collect();
        assert!(missing.is_empty(), "{command} needs {missing:?}");
        let beyond: Actions = policy.difference(&needed).cloned().collect();
        assert_eq!(beyond, set(&unused), "{command}");
    }
}

/// What `audit --results` and `audit merge` call at the place of the results.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_with_results_makes_the_calls_of_its_policy() {
    let rig = Rig::new().await;
    rig.start_store(AMI, BUCKET).await;
    rig.run(&["store", "--follow", AMI]).await.assert_exit(0);
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket("shards", versioned).unwrap();
    let mut program = rig.command();
    program.args(["policy", "audit", "--bucket", BUCKET, "--results", "s3://shards/weekly"]);
    let document: serde_json::Value = serde_json::from_str(&Run::of(program).await.stdout).unwrap();
    let place = ["arn:aws:s3:::shards/weekly/*", "arn:aws:s3:::shards"];
    let statements = document["Statement"].as_array().unwrap();
    let of_place = statements.iter().filter(|statement| place.iter().any(|arn| statement["Resource"] == *arn));
    let actions = of_place.flat_map(|statement| statement["Action"].as_array().unwrap());
    let policy: Actions = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
    rig.lab.clear_calls();
    let run = "s3://shards/weekly/1";
    for share in ["1/2", "2/2"] {
        rig.run(&["audit", "s3://archive", "--shard", share, "--results", run]).await;
    }
    rig.run(&["audit", "merge", run]).await;
    let calls = rig.lab.calls();
    let at_place = calls.iter().filter(|call| call.bucket == "shards");
    let needed: Actions = at_place.flat_map(|call| call.iam_actions()).map(str::to_owned).collect();
    assert!(needed.contains("s3:PutObject"), "{calls:?}");
    // Only the parts of a large result are aborted.
    let beyond: Actions = policy.symmetric_difference(&needed).cloned().collect();
    assert_eq!(beyond, set(&["s3:AbortMultipartUpload"]), "{policy:?} {needed:?}");
    let mut program = rig.command();
    program.args(["policy", "verify", "--bucket", BUCKET, "--results", "shards"]);
    let wrong = Run::of(program).await;
    assert!(wrong.assert_exit(2).stderr.contains("--results: goes with audit"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_bucket_a_region_and_a_partition() {
    let rig = Rig::new().await;
    let mut program = rig.command();
    program.args(["policy", "store", "restore", "--bucket", "s3://archive/eu/", "--partition", "aws-us-gov"]);
    program.args(["--region", "us-gov-west-1", "--account", "123456789012"]);
    let run = Run::of(program).await;
    run.assert_exit(0);
    let document = &run.stdout;
    assert!(document.contains("arn:aws-us-gov:s3:::archive/eu/*"), "{document}");
    assert!(document.contains("arn:aws-us-gov:ec2:us-gov-west-1::image/*"), "{document}");
    assert!(!document.contains("arn:aws:") && !document.contains("ssm:"), "{document}");
    assert!(run.stderr.contains("KMS keys"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_for_more_is_escaped_or_refused() {
    let rig = Rig::new().await;
    let run = |args: &[&str]| {
        let mut program = rig.command();
        program.args(["policy", "restore"]).args(args);
        Run::of(program)
    };
    let escaped = run(&["--bucket", "prod/*/a?${aws:username}"]).await;
    escaped.assert_exit(0);
    assert!(escaped.stdout.contains("arn:aws:s3:::prod/${*}/a${?}${$}{aws:username}/*"), "{escaped:?}");
    for (option, value) in [
        ("--alias", "*"),
        ("--alias", "/a/*"),
        ("--account", "12"),
        ("--account", "x"),
        ("--region", "eu-west-1:*"),
        ("--partition", "aws:*"),
    ] {
        let refused = run(&["--bucket", "archive", option, value]).await;
        refused.assert_exit(2);
        assert!(refused.stdout.is_empty() && refused.stderr.contains(option), "{refused:?}");
    }
    run(&["--bucket", "pr*d"]).await.assert_exit(2);
}
