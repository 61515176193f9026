//! The directory of the journal: its location, its permissions, and foreign files in it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use stored_ami::journal::Journal;

use crate::common::Run;
use crate::rig::{OBJECT, Rig, line};

const RESTORE: [&str; 5] = ["restore", OBJECT, "--name", "gold", "--yes"];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

async fn homeless(rig: &Rig, args: &[&str], home: Option<&str>) -> Run {
    let mut command = rig.command();
    command.args(args).arg("--json").env_remove("HOME").env_remove("XDG_STATE_HOME");
    if let Some(home) = home {
        command.env("HOME", home).env("XDG_STATE_HOME", home);
    }
    Run::of(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_home_a_folder_must_be_named() {
    let rig = Rig::new().await;
    rig.store().await;
    for home in [None, Some("relative/path"), Some("")] {
        for args in [&RESTORE[..], &["restore", "--follow", crate::rig::AMI]] {
            let run = homeless(&rig, args, home).await;
            run.assert_exit(2);
            assert!(run.stderr.contains("--journal"), "{run:?}");
        }
        // A preflight writes nothing.
        homeless(&rig, &["preflight", "restore", OBJECT, "--name", "gold"], home).await.assert_exit(0);
    }
    assert_eq!(rig.starts().len(), 1, "that of the store");
    let folder = rig.path("named/deep");
    homeless(&rig, &[&RESTORE[..], &["--journal", &folder]].concat(), None).await.assert_exit(0);
    let folder = Path::new(&folder);
    assert_eq!((mode(folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(mode(&files[0]), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_others_can_change_is_refused_before_any_work() {
    let rig = Rig::new().await;
    rig.store().await;
    rig.lab.clear_calls();
    let at = |name: &str| rig.home.path().join(name);
    for name in ["world", "group", "open/inside"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    chmod(&at("world"), 0o1777);
    chmod(&at("group"), 0o770);
    chmod(&at("open/inside"), 0o700);
    chmod(&at("open"), 0o777);
    symlink("world", at("link")).unwrap();
    File::create(at("file")).unwrap();
    let mut table = vec![
        ("world", "can be written by others"),
        ("group", "can be written by others"),
        ("link", "can be written by others"),
        ("open/inside", "can be written by everybody"),
        ("open/not-there-yet", "can be written by everybody"),
        ("file", "is not a folder"),
    ];
    // Only root can change the owner of files.
    fs::create_dir(at("theirs")).unwrap();
    fs::create_dir(at("ours")).unwrap();
    chmod(&at("theirs"), 0o700);
    chmod(&at("ours"), 0o700);
    symlink("ours", at("planted")).unwrap();
    let given = std::os::unix::fs::chown(at("theirs"), Some(65_534), None)
        .and_then(|()| std::os::unix::fs::lchown(at("planted"), Some(65_534), None));
    if given.is_ok() {
        table.extend([("theirs", "belongs to another user"), ("planted", "is a symbolic link of another user")]);
    }
    for (name, problem) in table {
        let run = rig.run(&[&RESTORE[..], &["--journal", &rig.path(name)]].concat()).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem) && run.stderr.contains("--journal"), "{name}: {run:?}");
    }
    assert!(rig.lab.calls().is_empty());
    rig.run(&[&RESTORE[..], &["--journal", &rig.path("ours")]].concat()).await.assert_exit(0);
}

/// Pipes, devices and endless files are not read.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_entry_is_not_read() {
    let rig = Rig::new().await;
    rig.store().await;
    let folder = rig.home.path().join("stored-ami");
    fs::create_dir(&folder).unwrap();
    chmod(&folder, 0o700);
    let pipe = |name: &str| {
        assert!(std::process::Command::new("mkfifo").arg(folder.join(name)).status().unwrap().success());
    };
    let token = |digit: &str| format!("restore-{}.json", digit.repeat(32));
    pipe(&token("1"));
    pipe("notes");
    symlink("/dev/zero", folder.join(token("2"))).unwrap();
    File::create(folder.join(token("3"))).unwrap().set_len(1 << 40).unwrap();
    fs::create_dir(folder.join(token("4"))).unwrap();
    rig.run(&RESTORE).await.assert_exit(0);
    let journal = Journal::new(folder.clone());
    assert_eq!((journal.entries().entries.len(), journal.entries().left_out.len()), (1, 4));
    // All files of the journal are read to find an entry that names the AMI.
    let run = rig.run(&["restore", "--follow", crate::rig::AMI]).await;
    run.assert_exit(3);
    let notes = line(&run, "task")["notes"].to_string();
    assert!(notes.contains("is not a regular file") && notes.contains("is larger than 65536 bytes"), "{notes}");

    // In place of a regular entry.
    let own = journal.entries().entries[0].restore.token();
    fs::remove_file(folder.join(format!("restore-{own}.json"))).unwrap();
    pipe(&format!("restore-{own}.json"));
    let run = rig.run(&RESTORE).await;
    run.assert_exit(4);
    assert!(line(&run, "error")["message"].as_str().unwrap().contains("is not a regular file"), "{run:?}");
    assert_eq!(rig.restored().len(), 1);
}
