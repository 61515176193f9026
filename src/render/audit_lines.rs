//! The lines of an audit for people, in the order of severity.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::audit;
use super::damage::{next_steps, steps};
use super::next_step::{Damaged, NextStep};
use super::sorted_texts::SortedTexts;
use super::{Detail, Style, field, wrap};
use crate::audit::Level;
use crate::ident::{ObjectUri, Target, shell_option};
use crate::report::{
    AuditReport, AuditStep, AuditedBucketReport, AuditedReport, AuditedRunReport, EndOption, Exit, FindingReport,
    IdentityReport, ObservationReport, Severity,
};
use crate::units::{counted, noun};
use crate::verdict::{CheckId, PolicyCheck, ReasonCode, Verdict};

/// Maximum number of objects of one severity, and of observations of one kind, that get lines; the rest are counted.
/// This bounds the output of an audit of any size, but for `Detail::Full`, which lists all.
const MOST_OBJECTS: usize = 500;
const MOST_OBSERVED: usize = 20;

/// The texts of an audit until its end.
#[derive(Default)]
pub(super) struct AuditLines {
    blocks: BTreeMap<Severity, Blocks>,
    observed: BTreeMap<String, Blocks>,
    counts: Counts,
    /// The first damaged object.
    damaged: Option<(Target, IdentityReport)>,
    /// The first missing and the first replaced object.
    changed: BTreeMap<Severity, ObjectUri>,
    /// How the first damaged object that was read once is read again.
    again: Vec<NextStep>,
    /// Why the first object that was due was not reached.
    stopped: Option<String>,
    /// What can be done about what is unknown.
    steps: BTreeSet<AuditStep>,
}

/// Texts that are printed together, and the number of those that are left out.
#[derive(Default)]
struct Blocks {
    texts: SortedTexts,
    left_out: u64,
}

/// Number of results of each severity.
#[derive(Default)]
struct Counts {
    objects: BTreeMap<Severity, u64>,
    buckets: BTreeMap<Severity, u64>,
    /// Objects whose worst finding is of the policy, by the requirements that they do not meet.
    policy: BTreeMap<String, u64>,
    proved: u64,
    not_reached: u64,
}

impl Blocks {
    fn add(&mut self, most: usize, name: String, text: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<()> {
        if self.texts.len() < most {
            self.texts.add(name, String::from_utf8_lossy(&text()?).into_owned())?;
        } else {
            self.left_out += 1;
        }
        Ok(())
    }

    fn write(self, out: &mut impl Write) -> io::Result<u64> {
        self.texts.write(out)?;
        Ok(self.left_out)
    }
}

impl AuditLines {
    /// Takes the result for an object.
    pub(super) fn object(&mut self, style: Style, report: &AuditedReport) -> io::Result<()> {
        let severity = report.severity();
        let not_reached = severity == Severity::Unknown && report.is_not_reached();
        self.counts.add(report, severity, not_reached);
        if not_reached && self.stopped.is_none() {
            self.stopped = report.findings.iter().find_map(|finding| Some(finding.reason.as_ref()?.detail.clone()));
        }
        self.lacks(&report.target.bucket, &report.findings);
        if severity == Severity::Damaged
            && self.damaged.is_none()
            && let Some(identity) = &report.identity
        {
            self.damaged = Some((Target::Object(report.target.clone()), identity.clone()));
        }
        if matches!(severity, Severity::Missing | Severity::Replaced) {
            self.changed.entry(severity).or_insert_with(|| report.target.clone());
        }
        if severity == Severity::Damaged && self.again.is_empty() {
            self.again = NextStep::after_one_read(&report.target, &report.findings);
        }
        if !style.is_full() && (severity == Severity::Good || not_reached) {
            return Ok(());
        }
        let blocks = self.blocks.entry(severity).or_default();
        blocks.add(most(style), report.target.to_string(), || {
            let mut text = Vec::new();
            audit::write(&mut text, style, report, severity)?;
            Ok(text)
        })
    }

    /// Takes the result for a bucket.
    pub(super) fn bucket(&mut self, style: Style, report: &AuditedBucketReport) -> io::Result<()> {
        let severity = report.severity();
        *self.counts.buckets.entry(severity).or_default() += 1;
        self.lacks(&report.bucket, &report.findings);
        if !style.is_full() && severity == Severity::Good {
            return Ok(());
        }
        // The empty name is before the names of all objects.
        self.blocks.entry(severity).or_default().add(usize::MAX, String::new(), || {
            let mut text = Vec::new();
            audit::write_bucket(&mut text, style, report, severity)?;
            Ok(text)
        })
    }

    /// Takes the result for a run of parts. One that was read needs no line.
    pub(super) fn run(&mut self, style: Style, report: &AuditedRunReport) -> io::Result<()> {
        if report.reason.is_none() {
            return Ok(());
        }
        let name = format!("{} {:05}", report.target, report.run);
        self.blocks.entry(Severity::Unknown).or_default().add(most(style), name, || {
            let mut text = Vec::new();
            audit::write_run(&mut text, style, report)?;
            Ok(text)
        })
    }

