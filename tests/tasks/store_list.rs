//! `store --from`: many stores under the limit of what is in progress, and one an AMI at a time.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use stored_ami::record::Record;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Action, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::between::Between;
use crate::common::Run;
use crate::restore_list::{gib, id, kill_when, refused, rows, table};
use crate::rig::{BUCKET, REGION, Rig};

/// A lab with AMIs of 30 to 120 GiB, and a list of their stores. It refuses a store as soon as 559 GiB (600.2 GB) are in
/// progress.
async fn images(count: u64, polls: u32) -> Rig {
    let limits = LabOptions { store_limit: 559, ..LabOptions::default() };
    let rig = Rig::with(limits, TaskPace::Polls(polls)).await;
    let mut lines = String::new();
    for number in 0..count {
        let volumes = vec![VolumeSpec::new("/dev/xvda", gib(number))];
        let name = format!("source {number}");
        rig.lab.create_image(REGION, ImageSpec { id: Some(id(number)), volumes, ..ImageSpec::new(&name) });
        lines += &format!("{}\t{BUCKET}/night\t{}\n", id(number), rig.path(&format!("{number}.json")));
    }
    std::fs::write(rig.path("list"), lines).unwrap();
    rig
}

fn command(rig: &Rig) -> Command {
    let mut command = rig.command();
    command.args(["store", "--from", &rig.path("list"), "--store-limit", "600", "--yes", "--json"]);
    command
}

