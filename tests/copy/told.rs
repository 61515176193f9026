//! What a person reads: the text of a copy, its exit code, and the commands that it proposes.

use std::process::{Command, Stdio};
use std::time::Duration;

use stored_ami_lab::{Fault, FaultRule, Operation};

use crate::common::{Run, bare_command, data};
use crate::rig::{FROM, KEY, Rig, TO};
use crate::signals::heeded_signals;

const PARTS: usize = 5;

async fn rig() -> (Rig, Vec<u8>) {
    let rig = Rig::new().await;
    let bytes = data(1, PARTS * 100_000);
    let parts: Vec<&[u8]> = bytes.chunks(100_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    (rig, bytes)
}

/// `copy` for a person.
fn told(rig: &Rig, args: &[&str]) -> Command {
    let mut command = bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .arg("copy")
        .args(crate::rig::profiles(args))
        .args(["--accept", "public"])
        .args(args);
    command
}

async fn run(rig: &Rig, args: &[&str], exit: i32) -> String {
    let run = Run::of(told(rig, args)).await;
    run.assert_exit(exit);
    run.stdout
}

/// Asserts that each of these is in the text, whatever its line breaks.
fn assert_says(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(text.contains(phrase), "`{phrase}` is not in\n{text}");
    }
}

fn last_word(text: &str, label: &str) -> String {
    let line = text.lines().find(|line| line.trim_start().starts_with(label));
    line.unwrap_or_else(|| panic!("{label}: {text}")).trim_start()[label.len()..].trim().to_owned()
}

