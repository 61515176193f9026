use std::io::{self, Write};

use super::condition::conclude;
use super::{Style, condition, field, printable, shell_word, wrap};
use crate::audit::Entry;
use crate::report::{
    AuditReport, AuditedBucketReport, AuditedReport, DeletionSafetyReport, Exit, FindingReport, LedgerEntryReport,
    LedgerReport, ObservationReport,
};
use crate::units::ByteSize;
use crate::verdict::{CheckId, ReasonCode, Verdict};

/// A line for an object, and more where something is wrong or open with it. What still holds needs no line.
pub(super) fn write(out: &mut impl Write, style: Style, report: &AuditedReport) -> io::Result<()> {
    let in_order = report.exit_code == Exit::Passed;
    if in_order && report.examined.is_none() {
        return Ok(());
    }
    let word = if in_order && report.verdict == "unknown" { "seen" } else { &report.verdict };
    let size = report.identity.as_ref().map(|identity| format!("  {}", ByteSize(identity.object_bytes)));
    let proof = match (&report.proof, &report.examined) {
        (Some(proof), Some(level)) if level == "bytes" => format!("  {}", proof.by.join(", ")),
        (Some(proof), _) => format!("  proved {}", day(&proof.at)),
        (None, _) => String::new(),
    };
    let change = match report.change.as_deref() {
        None | Some("same") => String::new(),
        Some("new") => "  new".to_owned(),
        Some(change) => format!("  {}", change.replace('_', " ")),
    };
    let target = shell_word(&report.target);
    writeln!(
        out,
        "{} {target}{}",
        style.verdict(word, 7),
        style.dim(&printable(&[size.unwrap_or_default(), proof, change].concat()))
    )?;
    for finding in report.findings.iter().filter(|finding| speaks(finding)) {
        condition::write(out, style, finding)?;
        for damage in finding.damage.iter().take(3) {
            let at = format!("part {}, {} bytes at offset {}", damage.part, damage.length_bytes, damage.offset_bytes);
            field(out, style.width, 10, "damaged", &at)?;
        }
    }
    for note in report.notes.iter().filter(|_| !in_order) {
        field(out, style.width, 10, "note", note)?;
    }
    Ok(())
}

/// Whether a finding is worth a line: it is wrong, or open and required. Where nothing was read, the proof says why.
fn speaks(finding: &FindingReport) -> bool {
    let unread =
        finding.reason.as_ref().is_some_and(|reason| matches!(reason.code, ReasonCode::NotRead | ReasonCode::Archived));
    let said_by_proof = unread && matches!(finding.check, CheckId::Identity | CheckId::Size);
    finding.blocks_pass() && (finding.verdict == Verdict::Fail || !said_by_proof)
}

/// The day of a time.
fn day(at: &str) -> &str {
    at.split('T').next().unwrap_or(at)
}

pub(super) fn write_bucket(out: &mut impl Write, style: Style, report: &AuditedBucketReport) -> io::Result<()> {
    writeln!(out, "{} bucket {}", style.verdict(&report.verdict, 7), printable(&report.bucket))?;
    for finding in report.findings.iter().filter(|finding| speaks(finding)) {
        condition::write(out, style, finding)?;
    }
    Ok(())
}

pub(super) fn write_observation(out: &mut impl Write, style: Style, report: &ObservationReport) -> io::Result<()> {
    let text = format!("{} {}: {}", report.kind.replace('_', " "), report.subject, report.detail);
    for (index, line) in wrap(&printable(&text), style.width.saturating_sub(8).max(24)).iter().enumerate() {
        let head = if index == 0 { "NOTE" } else { "" };
        writeln!(out, "{head:<7} {line}")?;
    }
    Ok(())
}

