//! What a person reads, held still. To renew: `INSTA_UPDATE=always cargo test --test cli human`.

use crate::hostile::{HOSTILE, assert_tame};
use crate::spoil::spoil_texts;
use serde_json::{Value, json};
use stored_ami::render::{Detail, Human, JsonLines, Renderer, Style, plot};
use stored_ami::report::{Line, Report};

/// Renders JSON lines the way they would have been printed.
fn rendered(lines: &str, width: usize, colour: bool) -> String {
    in_style(lines, Style { colour, width, ..Style::PLAIN })
}

fn in_style(lines: &str, style: Style) -> String {
    let mut out = Vec::new();
    let mut human = Human::new(&mut out, style);
    for line in lines.lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        human.render(&line.report).unwrap();
    }
    String::from_utf8(out).unwrap()
}

const LINES: &str = include_str!("human/lines.jsonl");

#[test]
fn on_a_wide_terminal() {
    insta::assert_snapshot!(rendered(LINES, 100, false));
}

#[test]
fn on_a_narrow_terminal_nothing_is_cut() {
    let text = rendered(LINES, 50, false);
    insta::assert_snapshot!(text);
}

#[test]
fn colours_add_nothing_but_colours() {
    let colourful = rendered(LINES, 100, true);
    let codes = ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[1;33m", "\u{1b}[0m"];
    let plain = codes.iter().fold(colourful.clone(), |text, code| text.replace(code, ""));
    assert_ne!(plain, colourful);
    assert_eq!(plain, rendered(LINES, 100, false));
}

/// Every text of every report, but for words of the program's own, as a server could have written it.
#[test]
fn no_text_of_a_report_drives_the_terminal() {
    let mut spoiled = 0;
    let lines = LINES.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        spoiled += spoil_texts::<Line>(&mut value, HOSTILE);
        value.to_string() + "\n"
    });
    let lines: String = lines.collect();
    assert!(spoiled > 200, "{spoiled} texts");
    for width in [50, 100] {
        let text = rendered(&lines, width, false);
        assert!(text.contains('\u{fffd}'));
        assert_tame(&text);
    }
    let mut json = Vec::new();
    for line in lines.lines() {
        JsonLines::new(&mut json).render(&serde_json::from_str::<Line>(line).unwrap().report).unwrap();
    }
    assert_tame(&String::from_utf8(json).unwrap());
}

#[test]
fn a_name_stays_text_in_a_plot() {
    let mut lines = LINES.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().report);
    let Some(Report::Bench(mut bench)) = lines.find(|report| matches!(report, Report::Bench(_))) else { panic!() };
    bench.target = format!("s3://b/</text><script>alert(1)</script>{HOSTILE}");
    let svg = plot(&bench).unwrap();
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
    assert_tame(&svg);
}

#[test]
fn every_kind_of_line_is_among_them() {
    let kinds: Vec<_> = LINES
        .lines()
        .map(|line| match serde_json::from_str::<Line>(line).unwrap().report {
            Report::Inspect(_) => "inspect",
            Report::Verify(_) => "verify",
            Report::Preflight(_) => "preflight",
            Report::Stored(_) => "stored",
            Report::Task(_) => "task",
            Report::TaskList(_) => "task_list",
            Report::Copy(_) => "copy",
            Report::Compare(_) => "compare",
            Report::Thaw(_) => "thaw",
            Report::Fingerprint(_) => "fingerprint",
            Report::Prove(_) => "prove",
            Report::BatchPlan(_) => "batch_plan",
            Report::BatchJob(_) => "batch_job",
            Report::BatchObject(_) => "batch_object",
            Report::Batch(_) => "batch",
            Report::Drill(_) => "drill",
            Report::Bench(_) => "bench",
            Report::Hashes(_) => "hashes",
            Report::Doctor(_) => "doctor",
            Report::Cost(_) => "cost",
            Report::Audited(_) => "audited",
            Report::AuditedRun(_) => "audited_run",
            Report::AuditedBucket(_) => "audited_bucket",
            Report::Observation(_) => "observation",
            Report::Audit(_) => "audit",
            Report::Safe(_) => "safe",
            Report::LedgerEntry(_) => "ledger_entry",
            Report::Ledger(_) => "ledger",
            Report::Error(_) => "error",
            Report::Summary(_) => "summary",
        })
        .collect();
    let expected = [
        "inspect",
        "verify",
        "verify",
        "verify",
        "preflight",
        "preflight",
        "stored",
        "task",
        "task",
        "task",
        "task_list",
        "task_list",
        "compare",
        "thaw",
        "fingerprint",
        "prove",
        "prove",
        "batch_plan",
        "batch_job",
        "batch_job",
        "batch_object",
        "batch_object",
        "batch",
        "drill",
        "bench",
        "hashes",
        "doctor",
        "cost",
        "audited_bucket",
        "audited",
        "audited",
        "audited_run",
        "observation",
        "audit",
        "safe",
        "ledger_entry",
        "ledger",
        "error",
        "summary",
    ];
    assert_eq!(kinds, expected);
}

