//! The policies for both ends name what a copy needs, and nothing that it does not use.

use std::collections::BTreeSet;

use stored_ami_lab::{Fault, FaultRule, Lab, Operation};

use crate::common::{Run, bare_command, data};
use crate::rig::{KEY, Rig};

fn used(lab: &Lab) -> BTreeSet<String> {
    lab.calls()
        .iter()
        .flat_map(|call| call.iam_actions())
        .filter(|action| action.starts_with("s3:"))
        .map(str::to_owned)
        .collect()
}

async fn policy(args: &[&str]) -> Run {
    let mut policy = bare_command();
    policy.arg("policy").args(args);
    Run::of(policy).await
}

fn statements(run: &Run) -> Vec<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_str(&run.assert_exit(0).stdout).unwrap();
    document["Statement"].as_array().unwrap().clone()
}

async fn allowed(command: &str, bucket: &str) -> BTreeSet<String> {
    let statements = statements(&policy(&[command, "--bucket", bucket]).await);
    let actions = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap().clone());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_of_both_ends_are_enough_and_no_more() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    rig.source.tag("archive", KEY, "team", "a").await;
    let state = rig.home.path().join("state").to_str().unwrap().to_owned();
    let args = ["--yes", "--verify-destination", "--resume", &state];
    rig.to.script(
        FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(1).times(100),
    );
    rig.copy(&args).await.assert_exit(2);
    let (mut from, mut to) = (used(&rig.from), used(&rig.to));
    rig.to.clear_script();
    rig.copy(&args).await.assert_exit(0);
    from.extend(used(&rig.from));
    to.extend(used(&rig.to));
    for (used, command, bucket) in [(from, "copy-source", "archive"), (to, "copy-destination", "gov-archive")] {
        let allowed = allowed(command, bucket).await;
        let missing: Vec<_> = used.difference(&allowed).collect();
        assert!(missing.is_empty(), "{command}: {missing:?}");
        let writes = |action: &String| !["s3:Get", "s3:List"].iter().any(|reads| action.starts_with(reads));
        let more: Vec<_> = allowed.difference(&used).filter(|action| writes(action)).collect();
        assert_eq!(more, if command == "copy-source" { vec![] } else { vec!["s3:AbortMultipartUpload"] });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_of_compare_and_thaw_are_enough_and_no_more() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    for server in [(&rig.source, "archive"), (&rig.destination, "gov-archive")] {
        server.0.multipart(server.1, KEY, &bytes.chunks(300_000).collect::<Vec<_>>(), None).await;
    }
    rig.to.damage("gov-archive", KEY, 5, 1).unwrap();
    rig.from.clear_calls();
    let mut compare = bare_command();
    compare.env("AWS_CONFIG_FILE", rig.home.path().join("config"));
    compare.args(["compare", crate::rig::FROM, crate::rig::TO, "--read"]);
    compare.args(["--from-profile", "commercial", "--to-profile", "gov"]);
    Run::of(compare).await.assert_exit(1);
    let of_compare = used(&rig.from);
    rig.from.with_object("archive", KEY, |object| object.storage_class = "GLACIER".to_owned()).unwrap();
    rig.from.clear_calls();
    rig.source.run(&["thaw", crate::rig::FROM, "--yes"]).await.assert_exit(0);
    for (used, command, writes) in
        [(of_compare, "compare", vec![]), (used(&rig.from), "thaw", vec!["s3:RestoreObject"])]
    {
        let allowed = allowed(command, "archive").await;
        let missing: Vec<_> = used.difference(&allowed).collect();
        assert!(missing.is_empty(), "{command}: {missing:?}");
        let reads = |action: &String| ["s3:Get", "s3:List"].iter().any(|reads| action.starts_with(reads));
        assert_eq!(allowed.iter().filter(|action| !reads(action)).collect::<Vec<_>>(), writes, "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_destination_reads_the_source_that_the_server_copies() {
    let bare = statements(&policy(&["copy-destination", "--bucket", "copies"]).await);
    let with =
        statements(&policy(&["copy-destination", "--bucket", "copies", "--source-bucket", "archive/amis"]).await);
    let added: Vec<_> = with.into_iter().filter(|statement| !bare.contains(statement)).collect();
    let expected = serde_json::json!({
        "Sid": "CopiedObjects",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": "arn:aws:s3:::archive/amis/*",
    });
    assert_eq!(added, [expected]);
    let run = policy(&["copy-source", "--bucket", "copies", "--source-bucket", "archive"]).await;
    assert!(run.exit == Some(2) && run.stderr.contains("goes with copy-destination"), "{run:?}");
    assert!(allowed("verify", "archive").await.contains("s3:GetObjectTagging"), "for --using tags");
}
