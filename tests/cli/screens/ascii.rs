//! Without a UTF-8 locale, text is ASCII. JSON, pages and files are UTF-8 in every locale.

use std::process::Command;

use stored_ami_lab::{Fault, FaultRule, Operation};

use super::rig::{AMI, BUCKET, KEY, OBJECT, REGION, Rig};
use crate::common::{Run, bare_command};

/// Runs a command in the locale `C`.
async fn in_c(mut command: Command) -> Run {
    command.env("LC_ALL", "C");
    Run::of(command).await
}

fn assert_ascii(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let wrong = text.lines().find(|line| !line.is_ascii());
        assert_eq!(wrong, None, "{run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_ascii_in_the_locale_c() {
    let rig = Rig::new().await;
    rig.run(&["verify", OBJECT, "--write-manifest", "m.json"]).await.assert_exit(0);
    let preflight = ["preflight", "store", AMI, "--bucket", BUCKET];
    let to = format!("s3://{BUCKET}/naïve–copy");
    let copy = ["copy", OBJECT, &to, "--from-region", REGION, "--to-region", REGION, "--accept", "public", "--yes"];
    let runs: [(&[&str], i32); 8] = [
        (&["inspect", OBJECT, "--probe", "4"], 0),
        (&["verify", OBJECT, "--report", "p.html"], 0),
        (&["is-stored", AMI, "--bucket", BUCKET], 1),
        (&preflight, 0),
        (&[&preflight[..], &["-v"]].concat(), 0),
        (&copy, 0),
        (&["bench", OBJECT, "--connections", "1,2", "--time", "1s"], 0),
        (&["cost", OBJECT, "--logical-size", "8GiB"], 0),
    ];
    for (args, exit) in runs {
        let run = in_c(rig.command(args)).await;
        assert_eq!(run.exit, Some(exit), "{args:?}: {run:?}");
        assert_ascii(&run);
    }
    let page = std::fs::read(rig.path("p.html")).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("charset"), "a page is UTF-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_shown_in_ascii() {
    let rig = Rig::new().await;
    rig.run(&["verify", OBJECT, "--write-manifest", "m.json"]).await.assert_exit(0);
    for offset in [100, 100_100, 300_300] {
        rig.lab.damage(BUCKET, KEY, offset, 1).unwrap();
    }
    rig.server.put(BUCKET, "ünï–code.bin", b"x", None).await;
    let verify = ["verify", OBJECT, "--manifest", "m.json"];
    let utf8 = rig.run(&verify).await;
    assert!(utf8.stdout.contains("0–199,999 (parts 1–2 of 6)"), "{utf8:?}");
    let run = in_c(rig.command(&verify)).await;
    run.assert_exit(1);
    assert_ascii(&run);
    assert!(run.stdout.contains("0-199,999 (parts 1-2 of 6)"), "{run:?}");
    let same = |run: &Run| run.stdout.lines().filter(|line| !line.contains("read ")).count();
    assert_eq!(same(&run), same(&utf8), "the same lines");
    for detail in [&[][..], &["-v"]] {
        let run = in_c(rig.command(&[&["audit", "s3://archive", "--level", "bytes"], detail].concat())).await;
        assert_eq!(run.exit, Some(1), "{run:?}");
        assert_ascii(&run);
    }
    let run = in_c(rig.command(&["inspect", "s3://archive/ünï–code.bin"])).await;
    // A name that can be pasted.
    assert!(run.stdout.starts_with(r#""$(printf 's3://archive/\303\274n\303\257\342\200\223code.bin')""#), "{run:?}");
    let json = in_c(rig.command(&["inspect", "s3://archive/ünï–code.bin", "--json"])).await;
    assert!(json.stdout.contains("ünï–code.bin"), "JSON is UTF-8: {json:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_and_messages_are_ascii_and_the_log_is_utf8() {
    let rig = Rig::new().await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Status { status: 503, code: "SlowDown" }).times(2));
    let run = in_c(rig.command(&["verify", OBJECT, "--log-file", "l.log"])).await;
    run.assert_exit(0);
    assert_ascii(&run);
    assert!(run.stderr.contains("throttled 2x (SlowDown)"), "{run:?}");
    assert!(std::fs::read_to_string(rig.path("l.log")).unwrap().contains("throttled 2× (SlowDown)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn help_is_ascii() {
    for args in [&["--help"][..], &["-h"], &["verify", "--help"], &["audit", "--help"], &["copy", "--help"]] {
        let run = |locale: &'static str| {
            let mut command = bare_command();
            command.args(args).env("LC_ALL", locale);
            Run::of(command)
        };
        let (c, utf8) = (run("C").await, run("C.UTF-8").await);
        assert_ascii(&c);
        assert!(c.stdout.contains("Usage: stored-ami"), "{c:?}");
        assert_eq!(c.stdout.lines().count(), utf8.stdout.lines().count(), "{args:?}");
    }
}
