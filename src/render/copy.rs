use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, beside, field, folded, printable, wrap};
use crate::copy::CopyCheck;
use crate::price::{Amount, CostItem};
use crate::report::{CopyEstimateReport, CopyFindingReport, CopyOutcome, CopyReport, EndReport, Exit};
use crate::units::{ByteSize, counted};
use crate::verdict::{ProofKind, Verdict};

/// Width of a check's name, in characters.
const NAME: usize = 19;

pub(super) fn write(out: &mut impl Write, style: Style, report: &CopyReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&format!("{} → {}", report.source, report.destination))))?;
    field(out, style.width, 2, "from", &end(&report.from))?;
    field(out, style.width, 2, "to", &end(&report.to))?;
    if let Some(identity) = &report.source_identity {
        let parts =
            report.parts.map_or_else(|| "in one request".to_owned(), |parts| format!("in {}", counted(parts, "part")));
        let checksum = report.checksum.as_ref().map(|checksum| format!(", with {checksum}")).unwrap_or_default();
        let line = format!("{} {parts}{checksum}", ByteSize(identity.object_bytes));
        field(out, style.width, 2, "object", &line)?;
    }
    for (label, pairs) in [("headers", &report.headers), ("metadata", &report.metadata), ("tags", &report.tags)] {
        if !pairs.is_empty() {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
            field(out, style.width, 2, label, &pairs.join(", "))?;
        }
    }
    if let Some(lock) = &report.object_lock {
        field(out, style.width, 2, "lock", lock)?;
    }
    // Both are of no interest once the copy was tried.
    let is_before = matches!(report.outcome, CopyOutcome::Planned | CopyOutcome::Refused);
    if let Some(estimate) = report.estimate.as_ref().filter(|_| is_before) {
        write_estimate(out, style, estimate)?;
    }
    if let (CopyOutcome::Copied, Some(copy)) = (report.outcome, &report.destination_identity) {
        let etag = copy.etag.as_deref().unwrap_or("not stated");
        let version = copy.version_id.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
        field(out, style.width, 2, "copy", &format!("ETag {etag}{version}"))?;
    }
    let shown = |finding: &&CopyFindingReport| style.is_full() || finding.verdict != Verdict::Pass;
    let tested = || report.findings.iter().filter(|finding| !finding.not_tested);
    for finding in tested().filter(shown) {
        write_finding(out, style, finding)?;
    }
    folded(out, style, tested().filter(|finding| !shown(finding)).count())?;
    for finding in report.findings.iter().filter(|finding| finding.not_tested) {
        field(out, style.width, 2, "not tested", &finding.detail)?;
    }
    for left in &report.left_behind {
        let text = format!("upload {} ({}); remove it with: {}", left.id, left.state, left.remove_with);
        field(out, style.width, 2, "left behind", &text)?;
    }
    for recorded in &report.recorded {
        let kind = recorded.proof_kind.map_or("proves nothing", ProofKind::name);
        field(out, style.width, 2, "recorded", &format!("{}: {kind}", recorded.target))?;
    }
    if let Some(head) = &report.ledger_head {
        field(out, style.width, 2, "ledger", head)?;
    }
    for note in &report.notes {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    if report.sent_bytes > 0 {
        let line = format!("{:.0} s, {} sent", report.stats.elapsed_seconds, ByteSize(report.sent_bytes));
        writeln!(out, "  {}", style.dim(&line))?;
    }
    let (label, text) = conclusion(report);
    conclude(out, style, label, &text)
}

fn end(end: &EndReport) -> String {
    let caller = match (&end.arn, &end.account, &end.unknown_because) {
        (Some(arn), _, _) if !arn.is_empty() => arn.clone(),
        (_, Some(account), _) => format!("account {account}"),
        (_, _, Some(why)) => format!("caller not known ({why})"),
        _ => "this machine".to_owned(),
    };
    let mut text = caller;
    for (name, value) in
        [("partition", &end.partition), ("Region", &end.region), ("bucket owner", &end.expected_bucket_owner)]
    {
        if let Some(value) = value {
            text = format!("{text}, {name} {value}");
        }
    }
    text
}