pub(super) fn write_all(out: &mut impl Write, style: Style, report: &AuditReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&report.scope.iter().map(|part| shell_word(part)).collect::<Vec<_>>().join(", ")))?;
    let share = [("slice", &report.slice), ("shard", &report.shard)];
    let share: Vec<String> =
        share.iter().filter_map(|(what, share)| share.as_ref().map(|share| format!("{what} {share}"))).collect();
    let mut line = |label: &str, value: &str| field(out, style.width, 2, label, value);
    let others = match report.other_objects {
        0 => String::new(),
        count => format!("; {count} other objects left alone"),
    };
    let share = if share.is_empty() { String::new() } else { format!("; this is {}", share.join(", ")) };
    let bytes = match report.listed_bytes {
        0 => String::new(),
        bytes => format!(", {}", ByteSize(bytes)),
    };
    line("listed", &format!("{} stored AMI objects{bytes}{others}{share}", report.listed))?;
    line("level", &report.level)?;
    let held = if report.level == "facts" { "seen" } else { "proved" };
    let mut parts =
        vec![format!("{} examined", report.examined), format!("{} {held} before and unchanged", report.still_good)];
    for (count, what) in [
        (report.left, "due and left for another run"),
        (report.missing, "missing"),
        (report.other_slices, "in other slices"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    line("objects", &parts.join(", "))?;
    line("proved", &format!("every byte of {} of them", report.proved))?;
    if let Some(dollars) = report.estimated_dollars {
        line("cost", &format!("${dollars:.4}, by list prices"))?;
    }
    for problem in &report.problems {
        line("problem", problem)?;
    }
    for note in &report.notes {
        line("note", note)?;
    }
    if let Some(head) = &report.ledger_head {
        line("ledger", head)?;
    }
    let text = format!(
        "{} requests ({} to list), {} read, {:.1} s",
        report.requests,
        report.listing_requests,
        ByteSize(report.received_bytes),
        report.elapsed_seconds
    );
    writeln!(out, "  {}", style.dim(&text))
}

pub(super) fn write_entry(out: &mut impl Write, style: Style, report: &LedgerEntryReport) -> io::Result<()> {
    let (word, rest) = match &report.entry {
        Entry::Gone(_) => ("missing", String::new()),
        Entry::Acceptance(acceptance) => {
            let state = acceptance.object.as_ref().map_or("that it is gone".to_owned(), |object| {
                let etag = object.etag.as_deref().unwrap_or("none");
                let written = object.last_modified.as_deref().unwrap_or("at a time that is not stated");
                format!("{} bytes, ETag {etag}, written {written}", object.object_bytes)
            });
            ("accepted", format!("  {state}: {}", acceptance.reason))
        }
        Entry::Proof(proof) => {
            let by =
                if proof.proved_by.is_empty() { String::new() } else { format!("  {}", proof.proved_by.join(", ")) };
            let doubt = proof.doubt.map(|doubt| format!("  {doubt}")).unwrap_or_default();
            (proof.verdict.as_str(), format!("  {}{by}{doubt}", proof.level))
        }
    };
    let (at, target) = (printable(report.entry.at()), shell_word(report.entry.target()));
    writeln!(out, "{:>6} {at} {} {target}{}", report.number, style.verdict(word, 8), style.dim(&printable(&rest)))
}

pub(super) fn write_ledger(out: &mut impl Write, style: Style, report: &LedgerReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.ledger)))?;
    if let Some(head) = &report.head {
        field(out, style.width, 2, "head", head)?;
    }
    match (&report.verdict, &report.problem) {
        (Some(verdict), Some(problem)) => conclude(out, style, verdict, problem),
        (Some(verdict), None) => conclude(out, style, verdict, "every entry is as it was written, and none is missing"),
        (None, problem) => problem.iter().try_for_each(|problem| field(out, style.width, 2, "problem", problem)),
    }
}

pub(super) fn write_safe(out: &mut impl Write, style: Style, report: &DeletionSafetyReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.image)))?;
    if let Some(copy) = &report.copy {
        field(out, style.width, 2, "copy", copy)?;
    }
    for because in &report.because {
        field(out, style.width, 2, "because", because)?;
    }
    for note in &report.notes {
        field(out, style.width, 2, "note", note)?;
    }
    let (verdict, text) = match report.answer.as_str() {
        "may_go" => ("pass", "the AMI and its snapshots may go: a copy that holds what is asked stands in for them"),
        "must_stay" => ("fail", "the AMI and its snapshots must stay"),
        _ => ("unknown", "cannot tell; until that is known they must stay"),
    };
    conclude(out, style, verdict, text)
}
