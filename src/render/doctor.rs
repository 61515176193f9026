use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, advised, beside, printable, shell_word, wrap};
use crate::report::{DoctorFindingReport, DoctorReport};
use crate::verdict::Verdict;

/// Width of a check's name, in characters.
const NAME: usize = 11;
/// Width of a verdict, which includes `NOT TESTED`.
const VERDICT: usize = 10;

pub(super) fn write(out: &mut impl Write, style: Style, report: &DoctorReport) -> io::Result<()> {
    let title = match &report.target {
        Some(target) => shell_word(target),
        None => "this machine".to_owned(),
    };
    writeln!(out, "{}", style.bold(&title))?;
    report.findings.iter().try_for_each(|finding| line(out, style, finding))?;
    let (label, text) = conclusion(report);
    conclude(out, style, label, &text)
}

fn line(out: &mut impl Write, style: Style, finding: &DoctorFindingReport) -> io::Result<()> {
    let label = match finding.not_tested {
        true => Label::new("not tested", Verdict::Unknown),
        false => finding.verdict.into(),
    };
    let head = format!("  {} {:<NAME$}", style.label(label, VERDICT), finding.check);
    let lines = |width: usize| -> Vec<String> {
        let advice = finding.advice.as_deref().map(|advice| advised(advice, width));
        wrap(&printable(&finding.detail), width).into_iter().chain(advice.into_iter().flatten()).collect()
    };
    beside(out, style, &head, 2 + VERDICT + 1 + NAME + 1, lines)?;
    Ok(())
}

fn conclusion(report: &DoctorReport) -> (Label<'static>, String) {
    let names = |word: &str, verdict| {
        let of = report.findings.iter().filter(|finding| finding.required && finding.verdict == verdict);
        let names = of.map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("{word}: {names}"))
    };
    let texts = [names("not in order", Verdict::Fail), names("not known", Verdict::Unknown)];
    let text = texts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    match report.verdict() {
        Verdict::Pass => (Verdict::Pass.into(), "everything that was tested is in order".to_owned()),
        verdict => (verdict.into(), text),
    }
}
