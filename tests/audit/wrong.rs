use stored_ami_lab::{Deny, Fault, FaultRule, Operation};

use crate::common::Run;
use crate::rig::{Audited, BUCKET, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_cannot_be_listed_is_no_clean_bucket() {
    let rig = Rig::with(3).await;
    rig.server.bucket("other-archive").await;
    rig.server.put("other-archive", &key(9), b"x", None).await;
    let run =
        Audited::of(rig.server.run(&["audit", "s3://archive", "s3://no-such-bucket", "s3://other-archive"]).await);
    let end = run.assert_exit(4).end();
    assert_eq!(end["listed"], 4, "the others are audited all the same");
    assert!(end["problems"][0].as_str().unwrap().starts_with("s3://no-such-bucket/ could not be listed"), "{end}");

    let run = Audited::of(rig.server.run(&["audit", "s3://archive/misspelt"]).await);
    assert_eq!(
        run.assert_exit(3).end()["notes"][0],
        "no stored AMI object was found under s3://archive/misspelt, so there is nothing to report"
    );

    // A misspelt prefix next to a correct one.
    let run = Audited::of(rig.server.run(&["audit", "s3://archive", "s3://archive/misspelt"]).await);
    assert_eq!(run.assert_exit(3).end()["listed"], 3);

    // The JUnit report contains an error, too.
    let junit = rig.text("a.xml");
    rig.server.run(&["audit", "s3://no-such-bucket", "--junit", &junit]).await.assert_exit(4);
    let cases = std::fs::read_to_string(&junit).unwrap();
    assert!(cases.contains("tests=\"1\"") && cases.contains("errors=\"1\""), "{cases}");

    // A missing object is reported even if another bucket cannot be listed.
    rig.audit(&[]).await.assert_exit(0);
    rig.delete(&key(2)).await;
    let run = rig.audit(&["s3://no-such-bucket"]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: present fail", target(&key(2)))]);

    // An incomplete listing makes no object missing.
    rig.lab.deny(Deny::action("s3:ListBucket"));
    let run = rig.audit(&[]).await;
    assert_eq!((run.assert_exit(4).end()["missing"].as_u64(), run.named().len()), (Some(0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_goes_between_listing_and_reading_is_told() {
    let rig = Rig::with(2).await;
    let gone = Fault::Status { status: 404, code: "NoSuchKey" };
    rig.lab.script(FaultRule::new(Operation::HeadObject, gone).key_contains(&key(1)).always());
    let run = rig.audit(&[]).await;
    assert_eq!(run.assert_exit(3).named(), [format!("{}: present unanswered", target(&key(1)))]);
    assert!(run.run.stdout.contains("it was listed, and has been deleted since"));
    rig.lab.clear_script();
    rig.audit(&[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_wishes_end_with_2() {
    let rig = Rig::new().await;
    let bad = rig.text("p.toml");
    std::fs::write(&bad, "[bucket").unwrap();
    rig.lab.clear_calls();
    for args in [
        &["audit"][..],
        &["audit", "archive"],
        &["audit", "s3://"],
        &["audit", "s3://b", "--level", "all"],
        &["audit", "s3://b", "--slice", "8/7"],
        &["audit", "s3://b", "--shard", "today/7"],
        &["audit", "s3://b", "--max-age", "soon"],
        &["audit", "s3://b", "--max-cost", "-1"],
        &["audit", "s3://b", "--policy", &bad],
        &["audit", "s3://b", "--csv", "/nonexistent/x.csv"],
        &["audit", "s3://b", "--list", &bad],
        &["audit", "merge"],
        &["audit", "merge", "/nonexistent"],
        &["audit", "merge", &bad],
    ] {
        rig.server.run(args).await.assert_exit(2);
    }
    assert!(rig.lab.calls().is_empty(), "before any work");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_other_programs_hold_every_object() {
    let rig = Rig::with(5).await;
    rig.put("p/\"<&,\u{1b}[31m/ami-00000000000000044.bin", 4, 2_001).await;
    rig.lab.damage(BUCKET, &key(3), 1, 1).unwrap();
    let (csv, junit, prom, html) = (rig.text("a.csv"), rig.text("a.xml"), rig.text("a.prom"), rig.text("a.html"));
    let files = ["--csv", &csv, "--junit", &junit, "--prometheus", &prom, "--report", &html];
    rig.audit(&[&["--level", "bytes"], &files[..]].concat()).await.assert_exit(1);
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let mut table =
        csv::Reader::from_reader(read(&csv).into_bytes().as_slice()).records().map(Result::unwrap).collect::<Vec<_>>();
    table.retain(|row| &row[1] == "fail");
    assert_eq!(table.len(), 1);
    assert!(table[0][12].contains("crc64nvme: "), "{table:?}");
    let cases = read(&junit);
    assert!(
        cases.contains("tests=\"7\"") && cases.contains("failures=\"1\"") && cases.contains("errors=\"0\""),
        "{cases}"
    );
    assert!(!cases.contains('\u{1b}') && cases.contains("&lt;&amp;"), "{cases}");
    let figures = read(&prom);
    assert!(figures.contains("stored_ami_objects{verdict=\"fail\"} 1\n"), "{figures}");
    assert!(
        figures.contains("stored_ami_object_proof_age_seconds{bucket=\"archive\",key=\"p\\\"")
            || figures.contains("key=\"p/\\\"<"),
        "{figures}"
    );
    assert_eq!(figures.matches("stored_ami_object_exit_code{").count(), 6);
    assert!(read(&html).contains("<!DOCTYPE html>"));
    let first = read(&csv).lines().nth(1).unwrap().to_owned();
    assert!(first.contains(&key(3)), "the damaged object is the first row: {first}");
    let case = cases.split("<testcase").nth(1).unwrap();
    assert!(case.contains("<failure"), "and the first case: {case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_what_is_damaged_first_and_the_counts_last() {
    let rig = Rig::with(3).await;
    rig.lab.damage(BUCKET, &key(2), 1, 1).unwrap();
    let mut command = rig.server.command();
    command.args(["audit", "s3://archive", "--level", "bytes"]);
    let run = Run::of(command).await;
    let lines: Vec<&str> = run.assert_exit(1).stdout.lines().collect();
    let damaged = format!("DAMAGED  s3://{BUCKET}/{}  ", key(2));
    assert!(lines[0].starts_with(&damaged), "{}", run.stdout);
    assert!(lines[0].contains("read twice; ") && lines[0].ends_with(" agree"), "one line in a pipe: {}", lines[0]);
    assert_eq!(lines.iter().filter(|line| line.contains("PASS")).count(), 0, "{}", run.stdout);
    assert_eq!(*lines.last().unwrap(), "1 damaged, 2 good (proved), 0 not reached");
    assert!(run.stderr.contains(&format!("damaged: s3://{BUCKET}/{}", key(2))), "named when it is found: {run:?}");
}
