//! What a person reads, held still. To renew: `INSTA_UPDATE=always cargo test --release --test human`.

use stored_ami::render::{Human, Renderer, Style};
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

#[test]
fn control_characters_of_a_server_do_not_reach_the_terminal() {
    let hostile = LINES.replace("backup", "back\\u001b]0;title\\u0007up");
    assert!(!rendered(&hostile, 100, false).contains(['\u{1b}', '\u{7}']));
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
            Report::Bench(_) => "bench",
            Report::Hashes(_) => "hashes",
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
        "error",
        "summary",
    ];
    assert_eq!(kinds, expected);
}
