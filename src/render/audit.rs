use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, beside, condition, field, printable, shell_word, wrap};
use crate::audit::{ChangeKind, Entry, Level, LookResult, Proof, joined};
use crate::ident::ETag;
use crate::ledger::Head;
use crate::report::{
    AuditNote, AuditReport, AuditedBucketReport, AuditedNote, AuditedReport, AuditedRunReport, DamageSummary,
    FindingReport, LedgerEntryReport, LedgerReport, Note, ObservationReport, ProvedReport, ReasonReport, Severity,
    TroubleReport,
};
use crate::units::{ByteSize, counted};
use crate::verdict::{CheckId, ReasonCode, Verdict};

/// Width of the word at the start of a line.
const WORD: usize = 8;

/// Writes the result for an object. In brief, it is one sentence about its worst findings.
pub(super) fn write(out: &mut impl Write, style: Style, report: &AuditedReport, severity: Severity) -> io::Result<()> {
    let target = style.word(&report.target.to_string());
    let label = style.label(label(report, severity), WORD);
    if !style.is_full() {
        let worst = what(report, severity);
        return sentence(out, style, &label, &format!("{target}  {}", printable(&worst)));
    }
    writeln!(out, "{label} {target}{}", style.dim(&printable(&about(report))))?;
    for finding in report.findings.iter().filter(|finding| speaks(finding)) {
        condition::write(out, style, finding)?;
        for damage in finding.damage.iter().take(3) {
            let at = format!("part {}, {} bytes at offset {}", damage.part, damage.length_bytes, damage.offset_bytes);
            field(out, style.width, 10, "damaged", &at)?;
        }
    }
    for note in style.notes(&report.notes).iter().filter(|_| severity != Severity::Good) {
        field(out, style.width, 10, "note", &note.to_string())?;
    }
    Ok(())
}

/// The word for an object; one without problems that is not proved is `SEEN`.
fn label(report: &AuditedReport, severity: Severity) -> Label<'static> {
    match (severity, report.verdict) {
        (Severity::Good, Verdict::Unknown) => Label::new("seen", Verdict::Unknown),
        (Severity::Good, verdict) => verdict.into(),
        (severity, _) => of_severity(severity),
    }
}

fn of_severity(severity: Severity) -> Label<'static> {
    let colour = match severity {
        Severity::Good => Verdict::Pass,
        Severity::Unknown => Verdict::Unknown,
        _ => Verdict::Fail,
    };
    Label::new(severity.name(), colour)
}

/// Writes a text beside a label. A text that does not fit is wrapped below its first word.
fn sentence(out: &mut impl Write, style: Style, label: &str, text: &str) -> io::Result<()> {
    let lines = wrap(text, style.width.saturating_sub(WORD + 1).max(24));
    for (index, line) in lines.iter().enumerate() {
        match index {
            0 => writeln!(out, "{label} {}", line.trim_end())?,
            _ => writeln!(out, "{:WORD$} {}", "", line.trim())?,
        }
    }
    Ok(())
}

