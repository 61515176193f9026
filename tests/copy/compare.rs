//! `compare`: by what is stated, and by the bytes.

#[path = "../common/aws.rs"]
mod aws;

use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use serde_json::Value;
use stored_ami::commands::compare::{CompareRequest, compare};
use stored_ami::plan::Budget;
use stored_ami::report::CompareReport;
use stored_ami::source::s3::{Connection, S3Options};
use stored_ami::{CancellationToken, Context, Session};
use stored_ami_lab::{Deny, Fault, FaultRule, Lab, LabOptions, Operation, RestoreState};

use self::aws::AsAws;
use crate::common::{Run, bare_command, data, write};
use crate::rig::{FROM, KEY, Rig, TO};

const CRC32C_OF_PARTS: Option<(ChecksumAlgorithm, ChecksumType)> =
    Some((ChecksumAlgorithm::Crc32C, ChecksumType::Composite));

/// `compare` between the two profiles, with `--json`.
async fn run(rig: &Rig, args: &[&str]) -> Run {
    rig.from.clear_calls();
    rig.to.clear_calls();
    let mut command = bare_command();
    command
        .env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["compare", "--json"])
        .args(crate::rig::profiles(args))
        .args(args);
    Run::of(command).await
}

async fn compared(rig: &Rig, args: &[&str]) -> Run {
    run(rig, &[&[FROM, TO], args].concat()).await
}

fn operations(lab: &Lab) -> Vec<Operation> {
    lab.calls().into_iter().map(|call| call.operation).collect()
}

/// What a comparison shows.
fn shows(run: &Run, check: &str) -> String {
    let report = run.report();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.map_or("absent".to_owned(), |finding| finding["outcome"].as_str().unwrap().to_owned())
}

fn part(report: &Value, name: &str) -> (u64, u64, u64) {
    let part = &report["first_difference"][name];
    let number = |name: &str| part[name].as_u64().unwrap();
    (number("part"), number("of"), number("offset_bytes"))
}

