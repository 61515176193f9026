use std::fs::{create_dir, metadata};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use stored_ami_lab::{Lab, LabOptions};

use super::rig::{Ended, Folder, RIGHT, signal};
use crate::common::{Server, data};

/// Each output flag, with the command before it.
const OUTPUTS: &[(&[&str], &str)] = &[
    (&["verify", "f.bin", "--expect", RIGHT], "--write-manifest"),
    (&["verify", "f.bin", "--expect", RIGHT], "--report"),
    (&["verify", "f.bin", "--expect", RIGHT], "--resume"),
    (&["inspect", "f.bin"], "--report"),
    (&["bench", "f.bin"], "--plot"),
    (&["bench", "f.bin"], "--write-tuning"),
    (&["bench", "f.bin"], "--report"),
    (&["audit", "s3://b"], "--csv"),
    (&["audit", "s3://b"], "--junit"),
    (&["audit", "s3://b"], "--prometheus"),
    (&["audit", "s3://b"], "--report"),
    (&["audit", "s3://b"], "--ledger"),
    (&["audit", "merge", "1.jsonl"], "--csv"),
    (&["audit", "merge", "1.jsonl"], "--report"),
    (&["store", "ami-0123456789abcdef0", "--bucket", "bkt", "--yes"], "--record"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_cannot_be_written_is_refused_before_anything_is_read() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let folder = Folder::with_target();
    create_dir(folder.at("there")).unwrap();
    for (command, flag) in OUTPUTS {
        // Not even root can create files in /proc.
        for place in ["none/x", "f.bin/x", "there", "there/", "", "/proc/stored-ami-x", "new/"] {
            let mut command = folder.command(&[*command, &[flag, place]].concat());
            command
                .env("AWS_ENDPOINT_URL", lab.endpoint())
                .env("AWS_ACCESS_KEY_ID", "a")
                .env("AWS_SECRET_ACCESS_KEY", "b");
            let run = tokio::task::spawn_blocking(move || Ended::of(command.output().unwrap())).await.unwrap();
            run.assert(2, flag);
            assert_eq!(run.stdout, "", "{flag} {place:?}");
        }
    }
    assert!(lab.calls().is_empty(), "nothing was asked");
    assert_eq!(folder.content().len(), 1, "nothing was left behind");
}

/// Runs the program under a umask.
fn under(umask: &str, folder: &Folder, server: Option<&Server>, args: &[&str]) -> Ended {
    let own = server.map_or_else(|| folder.command(&[]), Server::command);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(own.get_program()).args(args);
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("XDG_STATE_HOME", folder.at("state"));
    Ended::of(command.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_for_its_owner_and_the_umask_may_only_take_away() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
    server.bucket("archive").await;
    server.put("archive", "ami-00000000000000001.bin", &data(1, 2_000), None).await;
    tokio::task::spawn_blocking(move || {
        let _lab = lab;
        for (umask, private, shared) in [("000", 0o600, 0o666), ("022", 0o600, 0o644), ("177", 0o600, 0o600)] {
            let folder = Folder::with_target();
            folder.write("big.bin", &vec![7; 40 << 20]);
            let mode = |name: &str| metadata(folder.at(name)).unwrap().permissions().mode() & 0o777;
            let verify = ["verify", "f.bin", "--expect", RIGHT, "--write-manifest", "m", "--report", "r.html"];
            under(umask, &folder, None, &verify).assert(0, "");
            let part = ["verify", "big.bin", "--digest", "sha256", "--resume", "state.json", "--max-bytes", "16MiB"];
            under(umask, &folder, None, &part).assert(3, "");
            let audit = ["audit", "s3://archive", "--ledger", "l.db", "--csv", "a.csv", "--prometheus", "a.prom"];
            under(umask, &folder, Some(&server), &audit).assert(0, "");
            for (name, wanted) in [
                ("m", private),
                ("state.json", private),
                ("l.db", private),
                ("r.html", shared),
                ("a.csv", shared),
                ("a.prom", shared),
            ] {
                assert_eq!(mode(name), wanted, "{name} under {umask}");
            }
            // Permissions set by the user are kept.
            std::fs::set_permissions(folder.at("m"), std::fs::Permissions::from_mode(0o640)).unwrap();
            under(umask, &folder, None, &verify).assert(0, "");
            assert_eq!(mode("m"), 0o640);
        }
    })
    .await
    .unwrap();
}

#[test]
fn the_next_run_removes_what_killed_writers_left() {
    for (command, flag) in OUTPUTS {
        let folder = Folder::with_target();
        folder.write("1.jsonl", b"");
        folder.write(".x.a1B2c3.unfinished", b"half");
        for kept in [".x.notes.unfinished", ".y.a1B2c3.unfinished", ".x.a1B2c3.other", ".x.a1B2c3d.unfinished"] {
            folder.write(kept, b"mine");
        }
        let mut command = folder.command(&[*command, &[flag, "x", "--sse-c-key-file", "none"]].concat());
        if *flag == "--csv" || *flag == "--report" {
            command = folder.command(&["audit", "merge", "1.jsonl", flag, "x"]);
        }
        Ended::of(command.output().unwrap());
        assert!(!folder.at(".x.a1B2c3.unfinished").exists(), "{flag}");
        let left = folder.content();
        for kept in [".x.notes.unfinished", ".y.a1B2c3.unfinished", ".x.a1B2c3.other", ".x.a1B2c3d.unfinished"] {
            assert!(left.iter().any(|(path, _)| path.ends_with(kept)), "{kept} {left:?}");
        }
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_given_up_after_a_signal() {
    let folder = Folder::with_target();
    folder.pipe("pipe");
    folder.pipe("sums");
    let args = ["verify", "f.bin", "--sums", "sums", "--report", "pipe"];
    let mut child = folder.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::fs::write(folder.at("sums"), format!("{}  f.bin\n", super::rig::ABC)).unwrap();
    // The report is printed before the page is written.
    let mut told = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut told).unwrap();
    signal("-TERM", child.id());
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert!(matches!(ended.exit, Some(4 | 130)), "{ended:?}");
}