/// What is wrong with an object or unknown about it: the worst findings, then the other requirements that it does not
/// meet.
fn what(report: &AuditedReport, severity: Severity) -> String {
    let all = |severity: Severity| -> Vec<String> {
        let findings = report.findings.iter().filter(|finding| speaks(finding));
        let mut texts: Vec<String> = Vec::new();
        for finding in findings.filter(|finding| Severity::of_finding(finding) == severity) {
            let text = found(finding);
            let text = if severity == Severity::Policy { format!("{}: {text}", finding.check) } else { text };
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    };
    let mut texts = match (severity, DamageSummary::of(&report.findings)) {
        (Severity::Damaged, Some(damage)) => vec![damage.sentence(report.parts)],
        (Severity::Unknown, _) => vec![format!("not known: {}", all(severity).join("; "))],
        _ => all(severity),
    };
    let lesser = Severity::ALL.iter().filter(|one| **one > severity && **one < Severity::Unknown);
    texts.extend(lesser.flat_map(|one| all(*one)));
    if severity != Severity::Damaged && severity != Severity::Policy {
        // The reason of the finding says it already.
        let is_said = |note: &&Note| matches!(note, Note::Audited(AuditedNote::Unanswered { .. }));
        let notes = report.notes.iter().filter(|note| !is_said(note)).map(ToString::to_string);
        let new: Vec<String> = notes.filter(|note| !texts.iter().any(|text| text.contains(note.as_str()))).collect();
        texts.extend(new);
    }
    texts.join("; ")
}

/// Size, proof and change of an object, each preceded by two spaces.
fn about(report: &AuditedReport) -> String {
    let size = report.identity.as_ref().map(|identity| format!("  {}", ByteSize(identity.object_bytes)));
    let proof = match (&report.proof, report.examined) {
        (Some(proof), Some(Level::Bytes)) => format!("  {}", joined(&proof.by, ", ")),
        (Some(proof), _) => format!("  proved {}", day(&proof.at)),
        (None, _) => String::new(),
    };
    let unread = report.unread_proof.as_ref().map(|proof| format!("  {}", unread_proof(proof)));
    let change = match report.change {
        None | Some(ChangeKind::Same) => String::new(),
        Some(change) => format!("  {}", change.in_words()),
    };
    [size.unwrap_or_default(), proof, unread.unwrap_or_default(), change].concat()
}

/// A proof that did not read the object.
fn unread_proof(proof: &ProvedReport) -> String {
    match proof.kind.known() {
        Some(kind) => format!("{} {}, not read", kind.in_words(), day(&proof.at)),
        None => format!("{} {}", proof.kind, day(&proof.at)),
    }
}

/// Whether a finding gets a line: it failed, or is required and unknown. If nothing was read, only the line of the
/// proof states that.
fn speaks(finding: &FindingReport) -> bool {
    let unread = |reason: &ReasonReport| matches!(reason.code, ReasonCode::NotRead | ReasonCode::Archived);
    let said_by_proof =
        matches!(finding.check, CheckId::Identity | CheckId::Size) && finding.reason.as_ref().is_some_and(unread);
    finding.blocks_pass() && (finding.verdict == Verdict::Fail || !said_by_proof)
}

/// The date of a timestamp.
fn day(at: &str) -> &str {
    at.split('T').next().unwrap_or(at)
}

/// What was found, or why it is not known; the expected value is in the full text.
fn found(finding: &FindingReport) -> String {
    match (&finding.reason, &finding.observed) {
        (Some(reason), _) => reason.detail.clone(),
        (None, Some(found)) => found.clone(),
        (None, None) => finding.verdict.to_string(),
    }
}

pub(super) fn write_bucket(
    out: &mut impl Write,
    style: Style,
    report: &AuditedBucketReport,
    severity: Severity,
) -> io::Result<()> {
    let label = style.label(of_severity(severity), WORD);
    let bucket = format!("bucket {}", printable(&report.bucket));
    if style.is_full() {
        writeln!(out, "{label} {bucket}")?;
        return report.findings.iter().try_for_each(|finding| condition::write(out, style, finding));
    }
    let findings = report.findings.iter().filter(|finding| speaks(finding));
    let texts: Vec<String> = findings.map(|finding| format!("{}: {}", finding.check, found(finding))).collect();
    sentence(out, style, &label, &format!("{bucket}  {}", printable(&texts.join("; "))))
}

/// Writes why a run of parts was not read.
pub(super) fn write_run(out: &mut impl Write, style: Style, report: &AuditedRunReport) -> io::Result<()> {
    let label = style.label(of_severity(Severity::Unknown), WORD);
    let which = match report.run {
        0 => String::new(),
        run => format!(", run {run} of {}", report.of),
    };
    let why = report.reason.as_ref().map(|reason| reason.detail.clone()).unwrap_or_default();
    let target = style.word(&report.target.to_string());
    sentence(out, style, &label, &format!("{target}{which}  not read: {}", printable(&why)))
}

pub(super) fn write_observation(out: &mut impl Write, style: Style, report: &ObservationReport) -> io::Result<()> {
    let text = format!("{} {}: {}", report.kind.to_string().replace('_', " "), report.subject, report.detail);
    for (index, line) in wrap(&printable(&text), style.width.saturating_sub(8).max(24)).iter().enumerate() {
        let head = if index == 0 { "NOTE" } else { "" };
        writeln!(out, "{head:<7} {line}")?;
    }
    Ok(())
}

pub(super) fn write_all(out: &mut impl Write, style: Style, report: &AuditReport) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        style.bold(&report.scope.iter().map(|part| style.word(&part.to_string())).collect::<Vec<_>>().join(", "))
    )?;
    let mut line = |label: &str, value: &str| field(out, style.width, 2, label, value);
    line("listed", &listed(report))?;
    line("level", report.level.name())?;
    line("objects", &outcomes(report))?;
    line("proved", &format!("{} of {}, every byte", report.proved, counted(report.objects, "object")))?;
    if report.runs > 0 {
        let runs = format!("{} of objects that the shards read together", counted(report.runs, "run"));
        line("runs", &format!("{runs}; audit merge compares them"))?;
    }
    if let Some(dollars) = report.estimated_dollars {
        line("cost", &format!("${dollars:.4}, by list prices"))?;
    }
    for problem in &report.problems {
        line("problem", problem)?;
    }
    // How many objects were not reached stands beside the reason, at the end.
    let is_said = |note: &&AuditNote| matches!(note, AuditNote::NotReached { .. });
    for note in style.notes(&report.notes).iter().filter(|note| !is_said(note)) {
        line("note", &note.to_string())?;
    }
    // A ledger without entries has no head worth keeping.
    let is_empty = |head: &&String| head.parse::<Head>().is_ok_and(|head| head.entries == 0);
    if let Some(head) = report.ledger_head.as_ref().filter(|head| !is_empty(head)) {
        line("ledger", head)?;
    }
    let text = format!(
        "{} ({} to list), {} read, {:.1} s",
        counted(report.requests, "request"),
        report.listing_requests,
        ByteSize(report.received_bytes),
        report.elapsed_seconds
    );
    writeln!(out, "  {}", style.dim(&text))
}

