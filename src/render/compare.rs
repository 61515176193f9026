use std::io::{self, Write};

use super::condition::conclude;
use super::next_step::NextStep;
use super::{Label, Style, beside, command, field, printable, shell_word, wrap};
use crate::copy::{CompareCheck, Likeness};
use crate::ident::Target;
use crate::report::{
    CompareBasis, CompareReport, CompareStep, ComparedReport, EndOption, FirstDifferenceReport, LayoutBasis,
    PartPlaceReport, arguments,
};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// Width of a check's name, in characters.
const NAME: usize = 10;

pub(super) fn write(out: &mut impl Write, style: Style, report: &CompareReport) -> io::Result<()> {
    let targets = [&report.a, &report.b].map(|end| style.word(&end.target));
    writeln!(out, "{}", style.bold(&targets.join(" and ")))?;
    field(out, style.width, 2, "A", &described(&report.a))?;
    field(out, style.width, 2, "B", &described(&report.b))?;
    for finding in &report.findings {
        let head = format!("  {} {:<NAME$}", style.label(label(finding.outcome), 9), finding.check);
        beside(out, style, &head, 2 + 9 + 1 + NAME + 1, |width| wrap(&printable(&finding.detail), width))?;
    }
    if let Some(first) = &report.first_difference {
        for (name, part) in [("in A", &first.a_part), ("in B", &first.b_part)] {
            if let Some(part) = part {
                field(out, style.width, 2, name, &place(part))?;
            }
        }
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let stats = &report.stats;
    let read =
        if stats.received_bytes > 0 { format!("read {}, ", ByteSize(stats.received_bytes)) } else { String::new() };
    writeln!(out, "  {}", style.dim(&format!("{read}{} requests", stats.requests)))?;
    conclude(out, style, label(report.outcome), &conclusion(report))?;
    report.next_steps.iter().try_for_each(|step| next_step(out, style, report, *step))
}

fn label(likeness: Likeness) -> Label<'static> {
    let verdict = match likeness {
        Likeness::Same => Verdict::Pass,
        Likeness::Different => Verdict::Fail,
        Likeness::Unknown => Verdict::Unknown,
    };
    Label::new(likeness.name(), verdict)
}

fn described(end: &ComparedReport) -> String {
    let mut words = vec![format!(
        "{} ({} bytes)",
        ByteSize(end.identity.object_bytes),
        ByteSize(end.identity.object_bytes).grouped()
    )];
    // That of a file only identifies it on this machine.
    let etag = end.identity.etag.as_ref().filter(|_| end.storage_class.is_some());
    words.extend(etag.map(|etag| format!("ETag {etag}")));
    words.extend(end.storage_class.clone());
    words.extend(end.region.as_ref().map(|region| format!("Region {region}")));
    words.extend(end.profile.as_ref().map(|profile| format!("profile {profile}")));
    words.join(", ")
}

fn place(part: &PartPlaceReport) -> String {
    let basis = if part.basis == LayoutBasis::Assumed { " (assumed)" } else { "" };
    format!("part {} of {}{basis}, byte {} of the part", part.part, part.of, ByteSize(part.offset_bytes).grouped())
}

fn conclusion(report: &CompareReport) -> String {
    let shown_by =
        |likeness| report.findings.iter().find(|finding| finding.outcome == likeness).map(|finding| finding.check);
    let offset = |first: &FirstDifferenceReport| ByteSize(first.offset_bytes).grouped();
    match (report.outcome, report.basis, &report.first_difference) {
        (Likeness::Same, CompareBasis::Read, _) => "every byte of both was read, and they are the same".to_owned(),
        (Likeness::Same, CompareBasis::Stated, _) => match shown_by(Likeness::Same) {
            Some(CompareCheck::Size) => "both are empty".to_owned(),
            _ => "S3 states the same values for both; no byte was read, so this is not a proof (--read compares the bytes)"
                .to_owned(),
        },
        (Likeness::Different, _, Some(first)) => format!("the bytes differ from byte {} on", offset(first)),
        (Likeness::Different, ..) => match shown_by(Likeness::Different) {
            Some(CompareCheck::Size) => "they have different sizes".to_owned(),
            _ => "the values that are stated for both differ, and only different bytes explain that".to_owned(),
        },
        (Likeness::Unknown, ..) => {
            let contradicts = shown_by(Likeness::Same).is_some() && shown_by(Likeness::Different).is_some();
            let read = report.findings.iter().find(|finding| finding.check == CompareCheck::Bytes);
            match (read, contradicts) {
                (Some(read), _) => format!("cannot tell: {}", read.detail),
                (None, true) => "cannot tell: the values that are stated for both contradict each other".to_owned(),
                (None, false) => "cannot tell: no value that is stated for both can be compared".to_owned(),
            }
        }
    }
}

/// The options that reach an end; of a report that was read from JSON, its profile.
fn options(end: &ComparedReport) -> Vec<EndOption> {
    let profile = end.profile.clone().filter(|_| end.options.is_empty());
    let profile = profile.map(|profile| EndOption { name: "profile", value: Some(profile), is_of_aws: true });
    end.options.iter().cloned().chain(profile).collect()
}

fn next_step(out: &mut impl Write, style: Style, report: &CompareReport, step: CompareStep) -> io::Result<()> {
    let thaw = |out: &mut _, end: &ComparedReport| match end.target.parse::<Target>() {
        Ok(Target::Object(object)) => {
            let step = NextStep::BringBack(object);
            step.command(&options(end)).map_or(Ok(()), |text| command(out, style, step.label(), &text))
        }
        _ => Ok(()),
    };
    match step {
        CompareStep::Read => field(out, style.width, 2, "next", "compare the bytes: the same command with --read"),
        CompareStep::ThawA => thaw(out, &report.a),
        CompareStep::ThawB => thaw(out, &report.b),
        CompareStep::VerifyBoth => {
            [("verify A", &report.a), ("verify B", &report.b)].into_iter().try_for_each(|(label, end)| {
                let text = format!("stored-ami verify {}{}", shell_word(&end.target), arguments(&options(end), ""));
                command(out, style, label, &text)
            })
        }
    }
}
