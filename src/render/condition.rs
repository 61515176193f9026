use std::io::{self, Write};

use super::{Label, Style, beside, folded, printable, wrap};
use crate::report::FindingReport;
use crate::verdict::Verdict;

/// Width of a check's name, in characters.
const NAME: usize = 19;

/// Writes one condition: verdict, name and observed value; also the expected value if the condition is not met.
pub(super) fn write(out: &mut impl Write, style: Style, finding: &FindingReport) -> io::Result<()> {
    let left = 2 + 7 + 1 + NAME + 1;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let source = format!("[{}]", text(&finding.source));
    let texts = match (&finding.reason, finding.verdict) {
        (Some(reason), _) => vec![reason.detail.clone()],
        (None, Verdict::Fail) => {
            vec![format!("{} {source}", text(&finding.observed)), format!("expected: {}", text(&finding.expected))]
        }
        (None, _) => vec![format!("{} {source}", text(&finding.observed))],
    };
    let mut texts = texts;
    if let Some(first) = texts.first_mut().filter(|_| !finding.required) {
        *first = format!("(optional) {first}");
    }
    let head = format!("  {} {:<NAME$}", style.verdict(finding.verdict, 7), finding.check.to_string());
    beside(out, style, &head, left, |width| texts.iter().flat_map(|text| wrap(&printable(text), width)).collect())?;
    Ok(())
}

/// Writes several unknown conditions that have the same reason.
fn write_together(out: &mut impl Write, style: Style, findings: &[&FindingReport], reason: &str) -> io::Result<()> {
    let left = 2 + 7 + 1;
    let names: Vec<String> = findings.iter().map(|finding| finding.check.to_string()).collect();
    let optional = if findings.iter().all(|finding| finding.required) { "" } else { "(optional) " };
    let text = format!("{}: {optional}{reason}", names.join(", "));
    for (index, line) in wrap(&printable(&text), style.width.saturating_sub(left).max(24)).iter().enumerate() {
        if index == 0 {
            writeln!(out, "  {} {line}", style.verdict(Verdict::Unknown, 7))?;
        } else {
            writeln!(out, "{:left$}{line}", "")?;
        }
    }
    Ok(())
}

/// Findings that are shown together: unknown for the same reason, and all of them required or all optional.
fn together<'a>(findings: &[&'a FindingReport]) -> Vec<Vec<&'a FindingReport>> {
    let mut groups: Vec<Vec<&FindingReport>> = Vec::new();
    let key = |finding: &FindingReport| finding.reason.as_ref().map(|why| (why.detail.clone(), finding.required));
    for finding in findings {
        let same = |group: &&mut Vec<&FindingReport>| {
            group.first().and_then(|first| key(first)).is_some_and(|one| key(finding) == Some(one))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// Writes the conditions that are not met or not known, those with the same reason together; in full, all of them one
/// by one.
pub(super) fn write_all(out: &mut impl Write, style: Style, findings: &[FindingReport]) -> io::Result<()> {
    let shown = |finding: &&FindingReport| finding.verdict != Verdict::Pass;
    if style.is_full() {
        return findings.iter().try_for_each(|finding| write(out, style, finding));
    }
    let open: Vec<&FindingReport> = findings.iter().filter(shown).collect();
    for group in together(&open) {
        match &group[..] {
            [FindingReport { reason: Some(reason), .. }, _, ..] => {
                write_together(out, style, &group, &reason.detail)?;
            }
            _ => group.iter().try_for_each(|finding| write(out, style, finding))?,
        }
    }
    folded(out, style, findings.iter().filter(|finding| !shown(finding)).count())
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