/// What was listed, and which part of it the report covers.
fn listed(report: &AuditReport) -> String {
    let bytes = match report.listed_bytes {
        0 => String::new(),
        bytes => format!(", {}", ByteSize(bytes)),
    };
    let others = match report.other_objects {
        0 => String::new(),
        count => format!("; {} skipped", counted(count, "other object")),
    };
    let share = [("slice", &report.slice), ("shard", &report.shard)];
    let share: Vec<String> =
        share.iter().filter_map(|(what, share)| share.as_ref().map(|share| format!("{what} {share}"))).collect();
    let share = if share.is_empty() { String::new() } else { format!("; this is {}", share.join(", ")) };
    format!("{}{bytes}{others}{share}", counted(report.listed, "stored AMI object"))
}

/// Number of objects by outcome.
fn outcomes(report: &AuditReport) -> String {
    let held = if report.level == Level::Facts { "seen" } else { "proved" };
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
    parts.join(", ")
}

/// The label of an examination, and its details. `unread` is its verdict as the ledger has it.
fn of_proof<'a>(report: &LedgerEntryReport, proof: &Proof, unread: &'a str) -> (Label<'a>, String) {
    if let Some(made) = &proof.restored {
        let verdict = made.verdict.known().copied().unwrap_or(Verdict::Unknown);
        return (Label::new("restored", verdict), format!("  {}: {}", made.image, made.verdict));
    }
    let from = proof.copied_from.as_ref().map(|from| format!("  copied from {}", from.target)).unwrap_or_default();
    if report.trouble.is_none() && proof.standing() == LookResult::InOrder {
        let seen = format!("  {}: in order, bytes not proved{from}", proof.level);
        return (Label::new("seen", Verdict::Unknown), seen);
    }
    let by = joined(&proof.proved_by, ", ");
    let by = if by.is_empty() { by } else { format!("  {by}") };
    // The trouble names the doubt.
    let doubt = proof.doubt.filter(|_| report.trouble.is_none());
    let doubt = doubt.map(|doubt| format!("  {doubt}")).unwrap_or_default();
    let verdict = proof.verdict.known().copied().map_or(Label::new(unread, Verdict::Unknown), Label::from);
    let kind = report.proof_kind.map(|kind| format!("  {kind}")).unwrap_or_default();
    (verdict, format!("  {}{kind}{by}{doubt}{from}", proof.level))
}

