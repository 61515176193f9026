//! A copy that was interrupted is taken up again.

use std::process::{Child, Stdio};
use std::time::Duration;

use stored_ami_lab::{Fault, FaultRule, LabOptions, Operation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{Run, data};
use crate::rig::{FROM, KEY, Rig, TO, report};

const PARTS: usize = 10;

async fn rig() -> (Rig, Vec<u8>, String) {
    rig_with(LabOptions::default()).await
}

async fn rig_with(from: LabOptions) -> (Rig, Vec<u8>, String) {
    let rig = Rig::with(from).await;
    let bytes = data(1, PARTS * 100_000);
    let parts: Vec<&[u8]> = bytes.chunks(100_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    let state = rig.home.path().join("copy.state").to_str().unwrap().to_owned();
    (rig, bytes, state)
}

/// Numbers of the parts that the destination holds.
async fn held(rig: &Rig) -> Vec<i32> {
    let uploads = rig.destination.client.list_multipart_uploads().bucket("gov-archive").send().await.unwrap();
    let Some(id) = uploads.uploads().first().and_then(|upload| upload.upload_id()) else { return Vec::new() };
    let parts = rig.destination.client.list_parts().bucket("gov-archive").key(KEY).upload_id(id).send().await.unwrap();
    parts.parts().iter().filter_map(|part| part.part_number()).collect()
}

/// Numbers of the parts that were sent since the calls were cleared.
fn sent(rig: &Rig) -> Vec<i32> {
    rig.calls(Operation::UploadPart).iter().map(|call| call.part().unwrap().parse().unwrap()).collect()
}

async fn assert_whole(rig: &Rig, bytes: &[u8], state: &str) {
    assert_eq!(rig.bytes(KEY).await, bytes);
    assert_eq!(rig.uploads().await, 0);
    assert!(!std::path::Path::new(state).exists(), "the state is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_expire_in_mid_copy_lose_no_part() {
    let (rig, bytes, state) = rig().await;
    let expired = Fault::Status { status: 400, code: "ExpiredToken" };
    rig.to.script(FaultRule::new(Operation::UploadPart, expired).skip(5).times(1000));
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    run.assert_exit(2);
    let left = report(&run)["left_behind"][0].clone();
    assert!(left["state"].as_str().unwrap().contains(&format!("--resume {state}")), "{left}");
    assert!(left["remove_with"].as_str().unwrap().contains(&format!("copy --abort {state}")), "{left}");
    // The first refusal ends the copy, so some of the five may be cut off on their way.
    let kept = held(&rig).await;
    assert!((1..=5).contains(&kept.len()), "{kept:?}");
    rig.to.clear_script();
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    run.assert_exit(0);
    let again = sent(&rig);
    assert_eq!(again.len(), PARTS - kept.len(), "{kept:?} {again:?}");
    assert!(kept.iter().all(|part| !again.contains(part)), "{kept:?} {again:?}");
    assert_whole(&rig, &bytes, &state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_removed_meanwhile_is_begun_anew() {
    let (rig, bytes, state) = rig().await;
    rig.to.script(
        FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(3).times(1000),
    );
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(2);
    rig.to.clear_script();
    let uploads = rig.destination.client.list_multipart_uploads().bucket("gov-archive").send().await.unwrap();
    let id = uploads.uploads()[0].upload_id().unwrap();
    let abort = rig.destination.client.abort_multipart_upload().bucket("gov-archive").key(KEY).upload_id(id);
    abort.send().await.unwrap();
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    run.assert_exit(0);
    assert!(run.stdout.contains("starts over"), "{run:?}");
    assert_eq!(sent(&rig).len(), PARTS);
    assert_whole(&rig, &bytes, &state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_completed_with_other_properties_than_are_asked_for() {
    let (rig, bytes, state) = rig().await;
    rig.source.tag("archive", KEY, "team", "a").await;
    rig.to.script(
        FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(3).times(1000),
    );
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(2);
    rig.to.clear_script();
    for other in [&["--tags", "none"][..], &["--tags", "stage=test"], &["--storage-class", "GLACIER_IR"]] {
        let run = rig.copy(&[&["--yes", "--resume", &state][..], other].concat()).await;
        assert!(run.assert_exit(2).stdout.contains("class, key, lock, metadata or tags of the copy"), "{run:?}");
        assert!(!rig.has(KEY).await);
    }
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(0);
    assert_whole(&rig, &bytes, &state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_copy_can_be_aborted_and_belongs_to_one_source() {
    let (rig, _, state) = rig().await;
    rig.to.script(
        FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(3).times(1000),
    );
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(2);
    rig.to.clear_script();
    rig.source.put("archive", KEY, b"another", None).await;
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    assert_ne!(run.exit, Some(0), "{run:?}");
    assert!(!rig.has(KEY).await);
    assert_eq!(rig.uploads().await, 1, "kept: it may be gone on with");
    let mut command = crate::common::bare_command();
    command.env("HOME", rig.home.path()).env("AWS_CONFIG_FILE", rig.home.path().join("config")).args([
        "copy",
        "--abort",
        &state,
        "--to-profile",
        "gov",
    ]);
    let run = Run::of(command).await;
    run.assert_exit(0);
    assert_eq!(rig.uploads().await, 0);
    assert!(!std::path::Path::new(&state).exists());
}

/// The state file is left as if the run had been killed between the end of the upload and its removal. The source is then
/// replaced by an object of the same size, with other parts and no stored checksum: nothing but the mark could be compared.
#[tokio::test(flavor = "multi_thread")]
async fn the_mark_of_a_finished_copy_counts_for_its_own_source_alone() {
    let (rig, bytes, state) = rig_with(LabOptions { default_checksum: false, ..LabOptions::default() }).await;
    let expired = Fault::Status { status: 400, code: "ExpiredToken" };
    rig.to.script(FaultRule::new(Operation::UploadPart, expired).skip(3).times(1000));
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(2);
    rig.to.clear_script();
    let saved = std::fs::read(&state).unwrap();
    rig.copy(&["--yes", "--resume", &state]).await.assert_exit(0);
    let left_behind = || std::fs::write(&state, &saved).unwrap();

    left_behind();
    rig.copy(&["--dry-run", "--resume", &state]).await.assert_exit(0);
    assert!(std::path::Path::new(&state).exists(), "a dry run removes nothing");
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    assert_eq!(report(run.assert_exit(0))["outcome"], "already_there");
    assert!(!std::path::Path::new(&state).exists());

    let other = data(2, bytes.len());
    let parts: Vec<&[u8]> = other.chunks(200_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    left_behind();
    let run = rig.copy(&["--yes", "--resume", &state]).await;
    assert_eq!(report(run.assert_exit(3))["outcome"], "occupied");
    assert_eq!(rig.bytes(KEY).await, bytes);
}

/// The mark of an object that was made without a proof is none of a proved copy.
#[tokio::test(flavor = "multi_thread")]
async fn the_mark_of_an_unproved_copy_is_no_proof() {
    let (rig, bytes, state) = rig_with(LabOptions { default_checksum: false, ..LabOptions::default() }).await;
    // Nothing proves an object with a KMS key and without a checksum.
    let parts: Vec<&[u8]> = bytes.chunks(100_000).collect();
    let kms = |create: aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder| {
        create.server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms)
    };
    rig.source.multipart_with("archive", KEY, &parts, None, kms).await;
    let expired = Fault::Status { status: 400, code: "ExpiredToken" };
    rig.to.script(FaultRule::new(Operation::UploadPart, expired).skip(3).times(1000));
    rig.copy(&["--yes", "--unproved", "--resume", &state]).await.assert_exit(2);
    rig.to.clear_script();
    let saved = std::fs::read(&state).unwrap();
    rig.copy(&["--yes", "--unproved", "--resume", &state]).await.assert_exit(0);
    for (unproved, exit, outcome) in [(&[][..], 3, "occupied"), (&["--unproved"], 0, "already_there")] {
        std::fs::write(&state, &saved).unwrap();
        let run = rig.copy(&[&["--yes", "--resume", &state], unproved].concat()).await;
        assert_eq!(report(run.assert_exit(exit))["outcome"], outcome, "{run:?}");
    }
}

fn start(rig: &Rig, state: Option<&str>) -> Child {
    let mut command = rig.command(&[FROM, TO, "--yes"]);
    command.args(state.iter().flat_map(|state| ["--resume", state]));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the destination has answered this many requests that write.
async fn writes(rig: &Rig, count: usize, child: &mut Child) {
    let write = |operation| {
        matches!(
            operation,
            Operation::CreateMultipartUpload | Operation::UploadPart | Operation::CompleteMultipartUpload
        )
    };
    let reached = async {
        while rig.to.calls().iter().filter(|call| write(call.operation)).count() < count {
            if child.try_wait().unwrap().is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap();
}

/// Waits until the destination has carried out what a killed process had sent. `before` connections were open before it
/// was started.
async fn settled(rig: &Rig, before: usize) {
    // Connections are accepted in order: behind this one there is none of the process.
    let mut last = tokio::net::TcpStream::connect(rig.to.address()).await.unwrap();
    last.write_all(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").await.unwrap();
    last.read_to_end(&mut Vec::new()).await.unwrap();
    drop(last);
    tokio::time::timeout(Duration::from_secs(60), rig.to.disconnected(before)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_ends_in_one_object() {
    // Create, ten parts, Complete; each moment several times, because what is in flight differs.
    for round in 0..40 {
        let (rig, bytes, state) = rig().await;
        let before = rig.to.connections();
        let mut child = start(&rig, Some(&state));
        writes(&rig, round % 13, &mut child).await;
        child.kill().unwrap();
        child.wait().unwrap();
        settled(&rig, before).await;
        let kept = held(&rig).await;
        rig.to.clear_calls();
        let run = rig.copy(&["--yes", "--resume", &state, "--accept", "uploads"]).await;
        assert_eq!(run.exit, Some(0), "{round}: {run:?}");
        let outcome = report(&run)["outcome"].clone();
        assert!(outcome == "copied" || outcome == "already_there", "{round}: {run:?}");
        let again = sent(&rig);
        if rig.calls(Operation::CreateMultipartUpload).is_empty() {
            assert!(kept.iter().all(|part| !again.contains(part)), "{round}: {kept:?} {again:?}");
        }
        assert_eq!(rig.bytes(KEY).await, bytes);
        let left = rig.uploads().await;
        // Killed between the answer to CreateMultipartUpload and the write of its state: an upload without parts.
        assert!(left == 0 || kept.is_empty() && left == 1, "{round}: {left} {run:?}");
        assert!(!std::path::Path::new(&state).exists(), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_keeps_the_upload_only_with_a_state() {
    for with_state in [true, false] {
        let (rig, _, state) = rig().await;
        rig.from.script(
            FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 10_000 }).times(1000).skip(3),
        );
        let mut child = start(&rig, with_state.then_some(state.as_str()));
        writes(&rig, 3, &mut child).await;
        // As `timeout` does, which sends it to the command and to its group.
        let twice = format!("kill -TERM {0}; kill -TERM {0}", child.id());
        std::process::Command::new("sh").args(["-c", &twice]).status().unwrap();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(rig.uploads().await, usize::from(with_state), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.contains("copy --abort"), with_state, "{text}");
        assert!(!rig.has(KEY).await);
    }
}

/// A state file is of one run at a time: two would send the same parts, and end or remove the upload of each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_with_the_same_file_leaves_the_first_alone() {
    let (rig, bytes, state) = rig().await;
    let slow = FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 10_000 }).times(1000).skip(3);
    rig.from.script(slow);
    let mut first = start(&rig, Some(&state));
    writes(&rig, 3, &mut first).await;
    let link = rig.home.path().join("link.state");
    std::os::unix::fs::symlink(&state, &link).unwrap();
    for spelling in [state.as_str(), link.to_str().unwrap()] {
        let second = rig.copy(&["--yes", "--resume", spelling]).await;
        second.assert_exit(2);
        assert!(second.stdout.contains("another run uses it now"), "{second:?}");
        let mut abort = rig.command(&[]);
        abort.args(["--abort", spelling]);
        let abort = Run::of(abort).await;
        assert!(abort.assert_exit(2).stderr.contains("another run uses it now"), "{abort:?}");
    }
    assert_eq!((rig.uploads().await, std::path::Path::new(&state).exists()), (1, true));
    std::process::Command::new("kill").args(["-TERM", &first.id().to_string()]).status().unwrap();
    let first = tokio::task::spawn_blocking(move || first.wait_with_output().unwrap()).await.unwrap();
    assert_eq!((first.status.code(), rig.uploads().await), (Some(130), 1), "{first:?}");
    rig.from.clear_script();
    rig.copy(&["--yes", "--resume", &state, "--accept", "uploads"]).await.assert_exit(0);
    assert_whole(&rig, &bytes, &state).await;
    assert!(!rig.home.path().join(".copy.state.stored-ami-lock").exists());
}

/// A run that neither goes on with an upload nor removes it says that it is there.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_forgotten_where_an_object_is_in_the_way() {
    for (other, exit) in [(false, 0), (true, 1)] {
        let (rig, bytes, state) = rig().await;
        let slow = FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 10_000 }).times(1000).skip(3);
        rig.from.script(slow);
        let mut child = start(&rig, Some(&state));
        writes(&rig, 3, &mut child).await;
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        rig.from.clear_script();
        let there = if other { &b"another"[..] } else { &bytes };
        let parts: Vec<&[u8]> = there.chunks(100_000).collect();
        rig.destination.multipart("gov-archive", KEY, &parts, None).await;
        let run = rig.copy(&["--yes", "--resume", &state]).await;
        let left = report(run.assert_exit(exit))["left_behind"].clone();
        let command = left[0]["remove_with"].as_str().unwrap();
        assert!(command.starts_with(&format!("stored-ami copy --abort {state} ")), "{run:?}");
        let mut abort = rig.command(&[]);
        abort.args(["--abort", &state]);
        Run::of(abort).await.assert_exit(0);
        assert_eq!((rig.uploads().await, std::path::Path::new(&state).exists()), (0, false));
    }
}
