//! External text in files for other programs.

use crate::ident::is_terminal_control;

/// Escapes characters that other programs cannot handle as `\u` and their hexadecimal code: control characters,
/// characters that change the text direction, and those that XML 1.0 does not allow (production 2, *Char*).
///
/// Unlike [`super::printable`], keeps names distinct that differ only in such characters.
pub fn machine_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_terminal_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}') {
            out += &format!("\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// [`machine_text`] for a cell of a table. A value that a spreadsheet would interpret as a formula is prefixed with an
/// apostrophe, which spreadsheets use to mark text.
pub fn cell_text(text: &str) -> String {
    let text = machine_text(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_harms_is_escaped_and_names_stay_apart() {
        assert_eq!(
            machine_text("a\u{1b}[31m\r\n\u{202e}\u{ffff}\u{fffe}b"),
            "a\\u001b[31m\\u000d\\u000a\\u202e\\uffff\\ufffeb"
        );
        let harmless = "ünï – 日本語, שלום, \u{1f980}\u{fffd} \\ \" < & '";
        assert_eq!(machine_text(harmless), harmless);
        assert_ne!(machine_text("a\u{1}"), machine_text("a\u{2}"));
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@a", "'@a"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("\t=1", "\\u0009=1"),
            ("\r=1", "\\u000d=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(cell_text(cell), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_yields_a_character_that_harms(text in any::<String>()) {
            let out = cell_text(&text);
            let harms = |c| is_terminal_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
            prop_assert!(!out.chars().any(harms), "{}", out);
            prop_assert!(!out.trim_start().starts_with(['=', '+', '-', '@']));
        }
    }
}
