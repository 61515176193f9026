use std::io::{self, Write};

use super::condition::{conclude, names};
use super::next_step::Damaged;
use super::{Label, Style, command, condition, damage, field, printable, shell_word, wrap};
use crate::audit::joined;
use crate::checks::preflight::{Presence, both_units};
use crate::ident::{Target, shell_option};
use crate::report::{
    EndOption, Exit, FindingReport, ObjectProofState, PreflightReport, SizeReport, StoredReport, StoredState, arguments,
};
use crate::units::{ByteSize, counted};
use crate::verdict::{CheckId, Condition, Verdict};

pub(super) fn write(
    out: &mut impl Write,
    style: Style,
    report: &PreflightReport,
    reach: &[EndOption],
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let account = report.account.as_ref().map(|account| format!(", account {account}")).unwrap_or_default();
    let towards = match (&report.destination, &report.name) {
        (Some(destination), _) => format!(" to {destination}"),
        (None, Some(name)) => format!(" as `{name}`"),
        (None, None) => String::new(),
    };
    let headline = format!("{}{towards}, Region {}{account}", report.operation, report.region);
    for line in wrap(&printable(&headline), style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    condition::write_all(out, style, &in_brief(style, report))?;
    if let Some(size) = size(&report.size) {
        field(out, style.width, 2, "logical size", &size)?;
    }
    if style.is_full() {
        for (name, value) in &report.tags {
            field(out, style.width, 2, "tag to set", &format!("{name} = {value}"))?;
        }
    } else if !report.tags.is_empty() {
        field(out, style.width, 2, "tags to set", &format!("{} (-v shows them)", report.tags.len()))?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    for untested in &report.untested {
        field(out, style.width, 2, "not tested", untested)?;
    }
    writeln!(out, "  {}", style.dim(&counted(report.requests, "request")))?;
    conclude(out, style, report.verdict, &conclusion(report))?;
    write_next(out, style, report)?;
    match (&report.damaged, report.target.parse::<Target>()) {
        (Some(object), Ok(target)) => {
            let (version_id, etag) = (object.version_id.as_deref(), object.etag.as_deref());
            damage::copies(out, style, Damaged { target: &target, version_id, etag }, reach)
        }
        _ => Ok(()),
    }
}

/// What can be done about the findings that stop the task. The cure comes first, and what goes on without it last.
pub(super) fn write_next(out: &mut impl Write, style: Style, report: &PreflightReport) -> io::Result<()> {
    // Nothing is left to do about an unknown that was accepted.
    let mut steps = report.next_steps.iter().filter(|_| report.exit_code != Exit::Passed);
    steps.try_for_each(|step| field(out, style.width, 2, "next", step))?;
    if report.verdict == Verdict::Unknown && report.accepted.is_empty() {
        let list = names(&report.findings, Verdict::Unknown).replace(", ", ",");
        field(out, style.width, 2, "or", &format!("--accept {list} goes on without these answers"))?;
    }
    Ok(())
}

/// The findings as they are printed. In brief, the sources of `not-stored` are not listed one by one.
fn in_brief(style: Style, report: &PreflightReport) -> Vec<FindingReport> {
    let mut findings = report.findings.clone();
    let is_brief =
        |finding: &&mut FindingReport| !style.is_full() && finding.check == CheckId::Condition(Condition::NotStored);
    for finding in findings.iter_mut().filter(is_brief) {
        let short = reason(report, finding);
        if finding.verdict == Verdict::Fail {
            finding.observed = Some(short);
        }
        if let (Some(why), Some(said)) = (
            finding.reason.as_mut(),
            report.stored.as_ref().and_then(|stored| stored.reason).filter(|said| *said != Presence::NotAnswered),
        ) {
            why.detail = format!("{} (-v shows what each source states)", presence(said));
        }
    }
    findings
}

/// `None` if no size is known; the finding on the size then says why.
fn size(report: &SizeReport) -> Option<String> {
    let volumes = report.volume_bytes.map(|bytes| format!("{} of volumes", both_units(bytes)));
    let written = report.written_bytes.map(|bytes| format!("{} written", both_units(bytes)));
    let sizes: Vec<String> = volumes.into_iter().chain(written).collect();
    (!sizes.is_empty()).then(|| format!("{} ({})", sizes.join(", "), report.source))
}

/// Why the task was not started: the reason itself where it is a sentence about the condition.
fn reason(report: &PreflightReport, finding: &FindingReport) -> String {
    let stored = report.stored.as_ref().filter(|_| finding.check == CheckId::Condition(Condition::NotStored));
    match stored.map(|stored| (stored.answer, stored, stored.found.as_ref())) {
        Some((StoredState::Stored, stored, Some(found))) => {
            let size = found.object_bytes.map(|bytes| ByteSize(bytes).to_string());
            let facts: Vec<String> = size.into_iter().chain(found.last_modified.clone()).collect();
            let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
            format!("{} is already in {}{facts}", found.key, stored.bucket)
        }
        Some((StoredState::InFlight, stored, _)) => {
            format!("a store of {} into {} is in progress", stored.image, stored.bucket)
        }
        _ => finding.observed.clone().unwrap_or_else(|| finding.check.to_string()),
    }
}

fn conclusion(report: &PreflightReport) -> String {
    let text = outcome(report);
    let Some(proof) = &report.object_proof else { return text };
    match proof.state {
        // The text names the check, and why it did not pass.
        ObjectProofState::Failed | ObjectProofState::Unknown => text,
        ObjectProofState::NotVerified if report.exit_code == Exit::Passed => {
            format!("{text}; {} (--verify reads them all)", proof.clause())
        }
        ObjectProofState::NotVerified | ObjectProofState::ProvedBefore | ObjectProofState::Proved => {
            format!("{text}; {}", proof.clause())
        }
    }
}

fn outcome(report: &PreflightReport) -> String {
    match report.verdict {
        Verdict::Pass => format!("nothing known prevents the {}", report.operation),
        Verdict::Fail => {
            let failed = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
            let reasons: Vec<String> = failed.map(|finding| reason(report, finding)).collect();
            format!("the {} cannot start: {}", report.operation, reasons.join("; "))
        }
        Verdict::Unknown => {
            let accepted = joined(&report.accepted, ", ");
            if report.exit_code == Exit::Passed {
                return format!(
                    "nothing known prevents the {}; accepted without an answer: {accepted}",
                    report.operation
                );
            }
            let open = report.findings.iter().filter(|finding| !report.accepted.contains(&finding.check));
            let names = names(open, Verdict::Unknown);
            let accepted = if accepted.is_empty() { accepted } else { format!("; accepted: {accepted}") };
            format!("whether the {} can start is not known; not answered: {names}{accepted}", report.operation)
        }
    }
}

pub(super) fn write_stored(
    out: &mut impl Write,
    style: Style,
    report: &StoredReport,
    reach: &[EndOption],
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&format!("{} in {}", report.image, report.bucket))))?;
    for source in &report.sources {
        let text = format!("{} [{}]", source.said, source.source);
        field(out, style.width, 2, "said", &text)?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let label = match report.exit_code {
        Exit::Passed => Verdict::Pass,
        Exit::Failed => Verdict::Fail,
        _ => Verdict::Unknown,
    };
    let Some(reason) = report.reason else {
        return conclude(out, style, label, &report.answer.to_string().replace('_', " "));
    };
    let word = match report.is_stored {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    conclude(out, style, Label::new(word, label), presence(reason))?;
    let (label, text) = after_presence(report, reason, &arguments(reach, ""));
    command(out, style, label, &text)
}

/// The command that is useful next.
fn after_presence(report: &StoredReport, reason: Presence, reach: &str) -> (&'static str, String) {
    let StoredReport { image, bucket, key, .. } = report;
    let place = key.rsplit_once('/').map_or_else(|| bucket.clone(), |(folder, _)| format!("{bucket}/{folder}"));
    let (place, object) = (shell_option("--bucket", &place), shell_word(&format!("s3://{bucket}/{key}")));
    match reason {
        Presence::TaskCompleted | Presence::NoTask | Presence::LastStoreFailed => {
            ("prove it", format!("stored-ami verify {object}{reach}"))
        }
        Presence::NoObject | Presence::StoreFailed | Presence::ObjectGone => {
            ("store it", format!("stored-ami store {image} {place}{reach}"))
        }
        Presence::InFlight => ("follow it", format!("stored-ami store --follow {image}{reach}")),
        Presence::EmptyObject => ("look at it", format!("stored-ami inspect {object}{reach}")),
        Presence::NotAnswered => ("permissions", format!("stored-ami policy is-stored {place}")),
        Presence::OtherPath | Presence::UnknownTaskState | Presence::Contradiction => {
            ("ask again", format!("stored-ami is-stored {image} {place}{reach}"))
        }
    }
}

/// The conclusion about the object, as a sentence.
fn presence(reason: Presence) -> &'static str {
    match reason {
        Presence::TaskCompleted => "stored: the object exists and its store task is completed",
        Presence::NoTask => "stored: the object exists, and no store of the AMI ran in the last 31 days",
        Presence::NoObject => "not stored",
        Presence::StoreFailed => "not stored: the last store failed",
        Presence::ObjectGone => "not stored: a store was completed, but its object is gone",
        Presence::InFlight => "a store is in progress: ask again when it has ended",
        Presence::OtherPath => "cannot tell: the bucket holds the AMI under another path only; name it with --bucket",
        Presence::LastStoreFailed => "cannot tell: the object exists, but the last store failed",
        Presence::EmptyObject => "cannot tell: the object is empty",
        Presence::UnknownTaskState => "cannot tell: a store task is in an unknown state",
        Presence::Contradiction => "cannot tell: HeadObject and ListObjectsV2 contradict each other; ask again",
        Presence::NotAnswered => "cannot tell: a source did not answer",
    }
}
