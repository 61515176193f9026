//! Text that would control a terminal, and a check of the output.

/// Sets the title, rings the bell, clears the screen by both kinds of CSI, reverses the text direction, and forges a
/// line.
pub const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}2J\u{8}\u{7f}\u{202e}\u{2066}\u{61c}\u{2028}\r\nFORGED";

/// Checks that the text contains no control characters except the line breaks of the program.
pub fn assert_tame(text: &str) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<char> = text.chars().filter(|c| acts(*c)).collect();
    assert!(found.is_empty(), "{found:?} in {text:?}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("FORGED"));
    assert!(forged.is_none(), "{forged:?} in {text}");
}

/// Appends `text` to every string of a report in which it may stand. Values of closed sets refuse it: the report could
/// not be read. Returns the number of strings that were changed.
pub fn spoil_texts<T: serde::de::DeserializeOwned>(report: &mut serde_json::Value, text: &str) -> usize {
    let mut pointers = Vec::new();
    strings(report, String::new(), &mut pointers);
    let mut spoiled = 0;
    for pointer in pointers {
        let there = report.pointer_mut(&pointer).unwrap();
        let old = there.take();
        *there = format!("{}{text}", old.as_str().unwrap()).into();
        if serde_json::from_value::<T>(report.clone()).is_ok() {
            spoiled += 1;
        } else {
            *report.pointer_mut(&pointer).unwrap() = old;
        }
    }
    spoiled
}

fn strings(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(_) => found.push(at),
        Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| strings(value, format!("{at}/{index}"), found))
        }
        Object(fields) => {
            for (name, value) in fields {
                strings(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}