async fn upload(rig: &Rig, bytes: &[u8], of_a: usize, of_b: usize) {
    rig.source.multipart("archive", KEY, &bytes.chunks(of_a).collect::<Vec<_>>(), None).await;
    rig.destination.multipart("gov-archive", KEY, &bytes.chunks(of_b).collect::<Vec<_>>(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_checksums_are_stated_and_no_proof() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    upload(&rig, &bytes, 300_000, 400_000).await;
    let same = compared(&rig, &[]).await;
    let report = same.assert_exit(0).report();
    assert_eq!((&report["outcome"], &report["basis"]), (&"same".into(), &"stated".into()));
    assert_eq!((shows(&same, "checksum"), shows(&same, "etag")), ("same".into(), "unknown".into()));
    assert_ne!(report["a"]["identity"]["etag"], report["b"]["identity"]["etag"]);
    assert_eq!(report["stats"]["requests"], 2);
    for lab in [&rig.from, &rig.to] {
        assert_eq!(operations(lab), [Operation::HeadObject]);
    }
    assert_eq!(report["b"]["profile"], "gov");

    rig.destination.put("gov-archive", KEY, &data(2, 1_000_000), None).await;
    let other = compared(&rig, &[]).await;
    assert_eq!(other.assert_exit(1).report()["next_steps"], serde_json::json!(["verify_both"]));
    assert_eq!(shows(&other, "checksum"), "different");

    rig.destination.put("gov-archive", KEY, &bytes[1..], None).await;
    let shorter = compared(&rig, &["--read"]).await;
    assert_eq!(shorter.assert_exit(1).report()["stats"]["received_bytes"], 0);
    assert_eq!((shows(&shorter, "size"), shows(&shorter, "checksum")), ("different".into(), "absent".into()));
    assert_eq!(operations(&rig.to), [Operation::HeadObject]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_stated_is_read() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    upload(&rig, &bytes, 300_000, 400_000).await;
    let parts: Vec<&[u8]> = bytes.chunks(250_000).collect();
    rig.destination.multipart("gov-archive", KEY, &parts, CRC32C_OF_PARTS).await;
    let open = compared(&rig, &[]).await;
    let report = open.assert_exit(3).report();
    assert_eq!((&report["outcome"], &report["next_steps"]), (&"unknown".into(), &serde_json::json!(["read"])));
    let detail = report["findings"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("crc64nvme of A, crc32c over parts of B"), "{detail}");

    let same = compared(&rig, &["--read"]).await;
    let report = same.assert_exit(0).report();
    assert_eq!((&report["basis"], shows(&same, "bytes")), (&"read".into(), "same".into()));
    assert_eq!(report["stats"]["received_bytes"], 2_000_000);
    for lab in [&rig.from, &rig.to] {
        let calls = lab.calls();
        let reads: Vec<_> = calls.iter().filter(|call| call.operation == Operation::GetObject).collect();
        assert!(!reads.is_empty() && reads.iter().all(|call| call.if_match.is_some()), "{reads:?}");
        assert_eq!(calls.last().map(|call| call.operation), Some(Operation::HeadObject), "changed meanwhile?");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_difference_is_placed_in_both() {
    let rig = Rig::new().await;
    let bytes = data(1, 20_000_000);
    upload(&rig, &bytes, 6_000_000, 7_000_000).await;
    for offset in [9_000_005, 9_000_009, 19_000_000] {
        rig.to.damage("gov-archive", KEY, offset, 1).unwrap();
    }
    let stated = compared(&rig, &[]).await;
    stated.assert_exit(0);
    let run = compared(&rig, &["--read"]).await;
    let report = run.assert_exit(1).report();
    let first = &report["first_difference"];
    assert_eq!(first["offset_bytes"], 9_000_005);
    assert_eq!((part(&report, "a_part"), part(&report, "b_part")), ((2, 4, 3_000_005), (2, 3, 2_000_005)));
    assert_eq!((&first["differing_pieces"], &first["pieces"]), (&2.into(), &3.into()));
    // Three pieces, and the second one again.
    assert_eq!(report["stats"]["received_bytes"], 2 * (20_000_000 + 8_388_608));
    let notes = report["notes"].to_string();
    assert!(notes.contains("contradicts their bytes"), "{notes}");
    // A file is compared in the same way.
    let file = write(rig.home.path(), "copy.bin", &bytes);
    let run = self::run(&rig, &[&file, TO, "--read"]).await;
    let report = run.assert_exit(1).report();
    assert_eq!((&report["first_difference"]["offset_bytes"], part(&report, "b_part").0), (&9_000_005.into(), 2));
    assert_eq!(report["first_difference"]["a_part"]["of"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_transfer_is_no_difference() {
    let rig = Rig::new().await;
    upload(&rig, &data(1, 1_000_000), 300_000, 300_000).await;
    let flip = Fault::FlipOnWire { offset: 500_000, mask: 1 };
    rig.to.script(FaultRule::new(Operation::GetObject, flip).at_byte(500_000));
    let run = compared(&rig, &["--read"]).await;
    let report = run.assert_exit(3).report();
    let detail = report["findings"].as_array().unwrap().last().unwrap()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("unstable") && detail.contains("second read of B"), "{detail}");
    assert!(report.get("first_difference").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connections_and_replaced_objects() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    upload(&rig, &bytes, 300_000, 300_000).await;
    rig.from.script(FaultRule::new(Operation::GetObject, Fault::ResetAfter(400_000)));
    compared(&rig, &["--read"]).await.assert_exit(0);
    rig.to.damage("gov-archive", KEY, 700_000, 1).unwrap();
    // The second read breaks, too.
    rig.to.script(FaultRule::new(Operation::GetObject, Fault::ResetAfter(400_000)).skip(1));
    let run = compared(&rig, &["--read"]).await;
    assert_eq!(run.assert_exit(1).report()["first_difference"]["offset_bytes"], 700_000);

    rig.to.script(FaultRule::new(Operation::GetObject, Fault::ReplaceObject));
    let run = compared(&rig, &["--read"]).await;
    let report = run.assert_exit(3).report();
    assert!(report["findings"].to_string().contains("B: "), "{report:#}");
    assert!(report.get("first_difference").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_its_object() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    upload(&rig, &bytes, 300_000, 300_000).await;
    let file = write(rig.home.path(), "copy.bin", &bytes);
    let stated = run(&rig, &[&file, TO]).await;
    assert_eq!(stated.assert_exit(3).report()["next_steps"], serde_json::json!(["read"]));
    assert!(rig.from.calls().is_empty());
    run(&rig, &[&file, TO, "--read"]).await.assert_exit(0);
    run(&rig, &[FROM, &file, "--read"]).await.assert_exit(0);
    let other = write(rig.home.path(), "other.bin", &data(2, 1_000_000));
    let files = run(&rig, &[&file, &other, "--read"]).await;
    assert_eq!(files.assert_exit(1).report()["first_difference"]["offset_bytes"], 0);
    let empty = ["one", "two"].map(|name| write(rig.home.path(), name, b""));
    run(&rig, &[&empty[0], &empty[1]]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_send_nothing() {
    let rig = Rig::new().await;
    upload(&rig, &data(1, 1000), 1000, 1000).await;
    let file = write(rig.home.path(), "copy.bin", b"x");
    for (args, words) in [
        (&[FROM][..], "<B>"),
        (&[FROM, "s3://"], "s3://"),
        (&[FROM, "archive/nothing.bin"], "no such file"),
        (&[FROM, TO, "--from-expected-bucket-owner", "me"], "twelve digits"),
        (&[FROM, TO, "--to-sse-c-key-file", &file], "32 bytes"),
        (&[FROM, TO, "--max-memory", "1MiB"], "--max-memory"),
        (&[&file, &file], "the same object"),
        (
            &[
                FROM,
                "https://b.s3.amazonaws.com/k?X-Amz-Signature=s&X-Amz-Credential=c&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host",
            ],
            "presigned",
        ),
    ] {
        let run = run(&rig, args).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(words), "{args:?}: {run:?}");
        assert!(rig.from.calls().is_empty() && rig.to.calls().is_empty(), "{args:?}");
    }
    let mut command = rig.source.command();
    command.args(["compare", FROM, FROM]);
    let run = Run::of(command).await;
    assert!(run.assert_exit(2).stderr.contains("the same object"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_examined_is_named() {
    let rig = Rig::new().await;
    upload(&rig, &data(1, 1_000_000), 300_000, 300_000).await;
    let missing = run(&rig, &[FROM, "s3://gov-archive/nothing.bin"]).await;
    let report = missing.assert_exit(4).report();
    assert_eq!((&report["type"], &report["target"]), (&"error".into(), &"s3://gov-archive/nothing.bin".into()));
    rig.from.deny(Deny::action("s3:GetObject"));
    let denied = compared(&rig, &["--read"]).await;
    assert_eq!(denied.assert_exit(4).report()["target"], FROM);
    rig.from.allow_all();
    // Facts may be known, and bytes may not.
    rig.to.script(FaultRule::new(Operation::GetObject, Fault::Status { status: 403, code: "AccessDenied" }).times(9));
    let unreadable = compared(&rig, &["--read"]).await;
    let report = unreadable.assert_exit(3).report();
    assert!(report["findings"].to_string().contains("B: "), "{report:#}");
    rig.config(&rig.profiles().replace(&rig.to.endpoint(), "http://127.0.0.1:1"));
    let offline = compared(&rig, &[]).await;
    assert_eq!(offline.assert_exit(4).report()["target"], TO);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_object_is_not_read() {
    let rig = Rig::new().await;
    upload(&rig, &data(1, 1_000_000), 300_000, 400_000).await;
    rig.to.with_object("gov-archive", KEY, |object| object.storage_class = "DEEP_ARCHIVE".to_owned()).unwrap();
    compared(&rig, &[]).await.assert_exit(0);
    let archived = compared(&rig, &["--read"]).await;
    let report = archived.assert_exit(3).report();
    assert_eq!(report["next_steps"], serde_json::json!(["thaw_b", "read"]));
    assert!(!operations(&rig.from).contains(&Operation::GetObject));
    let expires = "2100-01-01T00:00:00Z".parse().unwrap();
    rig.to.with_object("gov-archive", KEY, |object| object.restore = Some(RestoreState::Done { expires })).unwrap();
    compared(&rig, &["--read"]).await.assert_exit(0);
}

/// Compares two objects of a lab that counts as AWS. Returns the report, and the number of requests of each kind.
async fn as_aws(lab: &Lab, keys: [&str; 2]) -> CompareReport {
    let options = S3Options {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(lab.endpoint()),
        no_sign_request: true,
        ..S3Options::default()
    };
    let connection = Connection::open(options).await.unwrap();
    let session = |key: &str| {
        let object = connection.object(format!("s3://archive/{key}").parse().unwrap());
        Session::new(Arc::new(AsAws(Arc::new(object))), Context::default())
    };
    lab.clear_calls();
    let request = CompareRequest { read: false, budget: Budget::default() };
    compare(&session(keys[0]), &session(keys[1]), &request, &CancellationToken::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_etags_decide_over_the_same_parts() {
    use stored_ami::copy::Likeness::{Different, Same, Unknown};
    let rig = Rig::with(LabOptions { default_checksum: false, ..LabOptions::default() }).await;
    let (bytes, others) = (data(1, 1_000_000), data(2, 1_000_000));
    let uneven: Vec<&[u8]> = vec![&bytes[..200_000], &bytes[200_000..700_000], &bytes[700_000..]];
    for (key, bytes, part) in
        [("a", &bytes, 400_000), ("b", &bytes, 400_000), ("c", &others, 400_000), ("d", &bytes, 300_000)]
    {
        rig.source.multipart("archive", key, &bytes.chunks(part).collect::<Vec<_>>(), None).await;
    }
    rig.source.multipart("archive", "uneven", &uneven, None).await;
    for (key, bytes) in [("one", &bytes), ("same", &bytes), ("other", &others)] {
        rig.source.put("archive", key, bytes, None).await;
    }
    let heads = |lab: &Lab| {
        let part = |call: &stored_ami_lab::CallRecord| call.query.contains("partNumber");
        let calls = lab.calls();
        let heads: Vec<_> = calls.iter().filter(|call| call.operation == Operation::HeadObject).collect();
        assert!(!calls.iter().any(|call| call.operation == Operation::GetObject));
        (heads.iter().filter(|call| !part(call)).count(), heads.iter().filter(|call| part(call)).count())
    };
    for (keys, expected, asked) in [
        // One part each shows that the parts are of one size.
        (["a", "b"], Same, (2, 2)),
        // Every part is asked before ETags over parts are called different.
        (["a", "c"], Different, (2, 2 + 6)),
        (["a", "uneven"], Unknown, (2, 2 + 3)),
        (["a", "d"], Unknown, (2, 0)),
        (["a", "one"], Unknown, (2, 0)),
        (["one", "same"], Same, (2, 0)),
        (["one", "other"], Different, (2, 0)),
    ] {
        let report = as_aws(&rig.from, keys).await;
        assert_eq!((report.outcome, heads(&rig.from)), (expected, asked), "{keys:?}: {report:#?}");
    }
    // The same server without that documentation.
    for key in ["b", "c"] {
        let mut command = rig.source.command();
        command.args(["compare", "--json", "s3://archive/a", &format!("s3://archive/{key}")]);
        let run = Run::of(command).await;
        run.assert_exit(3);
        assert!(run.report()["findings"].to_string().contains("not on a server of AWS"), "{run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_says_what_it_rests_on() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    upload(&rig, &bytes, 300_000, 400_000).await;
    let text = async |args: &[&str]| {
        let mut command = bare_command();
        command.env("AWS_CONFIG_FILE", rig.home.path().join("config"));
        command.args(["compare", FROM, TO, "--from-profile", "commercial", "--to-profile", "gov"]).args(args);
        Run::of(command).await.stdout
    };
    let stated = text(&[]).await;
    assert!(
        stated.contains("SAME    S3 states the same values for both; no byte was read, so this is not a proof"),
        "{stated}"
    );
    let read = text(&["--read"]).await;
    assert!(read.contains("SAME    every byte of both was read, and they are the same"), "{read}");
    rig.to.damage("gov-archive", KEY, 700_000, 1).unwrap();
    let different = text(&["--read"]).await;
    for words in [
        "DIFFERENT the bytes differ from byte 700,000 on",
        "in A          part 3 of 4 (assumed), byte 100,000 of the part",
        "in B          part 2 of 3 (assumed), byte 300,000 of the part",
        "stored-ami verify s3://gov-archive/ami-0123456789abcdef0.bin --profile gov",
    ] {
        assert!(different.contains(words), "{words}: {different}");
    }
}
