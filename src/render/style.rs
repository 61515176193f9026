/// Colour and width of the output. Colour only repeats what the words state.
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

    /// A verdict in upper case and in its colour: `PASS`, `FAIL`, `UNKNOWN`.
    pub fn verdict(self, verdict: &str, width: usize) -> String {
        let code = match verdict {
            "pass" | "no" => "1;32",
            "fail" | "yes" => "1;31",
            _ => "1;33",
        };
        self.paint(code, &format!("{:<width$}", verdict.to_uppercase()))
    }
}