    /// Notes that a permission on the bucket is missing, if findings say so.
    fn lacks(&mut self, bucket: &str, findings: &[FindingReport]) {
        let is_denied = |finding: &FindingReport| {
            let code = finding.reason.as_ref().map(|reason| reason.code);
            finding.blocks_pass() && code == Some(ReasonCode::NotPermitted)
        };
        if findings.iter().any(is_denied) {
            self.steps.insert(AuditStep::Allow { bucket: bucket.to_owned() });
        }
    }

    /// Takes an observation.
    pub(super) fn observation(&mut self, style: Style, report: &ObservationReport) -> io::Result<()> {
        let blocks = self.observed.entry(report.kind.to_string()).or_default();
        blocks.add(MOST_OBSERVED, report.subject.clone(), || {
            let mut text = Vec::new();
            audit::write_observation(&mut text, style, report)?;
            Ok(text)
        })
    }

    /// Writes what was collected, and the end of the audit if it has one. `again` continues the audit, and `reach` are the
    /// options for commands about its objects.
    pub(super) fn finish(
        self,
        out: &mut impl Write,
        style: Style,
        end: Option<&AuditReport>,
        (again, reach): (Option<&str>, &[EndOption]),
    ) -> io::Result<()> {
        let AuditLines {
            blocks,
            observed,
            counts,
            damaged,
            mut changed,
            again: read_again,
            stopped,
            steps: mut advice,
        } = self;
        for (severity, blocks) in blocks {
            if let more @ 1.. = blocks.write(out)? {
                writeln!(out, "… and {more} more: {severity} (all of them in --json and --csv)")?;
            }
            if let (Severity::Damaged, Some((target, identity))) = (severity, &damaged) {
                steps(out, style, &read_again, reach)?;
                next_steps(out, style, Damaged::new(target, identity), reach)?;
            }
            if let Some(object) = changed.remove(&severity) {
                let ledger = end.and_then(|end| end.ledger.clone());
                steps(out, style, &[NextStep::Accept { object, ledger }], reach)?;
            }
        }
        let observed = if style.detail == Detail::Quiet { BTreeMap::new() } else { observed };
        for (kind, blocks) in observed {
            if let more @ 1.. = blocks.write(out)? {
                field(out, style.width, 2, "not shown", &format!("{more} more: {}", kind.replace('_', " ")))?;
            }
        }
        let Some(end) = end else { return Ok(()) };
        writeln!(out)?;
        audit::write_all(out, style, end)?;
        rest(out, style, end, stopped.as_deref(), again)?;
        advice.extend(end.steps.iter().cloned());
        advice.iter().try_for_each(|step| help(out, style, step))?;
        let text = counts.sentence(end);
        let verdict = counts.worst(end);
        wrap(&text, style.width).iter().try_for_each(|line| writeln!(out, "{}", style.toned(verdict, line)))
    }
}

/// Writes a step.
fn help(out: &mut impl Write, style: Style, step: &AuditStep) -> io::Result<()> {
    match step {
        AuditStep::Advice(text) => field(out, style.width, 2, "help", text),
        AuditStep::Allow { bucket } => {
            field(
                out,
                style.width,
                2,
                "help",
                "ask for the permission; the policy below has all that the audit needs",
            )?;
            let bucket = shell_option("--bucket", bucket);
            super::command(out, style, "permissions", &format!("stored-ami policy audit {bucket}"))
        }
    }
}

/// Number of objects of one severity that get lines.
fn most(style: Style) -> usize {
    if style.is_full() { usize::MAX } else { MOST_OBJECTS }
}

/// What was not examined: objects with results that are young enough, and those that a limit or a signal left.
fn rest(
    out: &mut impl Write,
    style: Style,
    end: &AuditReport,
    stopped: Option<&str>,
    again: Option<&str>,
) -> io::Result<()> {
    let age = end.max_age_seconds.map(age);
    // Without reading, an object in the listing is examined again only if it changed.
    if end.still_good > 0 && end.level != Level::Facts {
        let proofs = match &age {
            Some(age) => format!("proofs younger than {age}"),
            None => "earlier proofs".to_owned(),
        };
        let count = counted(end.still_good, "object");
        field(out, style.width, 2, "skipped", &format!("{count} not read again: {proofs} (--max-age 0d reads them)"))?;
    }
    if end.not_reached() == 0 && end.exit_code != Exit::Interrupted {
        return Ok(());
    }
    let why = if end.exit_code == Exit::Interrupted { Some("interrupted") } else { stopped };
    let objects = counted(end.objects + end.cut_off, "object");
    let place = format!("{} of {objects} were not reached", end.not_reached());
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    field(out, style.width, 2, "stopped", &format!("{place}{why}"))?;
    let kept = match (&end.ledger_head, end.max_age_seconds) {
        (None, _) => "nothing; --ledger FILE keeps what was proved",
        (Some(_), Some(0)) => {
            "in the ledger; with --max-age 0d the same command reads those objects again, last of all"
        }
        (Some(_), _) => "in the ledger; the same command continues with the other objects",
    };
    field(out, style.width, 2, "kept", kept)?;
    match again {
        Some(again) => {
            let label = if end.ledger_head.is_some() { "go on with" } else { "run again" };
            super::command(out, style, label, again)
        }
        None => Ok(()),
    }
}

/// `90 d`, or hours where they are not whole days.
pub(super) fn age(seconds: i64) -> String {
    let hours = seconds / 3600;
    if hours % 24 == 0 { format!("{} d", hours / 24) } else { format!("{hours} h") }
}

impl Counts {
    fn add(&mut self, report: &AuditedReport, severity: Severity, not_reached: bool) {
        if not_reached {
            self.not_reached += 1;
            return;
        }
        *self.objects.entry(severity).or_default() += 1;
        self.proved += u64::from(severity == Severity::Good && report.verdict == Verdict::Pass);
        if severity == Severity::Policy {
            let failed = report.findings.iter().filter(|one| Severity::of_finding(one) == Severity::Policy);
            failed.for_each(|one| *self.policy.entry(unmet(one)).or_default() += 1);
        }
    }

