/// A server's message as part of a sentence: one line, without control characters and marks of text direction. `None`
/// if it only repeats the code, is HTML, or is empty.
pub(super) fn said(message: Option<&str>, code: Option<&str>) -> Option<String> {
    // Messages of EC2 may contain an encoded reason of some kilobytes.
    const LONGEST: usize = 8 << 10;
    let line = one_line(message?);
    let line = line.trim_matches(['.', ' ', '·']).to_owned();
    let empty = ["", "none", "null", "nil", "undefined", "unknown", "error"];
    if line.starts_with('<') || empty.iter().any(|word| line.eq_ignore_ascii_case(word)) {
        return None;
    }
    // `X: X` says no more than `X`.
    let line = match line.split_once(": ") {
        Some((one, other)) if one == other => one.to_owned(),
        _ => line,
    };
    let bare = line.replace(' ', "");
    if code.is_some_and(|code| code.eq_ignore_ascii_case(&bare)) {
        return None;
    }
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => Some(format!("{}…", line.get(..at).unwrap_or_default())),
        None => Some(line),
    }
}

/// Replaces white space by one space, and control characters by a dot that shows their position.
fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    let mut gap = None;
    for c in message.chars() {
        if c.is_control() && !c.is_whitespace() || is_mark(c) {
            gap = Some('·');
        } else if c.is_whitespace() {
            gap = gap.or(Some(' '));
        } else {
            line.extend(gap.take());
            line.push(c);
        }
    }
    line
}

/// The replacement character, line separators, and characters that change the direction of text.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error code of a server: one word, or `None`.
pub(super) fn code(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let none = ["none", "null", "nil"].iter().any(|word| text.eq_ignore_ascii_case(word));
    (!text.is_empty() && !none && text.len() <= 100 && text.chars().all(word)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_part_of_a_sentence() {
        for (message, code, shown) in [
            ("Access Denied", "AccessDenied", None),
            ("Access Denied", "Other", Some("Access Denied")),
            ("Two\n  lines\u{202e}\u{7}.", "X", Some("Two lines")),
            ("a\u{1b}[2J\r\n\u{202e} b", "X", Some("a·[2J·b")),
            ("DescribeX", "DescribeX", None),
            ("DescribeX: DescribeX", "DescribeX", None),
            ("bad: bad", "X", Some("bad")),
            ("None", "X", None),
            (" null ", "X", None),
            ("", "X", None),
            ("<html><body>no</body></html>", "X", None),
            ("caf\u{fffd} closed", "X", Some("caf·closed")),
        ] {
            assert_eq!(said(Some(message), Some(code)).as_deref(), shown, "{message:?}");
        }
        assert_eq!(said(None, None), None);
        assert_eq!(said(Some(&"ü".repeat(10_000)), None).map(|line| line.chars().count()), Some((8 << 10) + 1));
        for (text, shown) in [("None", None), ("", None), (" SlowDown ", Some("SlowDown")), ("a b", None)] {
            assert_eq!(code(Some(text)).as_deref(), shown);
        }
    }
}
