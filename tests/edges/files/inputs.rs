use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::rig::{ABC, Ended, Folder, RIGHT, signal};
use crate::common::data;
use crate::signals::heeded_signals;

const AMI: &str = "ami-0123456789abcdef0";
const OBJECT: &str = "s3://b/ami-0123456789abcdef0.bin";

/// Each flag that names an input file: the command before it, and its kind as text.
const INPUTS: &[(&[&str], &str)] = &[
    (&["verify", "f.bin", "--manifest"], "a manifest"),
    (&["verify", "f.bin", "--manifest", "m", "--manifest-key"], "a public key"),
    (&["verify", "f.bin", "--sums"], "a checksum file"),
    (&["verify", "f.bin", "--tuning"], "a tuning profile"),
    (&["verify", "f.bin", "--record"], "a record"),
    (&["inspect", "f.bin", "--record"], "a record"),
    (&["verify", OBJECT, "--sse-c-key-file"], "a customer key"),
    (&["cost", "f.bin", "--prices"], "a price file"),
    (&["cost", "f.bin", "--record"], "a record"),
    (&["audit", "s3://b", "--policy"], "a policy"),
    (&["audit", "--list"], "a list of objects"),
    (&["audit", "--inventory"], "an inventory manifest"),
    (&["audit", "merge"], "the JSON lines of an audit"),
    (&["safe-to-delete", AMI, "--in", "s3://b", "--ledger", "l.db", "--policy"], "a policy"),
    (&["preflight", "restore", OBJECT, "--name", "gold", "--record"], "a record"),
    (&["preflight", "restore", OBJECT, "--name", "gold", "--manifest"], "a manifest"),
    (&["restore", OBJECT, "--name", "gold", "--yes", "--record"], "a record"),
    (&["restore", OBJECT, "--name", "gold", "--yes", "--manifest"], "a manifest"),
    (&["lab", "--listen", "127.0.0.1:0", "--faults"], "a file of fault rules"),
];

#[test]
fn what_is_no_regular_file_or_too_large_is_refused_at_once() {
    let folder = Folder::with_target();
    folder.write("m", b"{}");
    folder.write("m.minisig", b"x");
    folder.pipe("pipe");
    // Sparse; larger than the limit of every kind.
    File::create(folder.at("huge")).unwrap().set_len(3 << 30).unwrap();
    for (command, kind) in INPUTS {
        let run = |input: &str| folder.run(&[*command, &[input]].concat());
        let pipes = ["a checksum file", "a list of objects"].contains(kind);
        run("/dev/zero").assert(2, &format!("/dev/zero: is a character device, and {kind} must be a regular file"));
        // `audit merge` reads the results in a directory.
        let directory = match *kind {
            "the JSON lines of an audit" => "sub: holds no result of a shard".to_owned(),
            _ => format!("sub: is a directory, and {kind} must be a regular file"),
        };
        run("sub").assert(2, &directory);
        if !pipes {
            run("pipe").assert(2, &format!("pipe: is a pipe, and {kind} must be a regular file"));
        }
        let huge = run("huge");
        huge.assert(2, "huge: is larger than ");
        huge.assert(2, &format!("the limit for {kind}"));
    }
    // Also a file named by a variable, the signature next to a manifest, and a checkpoint.
    let mut command = folder.command(&["inspect", OBJECT, "--no-sign-request"]);
    let run = Ended::of(command.env("AWS_CA_BUNDLE", "/dev/zero").output().unwrap());
    run.assert(2, "a certificate bundle must be a regular file");
    std::fs::remove_file(folder.at("m.minisig")).unwrap();
    folder.pipe("m.minisig");
    let key = "RWQBVB9xJ3tPsxGUaN1XqW7oK6KvwyR7pYzrP1IAvmrbtfYIQdRKgvMN";
    let run = folder.run(&["verify", "f.bin", "--manifest", "m", "--manifest-key", key]);
    assert_eq!(run.exit, Some(2), "{run:?}");
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--resume", "pipe"]).assert(2, "pipe");
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--resume", "/dev/zero"]).assert(2, "a character device");
    File::create(folder.at("state")).unwrap().set_len(3 << 30).unwrap();
    folder.run(&["verify", "f.bin", "--expect", RIGHT, "--resume", "state"]).assert(2, "the limit for a checkpoint");
}

/// No content causes a panic: every command ends with exit code 2, because none of it is a valid input.
#[test]
fn no_content_panics() {
    let folder = Folder::with_target();
    folder.write("m", b"{}");
    let mut contents = vec![
        Vec::new(),
        b"\n\n\n".to_vec(),
        b"[".repeat(100_000),
        b"{\"a\":".repeat(100_000),
        br#"{"schema":"stored-ami/manifest/1","sha256":"","manifest":{}}"#.to_vec(),
        br#"{"schema":1,"sha256":2,"record":[null]}"#.to_vec(),
        b"\xef\xbb\xbf\xff\xfe".to_vec(),
        b"\"".repeat(70_000),
    ];
    contents.extend((1..4).map(|seed| data(seed, 100 * seed as usize)));
    for (command, _) in INPUTS {
        for content in &contents {
            folder.write("input", content);
            let run = folder.run(&[*command, &["input"]].concat());
            assert_eq!(run.exit, Some(2), "{command:?} {:?}: {run:?}", content.get(..50));
            assert!(!run.stderr.contains("panicked"), "{run:?}");
        }
    }
}

