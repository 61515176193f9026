use std::io::{self, Write};
use std::time::Duration;

use super::condition::conclude;
use super::next_step::NextStep;
use super::{Label, Style, advised, beside, command, content, damage, field, folded, printable, reference, wrap};
use crate::audit::joined;
use crate::report::{
    DamageReport, EndOption, FindingReport, LayoutBasis, LayoutKind, LayoutReport, ProofLimit, VerifyReport, limit_of,
};
use crate::units::{ByteSize, Throughput, counted};
use crate::verdict::{CheckId, Origin, Subject, Verdict};

/// Maximum number of damaged parts to list; the rest are counted.
const MOST_DAMAGE: usize = 10;

pub(super) fn write(out: &mut impl Write, style: Style, report: &VerifyReport, reach: &[EndOption]) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    for line in wrap(&printable(&headline(report)), style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    let damage = report.damage();
    let shown = |finding: &&FindingReport| style.is_full() || in_brief(finding, damage.is_some());
    // Passed checks of identity, size and proof add nothing to the headline.
    let findings: Vec<&FindingReport> = report.findings.iter().filter(|finding| worth_a_line(finding)).collect();
    for finding in findings.iter().filter(|finding| shown(finding)) {
        write_finding(out, style, finding)?;
    }
    let passed = findings.iter().filter(|finding| !shown(finding) && finding.verdict == Verdict::Pass);
    folded(out, style, passed.count())?;
    // Beside damage, a digest is a value of the full text.
    for digest in report.digests.iter().filter(|digest| {
        (style.is_full() || damage.is_none())
            && !report.proved_by.contains(&CheckId::Reference(Origin::Stored, Subject::Checksum(digest.algorithm)))
    }) {
        let value = if digest.algorithm.folds() { &digest.base64 } else { &digest.hex };
        field(out, style.width, 2, "computed", &format!("{} {value}", digest.algorithm))?;
    }
    let mut line = |label: &str, value: &str| field(out, style.width, 2, label, value);
    if let Some(ratio) = &report.ratio {
        content::ratio(&mut line, ratio)?;
    }
    if let Some(probe) = &report.probe {
        content::probe(&mut line, probe)?;
    }
    if let Some(stream) = &report.stream {
        content::stream(&mut line, stream)?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let stats = &report.stats;
    if stats.received_bytes > 0 || stats.reads > 0 {
        let rate = Throughput {
            bytes: stats.received_bytes,
            elapsed: Duration::try_from_secs_f64(stats.elapsed_seconds).unwrap_or_default(),
        };
        let retries = if stats.retries > 0 { format!(", {}", counted(stats.retries, "retry")) } else { String::new() };
        let line = format!(
            "read {} in {:.1} s ({rate}), {}{retries}",
            ByteSize(stats.received_bytes),
            stats.elapsed_seconds,
            counted(stats.requests, "request")
        );
        for line in wrap(&line, style.width.saturating_sub(2)) {
            writeln!(out, "  {}", style.dim(&line))?;
        }
    }
    let Some(damage) = damage else {
        conclude(out, style, report.verdict, &conclusion(report))?;
        return match report.verdict {
            Verdict::Unknown => write_advice(out, style, report, reach),
            _ => damage::steps(out, style, &NextStep::after_verification(report), reach),
        };
    };
    conclude(out, style, Label::new("damaged", Verdict::Fail), &damage.sentence(report.parts_count()))?;
    damage::steps(out, style, &NextStep::after_verification(report), reach)
}

/// Whether a finding has a line of its own in brief. The block of the damage covers the references that failed.
fn in_brief(finding: &FindingReport, damaged: bool) -> bool {
    match finding.verdict {
        Verdict::Pass => false,
        Verdict::Fail => !(damaged && matches!(finding.check, CheckId::Reference(..))),
        Verdict::Unknown => true,
    }
}

fn worth_a_line(finding: &FindingReport) -> bool {
    match finding.check {
        CheckId::Identity | CheckId::Size => finding.verdict != Verdict::Pass,
        CheckId::Proof => false,
        _ => true,
    }
}

fn headline(report: &VerifyReport) -> String {
    let mut text = format!(
        "{} ({} bytes)",
        ByteSize(report.identity.object_bytes),
        ByteSize(report.identity.object_bytes).grouped()
    );
    if let Some(layout) = &report.layout {
        text += &format!(", {}", layout_after(layout, report.is_read()));
        if let Some(etag) = &report.identity.etag {
            text += &format!(", ETag {etag}");
        }
        if let Some(version) = report.identity.version_id.as_ref().filter(|version| *version != "null") {
            text += &format!(", version {version}");
        }
    }
    text
}

/// The layout after a verification. Once every byte was read, parts that no digest proved stay unproved.
pub(super) fn layout_after(layout: &LayoutReport, is_read: bool) -> String {
    match layout.basis {
        Some(LayoutBasis::Assumed) if is_read => describe_parts(layout, "the parts are not proved"),
        _ => describe_layout(layout),
    }
}

/// `8 parts of 8 MiB (proved)`.
pub(super) fn describe_layout(layout: &LayoutReport) -> String {
    describe_parts(layout, layout.basis.map_or("", LayoutBasis::name))
}

fn describe_parts(layout: &LayoutReport, basis: &str) -> String {
    match (layout.shape, layout.parts) {
        (LayoutKind::Uniform, Some(1)) => "one part".to_owned(),
        (LayoutKind::Uniform, Some(parts)) => {
            let size = ByteSize(layout.part_bytes.unwrap_or_default());
            let others = match layout.other_candidates.len() {
                0 => String::new(),
                others => format!(", or {}", counted(others as u64, "other size")),
            };
            format!("{} of {size}{others} ({basis})", counted(parts, "part"))
        }
        (LayoutKind::Uneven, Some(parts)) => format!(
            "{} of {} to {} ({basis})",
            counted(parts, "part"),
            ByteSize(layout.smallest_part_bytes.unwrap_or_default()),
            ByteSize(layout.largest_part_bytes.unwrap_or_default())
        ),
        (LayoutKind::Unknown, Some(parts)) => format!("{} of unknown size", counted(parts, "part")),
        (_, None) => "parts unknown".to_owned(),
    }
}

/// What to do about an unknown verdict: the advice on each required check, once.
fn write_advice(out: &mut impl Write, style: Style, report: &VerifyReport, reach: &[EndOption]) -> io::Result<()> {
    let open = report.findings.iter().filter(|finding| finding.required && finding.verdict == Verdict::Unknown);
    let mut steps: Vec<NextStep> = Vec::new();
    for reason in open.filter_map(|finding| finding.reason.as_ref()) {
        steps.extend(NextStep::after_reason(reason, &report.target).filter(|step| !steps.contains(step)));
    }
    steps.iter().try_for_each(|step| {
        field(out, style.width, 2, "next", &step.clause())?;
        step.command(reach).map_or(Ok(()), |text| command(out, style, "", &text))
    })
}

fn write_finding(out: &mut impl Write, style: Style, finding: &FindingReport) -> io::Result<()> {
    let head = format!("  {} {:<17}", style.verdict(finding.verdict, 7), finding.check.to_string());
    let texts = texts_of(finding);
    // In brief, the advice is at the end, once.
    let advice = finding.reason.as_ref().and_then(|reason| reason.advice.as_deref());
    let advice = advice.filter(|_| finding.required && style.is_full());
    let lines = |width: usize| {
        let advice = advice.map(|advice| advised(advice, width));
        texts.iter().flat_map(|text| wrap(&printable(text), width)).chain(advice.into_iter().flatten()).collect()
    };
    let left = beside(out, style, &head, 2 + 7 + 1 + 17 + 1, lines)?;
    for damage in finding.damage.iter().take(MOST_DAMAGE) {
        write_damage(out, left, damage)?;
    }
    if finding.damage.len() > MOST_DAMAGE {
        writeln!(
            out,
            "{:left$}… and {} (all of them in --json)",
            "",
            counted((finding.damage.len() - MOST_DAMAGE) as u64, "more damaged part")
        )?;
    }
    Ok(())
}

/// The source of a reference, and why it does not match or is unknown.
fn texts_of(finding: &FindingReport) -> Vec<String> {
    let mut texts: Vec<String> = finding.source.iter().cloned().collect();
    match (&finding.reason, finding.verdict) {
        (Some(reason), _) => {
            texts.push(reason.detail.clone());
        }
        (None, Verdict::Fail) => {
            for (label, text) in [("expected", &finding.expected), ("found", &finding.observed)] {
                let value = reference::value(finding.check, text.as_deref().unwrap_or_default());
                texts.push(format!("{label} {value}"));
            }
            let reads = match finding.reads {
                Some(2) => "read twice, the second time afresh, with the same wrong result",
                Some(_) => "read once",
                None if finding.check == CheckId::Stream => {
                    "the bytes are those that are stored: another reference matched"
                }
                None => "no byte was read for it",
            };
            texts.push(reads.to_owned());
        }
        _ => {}
    }
    texts
}

fn write_damage(out: &mut impl Write, left: usize, damage: &DamageReport) -> io::Result<()> {
    writeln!(
        out,
        "{:left$}part {}: offset {}, {} bytes",
        "",
        damage.part,
        ByteSize(damage.offset_bytes).grouped(),
        ByteSize(damage.length_bytes).grouped()
    )?;
    writeln!(out, "{:left$}  expected {}", "", printable(&damage.expected))?;
    writeln!(out, "{:left$}  found    {}", "", printable(&damage.observed))
}

pub(super) fn conclusion(report: &VerifyReport) -> String {
    let size = ByteSize(report.identity.object_bytes).grouped();
    let mut damaged: Vec<u64> = report.findings.iter().flat_map(|f| f.damage.iter().map(|d| d.part)).collect();
    damaged.sort_unstable();
    damaged.dedup();
    match report.verdict {
        Verdict::Pass => {
            let limit = match limit_of(&report.proved_by) {
                None => String::new(),
                Some(limit @ ProofLimit::SinceWritten) => {
                    format!("; {}; --like or --manifest compares it with an original", limit.clause())
                }
                Some(limit @ ProofLimit::Accidents) => format!("; {}", limit.clause()),
            };
            format!("all {size} bytes are proved by {}{limit}", joined(&report.proved_by, ", "))
        }
        Verdict::Fail if report.findings.iter().all(|f| f.verdict != Verdict::Fail || f.check == CheckId::Stream) => {
            "the compressed stream in the object is broken, although its bytes match the references".to_owned()
        }
        Verdict::Fail if fails(report, |check| check == CheckId::Size) => {
            "the object is empty, and a stored AMI object never is".to_owned()
        }
        Verdict::Fail if unlike(report).is_some() => unlike(report).unwrap_or_default(),
        Verdict::Fail if contradiction(report).is_some() => contradiction(report).unwrap_or_default(),
        Verdict::Fail => match damaged.as_slice() {
            [] if fails(report, is_of(&[Origin::Manifest, Origin::Baseline])) => {
                "the bytes do not match the manifest".to_owned()
            }
            [] if fails(report, is_of(&[Origin::Expect, Origin::Sums, Origin::Like])) => {
                "the bytes do not match the value that was given".to_owned()
            }
            [] if fails(report, is_of(&[Origin::Tags, Origin::Metadata]))
                && !fails(report, is_of(&[Origin::Stored])) =>
            {
                "the bytes do not match the value that another program left with the object".to_owned()
            }
            [] => "the bytes differ from the reference, which does not show where (a manifest would: --write-manifest)"
                .to_owned(),
            [one] => format!("part {one} is damaged"),
            many => format!("{} parts are damaged: {}", many.len(), list(many)),
        },
        Verdict::Unknown => {
            let required = report.findings.iter().filter(|f| f.required && f.verdict == Verdict::Unknown);
            let mut details: Vec<String> = Vec::new();
            for reason in required.filter_map(|finding| finding.reason.as_ref()) {
                if !details.contains(&reason.detail) {
                    details.push(reason.detail.clone());
                }
            }
            details.join("; ")
        }
    }
}

/// What differs from the references that were given, where the object agrees with its own checksums.
fn unlike(report: &VerifyReport) -> Option<String> {
    let found = report.unlike()?;
    let of = |origin| found.refuted_by.iter().all(|check| is_of(&[origin])(*check));
    let what = match found.refuted_by.len() {
        _ if of(Origin::Manifest) || of(Origin::Baseline) => "the manifest",
        _ if of(Origin::Like) => "the object of --like",
        1 => "the value that was given",
        _ => "the values that were given",
    };
    let place = found.located(report.parts_count()).map_or("the bytes".to_owned(), |place| place.to_string());
    Some(format!(
        "{place} are not those of {what} ({}); the object agrees with its own checksums ({}), so it was written like this",
        joined(&found.refuted_by, ", "),
        joined(&found.matched, ", ")
    ))
}

/// Description of a failed contradiction between references.
fn contradiction(report: &VerifyReport) -> Option<String> {
    let fails = |f: &&FindingReport| f.check == CheckId::Contradiction && f.verdict == Verdict::Fail;
    let found = report.findings.iter().find(fails)?;
    let (observed, source) = (found.observed.as_deref()?, found.source.as_deref()?);
    Some(format!("the references contradict each other: {observed}; {source}"))
}

/// Whether a check of this kind failed.
fn fails(report: &VerifyReport, kind: impl Fn(CheckId) -> bool) -> bool {
    report.findings.iter().any(|finding| finding.verdict == Verdict::Fail && kind(finding.check))
}

/// Whether a check compares the bytes with a reference of one of these origins.
fn is_of(origins: &[Origin]) -> impl Fn(CheckId) -> bool {
    move |check| matches!(check, CheckId::Reference(origin, _) if origins.contains(&origin))
}

fn list(parts: &[u64]) -> String {
    let shown: Vec<String> = parts.iter().take(MOST_DAMAGE).map(u64::to_string).collect();
    let more = if parts.len() > MOST_DAMAGE { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