fn write_finding(out: &mut impl Write, style: Style, finding: &CopyFindingReport) -> io::Result<()> {
    let left = 2 + 7 + 1 + NAME + 1;
    let name = if finding.required { finding.check.to_string() } else { format!("({})", finding.check) };
    let head = format!("  {} {name:<NAME$}", style.verdict(finding.verdict, 7));
    beside(out, style, &head, left, |width| wrap(&printable(&finding.detail), width)).map(drop)
}

/// Time and costs of a copy that is not made yet.
fn write_estimate(out: &mut impl Write, style: Style, estimate: &CopyEstimateReport) -> io::Result<()> {
    field(out, style.width, 2, "time", &estimate.time().to_string())?;
    let lines = estimate.lines.iter().map(|line| {
        let what = match line.item {
            CostItem::Read => format!("to read it from {}", line.of),
            CostItem::CopyOut => "to transfer it".to_owned(),
            CostItem::Write => format!("to write it to {}", line.of),
            CostItem::Keep => format!("a month in {}", line.of),
            CostItem::ReadBack => format!("to read the copy from {}", line.of),
            other => other.to_string(),
        };
        match (&line.reason, Amount { least: line.dollars_least, most: line.dollars_most }) {
            (None, amount) => format!("{} {what}", amount.describe()),
            (Some(why), _) => format!("not known {what} ({why})"),
        }
    });
    let lines: Vec<String> = lines.collect();
    let regions = match &estimate.destination_price_region {
        Some(other) => format!("{} and {other}", estimate.price_region),
        None => estimate.price_region.clone(),
    };
    field(out, style.width, 2, "cost", &format!("{}; by list prices of {regions}", lines.join(", ")))
}

fn names(report: &CopyReport, verdict: Verdict) -> String {
    let counted = report.findings.iter().filter(|finding| finding.required && finding.verdict == verdict);
    counted.map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ")
}

/// A copy of which nothing is left open.
const PROVED: &str = "the bytes of the source are proved, and the copy states the same";

fn conclusion(report: &CopyReport) -> (Label<'static>, String) {
    let (failed, open) = (names(report, Verdict::Fail), names(report, Verdict::Unknown));
    let reasons = if failed.is_empty() { open } else { failed };
    let label = |word| Label::new(word, report.verdict);
    match (report.outcome, report.verdict) {
        (CopyOutcome::Planned, Verdict::Pass) => (label("ready"), "every condition is met; nothing was written".into()),
        (CopyOutcome::Planned, _) if report.exit_code == Exit::Passed => {
            (label("ready"), format!("nothing was written; accepted: {reasons}"))
        }
        (CopyOutcome::Planned | CopyOutcome::Refused, _) => {
            (report.verdict.into(), format!("nothing was written: {reasons}"))
        }
        (CopyOutcome::Copied, Verdict::Pass) if report.by_server => {
            (label("copied"), "by the server; the copy was read, and has the values of the source".into())
        }
        (CopyOutcome::Copied, Verdict::Unknown) if report.by_server => {
            (label("copied"), format!("by the server, as stated by S3; not proved: {reasons}"))
        }
        (CopyOutcome::Copied, Verdict::Pass) => (label("copied"), PROVED.into()),
        (CopyOutcome::Copied, Verdict::Unknown) if report.exit_code == Exit::Passed => {
            let of_source = report.accepted.contains(&CopyCheck::Source);
            let text = if of_source { "the copy states what was sent; the source is not proved" } else { PROVED };
            (label("copied"), format!("{text}; accepted: {reasons}"))
        }
        (CopyOutcome::Copied, Verdict::Fail) => {
            (Verdict::Fail.into(), format!("the copy was made, and is not as requested: {reasons}"))
        }
        (CopyOutcome::Copied, _) => (label("copied"), format!("not proved: {reasons}")),
        (CopyOutcome::AlreadyThere, Verdict::Fail | Verdict::Unknown) => {
            (report.verdict.into(), format!("an object is there already; nothing was read or written: {reasons}"))
        }
        (CopyOutcome::AlreadyThere, Verdict::Pass) => (
            label("pass"),
            "S3 states the same of the object that is there already; nothing was read or written".into(),
        ),
        (CopyOutcome::Occupied, _) => {
            (report.verdict.into(), "another object is at the destination, and was not touched".into())
        }
        (CopyOutcome::NotMade, _) => (report.verdict.into(), format!("no copy was made: {reasons}")),
        (CopyOutcome::NotKnown, _) => {
            (report.verdict.into(), "the server did not confirm the copy, and may have made it".into())
        }
    }
}