fn start(rig: &Rig) -> Child {
    command(rig).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn record(rig: &Rig, number: u64) -> Record {
    Record::from_json(&std::fs::read_to_string(rig.path(&format!("{number}.json"))).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_stores_killed_twice_are_each_started_once() {
    let rig = images(12, 14).await;
    for kill in 1..=2 {
        if kill == 2 {
            // The program never hears of a call that was carried out.
            let lost = FaultRule::new(Operation::Service(Action::CreateStoreImageTask), Fault::StallAfter(0));
            rig.lab.script(lost.key_contains("S3ObjectTag").skip(1));
        }
        let mut child = start(&rig);
        let tasks = |rig: &Rig| rig.ec2(|state| state.tasks.len());
        let reached = tasks(&rig) + if kill == 2 { 2 } else { 4 };
        kill_when(&rig, &mut child, |rig| tasks(rig) >= reached).await;
    }
    let run = Run::of(command(&rig)).await;
    run.assert_exit(0);
    assert!(rows(&table(&run)).iter().all(|row| row.1 == "ended" && row.2 == 0), "{run:?}");
    assert_eq!((rig.starts().len(), refused(&rig)), (12, 0), "each was called once, and none at or above the limit");
    for number in 0..12 {
        let (record, key) = (record(&rig, number), format!("night/{}.bin", id(number)));
        let etag = rig.lab.with_object(BUCKET, &key, |object| object.etag.clone()).unwrap();
        assert_eq!((record.image, record.etag), (id(number), Some(etag)));
        assert!(record.written_at.starts_with("20"), "{}", record.written_at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_is_stored_into_one_bucket_after_the_other() {
    let rig = images(1, 3).await;
    for bucket in ["second", "third"] {
        rig.server.bucket(bucket).await;
    }
    let image = id(0);
    let list = format!("{image}\t{BUCKET}\n{image}\tsecond\n{image}\tthird\n");
    std::fs::write(rig.path("list"), list).unwrap();
    // Somebody else stores it into a bucket that is not in the list.
    rig.server.bucket("fourth").await;
    rig.start_store(&image, "fourth").await;
    rig.lab.clear_calls();
    let run = Run::of(command(&rig)).await;
    run.assert_exit(0);
    assert_eq!(rows(&table(&run)), [1, 2, 3].map(|line| (line, "ended".to_owned(), 0)));
    assert_eq!((rig.starts().len(), refused(&rig)), (3, 0), "EC2 refuses a second store of an AMI");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_wrong_are_refused_before_anything_is_asked() {
    let rig = images(1, 0).await;
    rig.lab.clear_calls();
    let (image, path, record) = (id(0), rig.path("list"), rig.path("one.json"));
    std::fs::write(rig.path("other.txt"), "not a record").unwrap();
    std::fs::create_dir(rig.path("sub")).unwrap();
    std::os::unix::fs::symlink(".", rig.path("here")).unwrap();
    for (list, problem) in [
        (format!("{image}\tb-1\n{image}\tb-1\n"), "lines 1 and 2: "),
        (format!("{image}\tb-1\t{record}\n{image}\tb-2\t{record}\n"), "lines 1 and 2: "),
        (format!("{image}\tb-1\t{record}\n{image}\tb-2\t{}\n", rig.path("sub/../one.json")), "lines 1 and 2: "),
        (format!("{image}\tb-1\t{record}\n{image}\tb-2\t{}\n", rig.path("here/one.json")), "lines 1 and 2: "),
        (format!("{image}\n"), "line 1: write AMI, bucket"),
        (format!("{image}\tb-1\t{}\n", rig.path("other.txt")), "line 1: --record"),
        (format!("{image}\tb-1\t{}\n", rig.path("here/list")), "is the list itself"),
        ("golden\tb-1\n".to_owned(), "line 1: `golden`"),
    ] {
        std::fs::write(&path, list).unwrap();
        let run = Run::of(command(&rig)).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem), "{problem}: {run:?}");
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_named_first() {
    let rig = images(2, 0).await;
    rig.lab.fail_next_store("of the lab");
    let list = format!("{}\t{BUCKET}\nami-0eeeeeeeeeeeeeeee\t{BUCKET}\n{}\t{BUCKET}\n", id(0), id(1));
    std::fs::write(rig.path("list"), list).unwrap();
    let run = Run::of(command(&rig)).await;
    run.assert_exit(1);
    let table = table(&run);
    let (refused, ended) = ("refused".to_owned(), "ended".to_owned());
    assert_eq!(rows(&table), [(2, refused, 1), (1, ended.clone(), 4), (3, ended, 0)]);
    assert_eq!(table["rows"][1]["detail"], Value::from("Failed: of the lab"));
}

/// Listings of store tasks before the first store is called.
async fn listings_before_the_call() -> u64 {
    let rig = images(1, 0).await;
    Run::of(command(&rig)).await.assert_exit(0);
    let all = rig.lab.calls();
    let first = rig.starts().remove(0);
    let before = all.iter().take_while(|call| call.query != first.query);
    before.filter(|call| call.operation == Operation::Service(Action::DescribeStoreImageTasks)).count() as u64
}

/// The answer to the call is lost, and the look for its task is throttled: the store may have been started.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_may_have_been_started_is_not_called_again() {
    let listings = listings_before_the_call().await;
    let rig = images(1, 0).await;
    let lost = FaultRule::new(Operation::Service(Action::CreateStoreImageTask), Fault::AnswerLost);
    rig.lab.script(lost.key_contains("S3ObjectTag"));
    let throttled = Fault::Status { status: 503, code: "RequestLimitExceeded" };
    rig.lab.script(FaultRule::new(Operation::Service(Action::DescribeStoreImageTasks), throttled).skip(listings));
    let mut program = command(&rig);
    program.args(["--retries", "0"]);
    let run = Run::of(program).await;
    run.assert_exit(4);
    let detail = table(&run)["rows"][0]["detail"].as_str().unwrap().to_owned();
    for part in ["whether the store was started is not known", "looking for its task failed", "RequestLimitExceeded"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert_eq!(rig.starts().len(), 1);
    Run::of(command(&rig)).await.assert_exit(0);
    assert_eq!(rig.starts().len(), 1, "the first call started it");
}

/// EC2 and this machine do not agree on the time.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_this_machine_does_not_decide_which_store_is_its_own() {
    let year = jiff::Timestamp::now().to_string()[..4].to_owned();
    for is_lost in [false, true] {
        let rig = images(1, 0).await;
        let today = format!("<taskStartTime>{year}");
        let between = Between::answers(&rig.lab.endpoint(), "Action=DescribeStoreImageTasks", move |_, _, answer| {
            answer.replace(&today, "<taskStartTime>2021")
        });
        if is_lost {
            let lost = FaultRule::new(Operation::Service(Action::CreateStoreImageTask), Fault::AnswerLost);
            rig.lab.script(lost.key_contains("S3ObjectTag"));
        }
        let mut program = command(&rig);
        program.env("AWS_ENDPOINT_URL", &between.endpoint);
        let run = Run::of(program).await;
        run.assert_exit(0);
        assert_eq!(run.stderr.contains("the store was started"), is_lost, "{run:?}");
        assert_eq!(rig.starts().len(), 1);
    }
}
