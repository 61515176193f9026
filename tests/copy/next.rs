//! What is said before and after a copy that cannot be made: the permission, the archive, the damaged part.

use aws_sdk_s3::types::ChecksumAlgorithm;
use stored_ami_lab::{Deny, Operation};

use crate::common::{Run, bare_command, data};
use crate::rig::{FROM, KEY, Rig, TO};

const PART: usize = 100_000;

/// A source of five parts, with a checksum over each.
async fn rig() -> Rig {
    let rig = Rig::new().await;
    let bytes = data(1, 5 * PART);
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    rig.source
        .multipart(
            "archive",
            KEY,
            &parts,
            Some((ChecksumAlgorithm::Sha256, aws_sdk_s3::types::ChecksumType::Composite)),
        )
        .await;
    rig.source.tag("archive", KEY, "team", "a").await;
    rig.from.clear_calls();
    rig
}

/// `copy` for a person.
async fn run(rig: &Rig, args: &[&str], exit: i32) -> String {
    let mut command = bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .arg("copy")
        .args(crate::rig::profiles(args))
        .args(["--accept", "public", "--yes"])
        .args(args);
    let run = Run::of(command).await;
    run.assert_exit(exit);
    run.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_with_the_policy_of_its_end_and_not_repeated() {
    for (denied, exit) in [("s3:PutObject", 4), ("s3:PutObjectTagging", 4)] {
        let rig = rig().await;
        rig.to.deny(Deny::action(denied));
        let text = run(&rig, &[FROM, TO], exit).await;
        assert!(text.contains(denied), "{denied}: {text}");
        let policy = "permissions   stored-ami policy copy-destination --bucket gov-archive --partition aws-us-gov";
        assert!(text.contains(policy), "{text}");
        assert!(text.contains("ask for the permission that is missing"), "{text}");
        assert!(!text.contains("run the same command again"), "{text}");
        assert_eq!(rig.uploads().await, 0);
    }
    let rig = rig().await;
    rig.from.deny(Deny::action("s3:GetObjectTagging"));
    let text = run(&rig, &[FROM, TO], 3).await;
    assert!(text.contains("s3:GetObjectTagging") && text.contains("--tags none copies no tags"), "{text}");
    assert!(text.contains("permissions   stored-ami policy copy-source --bucket archive"), "{text}");
    assert!(!text.contains("copy-destination"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_source_is_said_before_anything_is_ready() {
    let rig = rig().await;
    rig.from.with_object("archive", KEY, |object| object.storage_class = "GLACIER".to_owned()).unwrap();
    let file = rig.home.path().join("copy.bin");
    for to in [TO, file.to_str().unwrap()] {
        for more in [&[][..], &["--dry-run"], &["--accept", "source"], &["--unproved"]] {
            let text = run(&rig, &[&[FROM, to], more].concat(), 3).await;
            assert!(!text.contains("READY"), "{text}");
            assert!(text.contains("nothing was written: the source is archived (GLACIER, "), "{text}");
            assert!(text.contains("bring back    stored-ami thaw s3://archive/ami-0123456789abcdef0.bin"), "{text}");
        }
    }
    assert!(!file.exists());
    let reads = rig.from.calls().into_iter().filter(|call| call.operation == Operation::GetObject);
    assert_eq!(reads.count(), 0);
    assert!(rig.calls(Operation::CreateMultipartUpload).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_source_is_named_with_its_part_also_later_from_the_ledger() {
    let rig = rig().await;
    rig.from.damage("archive", KEY, 2 * PART as u64 + 5, 1).unwrap();
    let ledger = rig.home.path().join("l.db");
    let ledger = ledger.to_str().unwrap();
    let place = "bytes 200,000–299,999 (part 3 of 5)";
    let text = run(&rig, &[FROM, TO, "--ledger", ledger], 1).await;
    assert!(text.contains(&format!("no copy was made: the source is damaged: {place}, read twice")), "{text}");
    let list = Run::of({
        let mut command = bare_command();
        command.args(["ledger", "list", ledger]);
        command
    })
    .await;
    assert!(list.assert_exit(0).stdout.contains(&format!("DAMAGED  {FROM}  bytes")), "{list:?}");
    assert!(list.stdout.contains(&format!("{place}: ")), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ledger_is_created_for_a_copy_that_never_begins() {
    let rig = rig().await;
    let ledger = rig.home.path().join("l.db");
    let args = ["s3://no-such-bucket/ami-0123456789abcdef0.bin", TO, "--ledger", ledger.to_str().unwrap()];
    run(&rig, &args, 4).await;
    assert!(!ledger.exists());
}

/// An end with its own profile takes nothing from the environment, and the next command must reach the same place.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_command_reaches_the_copy_whatever_the_environment_says() {
    let rig = rig().await;
    let with_environment = |command: &mut std::process::Command| {
        command
            .env("HOME", rig.home.path())
            .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL", rig.from.endpoint());
    };
    let mut command = bare_command();
    with_environment(&mut command);
    command.args([
        "copy",
        FROM,
        TO,
        "--from-profile",
        "commercial",
        "--to-profile",
        "gov",
        "--accept",
        "public",
        "--yes",
    ]);
    let copied = Run::of(command).await;
    copied.assert_exit(0);
    let next = copied.stdout.lines().find_map(|line| line.trim().strip_prefix("read it")).unwrap().trim().to_owned();
    let mut verify = bare_command();
    with_environment(&mut verify);
    // The words hold no quotes.
    verify.args(next.split(' ').skip(1)).arg("--json");
    let read = Run::of(verify).await;
    assert_eq!(read.assert_exit(0).report()["target"], TO, "{next}");
}
