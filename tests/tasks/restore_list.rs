//! `restore --from`: many restores under the limit of what is in progress.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Action, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::blocks::calls;
use crate::common::Run;
use crate::rig::{BUCKET, REGION, Rig};

/// Objects of the lab. Each is restored under several names.
const OBJECTS: u64 = 10;

/// Size in GiB of the AMI with this number: 30 to 120.
pub fn gib(number: u64) -> u64 {
    30 + number * 37 % 91
}

pub fn id(number: u64) -> String {
    format!("ami-{number:017x}")
}

/// A lab with stored AMIs, and a list of `count` restores. It refuses a restore as soon as 559 GiB (600.2 GB) are in
/// progress.
async fn stored(count: u64, polls: u32) -> Rig {
    let limits = LabOptions { restore_limit: 559, store_limit: u64::MAX, ..LabOptions::default() };
    let rig = Rig::with(limits, TaskPace::Polls(polls)).await;
    for number in 0..OBJECTS.min(count) {
        let volumes = vec![VolumeSpec::new("/dev/xvda", gib(number))];
        let name = format!("source {number}");
        rig.lab.create_image(REGION, ImageSpec { id: Some(id(number)), volumes, ..ImageSpec::new(&name) });
        rig.start_store(&id(number), BUCKET).await;
    }
    rig.wait_for_stores().await;
    let line = |number: u64| format!("s3://{BUCKET}/{}.bin\trestored {number}\n", id(number % OBJECTS));
    let lines: String = (0..count).map(line).collect();
    std::fs::write(rig.path("list"), format!("# tonight\n{lines}")).unwrap();
    rig.lab.clear_calls();
    rig
}

fn command(rig: &Rig) -> Command {
    let mut command = rig.command();
    command.args(["restore", "--from", &rig.path("list"), "--yes", "--json"]);
    command
}

