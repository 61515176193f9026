use std::process::Command;

use crate::common::Run;
use crate::rig::{Audited, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_shown_exported_and_held_against_its_head() {
    let rig = Rig::with(3).await;
    let first = rig.audit(&["--level", "bytes"]).await;
    let head = first.end()["ledger_head"].as_str().unwrap().to_owned();
    rig.audit(&["--level", "bytes", "--max-age", "1h"]).await.assert_exit(0);
    let ledger = rig.text("l.db");
    let run = |args: &[&str]| {
        let (server, all) = (rig.server.clone(), args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        async move { server.run(&all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let shown = run(&["ledger", "show", &ledger, &target(&key(1))]).await;
    let entry = shown.assert_exit(0).report();
    assert_eq!((entry["entry"]["kind"].as_str(), entry["entry"]["level"].as_str()), (Some("proof"), Some("bytes")));
    assert_eq!(entry["entry"]["object"]["object_bytes"], 2_000);
    assert_eq!(run(&["ledger", "list", &ledger, "s3://archive/p1"]).await.assert_exit(0).lines().len(), 2);
    assert_eq!(run(&["ledger", "export", &ledger]).await.assert_exit(0).lines().len(), 4);
    let mut command = rig.server.command();
    command.args(["ledger", "export", &ledger, "--format", "csv"]);
    let table = Run::of(command).await;
    assert_eq!(table.assert_exit(0).stdout.lines().count(), 4, "{table:?}");
    run(&["ledger", "verify", &ledger, "--head", &head]).await.assert_exit(0);
    run(&["ledger", "accept", &ledger, &target(&key(1)), "--reason", "  "]).await.assert_exit(2);
    run(&["ledger", "accept", &ledger, &target(&key(1)), "--reason", "checked by hand"]).await.assert_exit(0);
    run(&["ledger", "verify", &ledger, "--head", &head]).await.assert_exit(0);
    let other = head.replace(':', ":0").trim_end_matches(|c: char| c.is_ascii_hexdigit()).to_owned() + &"0".repeat(64);
    let broken = run(&["ledger", "verify", &ledger, "--head", &other]).await;
    let line = &broken.assert_exit(1).lines()[0];
    assert_eq!(line["verdict"], "fail");
    assert!(line["problem"].as_str().unwrap().contains("check that value first"), "{line}");
}

/// An object whose facts are in order is not shown as unknown.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_facts_says_that_they_are_in_order() {
    let rig = Rig::with(1).await;
    rig.audit(&["--level", "facts"]).await;
    let ledger = rig.text("l.db");
    let mut command = rig.server.command();
    command.args(["ledger", "list", &ledger]);
    let list = Run::of(command).await;
    let text = &list.assert_exit(0).stdout;
    assert!(text.contains(" SEEN ") && text.trim_end().ends_with("  facts: in order, bytes not proved"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_ledger_is_refused_before_any_work() {
    let rig = Rig::with(1).await;
    rig.lab.clear_calls();
    std::fs::write(rig.path("l.db"), b"not a database, and long enough to look like none at all").unwrap();
    let run = rig.audit(&[]).await;
    assert!(run.assert_exit(2).run.stderr.contains("is not a ledger of stored-ami"), "{}", run.run.stderr);
    assert!(rig.lab.calls().is_empty());
    let missing = rig.text("none.db");
    rig.server.run(&["ledger", "list", &missing]).await.assert_exit(2);
    assert!(!rig.path("none.db").exists());
    let nowhere = rig.text("no/l.db");
    let run = rig.server.run(&["audit", "s3://archive", "--ledger", &nowhere]).await;
    run.assert_exit(2);
}

/// The proof of one object is rewritten as the proof of another.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_forged_in_a_ledger_is_not_believed() {
    let rig = Rig::with(2).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let other = "ami-00000000000000009";
    let sql = format!(
        "UPDATE entry SET document = replace(document, '{0}', '{other}'), target = replace(target, '{0}', '{other}')
         WHERE target LIKE '%{0}%'",
        "ami-00000000000000001"
    );
    assert_eq!(rusqlite::Connection::open(rig.path("l.db")).unwrap().execute(&sql, []).unwrap(), 1);
    let ledger = rig.text("l.db");
    for args in [
        &["audit", "s3://archive", "--ledger", &ledger][..],
        &["safe-to-delete", other, "--in", "s3://archive", "--ledger", &ledger],
        &["ledger", "show", &ledger, "s3://archive/x"],
        &["ledger", "accept", &ledger, &target(&key(0)), "--reason", "meant"],
    ] {
        let run = rig.server.run(args).await;
        assert!(run.assert_exit(2).stderr.contains("was tampered with or is damaged"), "{args:?}: {run:?}");
    }
}

/// A limit on the size of files acts like a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_run_and_loses_no_proof() {
    let rig = Rig::with(3).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    for number in 3..400 {
        rig.put(&key(number), number, 100).await;
    }
    let of_lab = rig.server.command();
    let mut command = Command::new("sh");
    for (name, value) in of_lab.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let blocks = std::fs::metadata(rig.path("l.db")).unwrap().len().div_ceil(512) + 8;
    let program = env!("CARGO_BIN_EXE_stored-ami");
    let ledger = rig.text("l.db");
    // A process that ignores the signal gets an error instead.
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""), program]);
    // These reports wait for all objects, and are shown although some objects are never reached.
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nother-region = true\n").unwrap();
    command.args(["audit", "s3://archive", "--ledger", &ledger, "--policy", &policy, "--json"]);
    let run = Audited::of(Run::of(command).await);
    assert_eq!(run.run.exit, Some(4), "{:?}", run.run);
    assert!(run.run.stdout.contains("write failed; existing entries are intact"), "{:?}", run.run);
    let told = run.of_type("audited").count() as u64;
    assert_eq!((Some(told), told > 0), (run.end()["objects"].as_u64(), true));
    let none_is_wrong = run.named().iter().all(|named| named.ends_with(": other-region not_stated"));
    assert!(none_is_wrong, "what was not reached may be a copy: {:?}", run.named());
    rig.server.run(&["ledger", "verify", &ledger]).await.assert_exit(0);
    let after = rig.audit(&["--level", "bytes"]).await;
    assert!(after.assert_exit(0).end()["still_good"].as_u64().unwrap() >= 3, "{:?}", after.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_share_a_ledger() {
    let rig = Rig::with(60).await;
    let (one, other) = tokio::join!(rig.audit(&[]), rig.audit(&["--level", "bytes"]));
    one.assert_exit(0);
    other.assert_exit(0);
    rig.server.run(&["ledger", "verify", &rig.text("l.db")]).await.assert_exit(0);
    assert_eq!(rig.audit(&["--level", "bytes"]).await.end()["still_good"], 60);
}
