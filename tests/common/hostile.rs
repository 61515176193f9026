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