fn start(rig: &Rig) -> Child {
    command(rig).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until the lab holds this, and then kills the program.
pub async fn kill_when(rig: &Rig, child: &mut Child, is_reached: impl Fn(&Rig) -> bool) {
    while !is_reached(rig) {
        tokio::task::yield_now().await;
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The last table.
pub fn table(run: &Run) -> Value {
    let lines = run.lines();
    let table = lines[lines.len() - 2].clone();
    assert_eq!(table["type"], "task_list", "{run:?}");
    table
}

/// Line, state and exit code of each row.
pub fn rows(table: &Value) -> Vec<(u64, String, u64)> {
    let row = |row: &Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        (number("line"), row["state"].as_str().unwrap().to_owned(), number("exit_code"))
    };
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

/// Calls that the lab refused.
pub fn refused(rig: &Rig) -> usize {
    rig.starts().iter().filter(|call| call.status >= 400).count()
}

/// GiB that the lab counts as in progress.
fn busy(rig: &Rig) -> u64 {
    rig.ec2(|state| {
        let pending = state.images.values().filter(|image| image.state == "pending");
        pending.flat_map(|image| &image.mappings).filter_map(|mapping| mapping.size).sum()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_restores_in_one_night_killed_five_times() {
    let rig = stored(40, 12).await;
    let mut most = 0;
    for kill in 1..=5 {
        if kill == 3 {
            // The program never hears of a call that was carried out.
            let lost = FaultRule::new(Operation::Service(Action::CreateRestoreImageTask), Fault::StallAfter(0));
            rig.lab.script(lost.key_contains("TagSpecification").skip(2));
        }
        let mut child = start(&rig);
        let stalled = rig.starts().len() + 3;
        let is_reached = |rig: &Rig| rig.restored().len() >= if kill == 3 { stalled } else { kill * 7 };
        kill_when(&rig, &mut child, is_reached).await;
        most = most.max(busy(&rig));
    }
    let run = Run::of(command(&rig)).await;
    run.assert_exit(0);
    let table = table(&run);
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row["state"] == "ended" && row["verdict"] == "pass"), "{table}");
    assert_eq!((rig.starts().len(), refused(&rig)), (40, 0), "each was called once, and none at or above the limit");
    let mut names: Vec<String> = rig.restored().into_iter().map(|image| image.name).collect();
    names.sort();
    let mut expected: Vec<String> = (0..40).map(|number| format!("restored {number}")).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert!(most >= 400, "the limit was not near: {most} GiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_somebody_else_is_waited_for() {
    let rig = stored(3, 2).await;
    let stranger = rig.create(None, "of somebody else", &[("/dev/sda1", 560)]);
    rig.ec2(|state| {
        let image = state.images.get_mut(&stranger).unwrap();
        (image.state, image.source_image) = ("pending".to_owned(), Some("ami-0eeeeeeeeeeeeeeee".to_owned()));
    });
    let child = start(&rig);
    // One look of the preflight, and three of the queue.
    while calls(&rig, Action::DescribeImages) < 4 {
        tokio::task::yield_now().await;
    }
    assert!(rig.starts().is_empty(), "nothing is started beside it");
    rig.ec2(|state| state.images.get_mut(&stranger).unwrap().state = "available".to_owned());
    let done = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(done.status.code(), Some(0));
    assert_eq!((rig.starts().len(), refused(&rig)), (3, 0));
}

/// The sizes of what is in progress are an estimate. `--accept in-progress` leaves out what may be other work, and then
/// the refusal of EC2 is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_the_limit_is_waited_for_and_tried_again() {
    let rig = stored(2, 3).await;
    let stranger = rig.create(None, "of somebody else", &[("/dev/sda1", 560)]);
    rig.ec2(|state| {
        let image = state.images.get_mut(&stranger).unwrap();
        (image.state, image.source_image) = ("pending".to_owned(), Some("ami-0eeeeeeeeeeeeeeee".to_owned()));
    });
    for (status, code) in [(400, "Lab.InProgressLimitExceeded"), (400, "InvalidRequest")] {
        let refusal = Fault::Status { status, code };
        let rule = FaultRule::new(Operation::Service(Action::CreateRestoreImageTask), refusal);
        rig.lab.script(rule.key_contains("TagSpecification").skip(1));
        let mut program = command(&rig);
        program.args(["--accept", "in-progress"]);
        let run = Run::of(program).await;
        run.assert_exit(0);
        assert!(run.stderr.contains("it is tried again when less is in progress"), "{code}: {run:?}");
        let names: Vec<String> = rig.restored().into_iter().map(|image| image.name).collect();
        assert_eq!(names.iter().filter(|name| name.starts_with("restored")).count(), 2, "{code}: {names:?}");
        assert_eq!((rig.starts().len(), refused(&rig)), (3, 1), "{code}");
        rig.ec2(|state| state.images.retain(|_, image| !image.name.starts_with("restored")));
        rig.lab.clear_calls();
        rig.lab.clear_script();
    }
    // With nothing in progress, waiting would not help.
    let refusal = Fault::Status { status: 400, code: "InvalidRequest" };
    let rule = FaultRule::new(Operation::Service(Action::CreateRestoreImageTask), refusal);
    rig.lab.script(rule.key_contains("TagSpecification").always());
    let mut program = command(&rig);
    program.args(["--accept", "in-progress"]);
    let run = Run::of(program).await;
    run.assert_exit(4);
    assert_eq!(rig.starts().len(), 2);
    assert_eq!(rows(&table(&run)), [(2, "error".to_owned(), 4), (3, "error".to_owned(), 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_comes_first_and_the_others_are_restored() {
    let rig = stored(3, 2).await;
    rig.create(None, "restored 1", &[("/dev/sda1", 1)]);
    rig.lab.fail_next_restore("Server.InternalError: of the lab");
    let run = Run::of(command(&rig)).await;
    run.assert_exit(1);
    let table = self::table(&run);
    let (refused, ended) = ("refused".to_owned(), "ended".to_owned());
    assert_eq!(rows(&table), [(3, refused.clone(), 1), (2, ended.clone(), 4), (4, ended.clone(), 0)]);
    assert_eq!(table["rows"][0]["detail"], "not met: name-free");
    assert!(table["rows"][1]["detail"].as_str().unwrap().contains("of the lab"), "{table}");
    assert_eq!(run.lines().iter().filter(|line| line["type"] == "task").count(), 2);
    assert_eq!(run.lines().last().unwrap()["targets"], 3);
    // What was started is not started again, also if it failed.
    let again = Run::of(command(&rig)).await;
    again.assert_exit(1);
    assert_eq!(rows(&self::table(&again)), [(3, refused, 1), (2, ended.clone(), 4), (4, ended, 0)]);
    assert_eq!(rig.starts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_preflight_for_all_and_nothing_is_started_without_consent() {
    let rig = stored(3, 2).await;
    let path = rig.path("list");
    let dry = rig.run(&["restore", "--from", &path, "--dry-run"]).await;
    dry.assert_exit(0);
    let plan = table(&dry);
    let ready = "ready".to_owned();
    assert_eq!(rows(&plan), [(2, ready.clone(), 0), (3, ready.clone(), 0), (4, ready, 0)]);
    assert_eq!(plan["started"], false);
    let volumes: u64 = (0..3).map(gib).sum();
    assert_eq!(plan["estimate"]["volume_bytes"], volumes << 30);
    // 2,048 blocks in a GiB, at $0.006 for 1,000 blocks written.
    let most = plan["estimate"]["dollars_most"].as_f64().unwrap();
    assert!((most - volumes as f64 * 2_048.0 * 6e-6).abs() < 1e-9, "{most}");
    assert!((plan["estimate"]["dollars_least"].as_f64().unwrap() - most / 4.0).abs() < 1e-9, "a quarter is written");
    assert_eq!(calls(&rig, Action::DescribeImages), 1, "the account is asked once for all objects");
    let unattended = rig.run(&["restore", "--from", &path]).await;
    unattended.assert_exit(2);
    assert!(rig.starts().is_empty());
    rig.lab.clear_calls();
    for (list, problem) in [
        ("s3://b/k\tsame\ns3://b/l\tsame\n", "lines 1 and 2: the name `same` is given twice"),
        ("s3://b/k\n", "line 1: write object, name"),
        ("s3://b/k\tname\tnone.json\n", "line 1: --record none.json"),
        ("", "the list is empty"),
    ] {
        std::fs::write(&path, list).unwrap();
        let run = rig.run(&["restore", "--from", &path, "--yes"]).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem), "{run:?}");
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_run_and_the_table_names_what_goes_on() {
    let rig = stored(10, 60).await;
    let child = command(&rig).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // As many as go below the limit.
    while busy(&rig) < 559 {
        tokio::task::yield_now().await;
    }
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    // The lab notes a call after it carried it out, so the calls are counted when all of them were answered.
    let started = rig.starts().len();
    let run = Run { exit: Some(130), stdout: String::from_utf8(output.stdout).unwrap(), stderr: String::new() };
    let rows = rows(&table(&run));
    let of = |state: &str| rows.iter().filter(|row| row.1 == state && row.2 == 130).count();
    assert_eq!((of("running"), of("not_started")), (started, 10 - started), "{run:?}");
    assert!(started < 10);
}
