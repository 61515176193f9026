use crate::verdict::Verdict;

/// The word at the start of a line: a verdict, or another word in the colour of one.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    word: &'a str,
    colour_of: Verdict,
}

impl<'a> Label<'a> {
    /// A word that is not a verdict.
    pub fn new(word: &'a str, colour_of: Verdict) -> Self {
        Label { word, colour_of }
    }
}

impl From<Verdict> for Label<'_> {
    fn from(verdict: Verdict) -> Self {
        Label { word: verdict.name(), colour_of: verdict }
    }
}

/// Colours, or none. Meaning is always in the words too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Characters per line.
    pub width: usize,
}

impl Style {
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
        let code = match label.colour_of {
            Verdict::Pass => "1;32",
            Verdict::Fail => "1;31",
            Verdict::Unknown => "1;33",
        };
        self.paint(code, &format!("{:<width$}", label.word.to_uppercase()))
    }
}