/// Runs a command that was printed, as a shell does.
async fn pasted(rig: &Rig, printed: &str) -> Run {
    let program = env!("CARGO_BIN_EXE_stored-ami");
    let mut shell = bare_command();
    let env: Vec<_> = shell.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    shell = Command::new("sh");
    for (name, value) in env {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["-c", &printed.replacen("stored-ami", program, 1)]);
    Run::of(shell).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_to_a_file_checks_folder_and_name() {
    let (rig, _) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = run(&rig, &[FROM, &at("x.bin"), "--dry-run"], 0).await;
    assert_says(
        &text,
        &["READY   nothing known prevents the copy; nothing was written (--dry-run)", "without --dry-run"],
    );
    let full = run(&rig, &[FROM, &at("x.bin"), "--dry-run", "-v"], 0).await;
    assert_says(&full, &["PASS    file", " can be written; 488.28 KiB are needed, "]);
    for dry_run in [&["--dry-run"][..], &[]] {
        let missing = run(&rig, &[&[FROM, &at("none/x.bin")][..], dry_run].concat(), 4).await;
        let problem =
            format!("{}: the folder {} does not exist; create it, or name another file", at("none/x.bin"), at("none"));
        assert_says(&missing, &["ERROR   file", &format!("ERROR   no copy was made: {problem}")]);
        assert!(!missing.contains("UNKNOWN") && !missing.contains("unfinished"), "{missing}");
    }
    std::fs::write(at("x.bin"), b"old").unwrap();
    for dry_run in [&["--dry-run"][..], &[]] {
        let there = run(&rig, &[&[FROM, &at("x.bin")][..], dry_run].concat(), 1).await;
        assert_says(
            &there,
            &[
                "FAIL    nothing was written: there is a file of this name already, with 3 bytes",
                "next          nothing is overwritten: name another file, or move this one away",
                &format!("compare       stored-ami compare {FROM} {} --from-profile commercial --read", at("x.bin")),
            ],
        );
    }
    assert_eq!(std::fs::read(at("x.bin")).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_a_file_says_what_was_compared() {
    let (rig, bytes) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = run(&rig, &[FROM, &at("a.bin")], 0).await;
    let proved = "COPIED  the bytes of the source are proved and were written to the file, which was not read again";
    assert_says(&text, &[proved, "object        488.28 KiB, with crc64nvme over the full object "]);
    let verify = last_word(&text, "read it");
    assert_eq!(verify, format!("stored-ami verify {} --like {FROM} --profile commercial", at("a.bin")));
    pasted(&rig, &verify).await.assert_exit(0);
    let text = run(&rig, &[FROM, &at("b.bin"), "--verify-destination"], 0).await;
    assert_says(
        &text,
        &["COPIED  the bytes of the source are proved; the file was read again and has the same digest"],
    );
    assert_eq!(std::fs::read(at("b.bin")).unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_local_file_names_it_and_the_cause() {
    let (rig, _) = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.bin").to_str().unwrap().to_owned();
    let copy = told(&rig, &[FROM, &path]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(copy.get_program()).args(copy.get_args());
    for (name, value) in copy.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let run = Run::of(limited).await;
    run.assert_exit(4);
    assert_says(
        &run.stdout,
        &[
            &format!("ERROR   no copy was made: {path}: File too large (os error 27)"),
            "the file system or `ulimit -f` allows no file of this size",
        ],
    );
    assert!(!run.stdout.contains("size "), "{run:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_and_a_wrong_replace_if_say_what_to_do() {
    let (rig, _) = rig().await;
    rig.destination.put("gov-archive", KEY, b"another", None).await;
    let etag = "b32d73e56ec99bc5ec8f83871cde708a";
    let text = run(&rig, &[FROM, TO, "--yes"], 1).await;
    assert_says(
        &text,
        &[
            &format!(
                "FAIL    nothing was written: another object is there, with ETag {etag}: the source has 500,000 bytes, the object there has 7"
            ),
            &format!(
                "choose another key for the copy; the same command with --replace-if {etag} replaces this object and no other"
            ),
        ],
    );
    let look = last_word(&text, "look at it");
    assert_eq!(look, format!("stored-ami inspect {TO} --profile gov"));
    pasted(&rig, &look).await.assert_exit(0);
    let wrong = run(&rig, &[FROM, TO, "--yes", "--replace-if", "0123456789abcdef0123456789abcdef"], 1).await;
    assert_says(&wrong, &["; --replace-if names ETag 0123456789abcdef0123456789abcdef, so it is not replaced"]);
    assert_eq!(rig.bytes(KEY).await, b"another");
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_says_nothing_was_written_only_if_that_is_so() {
    let (rig, _) = rig().await;
    let dry = run(&rig, &[FROM, TO, "--dry-run"], 0).await;
    let versioning = "versioning    off: a later write or delete of this key leaves no older version";
    assert_says(&dry, &["READY   nothing known prevents the copy", "nothing was written (--dry-run)", versioning]);
    assert!(!dry.contains("UNKNOWN"), "{dry}");
    let text = run(&rig, &[FROM, TO, "--yes"], 0).await;
    assert_says(
        &text,
        &[
            "READY   nothing known prevents the copy",
            "COPIED  the bytes of the source are proved, and the server states the same values for the copy, which was not read",
        ],
    );
    assert!(!text.contains("nothing was written"), "{text}");
    let verify = last_word(&text, "read it");
    assert_eq!(verify, format!("stored-ami verify {TO} --profile gov"));
    pasted(&rig, &verify).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_upload_is_named_with_the_command_that_removes_it() {
    let (rig, _) = rig().await;
    let upload = rig.destination.client.create_multipart_upload().bucket("gov-archive").key(KEY).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let text = run(&rig, &[FROM, TO, "--yes"], 3).await;
    assert_says(
        &text,
        &[
            "1 other upload of this key is in progress, by another writer or left by one: upload id ",
            id,
            &format!(
                "aws s3api abort-multipart-upload --bucket gov-archive --key {KEY} --upload-id ID --profile gov --region us-gov-west-1"
            ),
            "--accept uploads makes the copy without an answer to these checks",
        ],
    );
    run(&rig, &[FROM, TO, "--yes", "--accept", "uploads"], 0).await;
}

fn expired(rig: &Rig) {
    let expired = Fault::Status { status: 400, code: "ExpiredToken" };
    rig.to.script(FaultRule::new(Operation::UploadPart, expired).skip(2).times(1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_file_of_another_copy_is_refused_before_anything_is_asked() {
    let (rig, _) = rig().await;
    let state = rig.home.path().join("a copy.state").to_str().unwrap().to_owned();
    expired(&rig);
    run(&rig, &[FROM, TO, "--yes", "--resume", &state], 2).await;
    rig.to.clear_script();
    rig.to.clear_calls();
    let other = "s3://gov-archive/other.bin";
    let text = run(&rig, &[FROM, other, "--dry-run", "--resume", &state], 2).await;
    assert_says(
        &text,
        &["is of another copy: the destination was", "name another file with --resume, or remove its upload"],
    );
    assert!(rig.calls(Operation::CreateMultipartUpload).is_empty());
    let abort = last_word(&text, "remove it");
    assert_eq!(abort, format!("stored-ami copy --abort '{state}' --to-profile gov"));
    assert_eq!(rig.uploads().await, 1);
    pasted(&rig, &abort).await.assert_exit(0);
    assert_eq!(rig.uploads().await, 0);
    let missing = rig.home.path().join("none/copy.state").to_str().unwrap().to_owned();
    let early = Run::of(told(&rig, &[FROM, TO, "--dry-run", "--resume", &missing])).await;
    assert!(early.assert_exit(2).stderr.contains("--resume"), "{early:?}");
}

/// A terminal that closes sends SIGHUP, and its shell sends it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_keeps_the_upload_and_its_state() {
    if !heeded_signals().contains(&"-HUP") {
        return;
    }
    let (rig, bytes) = rig().await;
    let state = rig.home.path().join("copy.state").to_str().unwrap().to_owned();
    rig.from
        .script(FaultRule::new(Operation::GetObject, Fault::Trickle { after: 0, rate: 10_000 }).times(1000).skip(2));
    let mut command = told(&rig, &[FROM, TO, "--yes", "--resume", &state]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let sent = async {
        while rig.calls(Operation::UploadPart).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sent).await.unwrap();
    let pid = child.id().to_string();
    for _ in 0..3 {
        Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    }
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_says(&text, &["STOPPED no copy was made; the upload is still there", "go on with    stored-ami copy "]);
    assert_eq!(rig.uploads().await, 1);
    assert!(std::path::Path::new(&state).exists());
    rig.from.clear_script();
    run(&rig, &[FROM, TO, "--yes", "--resume", &state], 0).await;
    assert_eq!(rig.bytes(KEY).await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_source_is_to_be_thawed() {
    let (rig, _) = rig().await;
    let archived = rig.source.client.put_object().bucket("archive").key("cold.bin").body(b"cold".to_vec().into());
    archived.storage_class(aws_sdk_s3::types::StorageClass::Glacier).send().await.unwrap();
    let text = run(&rig, &["s3://archive/cold.bin", "s3://gov-archive/", "--yes"], 3).await;
    let thaw = last_word(&text, "bring back");
    assert_eq!(thaw, "stored-ami thaw s3://archive/cold.bin --profile commercial");
    pasted(&rig, &format!("{thaw} --dry-run")).await.assert_exit(0);
}