/// An object of an audit with one finding.
fn audited(name: &str, check: &str, verdict: &str, exit: u8) -> Value {
    let mut finding = json!({ "check": check, "verdict": verdict, "required": true });
    match verdict {
        "fail" => {
            finding["expected"] = json!("Owner");
            finding["observed"] = json!("found it");
        }
        "unknown" => finding["reason"] = json!({ "code": "unanswered", "detail": "no answer" }),
        _ => {}
    }
    json!({
        "schema": "stored-ami/1", "type": "audited", "target": format!("s3://b/{name}"), "verdict": verdict,
        "examined": "bytes", "findings": [finding], "requests": 1, "received_bytes": 1, "elapsed_seconds": 0.1,
        "exit_code": exit,
    })
}

fn damaged() -> Value {
    let mut object = audited("ami-7.bin", "sha256", "fail", 1);
    object["parts"] = json!(6);
    let damage = json!({
        "part": 2, "offset_bytes": 8_388_608, "length_bytes": 8_388_608, "expected": "VALUE-E", "observed": "VALUE-O",
    });
    object["findings"] = json!([
        { "check": "sha256", "verdict": "fail", "required": true, "reads": 2, "damage": [damage], "observed": "OTHER" },
        { "check": "etag", "verdict": "fail", "required": true, "reads": 2, "observed": "OTHER" },
    ]);
    object
}

fn audit_of(objects: &[Value], style: Style) -> String {
    let end = LINES.lines().find(|line| line.contains("\"type\": \"audit\"")).unwrap();
    let mut end: Value = serde_json::from_str(end).unwrap();
    end["still_good"] = json!(0);
    let lines: String = objects.iter().chain([&end]).map(|line| format!("{line}\n")).collect();
    in_style(&lines, style)
}

#[test]
fn an_audit_is_in_the_order_of_severity_and_not_of_arrival() {
    let objects = [
        audited("ami-1.bin", "proof", "pass", 0),
        audited("ami-2.bin", "proof", "unknown", 3),
        audited("ami-3.bin", "tags", "fail", 1),
        audited("ami-4.bin", "unchanged", "fail", 1),
        audited("ami-5.bin", "present", "fail", 1),
        audited("ami-6.bin", "proof", "pass", 0),
        damaged(),
    ];
    let style = Style::PLAIN;
    let text = audit_of(&objects, style);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        lines[..5],
        [
            "DAMAGED  s3://b/ami-7.bin  bytes 8,388,608–16,777,215 (part 2 of 6), read twice; sha256, etag agree",
            "MISSING  s3://b/ami-5.bin  found it",
            "REPLACED s3://b/ami-4.bin  found it",
            "POLICY   s3://b/ami-3.bin  tags: found it",
            "UNKNOWN  s3://b/ami-2.bin  not known: no answer",
        ],
        "{text}"
    );
    let last = "1 damaged, 1 missing, 1 replaced, 1 without tag Owner, 1 unknown, 2 good (proved), 0 not reached";
    assert_eq!(*lines.last().unwrap(), last);
    assert!(!text.contains("VALUE") && !text.contains("ami-1.bin"), "{text}");
    let full = audit_of(&objects, Style { detail: Detail::Full, ..style });
    let position = |name: &str| full.find(name).unwrap_or_else(|| panic!("{name} in {full}"));
    assert!(position("DAMAGED  s3://b/ami-7") < position("PASS     s3://b/ami-1"));
}

#[test]
fn lines_beyond_the_limit_are_counted() {
    let objects: Vec<Value> = (0..503).map(|at| audited(&format!("ami-{at}.bin"), "proof", "unknown", 3)).collect();
    let style = Style::PLAIN;
    let text = audit_of(&objects, style);
    assert_eq!(text.matches("UNKNOWN  s3://").count(), 500);
    assert!(text.contains("… and 3 more: unknown (all of them in --json and --csv)\n"), "{text}");
    assert_eq!(text.lines().last().unwrap(), "503 unknown, 0 good (proved), 0 not reached");
}
