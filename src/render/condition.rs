use std::io::{self, Write};

use super::{Label, Style, printable, wrap};
use crate::report::FindingReport;
use crate::verdict::Verdict;

/// Width of a check's name, in characters.
const NAME: usize = 19;

/// Writes one condition: verdict, name and observed value; also the expected value if the condition is not met.
pub(super) fn write(out: &mut impl Write, style: Style, finding: &FindingReport) -> io::Result<()> {
    let left = 2 + 7 + 1 + NAME + 1;
    let width = style.width.saturating_sub(left).max(24);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let source = format!("[{}]", text(&finding.source));
    let texts = match (&finding.reason, finding.verdict) {
        (Some(reason), _) => vec![reason.detail.clone()],
        (None, Verdict::Fail) => {
            vec![format!("{} {source}", text(&finding.observed)), format!("demanded: {}", text(&finding.expected))]
        }
        (None, _) => vec![format!("{} {source}", text(&finding.observed))],
    };
    let name = if finding.required { finding.check.to_string() } else { format!("({})", finding.check) };
    let head = format!("  {} {:<NAME$}", style.verdict(finding.verdict, 7), name);
    let lines = texts.iter().flat_map(|text| wrap(&printable(text), width));
    for (index, line) in lines.enumerate() {
        if index == 0 {
            writeln!(out, "{head} {line}")?;
        } else {
            writeln!(out, "{:left$}{line}", "")?;
        }
    }
    Ok(())
}

/// The verdict over all, or the word in its place, with a text that is wrapped beside it.
pub(super) fn conclude<'a>(
    out: &mut impl Write,
    style: Style,
    label: impl Into<Label<'a>>,
    text: &str,
) -> io::Result<()> {
    let label = label.into();
    for (index, line) in wrap(&printable(text), style.width.saturating_sub(10).max(24)).iter().enumerate() {
        let head = if index == 0 { style.label(label, 7) } else { " ".repeat(7) };
        writeln!(out, "{head} {line}")?;
    }
    Ok(())
}

/// Names of the findings with this verdict that prevent a pass.
pub(super) fn names(findings: &[FindingReport], verdict: Verdict) -> String {
    let counted = findings.iter().filter(|finding| finding.verdict == verdict && finding.blocks_pass());
    counted.map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ")
}
