//! Checks that the end of an audit agrees with its lines.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

use super::consistent::{MOST, odd_seconds};
use super::{
    AuditNote, AuditReport, AuditScope, AuditedBucketReport, AuditedReport, AuditedRunReport, Demands, Exit,
    SummaryReport,
};
use crate::audit::{CLOCK_SKEW, ChangeKind, Level, joined};
use crate::ident::{ObjectUri, Prefix, Target};
use crate::verdict::Verdict;

/// Checks the lines of one audit, one after the other, against the line that ends it.
#[derive(Debug, Clone)]
pub struct AuditCheck {
    end: AuditReport,
    counts: LineCounts,
    runs: u64,
    demands: Demands,
    /// The first object that was checked with another policy than the objects before it.
    stranger: Option<ObjectUri>,
}

/// What is counted in the lines of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCounts {
    objects: u64,
    examined: u64,
    still_good: u64,
    missing: u64,
    left: u64,
    passed: u64,
    failed: u64,
    unknown: u64,
    may_be_proved: u64,
    exit: Exit,
}

/// An audit whose lines agree with each other.
#[derive(Debug, Clone)]
pub struct CheckedAudit {
    /// The line that ends it.
    pub end: AuditReport,
    /// What the policy requires, according to the lines.
    pub demands: Demands,
    /// The exit status of the run, apart from what its lines give: an incomplete listing, or an empty prefix.
    pub exit_of_work: Exit,
}

impl LineCounts {
    /// Adds the line of an object.
    pub fn add(&mut self, one: &AuditedReport) {
        let kept = one.examined.is_none();
        let outcome = match (kept, &one.identity, one.change) {
            (false, ..) => &mut self.examined,
            (true, Some(_), _) => &mut self.still_good,
            (true, None, Some(ChangeKind::Missing)) => &mut self.missing,
            (true, None, _) => &mut self.left,
        };
        *outcome += 1;
        let verdict = match one.verdict {
            Verdict::Pass => &mut self.passed,
            Verdict::Fail => &mut self.failed,
            Verdict::Unknown => &mut self.unknown,
        };
        *verdict += 1;
        self.objects += 1;
        self.may_be_proved += u64::from(one.may_be_proved());
        self.exit = self.exit.and(one.exit_code);
    }

    /// The numbers of objects by outcome, with their names.
    fn outcomes(&self) -> [(&'static str, u64); 5] {
        [
            ("objects", self.objects),
            ("examined", self.examined),
            ("still_good", self.still_good),
            ("missing", self.missing),
            ("left", self.left),
        ]
    }

    /// How many objects may be proved. An object may be proved and still fail another check.
    fn proved(&self) -> RangeInclusive<u64> {
        self.passed..=self.may_be_proved
    }

    /// Writes the counts into the end of an audit whose lines were replaced. `proved` is the number of objects of which
    /// every byte is proved.
    pub fn fill(&self, end: &mut AuditReport, proved: u64) {
        (end.objects, end.examined, end.still_good) = (self.objects, self.examined, self.still_good);
        (end.missing, end.left, end.proved) = (self.missing, self.left, proved);
    }
}

impl AuditCheck {
    /// Starts without lines of objects and buckets.
    pub fn new(end: AuditReport) -> Self {
        AuditCheck { end, counts: LineCounts::default(), runs: 0, demands: Demands::default(), stranger: None }
    }

    /// Adds the line of an object.
    ///
    /// # Errors
    ///
    /// The line contradicts itself or the end of the audit; a message for the user.
    pub fn object(&mut self, one: &AuditedReport) -> Result<(), String> {
        let level = self.end.odd_level(one);
        let problem = level.or_else(|| one.contradiction()).or_else(|| self.end.odd_object(one));
        if let Some(problem) = problem {
            return Err(format!("{}: {problem}", one.target));
        }
        self.counts.add(one);
        if !self.demands.add_object(one) && self.stranger.is_none() {
            self.stranger = Some(one.target.clone());
        }
        Ok(())
    }

    /// Adds the line of a run of parts.
    ///
    /// # Errors
    ///
    /// As for [`AuditCheck::object`].
    pub fn run(&mut self, one: &AuditedRunReport) -> Result<(), String> {
        if let Some(problem) = one.contradiction() {
            return Err(format!("{}: {problem}", one.target));
        }
        self.runs += 1;
        self.counts.exit = self.counts.exit.and(one.exit_code);
        Ok(())
    }

