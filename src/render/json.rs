use std::io::{self, Write};

use super::{Renderer, drives};
use crate::report::{Line, Report};

/// Renders each report as one line of JSON.
pub struct JsonLines<W>(pub W);

impl<W: Write> Renderer for JsonLines<W> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        let line = serde_json::to_string(&Line::new(report.clone()))?;
        writeln!(self.0, "{}", escaped(&line))?;
        self.0.flush()
    }
}

/// Escapes characters that could control a terminal, of which JSON escapes only the ASCII ones. The input must not
/// contain line breaks.
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Such characters occur only inside strings, and fit into 16 bits.
        if drives(c) { out += &format!("\\u{:04x}", u32::from(c)) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_as_it_was() {
        let text = "a\u{1b}\n\"\\b\u{7f}\u{9b}31m\u{202e}é\u{1f980}";
        let json = escaped(&serde_json::to_string(text).unwrap());
        assert!(!json.contains(drives), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
