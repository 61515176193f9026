//! `thaw`: what is asked for, when, and what a run reports.

use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use stored_ami_lab::{Deny, Fault, FaultRule, LabOptions, Operation, RestoreState, TaskPace};

use crate::common::{Run, write};
use crate::rig::{FROM, KEY, Rig};

/// A lab in which a restore from an archive class is complete at the second HEAD after the request.
async fn rig(class: &str) -> Rig {
    let rig = Rig::with(LabOptions { tasks: TaskPace::Polls(1), ..LabOptions::default() }).await;
    rig.source.put("archive", KEY, &[7; 1000], None).await;
    rig.from.with_object("archive", KEY, |object| object.storage_class = class.to_owned()).unwrap();
    rig
}

async fn thaw(rig: &Rig, args: &[&str]) -> Run {
    rig.from.clear_calls();
    rig.source.run(&[&["thaw", FROM], args].concat()).await
}

/// The report that counts: the last one before the summary.
fn report(run: &Run) -> Value {
    let lines = run.lines();
    let report = lines[lines.len() - 2].clone();
    assert_eq!(report["type"], "thaw", "{run:?}");
    report
}

fn found(run: &Run) -> (String, String) {
    let report = report(run);
    let text = |name: &str| report[name].as_str().unwrap().to_owned();
    (text("outcome"), text("state"))
}

fn verdict(run: &Run, check: &str) -> String {
    let report = report(run);
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().rfind(|finding| finding["check"] == check);
    found.map_or("absent".to_owned(), |finding| finding["verdict"].as_str().unwrap().to_owned())
}

fn requests(rig: &Rig) -> usize {
    rig.from.calls().iter().filter(|call| call.operation == Operation::RestoreObject).count()
}

fn restore(rig: &Rig) -> Option<RestoreState> {
    rig.from.with_object("archive", KEY, |object| object.restore.clone()).unwrap()
}