    /// Adds the line of a bucket.
    ///
    /// # Errors
    ///
    /// As for [`AuditCheck::object`].
    pub fn bucket(&mut self, one: &AuditedBucketReport) -> Result<(), String> {
        if let Some(problem) = one.contradiction().or_else(|| self.end.odd_bucket(one)) {
            return Err(format!("bucket {}: {problem}", one.bucket));
        }
        self.counts.exit = self.counts.exit.and(one.exit_code);
        self.demands.add_bucket(one);
        Ok(())
    }

    /// Compares the end and the last line of the command with all lines that were added.
    ///
    /// # Errors
    ///
    /// A contradiction; a message for the user.
    pub fn finish(self, summary: &SummaryReport) -> Result<CheckedAudit, String> {
        let problem = self.odd_end().map(|problem| format!("its end: {problem}"));
        let problem = problem.or_else(|| self.odd_summary(summary).map(|problem| format!("its summary: {problem}")));
        match problem.or_else(|| self.demands.contradiction(&self.end, self.stranger.as_ref())) {
            Some(problem) => Err(problem),
            None => Ok(CheckedAudit { exit_of_work: self.exit_of_work(), end: self.end, demands: self.demands }),
        }
    }

    fn odd_end(&self) -> Option<String> {
        self.end.odd_numbers().or_else(|| self.odd_counts()).or_else(|| self.odd_exit())
    }

    fn odd_counts(&self) -> Option<String> {
        let end = &self.end;
        let says = [end.objects, end.examined, end.still_good, end.missing, end.left];
        let mut both = self.counts.outcomes().into_iter().zip(says);
        if let Some(((name, found), says)) = both.find(|((_, found), says)| says != found) {
            return Some(format!("{name} is {says}, and its lines make {found}"));
        }
        if end.runs != self.runs {
            return Some(format!("runs is {}, and its lines make {}", end.runs, self.runs));
        }
        let range = self.counts.proved();
        (!range.contains(&end.proved))
            .then(|| format!("proved is {}, and its lines make {} to {}", end.proved, range.start(), range.end()))
    }

    fn exit_of_work(&self) -> Exit {
        let end = &self.end;
        let beyond = if end.exit_code == self.counts.exit { Exit::Passed } else { end.exit_code };
        let problems = if end.problems.is_empty() { Exit::Passed } else { Exit::CouldNot };
        let empty = if end.has_empty_prefix() { Exit::Unknown } else { Exit::Passed };
        beyond.and(problems).and(empty)
    }

    fn odd_exit(&self) -> Option<String> {
        let (lines, says) = (self.counts.exit, self.end.exit_code);
        if says.and(lines) != says {
            return Some(format!("its lines give exit code {}, and it says {}", lines.code(), says.code()));
        }
        if says == Exit::Failed && lines != Exit::Failed {
            return Some("it says that something failed, and no line does".to_owned());
        }
        let done = matches!(says, Exit::Passed | Exit::Unknown);
        (done && !self.end.problems.is_empty())
            .then(|| format!("it reports problems, and says exit code {}", says.code()))
    }

    fn odd_summary(&self, summary: &SummaryReport) -> Option<String> {
        let expected = SummaryReport {
            targets: self.counts.objects,
            passed: self.counts.passed,
            failed: self.counts.failed,
            unknown: self.counts.unknown,
            errors: 0,
            exit_code: self.end.exit_code,
            // They say nothing about objects.
            settings: summary.settings.clone(),
            files_written: summary.files_written.clone(),
        };
        (*summary != expected).then(|| format!("it says {}, and the lines {}", shown(summary), shown(&expected)))
    }
}

fn shown(summary: &SummaryReport) -> String {
    let SummaryReport { targets, passed, failed, unknown, errors, exit_code, settings: _, files_written: _ } = summary;
    let exit_code = exit_code.code();
    format!(
        "{targets} targets, {passed} passed, {failed} failed, {unknown} unknown, {errors} errors, exit code {exit_code}"
    )
}

impl AuditReport {
    /// Number of objects that the run left, with a line or without one.
    pub fn not_reached(&self) -> u64 {
        self.left.saturating_add(self.cut_off)
    }

