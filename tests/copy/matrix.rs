//! Faults × side × moment, with a sound source and with one that is damaged at rest. `docs/trust.md` has the counts, and a
//! test keeps them equal.
#![allow(clippy::print_stdout, reason = "says how many cases ran")]

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Fault, FaultRule, Operation};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::common::data;
use crate::rig::{KEY, Rig, report};

/// Copies at the same time.
const AT_A_TIME: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Source,
    Destination,
}

/// What must become of a copy of a sound source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expected {
    Made,
    NotMade,
    /// Either; only the bytes count.
    Either,
}

#[derive(Debug, Clone)]
struct Case {
    side: Side,
    rule: FaultRule,
    fault: Fault,
    moment: &'static str,
    expected: Expected,
    damaged: bool,
}

fn status(status: u16, code: &'static str) -> Fault {
    Fault::Status { status, code }
}

fn transient() -> [Fault; 5] {
    [Fault::Dropped, Fault::AnswerLost, status(503, "SlowDown"), status(500, "InternalError"), Fault::SlowDownInside200]
}

fn at_destination() -> Vec<Case> {
    use Expected::{Either, Made, NotMade};
    use Operation::{CompleteMultipartUpload as Complete, CreateMultipartUpload as Create, HeadObject, UploadPart};
    let mut cases = Vec::new();
    let mut add = |operation, skip, moment, fault: Fault, always: bool, expected| {
        let rule = FaultRule::new(operation, fault.clone()).skip(skip);
        let rule = if always { rule.always() } else { rule };
        cases.push(Case { side: Side::Destination, rule, fault, moment, expected, damaged: false });
    };
    let parts = [(0, "first part"), (2, "third part"), (3, "fourth part")];
    for fault in transient() {
        // An upload may have been begun, so it is not begun again.
        add(Create, 0, "begin", fault.clone(), false, NotMade);
        for (skip, moment) in parts {
            // A part has no body in its answer.
            let inside = if fault == Fault::SlowDownInside200 { Either } else { Made };
            add(UploadPart, skip, moment, fault.clone(), false, inside);
        }
        add(Complete, 0, "end", fault.clone(), false, Made);
        if fault != Fault::SlowDownInside200 {
            for (skip, moment) in [(0, "HEAD before"), (1, "HEAD before the end"), (2, "HEAD after")] {
                add(HeadObject, skip, moment, fault.clone(), false, Made);
            }
        }
    }
    for fault in [status(403, "AccessDenied"), status(400, "ExpiredToken"), status(400, "BadDigest")] {
        add(Create, 0, "begin", fault.clone(), false, NotMade);
        for (skip, moment) in parts {
            add(UploadPart, skip, moment, fault.clone(), true, NotMade);
        }
        add(Complete, 0, "end", fault.clone(), true, NotMade);
    }
    for (skip, moment) in parts {
        add(UploadPart, skip, moment, status(404, "NoSuchUpload"), false, NotMade);
        add(UploadPart, skip, moment, Fault::OtherETag("0".repeat(32)), false, NotMade);
        add(UploadPart, skip, moment, Fault::HeaderAbsent("etag"), false, NotMade);
        add(UploadPart, skip, moment, Fault::HeaderAbsent("x-amz-checksum-crc32c"), false, Made);
    }
    add(Complete, 0, "end", status(404, "NoSuchUpload"), false, NotMade);
    add(Complete, 0, "end", status(412, "PreconditionFailed"), false, NotMade);
    add(Complete, 0, "end", status(409, "ConditionalRequestConflict"), false, Made);
    add(Complete, 0, "end", status(409, "ConditionalRequestConflict"), true, NotMade);
    add(Complete, 0, "end", Fault::ConditionsIgnored, true, Made);
    cases
}

fn at_source() -> Vec<Case> {
    use Expected::{Either, Made, NotMade};
    let moments = [(0, "first range"), (500_000, "middle range"), (999_999, "last range")];
    let mut cases = Vec::new();
    for (offset, moment) in moments {
        let mut add = |fault: Fault, always: bool, expected| {
            let rule = FaultRule::new(Operation::GetObject, fault.clone()).at_byte(offset);
            let rule = if always { rule.always() } else { rule };
            cases.push(Case { side: Side::Source, rule, fault, moment, expected, damaged: false });
        };
        for fault in [
            Fault::Dropped,
            Fault::AnswerLost,
            status(503, "SlowDown"),
            status(500, "InternalError"),
            Fault::ResetAfter(1000),
            Fault::CloseAfter(1000),
            Fault::EndEarly(1000),
        ] {
            add(fault, false, Made);
        }
        // An answer that contradicts itself is not asked for again.
        add(Fault::TooShort(10), false, NotMade);
        add(status(403, "AccessDenied"), true, NotMade);
        add(status(400, "ExpiredToken"), true, NotMade);
        add(Fault::FlipOnWire { offset: 10, mask: 4 }, false, Either);
        add(Fault::FlipOnWire { offset: 10, mask: 4 }, true, NotMade);
        add(Fault::ReplaceObject, false, Either);
        add(Fault::DeleteObject, false, Either);
        add(Fault::OtherETag("f".repeat(32)), false, Either);
        add(Fault::RangeIgnored, false, Either);
    }
    cases
}

