//! Files that are not valid ledgers, and ledgers that cannot be written.

use std::path::Path;
use std::process::Command;

use stored_ami::audit::{Entry, Word};
use stored_ami::ledger::Ledger;
use stored_ami::render::prometheus;
use stored_ami::report::Report;
use stored_ami_lab::Operation;

use crate::common::Run;
use crate::rig::{Rig, key, target};

const OF_0_1_0: &str = "tests/fixtures/ledger/0.1.0.db";
const HEAD_OF_0_1_0: &str = include_str!("../fixtures/ledger/0.1.0.head");

fn alter(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Every command that opens a ledger.
fn commands(ledger: &str, target: &str) -> Vec<Vec<String>> {
    [
        &["audit", "s3://archive", "--level", "bytes", "--ledger", ledger][..],
        &["safe-to-delete", "ami-00000000000000001", "--in", "s3://archive", "--ledger", ledger],
        &["ledger", "verify", ledger],
        &["ledger", "list", ledger],
        &["ledger", "show", ledger, target],
        &["ledger", "export", ledger],
        &["ledger", "export", ledger, "--format", "csv"],
        &["ledger", "accept", ledger, target, "--reason", "meant so"],
    ]
    .map(|args| args.iter().map(|arg| (*arg).to_owned()).collect())
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planted_in_a_ledger_is_refused_by_every_command_before_any_work() {
    let rig = Rig::with(2).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let (path, planted) = (rig.path("l.db"), rig.path("p.db"));
    rig.lab.clear_calls();
    let mut tried = 0;
    for (sql, named) in [
        ("CREATE TRIGGER swallow BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END", "trigger `swallow`"),
        (
            "CREATE TRIGGER mend AFTER INSERT ON entry WHEN NEW.document LIKE '%\"fail\"%'
             BEGIN DELETE FROM entry WHERE number = NEW.number; END",
            "trigger `mend`",
        ),
        (
            "ALTER TABLE entry RENAME TO hidden;
             CREATE VIEW entry AS SELECT * FROM hidden WHERE document NOT LIKE '%\"fail\"%'",
            "`hidden`",
        ),
        ("CREATE VIEW other AS SELECT * FROM entry", "view `other`"),
        ("CREATE INDEX found ON entry (target)", "index `found`"),
        ("CREATE TABLE notes (text)", "table `notes`"),
        ("ALTER TABLE entry ADD COLUMN more TEXT", "table `entry`"),
        ("PRAGMA user_version = 0", "format 0"),
        ("PRAGMA user_version = 4", "written by a newer version"),
    ] {
        for args in commands(planted.to_str().unwrap(), &target(&key(1))) {
            std::fs::copy(&path, &planted).unwrap();
            alter(&planted, sql);
            let before = std::fs::read(&planted).unwrap();
            let run = rig.server.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await;
            assert!(run.assert_exit(2).stderr.contains(named), "{args:?}: {}", run.stderr);
            assert_eq!(std::fs::read(&planted).unwrap(), before, "{args:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 72);
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_0_1_0_is_read_as_it_is_and_upgraded_by_the_first_audit() {
    let rig = Rig::with(1).await;
    let (path, ledger) = (rig.path("l.db"), rig.text("l.db"));
    std::fs::copy(OF_0_1_0, &path).unwrap();
    let head = HEAD_OF_0_1_0.trim();
    let known = "s3://archive/ami-00000000000000001.bin";
    rig.server.run(&["ledger", "verify", &ledger, "--head", head]).await.assert_exit(0);
    assert_eq!(rig.server.run(&["ledger", "list", &ledger]).await.assert_exit(0).lines().len(), 5);
    rig.server.run(&["ledger", "show", &ledger, known]).await.assert_exit(0);
    rig.server.run(&["ledger", "export", &ledger]).await.assert_exit(0);
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(OF_0_1_0).unwrap(), "reading changes nothing");
    // The objects in this ledger are of another archive, so they are missing here.
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(1).end()["missing"], 4);
    let verified = rig.server.run(&["ledger", "verify", &ledger, "--head", head]).await;
    assert_eq!(verified.assert_exit(0).lines()[0]["head"], run.end()["ledger_head"]);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(format, 3);
}

/// The hash chain is valid, because anyone who can write the file can compute it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_covers_less_than_the_object_is_no_proof() {
    let rig = Rig::with(1).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let mut entries = Vec::new();
    let known = Ledger::open_existing(&rig.path("l.db")).unwrap();
    known.each(None, |kept| entries.push(kept.entry)).unwrap();
    for (covered, proved_by) in [(0, "crc64nvme"), (1_999, "crc64nvme"), (2_001, "crc64nvme"), (2_000, "")] {
        let forged = entries.iter().cloned().map(|entry| match entry {
            Entry::Proof(mut proof) => {
                proof.covered_bytes = covered;
                proof.proved_by =
                    proved_by.split(' ').filter(|by| !by.is_empty()).map(|by| Word::of(by.to_owned())).collect();
                Entry::Proof(proof)
            }
            other => other,
        });
        std::fs::remove_file(rig.path("l.db")).unwrap();
        Ledger::open(&rig.path("l.db")).unwrap().append(&forged.collect::<Vec<_>>()).unwrap();
        let facts = rig.audit(&[]).await;
        assert_eq!((facts.end()["proved"].as_u64(), facts.object(&key(0)).get("proof")), (Some(0), None), "{covered}");
        let ledger = rig.text("l.db");
        let ami = "ami-00000000000000000";
        let safe = rig.server.run(&["safe-to-delete", ami, "--in", "s3://archive", "--ledger", &ledger]).await;
        assert_ne!(safe.report()["answer"], "may_go", "{covered}: {safe:?}");
        let bytes = rig.audit(&["--level", "bytes"]).await;
        assert_eq!(bytes.assert_exit(0).end()["examined"], 1, "{covered}");
    }
}

/// Runs the program with a limit on the size of files, which acts like a full disk.
fn limited(rig: &Rig, blocks: u64, args: &[&str]) -> Command {
    let of_lab = rig.server.command();
    let mut command = Command::new("sh");
    for (name, value) in of_lab.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // A process that ignores the signal gets an error instead.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_stored-ami")]).args(args);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_found_before_the_first_byte_is_read() {
    let rig = Rig::with(2).await;
    let ledger = rig.text("l.db");
    for known in [false, true] {
        if known {
            rig.audit(&[]).await.assert_exit(0);
        }
        rig.lab.clear_calls();
        let args = ["audit", "s3://archive", "--level", "bytes", "--ledger", &ledger];
        let run = Run::of(limited(&rig, 1, &args)).await;
        assert!(run.assert_exit(2).stderr.contains("--ledger"), "{}", run.stderr);
        assert_eq!(rig.calls(Operation::GetObject), 0);
    }
    rig.server.run(&["ledger", "verify", &ledger]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_after_an_append_that_failed() {
    let rig = Rig::with(300).await;
    rig.audit(&["--slice", "1/300"]).await;
    rig.lab.clear_calls();
    let blocks = std::fs::metadata(rig.path("l.db")).unwrap().len().div_ceil(512) + 8;
    let ledger = rig.text("l.db");
    let args = ["audit", "s3://archive", "--level", "bytes", "--objects", "1", "--ledger", &ledger, "--json"];
    let run = Run::of(limited(&rig, blocks, &args)).await;
    assert!(run.assert_exit(4).stdout.contains("write failed"), "{}", run.stdout);
    let told = run.lines().iter().filter(|line| line["type"] == "audited").count();
    let read = rig.lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count();
    // At most the object that was being read when the append failed.
    assert!(told < 300 && read <= told + 1, "{told} objects told, {read} read");
    assert!(run.stdout.contains("objects were not reached"), "{}", run.stdout);
    let end = run.lines().into_iter().find(|line| line["type"] == "audit").unwrap();
    assert_eq!((end["left"].as_u64(), end["cut_off"].as_u64()), (Some(0), Some(300 - told as u64)), "{end}");
    let reports: Vec<Report> = run.lines().into_iter().filter_map(|line| serde_json::from_value(line).ok()).collect();
    let metrics = prometheus(&reports, jiff::Timestamp::now());
    assert!(metrics.contains(&format!("audit_objects_left {}\n", 300 - told)), "{metrics}");
}

/// Results for objects that are missing from the listing are recorded as they arrive, too.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_after_an_append_that_failed_among_what_is_not_listed() {
    const OBJECTS: u64 = 3_000;
    let rig = Rig::with(1).await;
    let (path, ledger) = (rig.path("l.db"), rig.text("l.db"));
    rig.audit(&[]).await.assert_exit(0);
    let mut entries = Vec::new();
    let known = Ledger::open_existing(&path).unwrap();
    known.each(None, |kept| entries.push(kept.entry)).unwrap();
    let Some(Entry::Proof(seen)) = entries.pop() else { panic!("no look") };
    let of = |number| {
        let mut proof = seen.clone();
        proof.target = target(&key(number));
        Entry::Proof(proof)
    };
    drop(known);
    Ledger::open(&path).unwrap().append(&(1..OBJECTS).map(of).collect::<Vec<_>>()).unwrap();
    rig.lab.clear_calls();
    let blocks = std::fs::metadata(&path).unwrap().len().div_ceil(512) + 64;
    let args = ["audit", "s3://archive", "--objects", "1", "--ledger", &ledger, "--json"];
    let run = Run::of(limited(&rig, blocks, &args)).await;
    // Results found before the failure are reported: missing objects.
    assert!(run.assert_exit(1).stdout.contains("write failed"), "{}", run.stdout);
    let told = run.lines().iter().filter(|line| line["change"] == "missing").count();
    let asked = rig.calls(Operation::HeadObject);
    assert!(0 < told && told < 2_000 && asked <= told + 2, "{told} objects told, {asked} asked");
    assert!(run.stdout.contains("objects that are not listed were not reached"), "{}", run.stdout);
    rig.server.run(&["ledger", "verify", &ledger]).await.assert_exit(0);
}

/// Runs as an unprivileged user, because permissions do not apply to root.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_written_is_found_before_the_first_byte_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let rig = Rig::with(2).await;
    rig.audit(&[]).await.assert_exit(0);
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(rig.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let run = |name: &str| {
        let program = env!("CARGO_BIN_EXE_stored-ami");
        let of_lab = rig.server.command();
        let mut command = Command::new("setpriv");
        for (name, value) in of_lab.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program, "audit", "s3://archive"]);
        command.args(["--level", "bytes", "--ledger", &rig.text(name)]);
        Run::of(command)
    };
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root || Command::new("setpriv").arg("--version").output().is_err() {
        return;
    }
    mode("", 0o755);
    rig.lab.clear_calls();
    // The file, the directory of a writable file, and the directory of a file that does not exist yet.
    mode("l.db", 0o444);
    let read_only = run("l.db").await;
    assert!(read_only.assert_exit(2).stderr.contains("--ledger"), "{}", read_only.stderr);
    mode("l.db", 0o666);
    let no_journal = run("l.db").await;
    assert!(no_journal.assert_exit(2).stderr.contains("--ledger"), "{}", no_journal.stderr);
    run("new.db").await.assert_exit(2);
    assert_eq!(rig.calls(Operation::GetObject), 0);
}
