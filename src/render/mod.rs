//! Reports as text and pages for people, and as JSON lines for programs.

mod audit;
mod audit_lines;
mod axis;
mod batch;
mod bench;
mod blocks;
mod charset;
mod compare;
mod condition;
mod content;
mod copy;
mod copy_next;
mod cost;
mod damage;
mod doctor;
mod drill;
mod drill_junit;
mod entries;
mod human;
mod inspect;
mod json;
mod junit;
mod machine;
mod next_step;
mod page;
mod plot;
mod preflight;
mod prometheus;
mod reference;
mod safe;
mod sorted_texts;
mod spool;
mod style;
mod table;
mod task;
mod task_list;
mod thaw;
mod verify;

use std::io::{self, Write};

pub use charset::Charset;
use charset::is_command;
pub use drill_junit::drill_junit;
#[cfg(feature = "parquet")]
pub use entries::entries_parquet;
pub use entries::{EntryRow, entries_csv};
pub use human::Human;
pub use json::{JsonLines, escaped};
pub use junit::{JUnitSuites, junit};
pub use machine::{cell_text, machine_text};
pub use page::{AuditPage, page};
pub use plot::plot;
pub use prometheus::{AuditMetrics, prometheus};
pub use style::{Detail, Label, Style};
pub use table::{AuditTable, table};

pub use crate::ident::shell_word;
use crate::ident::{ascii_command, command_words, is_terminal_control};
use crate::report::{LeftReport, Report};
use crate::units::counted;

/// Writes reports one at a time.
pub trait Renderer {
    /// Writes one report.
    ///
    /// # Errors
    ///
    /// Writing to the output fails.
    fn render(&mut self, report: &Report) -> io::Result<()>;
}

/// Replaces control characters in external text, so that a key, a tag or a message of a server cannot control the
/// terminal.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Names may contain these, so they stay distinguishable.
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_terminal_control(c) => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// Breaks a text at spaces into lines of at most `width` characters; longer words are not broken. A command that fits no
/// line continues behind a backslash, so that a shell takes what is copied.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let lines = joined_to_width(words(text, width).iter().map(String::as_str), width);
    lines.into_iter().flat_map(|line| continued(line, width)).collect()
}

/// A line that is a command, broken between its words if it is longer than `width`.
fn continued(line: String, width: usize) -> Vec<String> {
    if line.chars().count() <= width || !has_command(&line) {
        return vec![line];
    }
    let mut lines = wrap_command(&line, width.saturating_sub(CONTINUED.len()));
    let last = lines.len() - 1;
    lines.iter_mut().take(last).for_each(|line| line.push_str(CONTINUED));
    lines
}

/// Whether a command that is copied as a whole is in the text, between backticks.
fn has_command(text: &str) -> bool {
    text.split('`').skip(1).any(is_command)
}

/// Advice behind an arrow, whose lines are aligned.
fn advised(advice: &str, width: usize) -> Vec<String> {
    let lines = wrap(&printable(advice), width.saturating_sub(2));
    let mark = |index: usize| if index == 0 { "→" } else { " " };
    lines.iter().enumerate().map(|(index, line)| format!("{} {line}", mark(index))).collect()
}

/// The words of a text. What stands between backticks is one word if it fits a line, or if it is a command, which is
/// copied as a whole.
fn words(text: &str, width: usize) -> Vec<String> {
    let mut words = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let changes = word.matches('`').count() % 2 == 1;
        if open.is_empty() && !changes {
            words.push(word.to_owned());
            continue;
        }
        open.push(word);
        if changes && open.len() > 1 {
            let span = open.join(" ");
            match has_command(&span) || span.chars().count() <= width {
                true => words.push(span),
                false => words.extend(open.iter().map(|word| (*word).to_owned())),
            }
            open.clear();
        }
    }
    words.extend(open.iter().map(|word| (*word).to_owned()));
    words
}