    /// An impossible level or number.
    fn odd_numbers(&self) -> Option<String> {
        let level = self.level;
        if self.sample.is_some() != (level == Level::Sample) {
            return Some(format!("it is of level {level}, and its sample contradicts that"));
        }
        let counts = [
            ("listed", self.listed),
            ("cut_off", self.cut_off),
            ("listed_bytes", self.listed_bytes),
            ("other_objects", self.other_objects),
            ("other_slices", self.other_slices),
            ("requests", self.requests),
            ("listing_requests", self.listing_requests),
            ("received_bytes", self.received_bytes),
        ];
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count > MOST) {
            return Some(format!("{name} is {count}, more than there can be"));
        }
        if self.other_slices > self.listed {
            return Some(format!(
                "{} objects of other slices are more than the {} listed",
                self.other_slices, self.listed
            ));
        }
        if self.estimated_dollars.is_some_and(|dollars| !dollars.is_finite() || dollars < 0.0) {
            return Some("estimated_dollars is no amount".to_owned());
        }
        odd_seconds(self.elapsed_seconds)
    }

    fn odd_level(&self, one: &AuditedReport) -> Option<String> {
        let level = one.examined.filter(|level| *level != self.level)?;
        Some(format!("it was examined at level {level} in an audit of level {}", self.level))
    }

    /// Whether the objects were named and not listed.
    pub fn is_named(&self) -> bool {
        self.listed_prefixes().is_none()
    }

    /// Whether a note says that there is nothing under a prefix.
    fn has_empty_prefix(&self) -> bool {
        let notes = self.listed_prefixes().unwrap_or_default().into_iter();
        let mut notes = notes.map(|prefix| AuditNote::NothingUnder { prefix: prefix.to_string() }.to_string());
        notes.any(|note| self.notes.iter().any(|one| one.to_string() == note))
    }

    /// The prefixes that were listed; `None` if the objects were named.
    fn listed_prefixes(&self) -> Option<Vec<&Prefix>> {
        self.scope.iter().map(AuditScope::prefix).collect()
    }

    /// Why the line of an object cannot belong to this audit.
    fn odd_object(&self, one: &AuditedReport) -> Option<String> {
        let prefixes = self.listed_prefixes();
        let uri = &one.target;
        if prefixes.as_ref().is_some_and(|all| !all.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key))) {
            return Some(format!("it is outside {}", joined(&self.scope, ", ")));
        }
        if prefixes.is_some() && self.problems.is_empty() && (one.examined.is_some() || one.identity.is_some()) {
            // A ledger may contain objects of other names. One that exists but is not listed is a problem.
            let is_stored_ami = uri.version.is_none() && Target::Object(uri.clone()).ami_id().is_some();
            if !is_stored_ami {
                return Some("no listing shows it as a stored AMI object".to_owned());
            }
        }
        let passed = one.verdict == Verdict::Pass;
        if self.level == Level::Bytes && one.exit_code == Exit::Passed && !passed {
            return Some("an audit of bytes calls it in order, and nothing proves it".to_owned());
        }
        self.odd_age(one).filter(|_| passed)
    }

    /// Whether every byte of the object of a line is proved, within the age that this audit allows.
    pub fn holds_proved(&self, one: &AuditedReport) -> bool {
        one.may_be_proved() && self.odd_age(one).is_none()
    }

    /// Why the proof of a passed line is not valid in this audit.
    fn odd_age(&self, one: &AuditedReport) -> Option<String> {
        let at = one.proof.as_ref()?.at.parse::<Timestamp>().ok()?;
        let Ok(began) = self.began.parse::<Timestamp>() else { return Some("it is of no known time".to_owned()) };
        let age = began.duration_since(at);
        let ran = SignedDuration::try_from_secs_f64(self.elapsed_seconds.max(0.0)).unwrap_or(SignedDuration::MAX);
        if age < -ran.saturating_add(CLOCK_SKEW) {
            return Some(format!("its proof is of {at}, after the audit ended"));
        }
        let limit = match (one.examined, self.max_age_seconds) {
            (Some(Level::Bytes), _) => CLOCK_SKEW,
            (_, Some(seconds)) => SignedDuration::from_secs(seconds),
            (_, None) => return None,
        };
        (age > limit).then(|| format!("its proof is of {at}, too long before the audit to hold in it"))
    }

    /// Why the line of a bucket cannot belong to this audit.
    fn odd_bucket(&self, one: &AuditedBucketReport) -> Option<String> {
        let outside = self.listed_prefixes().is_some_and(|all| all.iter().all(|prefix| prefix.bucket != one.bucket));
        outside.then(|| format!("it is outside {}", joined(&self.scope, ", ")))
    }
}

#[cfg(test)]
mod tests;