#[test]
fn lines_and_rows_without_an_end_are_refused() {
    let folder = Folder::with_target();
    File::create(folder.at("zeros")).unwrap().set_len(200 << 20).unwrap();
    folder.run(&["audit", "--list", "zeros"]).assert(2, "line 1: is longer than 8192 bytes");
    folder.run(&["audit", "merge", "zeros"]).assert(2, "line 1: is longer than 16 MiB");
}

#[test]
fn checksum_files_and_lists_come_from_pipes_too() {
    let folder = Folder::with_target();
    let line = format!("{ABC}  f.bin\n");
    folder.pipe("pipe");
    let child = folder.command(&["verify", "f.bin", "--sums", "pipe"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut writer = OpenOptions::new().write(true).open(folder.at("pipe")).unwrap();
    writer.write_all(line.as_bytes()).unwrap();
    drop(writer);
    Ended::of(child.wait_with_output().unwrap()).assert(0, "");

    let from_stdin = |args: &[&str], text: &str| {
        let mut command = folder.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ended::of(child.wait_with_output().unwrap())
    };
    from_stdin(&["verify", "f.bin", "--sums", "-"], &line).assert(0, "");
    from_stdin(&["verify", "f.bin", "--sums", "/dev/stdin"], &line).assert(0, "");
    from_stdin(&["verify", "f.bin", "--sums", "-"], "").assert(2, "-: ");
    from_stdin(&["audit", "--list", "-"], "s3://b/x\nno\n").assert(2, "-: line 2: ");
    from_stdin(&["audit", "--list", "-"], "").assert(2, "names no object");
}

#[test]
fn one_signal_ends_a_command_that_waits_for_a_pipe() {
    for name in heeded_signals() {
        for args in [&["verify", "f.bin", "--sums", "pipe"][..], &["audit", "--list", "pipe"]] {
            let folder = Folder::with_target();
            let pipe = folder.pipe("pipe");
            let child = folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // The open succeeds when the command reads; no data ever arrives.
            let writer = OpenOptions::new().write(true).open(pipe).unwrap();
            signal(name, child.id());
            Ended::of(child.wait_with_output().unwrap()).assert(130, "interrupted");
            drop(writer);
        }
    }
}

#[test]
fn max_time_ends_a_command_that_waits_for_a_pipe() {
    for args in [&["verify", "f.bin", "--sums", "pipe"][..], &["audit", "--list", "pipe"]] {
        let folder = Folder::with_target();
        folder.pipe("pipe");
        let run = folder.run(&[args, &["--max-time", "1s"]].concat());
        run.assert(2, "pipe: was not read within --max-time");
    }
}

#[test]
fn a_hangup_ends_a_command_like_a_termination_but_not_under_nohup() {
    let folder = Folder::with_target();
    for name in heeded_signals() {
        let mut command = folder.command(&["lab", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert!(line.contains("lab ready"), "{line}");
        signal(name, child.id());
        std::io::copy(&mut out, &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    }
    folder.pipe("pipe");
    let own = folder.command(&["verify", "f.bin", "--sums", "pipe"]);
    let mut command = std::process::Command::new("nohup");
    command.arg(own.get_program()).args(own.get_args()).current_dir(folder.path());
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut writer = OpenOptions::new().write(true).open(folder.at("pipe")).unwrap();
    signal("-HUP", child.id());
    writer.write_all(format!("{ABC}  f.bin\n").as_bytes()).unwrap();
    drop(writer);
    Ended::of(child.wait_with_output().unwrap()).assert(0, "");
}

#[test]
fn a_target_that_is_not_a_stable_file_is_refused() {
    let folder = Folder::with_target();
    for command in [&["verify", "--digest", "sha256"][..], &["inspect"], &["verify", "--expect", RIGHT]] {
        for target in ["/proc/version", "/proc/self/status"] {
            folder
                .run(&[command, &[target]].concat())
                .assert(4, "not a stable file: it yields more bytes than its size");
        }
        folder.pipe("pipe");
        for target in ["/dev/zero", "pipe"] {
            folder.run(&[command, &[target]].concat()).assert(4, "is not a regular file");
        }
        std::fs::remove_file(folder.at("pipe")).unwrap();
    }
    // A log that grows constantly.
    folder.write("log", &vec![b'x'; 32 << 20]);
    let done = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (path, done) = (folder.at("log"), Arc::clone(&done));
        move || {
            let mut log = OpenOptions::new().append(true).open(path).unwrap();
            while !done.load(Ordering::Relaxed) {
                log.write_all(b"x").unwrap();
            }
        }
    });
    // If the writer was not scheduled during a run, the file was stable and the run passes.
    let runs: Vec<Ended> = (0..50)
        .map(|_| folder.run(&["verify", "log", "--digest", "sha256"]))
        .inspect(|run| assert!(matches!(run.exit, Some(3 | 4)), "{run:?}"))
        .scan(false, |found, run| (!std::mem::replace(found, run.exit == Some(4))).then_some(run))
        .collect();
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    runs.last().unwrap().assert(4, "not a stable file");
}
