use std::fs::{File, OpenOptions};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::rig::{ABC, Ended, Folder, RIGHT, signal};

const AMI: &str = "ami-0123456789abcdef0";

#[test]
fn a_ledger_is_the_file_of_its_name_whatever_the_name_is() {
    for name in ["file:l.db", "file:l.db?mode=memory", "file:l.db?immutable=1", ":memory:", "dangling"] {
        let folder = Folder::with_target();
        symlink("behind", folder.at("dangling")).unwrap();
        folder.write("list", b"s3://b/ami-0123456789abcdef0.bin\n");
        let audit = |more: &[&str]| {
            let args = [&["audit", "--list", "list", "--endpoint-url", "http://127.0.0.1:9", "--ledger", name], more];
            let mut command = folder.command(&args.concat());
            // The ledger is opened before the first request, and nothing is requested.
            command.args(["--max-bytes", "0", "--objects", "1"]).env("AWS_ACCESS_KEY_ID", "a");
            command.env("AWS_SECRET_ACCESS_KEY", "b").stdout(Stdio::null()).stderr(Stdio::piped());
            command
        };
        // The `discard` port refuses connections; an existing ledger remains.
        let ended = Ended::of(audit(&["--policy", "none"]).output().unwrap());
        ended.assert(2, "none");
        File::create(folder.at(name)).unwrap();
        assert!(folder.run(&["ledger", "verify", name]).exit == Some(2));
        let before = folder.content();
        let ended = Ended::of(audit(&["--csv", name, "--force"]).output().unwrap());
        ended.assert(2, "is the same file as");
        assert_eq!(folder.content(), before, "{name}");
    }
}

/// Runs with standard input from a file of the directory.
fn from(folder: &Folder, file: &str, args: &[&str]) -> Ended {
    let input = File::open(folder.at(file)).unwrap();
    Ended::of(folder.command(args).stdin(input).output().unwrap())
}

#[test]
fn standard_input_that_is_read_is_an_input() {
    let folder = Folder::with_target();
    folder.write("s", format!("{ABC}  f.bin\n").as_bytes());
    let before = folder.content();
    for sums in ["-", "sha256:-"] {
        let args = ["verify", "f.bin", "--sums", sums, "--report", "s", "--force"];
        from(&folder, "s", &args).assert(2, "is the same file as --sums -");
    }
    let args = ["verify", "f.bin", "--sums", "sha256:s", "--report", "s", "--force"];
    folder.run(&args).assert(2, "is the same file as --sums s");
    from(&folder, "s", &["audit", "--list", "-", "--csv", "s", "--force"]).assert(2, "is the same file as --list -");
    assert_eq!(folder.content(), before);
    // Standard input that no argument reads is not an input.
    from(&folder, "s", &["verify", "f.bin", "--expect", RIGHT, "--report", "s", "--force"]).assert(0, "");
}

#[test]
fn files_of_the_aws_configuration_and_records_are_inputs() {
    let folder = Folder::with_target();
    folder.write("cfg", b"[profile x]\nca_bundle = ca.pem\nweb_identity_token_file=token ; comment\n");
    folder.write("ca.pem", b"ca");
    folder.write("token", b"token");
    folder.write("r.json", b"{}");
    let before = folder.content();
    for victim in ["cfg", "ca.pem", "token"] {
        let mut command = folder.command(&["inspect", "f.bin", "--report", victim, "--force"]);
        let run = Ended::of(command.env("AWS_CONFIG_FILE", "~/cfg").env("HOME", folder.path()).output().unwrap());
        run.assert(2, "is the same file as");
    }
    let out = OpenOptions::new().append(true).open(folder.at("r.json")).unwrap();
    let args = ["safe-to-delete", AMI, "--in", "s3://b", "--ledger", "l.db", "--record", "r.json"];
    let run = Ended::of(folder.command(&args).stdout(out).output().unwrap());
    run.assert(2, "standard output is the same file as --record");
    assert_eq!(folder.content(), before);
}

#[test]
fn no_message_is_written_into_an_input_or_a_ledger() {
    let folder = Folder::with_target();
    folder.write("l.db", b"");
    for (file, args) in [("f.bin", &["inspect", "f.bin"][..]), ("l.db", &["audit", "s3://b", "--ledger", "l.db"])] {
        let before = folder.content();
        let err = OpenOptions::new().append(true).open(folder.at(file)).unwrap();
        let out = err.try_clone().unwrap();
        let run = folder.command(args).stdout(out).stderr(err).status().unwrap();
        assert_eq!((run.code(), folder.content()), (Some(2), before), "{file}");
    }
}

#[test]
fn pipes_behind_standard_streams_are_written_to() {
    let folder = Folder::with_target();
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let run = folder.run(&["verify", "f.bin", "--expect", RIGHT, "--report", path]);
        run.assert(0, "<h1>stored-ami verify");
    }
}

#[test]
fn the_name_of_a_directory_is_refused_before_anything_is_read() {
    let folder = Folder::with_target();
    for name in ["new/.", "new/", "f.bin/.", "new/.."] {
        let run = folder.run(&["verify", "f.bin", "--expect", RIGHT, "--report", name]);
        assert_eq!((run.exit, run.stdout.as_str()), (Some(2), ""), "{name}: {run:?}");
    }
    assert_eq!(folder.content().len(), 1);
}

#[test]
fn a_limit_on_files_fails_the_write_and_leaves_nothing() {
    let folder = Folder::with_target();
    let own = folder.command(&["verify", "f.bin", "--expect", RIGHT, "--report", "page"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(own.get_program()).args(own.get_args());
    let run = Ended::of(command.current_dir(folder.path()).output().unwrap());
    assert!(matches!(run.exit, Some(2 | 4)), "{run:?}");
    assert!(run.stderr.contains("page"), "{run:?}");
    assert_eq!(folder.content().len(), 1);
}

#[test]
fn a_ledger_that_another_run_holds_is_given_up_after_a_signal() {
    let folder = Folder::new();
    drop(stored_ami::ledger::Ledger::open(&folder.at("l.db")).unwrap());
    let other = rusqlite::Connection::open(folder.at("l.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let target = "s3://b/ami-0123456789abcdef0.bin";
    for args in [
        &["audit", "s3://b", "--ledger", "l.db"][..],
        &["ledger", "list", "l.db"],
        &["ledger", "verify", "l.db"],
        &["ledger", "accept", "l.db", target, "--reason", "r"],
    ] {
        let mut child = folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Signals are handled as soon as the process has a handler.
        let mask = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            status.lines().any(|line| line.starts_with("SigCgt:") && line.ends_with(|c: char| c != '0' && c != '4'))
                && status.contains("stored-ami")
        };
        for _ in 0..50_000 {
            if mask() {
                break;
            }
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
        signal("-TERM", child.id());
        let begun = std::time::Instant::now();
        let exit = child.wait().unwrap().code();
        assert_eq!(exit, Some(130), "{args:?}");
        assert!(begun.elapsed().as_secs() < 10, "{args:?}");
    }
    let run = folder.run(&["audit", "s3://b", "--ledger", "l.db", "--max-time", "1s"]);
    run.assert(2, "was not read within --max-time");
}

#[test]
fn a_full_standard_output_is_told() {
    let folder = Folder::with_target();
    for args in [&["--help"][..], &["man"], &["completions", "bash"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = Ended::of(folder.command(args).stdout(full).output().unwrap());
        run.assert(4, "standard output: ");
    }
}
