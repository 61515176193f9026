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
    let mut texts = match (&finding.reason, finding.verdict) {
        (Some(reason), _) => vec![reason.detail.clone()],
        (None, Verdict::Fail) => {
            vec![format!("{} {source}", text(&finding.observed)), format!("expected: {}", text(&finding.expected))]
        }
        (None, _) => vec![format!("{} {source}", text(&finding.observed))],
    };
    if let Some(first) = texts.first_mut().filter(|_| !finding.required) {
        *first = format!("(optional) {first}");
    }
    let head = format!("  {} {:<NAME$}", style.verdict(finding.verdict, 7), finding.check.to_string());
    let lines = |width: usize| -> Vec<String> { texts.iter().flat_map(|text| wrap(&printable(text), width)).collect() };
    beside(out, style, &head, left, lines)?;
    Ok(())
}

/// Writes several unknown conditions that have the same reason.
fn write_together(out: &mut impl Write, style: Style, findings: &[&FindingReport], reason: &str) -> io::Result<()> {
    let left = 2 + 7 + 1;
    let names: Vec<String> = findings.iter().map(|finding| finding.check.to_string()).collect();
    let optional = if findings.iter().all(|finding| finding.required) { "" } else { "(optional) " };
    let text = format!("{}: {optional}{reason}", names.join(", "));
    let lines = wrap(&printable(&text), style.width.saturating_sub(left).max(24));
    for (index, line) in lines.iter().enumerate() {
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
pub(super) fn names<'a>(findings: impl IntoIterator<Item = &'a FindingReport>, verdict: Verdict) -> String {
    let counted = findings.into_iter().filter(|finding| finding.verdict == verdict && finding.blocks_pass());
    counted.map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(observed: &str, width: usize, full: bool) -> String {
        let finding: FindingReport = serde_json::from_value(serde_json::json!({
            "check": "not-stored", "verdict": "fail", "required": true, "source": "S3",
            "expected": "the bucket holds no copy of the AMI", "observed": observed,
        }))
        .unwrap();
        let detail = if full { super::super::Detail::Full } else { super::super::Detail::Brief };
        let mut out = Vec::new();
        write(&mut out, Style { width, detail, ..Style::PLAIN }, &finding).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_condition_is_wrapped_and_never_cut() {
        let long = "HeadObject: it is there; ".repeat(20);
        for (width, full) in [(50, false), (80, false), (120, true)] {
            let text = written(&long, width, full);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            assert_eq!(text.matches("HeadObject").count(), 20, "{text}");
            let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(joined.ends_with("expected: the bucket holds no copy of the AMI"), "{text}");
        }
        assert!(written("there", Style::UNBOUNDED, false).lines().next().unwrap().ends_with("there [S3]"));
    }
}
