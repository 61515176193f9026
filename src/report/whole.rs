//! Whether the end of an audit agrees with its lines.

use jiff::{SignedDuration, Timestamp};

use super::{AuditReport, AuditedBucketReport, AuditedReport, Exit, SummaryReport};
use crate::ident::{ObjectUri, Prefix};
use crate::verdict::Verdict;

/// The lines of one audit, as they were written.
#[derive(Debug, Clone, Default)]
pub struct AuditLines {
    pub objects: Vec<AuditedReport>,
    pub buckets: Vec<AuditedBucketReport>,
    pub end: AuditReport,
    pub summary: SummaryReport,
}

/// Clocks of machines that share a ledger may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

impl AuditLines {
    /// What disagrees, and the line it is in; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let object = |one: &AuditedReport| {
            let problem = one.contradiction().or_else(|| self.end.odd_object(one))?;
            Some(format!("{}: {problem}", one.target))
        };
        let bucket = |one: &AuditedBucketReport| {
            let problem = one.contradiction().or_else(|| self.end.odd_bucket(one))?;
            Some(format!("bucket {}: {problem}", one.bucket))
        };
        let objects = self.objects.iter().find_map(object);
        objects
            .or_else(|| self.buckets.iter().find_map(bucket))
            .or_else(|| self.odd_counts().or_else(|| self.odd_exit()).map(|problem| format!("its end: {problem}")))
            .or_else(|| self.odd_summary().map(|problem| format!("its summary: {problem}")))
    }

    fn count(&self, fits: impl Fn(&AuditedReport) -> bool) -> u64 {
        self.objects.iter().filter(|one| fits(one)).count() as u64
    }

    fn odd_counts(&self) -> Option<String> {
        let end = &self.end;
        let (kept, passed) = (|one: &AuditedReport| one.examined.is_none(), Verdict::Pass.name());
        let is_missing = |one: &AuditedReport| one.change.as_deref() == Some("missing");
        let gone = |one: &AuditedReport| kept(one) && one.identity.is_none() && is_missing(one);
        let left = |one: &AuditedReport| kept(one) && one.identity.is_none() && !is_missing(one);
        let lines = [
            ("objects", end.objects, self.count(|_| true)),
            ("examined", end.examined, self.count(|one| !kept(one))),
            ("still_good", end.still_good, self.count(|one| kept(one) && one.identity.is_some())),
            ("missing", end.missing, self.count(gone)),
            ("left", end.left, self.count(left)),
        ];
        if let Some((name, says, found)) = lines.into_iter().find(|(_, says, found)| says != found) {
            return Some(format!("{name} is {says}, and its lines make {found}"));
        }
        // A proof may hold of an object that is not in order.
        let range = self.count(|one| one.verdict == passed)..=self.count(|one| one.proof.is_some());
        (!range.contains(&end.proved))
            .then(|| format!("proved is {}, and its lines make {} to {}", end.proved, range.start(), range.end()))
    }

    /// The exit code that the lines give together.
    fn exit_of_lines(&self) -> Exit {
        let objects = self.objects.iter().map(|one| one.exit_code);
        let all = objects.chain(self.buckets.iter().map(|one| one.exit_code));
        all.fold(Exit::Passed, |exit, code| exit.and(Exit::of(code)))
    }

    fn odd_exit(&self) -> Option<String> {
        let (lines, says) = (self.exit_of_lines(), Exit::of(self.end.exit_code));
        if says.code() != self.end.exit_code || says.and(lines) != says {
            return Some(format!("its lines give exit code {}, and it says {}", lines.code(), self.end.exit_code));
        }
        if says == Exit::Failed && lines != Exit::Failed {
            return Some("it says that something failed, and no line does".to_owned());
        }
        let done = matches!(says, Exit::Passed | Exit::Unknown);
        (done && !self.end.problems.is_empty())
            .then(|| format!("it tells of problems, and says exit code {}", self.end.exit_code))
    }

    fn odd_summary(&self) -> Option<String> {
        let of = |verdict: Verdict| self.count(|one| one.verdict == verdict.name());
        let expected = SummaryReport {
            targets: self.count(|_| true),
            passed: of(Verdict::Pass),
            failed: of(Verdict::Fail),
            unknown: of(Verdict::Unknown),
            errors: 0,
            exit_code: self.end.exit_code,
        };
        (self.summary != expected)
            .then(|| format!("it says {}, and the lines {}", shown(&self.summary), shown(&expected)))
    }
}

fn shown(summary: &SummaryReport) -> String {
    let SummaryReport { targets, passed, failed, unknown, errors, exit_code } = summary;
    format!(
        "{targets} targets, {passed} passed, {failed} failed, {unknown} unknown, {errors} errors, exit code {exit_code}"
    )
}

impl AuditReport {
    /// Why a line of an object cannot be of this audit.
    fn odd_object(&self, one: &AuditedReport) -> Option<String> {
        if one.examined.as_ref().is_some_and(|level| *level != self.level) {
            let level = one.examined.as_deref().unwrap_or_default();
            return Some(format!("it was examined at level {level} in an audit of level {}", self.level));
        }
        let prefixes: Option<Vec<Prefix>> = self.scope.iter().map(|scope| scope.parse().ok()).collect();
        let uri = one.target.parse::<ObjectUri>().ok()?;
        if prefixes.is_some_and(|all| !all.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key))) {
            return Some(format!("it is outside {}", self.scope.join(", ")));
        }
        let passed = one.verdict == Verdict::Pass.name();
        if self.level == "bytes" && one.exit_code == Exit::Passed.code() && !passed {
            return Some("an audit of bytes calls it in order, and nothing proves it".to_owned());
        }
        self.odd_age(one).filter(|_| passed)
    }

    /// Why the proof of a line that passes does not hold in this audit.
    fn odd_age(&self, one: &AuditedReport) -> Option<String> {
        let at = one.proof.as_ref()?.at.parse::<Timestamp>().ok()?;
        let Ok(began) = self.began.parse::<Timestamp>() else { return Some("it is of no known time".to_owned()) };
        let age = began.duration_since(at);
        let ran = SignedDuration::try_from_secs_f64(self.elapsed_seconds.max(0.0)).unwrap_or(SignedDuration::MAX);
        if age < -ran.saturating_add(SKEW) {
            return Some(format!("its proof is of {at}, after the audit ended"));
        }
        let limit = match (one.examined.as_deref(), self.max_age_seconds) {
            (Some("bytes"), _) => SKEW,
            (_, Some(seconds)) => SignedDuration::from_secs(seconds),
            (_, None) => return None,
        };
        (age > limit).then(|| format!("its proof is of {at}, too long before the audit to hold in it"))
    }

    /// Why a line of a bucket cannot be of this audit.
    fn odd_bucket(&self, one: &AuditedBucketReport) -> Option<String> {
        let prefixes: Option<Vec<Prefix>> = self.scope.iter().map(|scope| scope.parse().ok()).collect();
        let outside = prefixes.is_some_and(|all| all.iter().all(|prefix| prefix.bucket != one.bucket));
        outside.then(|| format!("it is outside {}", self.scope.join(", ")))
    }
}

#[cfg(test)]
mod tests;
