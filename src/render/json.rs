use std::io::{self, Write};

use super::Renderer;
use crate::clock::{Clock, SystemClock};
use crate::ident::is_terminal_control;
use crate::report::{Line, Report};

/// Renders each report as one line of JSON.
pub struct JsonLines<W, C = SystemClock> {
    out: W,
    clock: C,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`, with the time of the system.
    pub fn new(out: W) -> Self {
        JsonLines { out, clock: SystemClock }
    }
}

impl<W: Write, C: Clock> JsonLines<W, C> {
    /// Writes to `out`, with the time of this clock.
    pub fn with_clock(out: W, clock: C) -> Self {
        JsonLines { out, clock }
    }
}

impl<W: Write, C: Clock> Renderer for JsonLines<W, C> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        let line = serde_json::to_string(&Line::written_at(report.clone(), self.clock.now()))?;
        writeln!(self.out, "{}", escaped(&line))?;
        self.out.flush()
    }
}

/// Escapes characters that could control a terminal, of which JSON escapes only the ASCII ones. The input must not
/// contain line breaks.
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Such characters occur only inside strings, and fit into 16 bits.
        if is_terminal_control(c) { out += &format!("\\u{:04x}", u32::from(c)) } else { out.push(c) }
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
        assert!(!json.contains(is_terminal_control), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
