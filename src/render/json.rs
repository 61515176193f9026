use std::io::{self, Write};

use super::Renderer;
use crate::report::{Line, Report};

/// One JSON object a line.
pub struct JsonLines<W>(pub W);

impl<W: Write> Renderer for JsonLines<W> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        let line = serde_json::to_string(&Line::new(report.clone()))?;
        writeln!(self.0, "{line}")?;
        self.0.flush()
    }
}
