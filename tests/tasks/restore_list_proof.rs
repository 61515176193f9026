//! `restore --from --prove`: many restores, and then the proof of each.

use std::process::{Command, Stdio};

use serde_json::Value;
use stored_ami_lab::{Action, LabOptions, TaskPace};

use crate::blocks::{calls, fingerprint};
use crate::common::Run;
use crate::restore_list::{rows, table};
use crate::rig::{AMI, BUCKET, OBJECT, REGION, Rig};

/// A lab with a stored AMI, a record of its content, and a list of three restores of it.
async fn stored(tasks: TaskPace) -> Rig {
    let rig = Rig::with(LabOptions::default(), tasks).await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    rig.start_store(AMI, BUCKET).await;
    rig.wait_for_stores().await;
    let record = rig.path("golden.json");
    let lines = ["one", "two", "three"].map(|name| format!("{OBJECT}\t{name}\t{record}\n"));
    std::fs::write(rig.path("list"), lines.concat()).unwrap();
    rig.lab.clear_calls();
    rig
}

fn command(rig: &Rig, more: &[&str]) -> Command {
    let mut command = rig.command();
    command.args(["restore", "--from", &rig.path("list"), "--prove", "--yes", "--json"]).args(more);
    command
}

/// The output of a program that is acted on while it runs.
async fn ended(child: std::process::Child) -> Run {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    Run { exit: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr: String::new() }
}

/// Name, result of the proof, and exit code of each row.
fn proofs(run: &Run) -> Vec<(String, String, u64)> {
    let table = table(run);
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("name"), text("proof"), row["exit_code"].as_u64().unwrap())
    };
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