/// Writes a label and a value, with wrapped lines aligned.
fn field(out: &mut impl Write, width: usize, indent: usize, label: &str, value: &str) -> io::Result<()> {
    const LABEL: usize = 14;
    let left = indent + LABEL;
    let words = words(value, width.saturating_sub(left));
    let longest = words.iter().map(|word| word.chars().count()).max().unwrap_or(0);
    let has_long_command = words.iter().any(|word| word.chars().count() + left > width && has_command(word));
    // A word that fits a line of its own only is not broken, and a command gets the whole line.
    if longest + left > width && (longest + indent + 2 <= width || has_long_command) {
        writeln!(out, "{:indent$}{label}", "")?;
        let lines = wrap(&printable(value), width - indent - 2);
        return lines.iter().try_for_each(|line| writeln!(out, "{:indent$}  {line}", ""));
    }
    for (index, line) in wrap(&printable(value), width.saturating_sub(left).max(24)).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let text = format!("{:indent$}{label:<LABEL$}{line}", "");
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Writes what a task left behind, and the command that removes it.
fn left_behind(out: &mut impl Write, style: Style, left: &LeftReport) -> io::Result<()> {
    field(out, style.width, 2, "left behind", &format!("{} ({})", left.id, left.state))?;
    command(out, style, "remove it", &left.remove_with)
}

/// Writes a command behind a label. It continues on the next line behind a backslash, so that a shell takes what is
/// copied.
fn command(out: &mut impl Write, style: Style, label: &str, command: &str) -> io::Result<()> {
    const LEFT: usize = 16;
    let text = match style.charset {
        Charset::Utf8 => printable(command),
        Charset::Ascii => ascii_command(&printable(command)),
    };
    let width = style.width.saturating_sub(LEFT + 2 + CONTINUED.len()).max(24);
    let lines =
        if text.chars().count() + LEFT <= style.width { vec![text.clone()] } else { wrap_command(&text, width) };
    if lines.iter().any(|line| line.chars().count() > width) && lines.len() > 1 {
        return below(out, style, label, &text);
    }
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let left = if index == 0 { LEFT - 2 } else { LEFT };
        let end = if index + 1 < lines.len() { CONTINUED } else { "" };
        writeln!(out, "  {label:<left$}{line}{end}")?;
    }
    Ok(())
}

/// Writes a command below its label, for a narrow terminal. The longest word decides how far the lines are indented.
fn below(out: &mut impl Write, style: Style, label: &str, command: &str) -> io::Result<()> {
    let wrapped = |left: usize| wrap_command(command, style.width.saturating_sub(left + CONTINUED.len()));
    let fits =
        |left: &usize| wrapped(*left).iter().all(|line| line.chars().count() + left + CONTINUED.len() <= style.width);
    let deepest = [6, 2].into_iter().find(fits).unwrap_or_default();
    let lines = wrapped(deepest);
    writeln!(out, "  {label}")?;
    lines.iter().enumerate().try_for_each(|(index, line)| {
        let left = if index == 0 { deepest.min(4) } else { deepest };
        let end = if index + 1 < lines.len() { CONTINUED } else { "" };
        writeln!(out, "{:left$}{line}{end}", "")
    })
}

/// The end of a line that continues on the next one, for a POSIX shell.
const CONTINUED: &str = " \\";

/// Breaks a command between its words, an option with its value being one; longer words are not broken.
fn wrap_command(command: &str, width: usize) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for word in command_words(command) {
        match units.last_mut().filter(|last| last.starts_with("--") && !last.contains([' ', '='])) {
            Some(option) if !word.starts_with('-') => *option += &format!(" {word}"),
            _ => units.push(word.to_owned()),
        }
    }
    joined_to_width(units.iter().map(String::as_str), width)
}

