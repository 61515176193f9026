use super::Charset;
use crate::ident::{ascii_command, shell_word};
use crate::verdict::Verdict;

/// The word at the start of a line: a verdict, or another word in the colour of one.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    word: &'a str,
    colour_of: Verdict,
}

impl<'a> Label<'a> {
    /// A word that is not a verdict.
    pub const fn new(word: &'a str, colour_of: Verdict) -> Self {
        Label { word, colour_of }
    }
}

impl From<Verdict> for Label<'_> {
    fn from(verdict: Verdict) -> Self {
        Label { word: verdict.name(), colour_of: verdict }
    }
}

/// How much to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What is wrong or unknown, without notes.
    Quiet,
    /// What is wrong or unknown. What is in order is counted.
    #[default]
    Brief,
    /// Every check, with the expected and the found values.
    Full,
}

/// Colours, or none, how much to print, and in which characters. Meaning is always in the words too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Characters per line; [`Style::UNBOUNDED`] where lines are not wrapped.
    pub width: usize,
    /// How much to print.
    pub detail: Detail,
    /// The characters to print.
    pub charset: Charset,
}

impl Style {
    /// The width of pipes and files, whose readers wrap lines themselves or search in whole lines.
    pub const UNBOUNDED: usize = usize::MAX;

    /// What is wrong or unknown, without colours and wrapping.
    pub const PLAIN: Style =
        Style { colour: false, width: Style::UNBOUNDED, detail: Detail::Brief, charset: Charset::Utf8 };

    /// The name of a target, as one word of a shell.
    pub(super) fn word(self, target: &str) -> String {
        match self.charset {
            Charset::Utf8 => shell_word(target),
            Charset::Ascii => ascii_command(&shell_word(target)),
        }
    }

    /// Whether every check is printed.
    pub fn is_full(self) -> bool {
        self.detail == Detail::Full
    }

    /// The notes to print.
    pub fn notes<T>(self, notes: &[T]) -> &[T] {
        if self.detail == Detail::Quiet { &[] } else { notes }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Bold text.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Dimmed text.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A verdict in its colour: `PASS`, `FAIL`, `UNKNOWN`.
    pub fn verdict(self, verdict: Verdict, width: usize) -> String {
        self.label(verdict.into(), width)
    }

    /// A label in its colour and in capitals.
    pub fn label(self, label: Label<'_>, width: usize) -> String {
        self.toned(label.colour_of, &format!("{:<width$}", label.word.to_uppercase()))
    }

    /// A text in the colour of a verdict.
    pub fn toned(self, verdict: Verdict, text: &str) -> String {
        let code = match verdict {
            Verdict::Pass => "1;32",
            Verdict::Fail => "1;31",
            Verdict::Unknown => "1;33",
        };
        self.paint(code, text)
    }
}