/// How bad what the ledger has against the object is; `None` if it has nothing.
fn severity_of(report: &LedgerEntryReport) -> Option<Severity> {
    let trouble = report.trouble.as_ref().map(|trouble| match trouble.verdict {
        Verdict::Fail => Severity::Damaged,
        Verdict::Pass | Verdict::Unknown => Severity::Unknown,
    });
    let changed = report.changed.as_ref().map(|changed| match changed.change {
        ChangeKind::Replaced => Severity::Replaced,
        _ => Severity::Unknown,
    });
    trouble.into_iter().chain(changed).min()
}

pub(super) fn write_entry(out: &mut impl Write, style: Style, report: &LedgerEntryReport) -> io::Result<()> {
    let unread = match &report.entry {
        Entry::Proof(proof) => printable(&proof.verdict.to_string()),
        Entry::Gone(_) | Entry::Acceptance(_) => String::new(),
    };
    let (label, rest) = match &report.entry {
        Entry::Gone(_) => (Label::new("missing", Verdict::Unknown), String::new()),
        Entry::Acceptance(acceptance) => {
            let state = acceptance.object.as_ref().map_or("that it is gone".to_owned(), |object| {
                let etag = object.etag.as_ref().map_or("none", ETag::as_str);
                let written = object.last_modified.as_deref().unwrap_or("at a time that is not stated");
                format!("{} bytes, ETag {etag}, written {written}", object.object_bytes.unwrap_or_default())
            });
            (Label::new("accepted", Verdict::Unknown), format!("  {state}: {}", acceptance.reason))
        }
        Entry::Proof(proof) => of_proof(report, proof, &unread),
    };
    let severity = severity_of(report);
    let label = match severity {
        Some(severity) => of_severity(severity),
        None => label,
    };
    let accepted = matches!(report.entry, Entry::Acceptance(_)) && severity.is_some();
    let accepted = if accepted { "  accepted" } else { "" };
    let change = report.changed.iter().map(|changed| changed.detail.clone());
    let against: String =
        change.chain(report.trouble.iter().map(TroubleReport::sentence)).map(|text| format!("  {text}")).collect();
    let rest = format!("{accepted}{rest}{against}");
    let (at, target) = (printable(report.entry.at()), shell_word(report.entry.target()));
    let head = format!("{:>6} {at} {}", report.number, style.label(label, WORD));
    let left = 6 + 1 + at.chars().count() + 1 + WORD + 1;
    // On one line, the details are dimmed; the wrapped lines stand apart by their indent.
    if left + target.chars().count() + rest.chars().count() <= style.width {
        return writeln!(out, "{head} {target}{}", style.dim(&printable(&rest)));
    }
    let lines = |width: usize| {
        let rest = wrap(&printable(rest.trim_start()), width);
        [target.clone()].into_iter().chain(rest.into_iter().filter(|line| !line.is_empty())).collect()
    };
    beside(out, style, &head, left, lines).map(drop)
}

pub(super) fn write_ledger(out: &mut impl Write, style: Style, report: &LedgerReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.ledger)))?;
    if let Some(head) = &report.head {
        field(out, style.width, 2, "head", head)?;
    }
    if !report.proofs.is_empty() {
        let counts: Vec<String> = report.proofs.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        field(out, style.width, 2, "proofs", &counts.join(", "))?;
    }
    match (&report.verdict, &report.problem) {
        (Some(verdict), Some(problem)) => conclude(out, style, *verdict, problem),
        (Some(verdict), None) => {
            conclude(out, style, *verdict, "every entry is as it was written, and none is missing")
        }
        (None, problem) => problem.iter().try_for_each(|problem| field(out, style.width, 2, "problem", problem)),
    }
}