fn row(name: &str, proof: &str, exit: u64) -> (String, String, u64) {
    (name.to_owned(), proof.to_owned(), exit)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_ami_is_proved_after_all_are_restored() {
    let rig = stored(TaskPace::Polls(3)).await;
    rig.lab.fail_next_restore("Server.InternalError: of the lab");
    let ledger = rig.path("l.db");
    let mut child = command(&rig, &["--ledger", &ledger]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    while rig.restored().len() < 3 {
        tokio::task::yield_now().await;
        assert!(child.try_wait().unwrap().is_none(), "it ended before all were started");
    }
    let of = |name: &str| rig.restored().into_iter().find(|image| image.name == name).unwrap();
    let changed = of("two").mappings[1].clone();
    rig.lab.flip_in_snapshot(REGION, &changed.snapshot, 7 * 524_288 + 9, 0x40).unwrap();
    let run = ended(child).await;
    run.assert_exit(1);
    // What went wrong comes first.
    assert_eq!(proofs(&run), [row("two", "fail", 1), row("one", "unknown", 4), row("three", "pass", 0)]);
    let table = table(&run);
    for (number, text) in [
        (0, "available; its blocks are not those of the record"),
        (1, "failed: Server.InternalError: of the lab; no block was compared"),
        (2, "available; every block is that of the record"),
    ] {
        assert_eq!(table["rows"][number]["detail"], text, "{table}");
    }
    let reports: Vec<Value> =
        run.lines().into_iter().filter(|line| line["type"] == "prove" && line["started"] == true).collect();
    let images: Vec<&str> = reports.iter().map(|report| report["image"].as_str().unwrap()).collect();
    assert_eq!(images, [of("two").id, of("three").id], "in the order of the list");
    let volume = &reports[0]["volumes"][1];
    assert_eq!((&volume["device"], &volume["differences"][0]["block"]), (&changed.device.into(), &7.into()));
    let before = rig.lab.calls();
    let is = |call: &stored_ami_lab::CallRecord, action| call.operation == stored_ami_lab::Operation::Service(action);
    let first_read = before.iter().position(|call| is(call, Action::GetSnapshotBlock)).unwrap();
    let last_start = before.iter().rposition(|call| is(call, Action::CreateRestoreImageTask)).unwrap();
    assert!(last_start < first_read);
    // Each proof is kept with the object.
    let kept = rig.run(&["ledger", "show", &ledger, OBJECT]).await;
    let entries = kept.lines().into_iter().filter(|line| line["type"] == "ledger_entry");
    let verdicts: Vec<Value> = entries.map(|line| line["entry"]["restored"]["verdict"].clone()).collect();
    assert_eq!(verdicts, ["fail", "pass"]);
    // The same command starts nothing, and proves them again.
    let again = Run::of(command(&rig, &[])).await;
    again.assert_exit(1);
    assert_eq!(proofs(&again), [row("two", "fail", 1), row("one", "unknown", 4), row("three", "pass", 0)]);
    assert_eq!(rig.starts().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_has_the_price_of_all_proofs() {
    let rig = stored(TaskPace::Polls(0)).await;
    let plan = table(&Run::of(command(&rig, &["--dry-run", "--block-rate", "100"])).await);
    // 48 blocks are listed in each AMI, at $0.003 for 1,000, and at most four pages of them.
    let proof = &plan["estimate"]["proof"];
    assert_eq!((&proof["blocks_most"], &proof["requests_most"]), (&(3 * 48).into(), &(3 * 52).into()));
    let dollars = proof["dollars_most"].as_f64().unwrap();
    assert!((3.0 * 48.0 * 3e-6..3.0 * 52.0 * 3e-6).contains(&dollars), "{dollars}");
    assert_eq!(calls(&rig, Action::ListSnapshotBlocks), 0);
    let mut told = rig.command();
    told.args(["restore", "--from", &rig.path("list"), "--prove", "--dry-run"]);
    let told = Run::of(told).await;
    told.assert_exit(0);
    assert!(told.stdout.contains("at most 144 blocks, "), "{told:?}");
    // Without proofs, the list says nothing of them.
    std::fs::write(rig.path("list"), format!("{OBJECT}\tone\n")).unwrap();
    let plain = table(&rig.run(&["restore", "--from", &rig.path("list"), "--dry-run"]).await);
    assert_eq!((&plain["estimate"]["proof"], &plain["rows"][0]["proof"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_blocks_to_compare_is_refused_before_anything_is_asked() {
    let rig = stored(TaskPace::Polls(0)).await;
    let other = rig.create(None, "other", &[("/dev/sda1", 1)]);
    fingerprint(&rig, &other, "other.json", &[]).await.assert_exit(0);
    let (golden, other, plain) = (rig.path("golden.json"), rig.path("other.json"), rig.path("plain.json"));
    rig.server.bucket("second").await;
    rig.run(&["store", AMI, "--bucket", "second", "--record", &plain, "--yes"]).await.assert_exit(0);
    rig.lab.clear_calls();
    for (record, problem) in [
        (String::new(), "line 2: --prove compares with a record"),
        (format!("\t{plain}"), "is the record of a store, which holds no blocks"),
        (format!("\t{other}"), "and the object holds ami-0123456789abcdef0"),
    ] {
        std::fs::write(rig.path("list"), format!("{OBJECT}\tone\t{golden}\n{OBJECT}\ttwo{record}\n")).unwrap();
        let run = Run::of(command(&rig, &[])).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem) && run.stderr.contains("line 2: "), "{run:?}");
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_proofs_and_the_same_command_goes_on() {
    let rig = stored(TaskPace::Polls(0)).await;
    let mut child = command(&rig, &["--block-rate", "1"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    while calls(&rig, Action::GetSnapshotBlock) < 2 {
        tokio::task::yield_now().await;
        assert!(child.try_wait().unwrap().is_none(), "it ended before it read a block");
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let run = ended(child).await;
    run.assert_exit(130);
    assert_eq!(proofs(&run), ["one", "two", "three"].map(|name| row(name, "unknown", 130)));
    let details = table(&run)["rows"][2]["detail"].clone();
    assert_eq!(details, "available; a signal ended the run before its blocks were compared");
    let again = Run::of(command(&rig, &[])).await;
    again.assert_exit(0);
    assert_eq!(proofs(&again), ["one", "two", "three"].map(|name| row(name, "pass", 0)));
    assert_eq!(rows(&table(&again)), [1, 2, 3].map(|line| (line, "ended".to_owned(), 0)));
    assert_eq!(rig.starts().len(), 3);
}
