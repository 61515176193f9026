use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, beside, copy_next, field, folded, left_behind, printable, wrap};
use crate::copy::CopyCheck;
use crate::ident::ObjectUri;
use crate::price::{Amount, CostItem};
use crate::report::{CopyEstimateReport, CopyFindingReport, CopyOutcome, CopyReport, EndReport, Exit};
use crate::units::{ByteSize, counted, duration};
use crate::verdict::{ProofKind, Verdict};

/// Width of a check's name, in characters.
const NAME: usize = 19;

pub(super) fn write(out: &mut impl Write, style: Style, report: &CopyReport, again: Option<&str>) -> io::Result<()> {
    title(out, style, report)?;
    field(out, style.width, 2, "from", &end(&report.from))?;
    match &report.destination_file {
        Some(path) => field(out, style.width, 2, "to", &format!("the file {path} on this machine"))?,
        None => field(out, style.width, 2, "to", &end(&report.to))?,
    }
    if let Some(identity) = &report.source_identity {
        field(out, style.width, 2, "object", &object(report, identity.object_bytes))?;
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
    write_findings(out, style, report)?;
    for finding in report.findings.iter().filter(|finding| finding.not_tested) {
        field(out, style.width, 2, "not tested", &finding.detail)?;
    }
    for left in &report.left_behind {
        left_behind(out, style, left)?;
    }
    for recorded in &report.recorded {
        let kind = recorded.proof_kind.map_or("proves nothing", ProofKind::name);
        field(out, style.width, 2, "recorded", &format!("{}: {kind}", recorded.target))?;
    }
    if let Some(head) = &report.ledger_head {
        field(out, style.width, 2, "ledger", head)?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    if report.sent_bytes > 0 {
        let line = format!("{}, {} sent", duration(report.stats.elapsed_seconds), ByteSize(report.sent_bytes));
        writeln!(out, "  {}", style.dim(&line))?;
    }
    let (label, text) = conclusion(report);
    conclude(out, style, label, &text)?;
    copy_next::write(out, style, report, again)
}

/// Writes both ends. Neither is broken, and the arrow stands before the destination.
fn title(out: &mut impl Write, style: Style, report: &CopyReport) -> io::Result<()> {
    let (source, destination) = (printable(&report.source), printable(&report.destination));
    if source.chars().count() + destination.chars().count() + 3 <= style.width {
        return writeln!(out, "{}", style.bold(&format!("{source} → {destination}")));
    }
    writeln!(out, "{}\n{}", style.bold(&source), style.bold(&format!("→ {destination}")))
}

/// Writes the checks that did not pass, and what is worth knowing of those that did; in full, all of them.
fn write_findings(out: &mut impl Write, style: Style, report: &CopyReport) -> io::Result<()> {
    let shown = |finding: &&CopyFindingReport| style.is_full() || finding.verdict != Verdict::Pass;
    let tested = || report.findings.iter().filter(|finding| !finding.not_tested);
    // An optional pass: versioning is known to be off.
    let told = |finding: &&CopyFindingReport| {
        finding.check == CopyCheck::Versioning && finding.verdict == Verdict::Pass && !finding.required
    };
    for finding in tested().filter(shown) {
        write_finding(out, style, finding)?;
    }
    if !style.is_full() {
        tested().filter(told).try_for_each(|finding| field(out, style.width, 2, "versioning", &finding.detail))?;
    }
    folded(out, style, tested().filter(|finding| !shown(finding) && !told(finding)).count())
}

/// Size, parts and checksum. A file has no parts.
fn object(report: &CopyReport, bytes: u64) -> String {
    let parts = match report.parts {
        _ if is_file(report) => String::new(),
        None => " in one request".to_owned(),
        Some(parts) => format!(" in {}", counted(parts, "part")),
    };
    let checksum = report.checksum.as_ref().map(|checksum| format!(", with {checksum}")).unwrap_or_default();
    format!("{}{parts}{checksum}", ByteSize(bytes))
}

/// Whether the copy is a local file.
fn is_file(report: &CopyReport) -> bool {
    report.destination.parse::<ObjectUri>().is_err()
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
    // An error of the local file is no check that lacks an answer.
    let label = match (finding.check, finding.verdict) {
        (CopyCheck::File, Verdict::Unknown) => Label::new("error", Verdict::Unknown),
        (_, verdict) => verdict.into(),
    };
    let head = format!("  {} {name:<NAME$}", style.label(label, 7));
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

/// The first reason why a copy is not made or not proved, and how many more there are.
fn reason(report: &CopyReport) -> String {
    let of = |verdict| report.findings.iter().filter(move |finding| finding.required && finding.verdict == verdict);
    let verdict = if of(Verdict::Fail).next().is_some() { Verdict::Fail } else { Verdict::Unknown };
    let first = of(verdict).next().map(|finding| finding.detail.clone()).unwrap_or_default();
    match of(verdict).count() {
        0 | 1 => first,
        count => format!("{first} (and {})", counted(count as u64 - 1, "more check")),
    }
}

/// What a pass of a complete copy says.
fn proved(report: &CopyReport) -> &'static str {
    let is_read =
        report.findings.iter().any(|finding| finding.check == CopyCheck::ReadBack && finding.verdict == Verdict::Pass);
    match (is_file(report), is_read) {
        (true, true) => "the bytes of the source are proved; the file was read again and has the same digest",
        (true, false) => "the bytes of the source are proved and were written to the file, which was not read again",
        (false, true) => "the bytes of the source are proved; the copy was read and has the same digests",
        (false, false) => {
            "the bytes of the source are proved, and the server states the same values for the copy, which was not read"
        }
    }
}

fn accepted(report: &CopyReport) -> String {
    report.accepted.iter().map(|check| check.name()).collect::<Vec<_>>().join(", ")
}

/// For an object that is there already.
const SAME: &str = "S3 states the same values for the object that is there already; nothing was written, and no byte was \
                    read, so it may be damaged";

fn conclusion(report: &CopyReport) -> (Label<'static>, String) {
    let label = |word| Label::new(word, report.verdict);
    match (report.outcome, report.verdict) {
        (CopyOutcome::Planned, _) if report.exit_code == Exit::Passed => {
            let accepted = match report.accepted.is_empty() {
                true => String::new(),
                false => format!("; accepted without an answer: {}", accepted(report)),
            };
            let written = if report.goes_on { "" } else { "; nothing was written (--dry-run)" };
            (label("ready"), format!("nothing known prevents the copy{accepted}{written}"))
        }
        (CopyOutcome::Planned | CopyOutcome::Refused, _) => {
            (report.verdict.into(), format!("nothing was written: {}", reason(report)))
        }
        (CopyOutcome::Copied, Verdict::Pass) if report.by_server => {
            (label("copied"), "by the server; the copy was read, and has the values of the source".into())
        }
        (CopyOutcome::Copied, Verdict::Unknown) if report.by_server => {
            (label("copied"), format!("by the server, as stated by S3; not proved: {}", reason(report)))
        }
        (CopyOutcome::Copied, Verdict::Pass) => (label("copied"), proved(report).into()),
        (CopyOutcome::Copied, Verdict::Unknown) if report.exit_code == Exit::Passed => {
            let of_source = report.accepted.contains(&CopyCheck::Source);
            let text = if of_source { "what was read was written; the source is not proved" } else { proved(report) };
            (label("copied"), format!("{text}; accepted without an answer: {}", accepted(report)))
        }
        (CopyOutcome::Copied, Verdict::Fail) => {
            (Verdict::Fail.into(), format!("the copy was made, and is not as requested: {}", reason(report)))
        }
        (CopyOutcome::Copied, _) => (label("copied"), format!("not proved: {}", reason(report))),
        (CopyOutcome::AlreadyThere, Verdict::Pass) => (label("same"), SAME.into()),
        (CopyOutcome::AlreadyThere, Verdict::Unknown) if report.exit_code == Exit::Passed => {
            (label("same"), format!("{SAME}; accepted without an answer: {}", accepted(report)))
        }
        (CopyOutcome::AlreadyThere, _) => {
            (report.verdict.into(), format!("an object is there already, and nothing was written: {}", reason(report)))
        }
        (CopyOutcome::Occupied, _) => (report.verdict.into(), format!("nothing was written: {}", reason(report))),
        (CopyOutcome::NotMade, _) => not_made(report),
        (CopyOutcome::NotKnown, _) => {
            (report.verdict.into(), "the server did not confirm the copy, and may have made it".into())
        }
    }
}

fn not_made(report: &CopyReport) -> (Label<'static>, String) {
    match report.exit_code {
        Exit::Interrupted if report.left_behind.is_empty() => {
            (Label::new("stopped", report.verdict), "no copy was made, and nothing is left of it".to_owned())
        }
        Exit::Interrupted => {
            (Label::new("stopped", report.verdict), "no copy was made; the upload is still there".to_owned())
        }
        Exit::CouldNot => (Label::new("error", report.verdict), format!("no copy was made: {}", reason(report))),
        _ => (report.verdict.into(), format!("no copy was made: {}", reason(report))),
    }
}