    fn objects(&self, severity: Severity) -> u64 {
        self.objects.get(&severity).copied().unwrap_or_default()
    }

    fn worst(&self, end: &AuditReport) -> Verdict {
        match end.exit_code {
            Exit::Passed => Verdict::Pass,
            Exit::Failed => Verdict::Fail,
            _ if [&self.objects, &self.buckets].iter().any(|all| all.keys().any(|one| *one < Severity::Unknown)) => {
                Verdict::Fail
            }
            _ => Verdict::Unknown,
        }
    }

    /// `7 damaged, 1 missing, 1 replaced, 41 without tag Owner, 149 good (proved), 0 not reached`.
    fn sentence(&self, end: &AuditReport) -> String {
        let mut parts = Vec::new();
        for severity in [Severity::Damaged, Severity::Missing, Severity::Replaced] {
            parts.push((self.objects(severity), severity.name().to_owned()));
        }
        let policy = self.objects(Severity::Policy);
        match self.policy.iter().next() {
            Some((unmet, _)) if self.policy.len() == 1 => parts.push((policy, unmet.clone())),
            _ => {
                let each: Vec<String> = self.policy.iter().map(|(unmet, count)| format!("{count} {unmet}")).collect();
                parts.push((policy, format!("against the policy ({})", each.join(", "))));
            }
        }
        for (severity, what) in [(Severity::Policy, "against the policy"), (Severity::Unknown, "unknown")] {
            let count = self.buckets.get(&severity).copied().unwrap_or_default();
            parts.push((count, format!("{} {what}", noun(count, "bucket"))));
        }
        parts.push((self.objects(Severity::Unknown), Severity::Unknown.name().to_owned()));
        parts.retain(|(count, _)| *count > 0);
        let good = self.objects(Severity::Good);
        if self.proved > 0 || good == 0 {
            parts.push((self.proved, "good (proved)".to_owned()));
        }
        if good > self.proved {
            parts.push((good - self.proved, not_proved(end.level).to_owned()));
        }
        parts.push((self.not_reached + end.cut_off, "not reached".to_owned()));
        let sentence = parts.iter().map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
        match end.problems.len() as u64 {
            0 => sentence,
            count => format!("{sentence}; incomplete: {}, shown above", counted(count, "problem")),
        }
    }
}

/// Objects without problems whose bytes are not proved, behind their number.
fn not_proved(level: Level) -> &'static str {
    match level {
        Level::Facts => "without problems (facts only, bytes not read)",
        Level::Sample => "without problems (a sample read, not proved)",
        Level::Bytes => "without problems (not proved)",
    }
}

/// The requirement that an object does not meet, behind a number of objects.
fn unmet(finding: &FindingReport) -> String {
    let CheckId::PolicyCheck(check) = finding.check else { return format!("failed {}", finding.check) };
    match check {
        PolicyCheck::Tags => format!("without tag {}", finding.expected.as_deref().unwrap_or_default()),
        PolicyCheck::Lock => "not locked for long enough".to_owned(),
        PolicyCheck::Encryption => "with other encryption".to_owned(),
        PolicyCheck::StorageClass => "in another storage class".to_owned(),
        PolicyCheck::ProofAge => "without a recent proof".to_owned(),
        PolicyCheck::Stays => "removed too early by a lifecycle rule".to_owned(),
        PolicyCheck::OtherRegion => "without a copy in another Region".to_owned(),
        other => format!("failed {other}"),
    }
}
