//! Endless responses of EC2, and impossible sizes and mappings.

use stored_ami_lab::{Action, Operation};

use crate::between::Between;
use crate::common::Run;
use crate::rig::{AMI, BUCKET, OBJECT, Rig};

async fn through(rig: &Rig, between: &Between, args: &[&str]) -> Run {
    let mut command = rig.command();
    command.args(args).arg("--json").env("AWS_ENDPOINT_URL", &between.endpoint);
    Run::of(command).await
}

fn listing(body: &str) -> bool {
    body.contains("Action=DescribeImages") && body.contains("Owner.1=self")
}

/// The response with this token of a next page.
fn with_token(answer: &str, token: &str) -> String {
    answer.replace("</imagesSet>", &format!("</imagesSet><nextToken>{token}</nextToken>"))
}

async fn preflight(rig: &Rig, change: impl Fn(u64, String) -> String + Send + Sync + 'static) -> (Run, u64) {
    let between = Between::answers(&rig.lab.endpoint(), "Action=DescribeImages", move |body, number, answer| {
        if listing(body) { change(number, answer) } else { answer }
    });
    let run = through(rig, &between, &["preflight", "restore", OBJECT, "--name", "gold"]).await;
    (run, between.seen())
}

fn reason(run: &Run) -> String {
    assert_eq!(run.verdict("name-free"), "unknown: unanswered");
    run.assert_exit(3).finding("name-free")["reason"]["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_without_end_end_with_a_problem_named() {
    let rig = Rig::new().await;
    rig.store().await;
    // Cycles of one, two and three tokens.
    for circle in [1, 2, 3] {
        let (run, asked) =
            preflight(&rig, move |number, answer| with_token(&answer, &format!("t{}", number % circle))).await;
        assert!(reason(&run).contains("repeats a page token"), "{run:?}");
        // One more request may describe the source of the object.
        assert!((circle + 1..=circle + 2).contains(&asked), "{circle}: {asked}");
    }
    // A new token each time.
    let (run, asked) = preflight(&rig, |number, answer| with_token(&answer, &format!("t{number}"))).await;
    assert!(reason(&run).contains("more than 1000 pages"), "{run:?}");
    assert!((1_000..=1_001).contains(&asked), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_bounded_together() {
    let rig = Rig::new().await;
    rig.store().await;
    let padded = |answer: &str, mib: usize| {
        answer.replace("<requestId>", &format!("<!--{}--><requestId>", " ".repeat(mib << 20)))
    };
    let (run, asked) = preflight(&rig, move |_, answer| padded(&answer, 65)).await;
    assert!(reason(&run).contains("larger than 64 MiB together"), "{run:?}");
    assert!((1..=2).contains(&asked), "not asked again: {asked}");
    // Spread over pages.
    let (run, asked) =
        preflight(&rig, move |number, answer| with_token(&padded(&answer, 15), &format!("t{number}"))).await;
    assert!(reason(&run).contains("larger than 64 MiB together"), "{run:?}");
    assert!((5..=6).contains(&asked), "{asked}");
}

/// A response to the call itself that is too large counts as lost: the tag identifies what was started.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_call_is_bounded_too() {
    let rig = Rig::new().await;
    rig.store().await;
    let between = Between::answers(&rig.lab.endpoint(), "Action=CreateRestoreImageTask", |_, _, answer| {
        answer.replace("<requestId>", &format!("<!--{}--><requestId>", " ".repeat(65 << 20)))
    });
    let run = through(&rig, &between, &["restore", OBJECT, "--name", "gold", "--yes"]).await;
    run.assert_exit(0);
    let listings = rig.lab.calls().into_iter().filter(|call| call.query.contains("Owner.1=self"));
    let listings = listings.filter(|call| call.operation == Operation::Service(Action::DescribeImages)).count();
    assert_eq!(listings, 2, "by the preflight, and to look for what was started");
    let call = Operation::Service(Action::CreateRestoreImageTask);
    assert_eq!(rig.starts().iter().filter(|started| started.operation == call).count(), 1);
}

/// Impossible values make the check unknown, and are reported.
#[tokio::test(flavor = "multi_thread")]
async fn impossible_volumes_and_snapshots() {
    let size = |gib: i32| format!("<volumeSize>{gib}</volumeSize>");
    let ebs = "<ebs><snapshotId>";
    let table: Vec<(&str, String, String, &str, &str)> = vec![
        (
            "DescribeImages",
            size(8),
            size(0),
            "image-size",
            "/dev/sda1 of ami-0123456789abcdef0 is stated to have 0 GiB",
        ),
        (
            "DescribeImages",
            size(20),
            size(-5),
            "image-size",
            "/dev/sdb of ami-0123456789abcdef0 is stated to have -5 GiB",
        ),
        ("DescribeSnapshots", size(1), size(0), "image-size", "is stated to have 0 GiB"),
        ("DescribeSnapshots", size(8), size(-2_147_483_648), "image-size", "is stated to have -2147483648 GiB"),
        (
            "DescribeImages",
            format!("<deviceName>/dev/sda1</deviceName>{ebs}"),
            format!("<deviceName>/dev/sda1</deviceName><noDevice/>{ebs}"),
            "image-size",
            "maps its root /dev/sda1 to no device",
        ),
        (
            "DescribeImages",
            "<rootDeviceName>/dev/sda1".into(),
            "<rootDeviceName>/dev/xvda".into(),
            "image-size",
            "shows no EBS volume for its root /dev/xvda",
        ),
        (
            "DescribeSnapshots",
            "<encrypted>false</encrypted>".into(),
            String::new(),
            "snapshot-keys",
            "EC2 does not state whether these snapshots are encrypted: snap-",
        ),
    ];
    for (action, from, to, check, text) in table {
        let rig = Rig::new().await;
        let (was, is) = (from.clone(), to.clone());
        let between = Between::answers(&rig.lab.endpoint(), &format!("Action={action}"), move |_, _, answer| {
            answer.replace(&was, &is)
        });
        let run = through(&rig, &between, &["preflight", "store", AMI, "--bucket", BUCKET]).await;
        run.assert_exit(3);
        assert_eq!(run.verdict(check), "unknown: not_stated", "{from} → {to}");
        let detail = run.finding(check)["reason"]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(text), "{text}: {detail}");
        assert!(rig.starts().is_empty());
    }
}

/// A successful response that is truncated proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_end_early_are_none() {
    let rig = Rig::new().await;
    rig.store().await;
    for (end, words) in [("<imagesSet>", "cut off"), ("</item>", "cut off"), ("<imageId>", "cut off")] {
        let (run, asked) = preflight(&rig, move |_, answer| {
            let at = answer.find(end).unwrap() + end.len();
            answer[..at].to_owned()
        })
        .await;
        assert!(reason(&run).contains(words), "{end}: {run:?}");
        assert!((1..=2).contains(&asked), "not asked again: {asked}");
    }
    let (run, _) = preflight(&rig, |_, _| "<!DOCTYPE html>\n<html><body>Sign in</body></html>".to_owned()).await;
    assert!(reason(&run).contains("answers DescribeImages with an HTML page"), "{run:?}");
}

/// A few bytes on the wire would use hundreds of bytes of memory.
#[tokio::test(flavor = "multi_thread")]
async fn empty_entries_are_counted() {
    let rig = Rig::new().await;
    rig.store().await;
    let (run, _) = preflight(&rig, |_, answer| {
        answer.replace("</imagesSet>", &format!("{}</imagesSet>", "<item/>".repeat(400_000)))
    })
    .await;
    assert!(reason(&run).contains("more elements or list entries"), "{run:?}");
    let (run, _) = preflight(&rig, |_, answer| {
        let tags = format!("<tagSet>{}</tagSet></item></imagesSet>", "<item/>".repeat(2_000_000));
        answer.replace("</item></imagesSet>", &tags)
    })
    .await;
    assert!(reason(&run).contains("more elements or list entries"), "{run:?}");
}
