/// Colours, or none. Meaning is always in the words too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    /// Characters in a line.
    pub width: usize,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A verdict in its colour: `PASS`, `FAIL`, `UNKNOWN`.
    pub fn verdict(self, verdict: &str, width: usize) -> String {
        let code = match verdict {
            "pass" | "no" => "1;32",
            "fail" | "yes" => "1;31",
            _ => "1;33",
        };
        self.paint(code, &format!("{:<width$}", verdict.to_uppercase()))
    }
}