fn pair(outcome: &str, state: &str) -> (String, String) {
    (outcome.to_owned(), state.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_once_and_then_reports() {
    let rig = rig("GLACIER").await;
    let planned = thaw(&rig, &["--dry-run"]).await;
    planned.assert_exit(0);
    assert_eq!(found(&planned), pair("planned", "archived"));
    let report_of_plan = report(&planned);
    assert_eq!((&report_of_plan["tier"], &report_of_plan["days"]), (&"Standard".into(), &1.into()));
    assert_eq!(report_of_plan["tier_seconds"], 5 * 3600);
    assert_eq!(report_of_plan["costs"].as_array().unwrap().len(), 2);
    assert_eq!((rig.from.calls().len(), restore(&rig)), (1, None), "one HEAD");

    let asked = thaw(&rig, &["--yes", "--tier", "bulk", "--days", "9"]).await;
    asked.assert_exit(0);
    assert_eq!((found(&asked), requests(&rig)), (pair("requested", "restoring"), 1));
    assert!(matches!(restore(&rig), Some(RestoreState::Requested { days: Some(9), .. })));

    let waiting = thaw(&rig, &["--yes"]).await;
    waiting.assert_exit(3);
    assert_eq!((found(&waiting), requests(&rig)), (pair("reported", "restoring"), 0));

    let there = thaw(&rig, &["--yes"]).await;
    there.assert_exit(0);
    assert_eq!((found(&there), requests(&rig)), (pair("reported", "restored"), 0));
    let until: Timestamp = report(&there)["readable_until"].as_str().unwrap().parse().unwrap();
    assert!(until > Timestamp::now() + (8 * 24).hours());
    rig.source.run(&["verify", FROM]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_if_that_is_asked_for() {
    let rig = rig("DEEP_ARCHIVE").await;
    let run = thaw(&rig, &["--yes", "--follow"]).await;
    run.assert_exit(0);
    assert_eq!((found(&run), requests(&rig)), (pair("requested", "restored"), 1));
    assert_eq!(report(&run)["exit_code"], 0);
    let again = thaw(&rig, &["--yes", "--follow"]).await;
    again.assert_exit(0);
    assert_eq!((found(&again), rig.from.calls().len()), (pair("reported", "restored"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_fail_send_nothing() {
    let rig = rig("DEEP_ARCHIVE").await;
    for (args, check) in [
        (&["--yes", "--tier", "bulk", "--days", "2"][..], "days"),
        (&["--yes", "--tier", "expedited"], "tier"),
        (&["--dry-run", "--tier", "expedited"], "tier"),
    ] {
        let run = thaw(&rig, args).await;
        run.assert_exit(1);
        assert_eq!((found(&run), verdict(&run, check)), (pair("refused", "archived"), "fail".into()), "{args:?}");
        assert_eq!(requests(&rig), 0);
    }
    let enough = thaw(&rig, &["--dry-run", "--tier", "bulk", "--days", "3"]).await;
    enough.assert_exit(0);
    // A measured rate makes the time to verify longer.
    let slow = r#"{"schema":"stored-ami-tuning/1","written_at":"2026-11-25T00:00:00Z","target":"t","concurrency":1,
                   "range_bytes":8388608,"bytes_per_second":1}"#;
    rig.from.with_object("archive", KEY, |object| object.size = 100_000).unwrap();
    let tuning = write(rig.home.path(), "tuning.json", slow.as_bytes());
    let run = thaw(&rig, &["--dry-run", "--tuning", &tuning]).await;
    assert_eq!(run.assert_exit(0).lines()[0]["days"], 2, "12 h, and 28 h to verify: {run:?}");
    let run = thaw(&rig, &["--dry-run", "--tuning", &tuning, "--days", "1"]).await;
    run.assert_exit(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn intelligent_tiering_takes_no_days() {
    let rig = rig("INTELLIGENT_TIERING").await;
    let readable = thaw(&rig, &["--yes"]).await;
    readable.assert_exit(0);
    assert_eq!((found(&readable), rig.from.calls().len()), (pair("reported", "not_archived"), 1));
    rig.from.with_object("archive", KEY, |object| object.archive_status = Some("ARCHIVE_ACCESS".into())).unwrap();
    let days = thaw(&rig, &["--yes", "--days", "7"]).await;
    days.assert_exit(1);
    assert_eq!((verdict(&days, "days"), requests(&rig)), ("fail".into(), 0));
    let unknown = thaw(&rig, &["--dry-run", "--tier", "expedited"]).await;
    unknown.assert_exit(0);
    assert_eq!(verdict(&unknown, "price"), "unknown");
    assert!(report(&unknown)["costs"][0]["reason"].as_str().unwrap().contains("no price of Expedited retrieval"));
    let run = thaw(&rig, &["--yes", "--follow"]).await;
    run.assert_exit(0);
    assert_eq!(found(&run), pair("requested", "not_archived"));
    assert_eq!(report(&run).get("days"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_extended_where_that_gains_something() {
    let rig = rig("GLACIER").await;
    let until = |hours: i64| Timestamp::now() + hours.hours();
    let set = |expires| {
        rig.from.with_object("archive", KEY, |object| object.restore = Some(RestoreState::Done { expires })).unwrap();
    };
    set(until(5));
    let reported = thaw(&rig, &["--yes"]).await;
    reported.assert_exit(0);
    assert_eq!((found(&reported), requests(&rig)), (pair("reported", "restored"), 0));
    let extended = thaw(&rig, &["--yes", "--days", "7"]).await;
    extended.assert_exit(0);
    assert_eq!((found(&extended), requests(&rig)), (pair("requested", "restored"), 1));
    let end: Timestamp = report(&extended)["readable_until"].as_str().unwrap().parse().unwrap();
    assert!(end > until(6 * 24));
    let again = thaw(&rig, &["--yes", "--days", "7"]).await;
    again.assert_exit(0);
    assert_eq!((found(&again), requests(&rig)), (pair("reported", "restored"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_server() {
    let rig = rig("GLACIER").await;
    let status = |status, code| {
        rig.from.clear_script();
        rig.from.script(FaultRule::new(Operation::RestoreObject, Fault::Status { status, code }).times(20));
    };
    status(409, "RestoreAlreadyInProgress");
    let other = thaw(&rig, &["--yes"]).await;
    other.assert_exit(3);
    assert_eq!((found(&other), requests(&rig)), (pair("reported", "restoring"), 1));
    status(403, "ObjectAlreadyInActiveTierError");
    let active = thaw(&rig, &["--yes"]).await;
    active.assert_exit(0);
    assert_eq!(found(&active), pair("reported", "not_archived"));
    status(503, "GlacierExpeditedRetrievalNotAvailable");
    let full = thaw(&rig, &["--yes", "--tier", "expedited"]).await;
    let message = full.assert_exit(4).lines()[1]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no capacity for Expedited") && requests(&rig) == 1, "{message}");
    rig.from.clear_script();
    // The request arrives, and its answer does not: the second attempt finds the restore in progress.
    rig.from.script(FaultRule::new(Operation::RestoreObject, Fault::AnswerLost));
    let lost = thaw(&rig, &["--yes"]).await;
    lost.assert_exit(0);
    assert_eq!((found(&lost), requests(&rig)), (pair("requested", "restoring"), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission_network_or_consent() {
    let rig = rig("GLACIER").await;
    let no_consent = thaw(&rig, &[]).await;
    let message = no_consent.assert_exit(2).lines()[1]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("give --yes"), "{no_consent:?}");
    assert_eq!(requests(&rig), 0);
    let file = write(rig.home.path(), "file", b"x");
    let wrong = rig.source.run(&["thaw", &file, "--yes"]).await;
    assert!(wrong.assert_exit(2).stderr.contains("never archived"), "{wrong:?}");
    thaw(&rig, &["--yes", "--days", "0"]).await.assert_exit(2);
    thaw(&rig, &["--yes", "--tier", "fast"]).await.assert_exit(2);
    thaw(&rig, &["--dry-run", "--follow"]).await.assert_exit(2);
    assert!(rig.from.calls().is_empty());

    rig.source.run(&["thaw", "s3://archive/nothing.bin", "--yes"]).await.assert_exit(4);
    rig.from.deny(Deny::action("s3:RestoreObject"));
    let denied = thaw(&rig, &["--yes"]).await;
    let error = denied.assert_exit(4).lines()[1].clone();
    assert!(error["message"].as_str().unwrap().contains("needs s3:RestoreObject"), "{error}");
    rig.from.deny(Deny::action("s3:GetObject"));
    thaw(&rig, &["--yes"]).await.assert_exit(4);
    assert_eq!((requests(&rig), restore(&rig)), (0, None));
    let mut offline = rig.source.command();
    offline.args(["thaw", FROM, "--yes", "--json"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    Run::of(offline).await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_and_the_text() {
    let rig = rig("GLACIER").await;
    rig.source.put("archive", "warm.bin", &[1; 10], None).await;
    let mut command = rig.source.command();
    command.args(["thaw", FROM, "s3://archive/warm.bin", "s3://archive/nothing.bin", "--yes"]);
    let run = Run::of(command).await;
    run.assert_exit(4);
    for words in [
        "READABLE it can be read now",
        "READY   S3 can be asked for a readable copy for 1 day\n",
        "ASKED   S3 makes a readable copy",
        "PASS    tier     Standard retrieval from GLACIER takes up to 5 h",
        "no such object",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(requests(&rig), 1);
}

/// A request that was refused when the signal arrives is not repeated, and no other one is sent.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_signal_no_object_is_asked_for() {
    let rig = rig("GLACIER").await;
    let others = ["ami-0000000000000000a.bin", "ami-0000000000000000b.bin"];
    for key in others {
        rig.source.put("archive", key, &[7; 1000], None).await;
        rig.from.with_object("archive", key, |object| object.storage_class = "GLACIER".to_owned()).unwrap();
    }
    let others = others.map(|key| format!("s3://archive/{key}"));
    for follow in [&[][..], &["--follow"]] {
        let of_rig = |object: &mut stored_ami_lab::ObjectRecord| object.restore = None;
        rig.from.with_object("archive", KEY, of_rig).unwrap();
        rig.from.clear_calls();
        rig.from.clear_script();
        let busy = Fault::Status { status: 503, code: "SlowDown" };
        rig.from.script(FaultRule::new(Operation::RestoreObject, busy).times(3));
        let mut command = rig.source.command();
        command.args(["thaw", FROM, &others[0], &others[1], "--yes", "--json"]).args(follow);
        let run = Run::terminated(command, &rig.from).await;
        run.assert_exit(130);
        assert!(restore(&rig).is_none(), "{run:?}");
        assert!((1..=3).contains(&requests(&rig)), "refusals alone: {run:?}");
        let not_started = |line: &Value| line["type"] == "error" && line["exit_code"] == 130;
        let named: Vec<Value> =
            run.lines().iter().filter(|line| not_started(line)).map(|line| line["target"].clone()).collect();
        assert_eq!(named, [FROM, &others[0], &others[1]], "{run:?}");
        assert!(run.stdout.contains("not started: a signal ended the run before"), "{run:?}");
    }
}
