//! What a person reads, held still. To renew: `INSTA_UPDATE=always cargo test --release --test human`.

#[path = "common/hostile.rs"]
mod hostile;
#[path = "common/spoil.rs"]
mod spoil;

use hostile::{HOSTILE, assert_tame};
use serde_json::Value;
use spoil::spoil_texts;
use stored_ami::render::{Human, JsonLines, Renderer, Style, plot};
use stored_ami::report::{Line, Report};

/// Renders JSON lines the way they would have been printed.
fn rendered(lines: &str, width: usize, colour: bool) -> String {
    let mut out = Vec::new();
    let mut human = Human::new(&mut out, Style { colour, width });
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
        JsonLines(&mut json).render(&serde_json::from_str::<Line>(line).unwrap().report).unwrap();
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
            Report::Copy(_) => "copy",
            Report::Bench(_) => "bench",
            Report::Hashes(_) => "hashes",
            Report::Cost(_) => "cost",
            Report::Audited(_) => "audited",
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
        "bench",
        "hashes",
        "cost",
        "audited_bucket",
        "audited",
        "audited",
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