/// Joins words with spaces into lines of at most `width` characters; longer words are not broken.
fn joined_to_width<'a>(words: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Writes the lines of a text beside a heading of `left` characters; below it on a narrow terminal. `lines` breaks the
/// text for a width.
fn beside(
    out: &mut impl Write,
    style: Style,
    head: &str,
    left: usize,
    lines: impl Fn(usize) -> Vec<String>,
) -> io::Result<usize> {
    const BELOW: usize = 4;
    if style.width < left + 32 {
        writeln!(out, "{}", head.trim_end())?;
        let lines = lines(style.width.saturating_sub(BELOW));
        lines.iter().try_for_each(|line| writeln!(out, "{:BELOW$}{line}", ""))?;
        return Ok(BELOW);
    }
    for (index, line) in lines(style.width - left).iter().enumerate() {
        if index == 0 {
            writeln!(out, "{head} {line}")?;
        } else {
            writeln!(out, "{:left$}{line}", "")?;
        }
    }
    Ok(left)
}

/// How many checks passed that get no line.
fn folded(out: &mut impl Write, style: Style, passed: usize) -> io::Result<()> {
    match passed {
        0 => Ok(()),
        _ => writeln!(out, "  {}", style.dim(&format!("{} passed (-v shows them)", counted(passed as u64, "check")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_taken_out() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\\nc\u{fffd}d");
        assert_eq!(printable("\u{9b}\u{7f}\u{61c}\u{2028}"), "\u{fffd}".repeat(4));
        let harmless = "ünï – 日本語, שלום, \u{1f980}";
        assert_eq!(printable(harmless), harmless);
    }

    #[test]
    fn commands_continue_behind_a_backslash() {
        let lines = |text: &str| wrap_command(text, 30).join("|");
        let like = "stored-ami verify 's3://b/a b  c' --like s3://OTHER/k --json";
        assert_eq!(lines(like), "stored-ami verify|'s3://b/a b  c'|--like s3://OTHER/k --json");
        let printed = "stored-ami verify \"$(printf 's3://b/a b\\033')\" --like s3://c/k";
        assert_eq!(lines(printed), "stored-ami verify|\"$(printf 's3://b/a b\\033')\"|--like s3://c/k");
        assert_eq!(lines("a 'it'\\''s so' b ccccccccccccccccccccccccc"), "a 'it'\\''s so' b|ccccccccccccccccccccccccc");
        let mut out = Vec::new();
        let style = Style { width: 50, ..Style::PLAIN };
        command(&mut out, style, "older version", "aws s3api list-object-versions --bucket backup --prefix k").unwrap();
        let expected =
            "  older version aws s3api list-object-versions \\\n                  --bucket backup --prefix k\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        command(&mut out, style, "other copy", "stored-ami verify s3://OTHER-BUCKET/x/ami-0123456789abcdef2.bin")
            .unwrap();
        let expected = "  other copy\n  stored-ami verify \\\n  s3://OTHER-BUCKET/x/ami-0123456789abcdef2.bin\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_command_in_a_text_is_one_word() {
        let text = "ask; `stored-ami policy is-stored --bucket b` shows what it needs, and `two words` is short";
        assert_eq!(
            wrap(text, 24),
            [
                "ask;",
                "`stored-ami policy \\",
                "is-stored --bucket b`",
                "shows what it needs, and",
                "`two words` is short"
            ]
        );
        assert_eq!(wrap("an open ` tick and more words", 12), ["an open `", "tick and", "more words"]);
        assert_eq!(wrap("`a long span of a server's words`", 12), ["`a long span", "of a", "server's", "words`"]);
    }

    #[test]
    fn an_arrow_is_never_alone_on_a_line() {
        let lines = advised("`stored-ami thaw s3://backup/ami-0123456789abcdef0.bin` makes it readable", 40);
        assert_eq!(lines, ["→ `stored-ami thaw \\", "  s3://backup/ami-0123456789abcdef0.bin`", "  makes it readable"]);
    }

    #[test]
    fn long_values_wrap_under_themselves() {
        let mut out = Vec::new();
        field(&mut out, 40, 2, "label", "one two three four five six seven").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  label         one two three four five\n                six seven\n"
        );
    }
}