/// All cases: each with a sound source, and with a damaged one that must never be copied.
fn all() -> Vec<Case> {
    let sound = at_source().into_iter().chain(at_destination());
    let both = sound.flat_map(|case| {
        let damaged = Case { damaged: true, expected: Expected::NotMade, ..case.clone() };
        [case, damaged]
    });
    both.collect()
}

/// Runs a case. Returns what is wrong.
async fn wrong(case: &Case) -> Option<String> {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    rig.source.multipart("archive", KEY, &parts, Some((ChecksumAlgorithm::Crc32C, ChecksumType::Composite))).await;
    if case.damaged {
        rig.from.damage("archive", KEY, 700_000, 1).unwrap();
    }
    let lab = if case.side == Side::Source { &rig.from } else { &rig.to };
    lab.script(case.rule.clone());
    let run = rig.copy(&["--yes"]).await;
    lab.clear_script();
    let made = rig.has(KEY).await;
    if made && rig.bytes(KEY).await != bytes {
        return Some(format!("AN OBJECT WITH A WRONG BYTE: {run:?}"));
    }
    let (passed, left) = (run.exit == Some(0), rig.uploads().await);
    let says = run.stdout.contains("an upload without parts may be left") || {
        run.lines().len() >= 2 && report(&run)["left_behind"] != serde_json::json!([])
    };
    let as_expected = match case.expected {
        Expected::Made => made && passed,
        Expected::NotMade => !made && !passed,
        Expected::Either => made || !passed,
    };
    match () {
        () if !as_expected => Some(format!("made: {made}, exit {:?}: {run:?}", run.exit)),
        () if left > 0 && !says => Some(format!("an upload is left without a word: {run:?}")),
        () => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_makes_an_object_with_a_wrong_byte() {
    let gate = Arc::new(Semaphore::new(AT_A_TIME));
    let mut running = JoinSet::new();
    for case in all() {
        let gate = Arc::clone(&gate);
        running.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            wrong(&case).await.map(|why| {
                let why: String = why.chars().take(4000).collect();
                format!(
                    "{:?}, {}, {} (damaged: {}), expected {:?}: {why}\n",
                    case.side, case.fault, case.moment, case.damaged, case.expected
                )
            })
        });
    }
    let (mut cases, mut wrong) = (0, Vec::new());
    while let Some(done) = running.join_next().await {
        cases += 1;
        wrong.extend(done.unwrap());
    }
    println!("{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases went wrong:\n{}", wrong.len(), wrong.concat());
}

const PAGE: &str = "docs/trust.md";
const BEGIN: &str = "<!-- copy-faults -->\n";
const END: &str = "<!-- /copy-faults -->\n";

/// The table of the page.
fn table() -> String {
    let mut rows: BTreeMap<(Side, String), [usize; 4]> = BTreeMap::new();
    for case in all() {
        let row = rows.entry((case.side, case.fault.to_string())).or_default();
        let column = match (case.damaged, case.expected) {
            (true, _) => 3,
            (false, Expected::Made) => 0,
            (false, Expected::NotMade) => 1,
            (false, Expected::Either) => 2,
        };
        row[column] += 1;
    }
    let mut text = String::from(
        "| side | fault | the object is made | it is not made | either, with the right bytes | damaged source: not made |\n\
         |---|---|---|---|---|---|\n",
    );
    for ((side, fault), counts) in rows {
        let side = if side == Side::Source { "source" } else { "destination" };
        let cells = counts.map(|count| if count == 0 { String::new() } else { count.to_string() });
        text += &format!("| {side} | {fault} | {} |\n", cells.join(" | "));
    }
    text + &format!("\n{} cases in all.\n", all().len())
}

#[test]
fn the_page_has_the_counts() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let right = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, right).unwrap();
        return;
    }
    assert!(page == right, "renew {PAGE}: UPDATE_DOCS=1 cargo test --test copy the_page");
}
