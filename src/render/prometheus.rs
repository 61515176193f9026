use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::machine_text;
use crate::report::{AuditReport, AuditedReport, ProvedReport, Report, Severity};
use crate::verdict::Verdict;

/// An audit as metrics in the Prometheus text format, for the textfile collector of the node exporter.
pub fn prometheus(reports: &[Report], now: Timestamp) -> String {
    let mut metrics = AuditMetrics::default();
    reports.iter().for_each(|report| metrics.add(report));
    metrics.finish(now)
}

/// Up to this number of objects, each has series of its own.
pub(super) const MOST_SERIES: usize = 10_000;
/// With more objects, this number of the worst have series.
pub(super) const WORST: usize = 100;

/// Collects the reports of an audit for [`prometheus`], in memory that does not depend on their number.
#[derive(Default)]
pub struct AuditMetrics {
    verdicts: BTreeMap<&'static str, u64>,
    findings: BTreeMap<(String, &'static str), u64>,
    observed: BTreeMap<String, u64>,
    /// Objects in the order in which they were added; empty once there are too many.
    objects: Vec<Series>,
    /// The worst objects.
    worst: BTreeMap<(Severity, String), Series>,
    count: usize,
    ends: Vec<AuditReport>,
}

/// The series of one object.
#[derive(Clone)]
struct Series {
    labels: String,
    size: Option<f64>,
    proved: Option<Timestamp>,
    /// Times of proofs, with the label of their kind.
    kinds: Vec<(String, f64)>,
    exit: f64,
}

impl Series {
    fn of(one: &AuditedReport) -> Self {
        let labels = object(&one.target.to_string());
        let time = |proof: &ProvedReport| proof.at.parse::<Timestamp>().ok();
        let kind = |proof: &ProvedReport| {
            let labels = format!("{labels},{}", labelled("kind", &proof.kind.to_string()));
            time(proof).map(|at| (labels, at.as_second() as f64))
        };
        Series {
            size: one.identity.as_ref().map(|identity| identity.object_bytes as f64),
            proved: one.proof.as_ref().and_then(time),
            kinds: [&one.proof, &one.unread_proof].into_iter().flatten().filter_map(kind).collect(),
            exit: f64::from(one.exit_code.code()),
            labels,
        }
    }
}

impl AuditMetrics {
    /// Adds a report.
    pub fn add(&mut self, report: &Report) {
        let findings = match report {
            Report::Audited(one) => {
                *self.verdicts.entry(one.verdict.name()).or_default() += 1;
                self.add_series(one);
                &one.findings
            }
            Report::AuditedBucket(one) => &one.findings,
            Report::Observation(one) => {
                *self.observed.entry(one.kind.to_string()).or_default() += 1;
                return;
            }
            Report::Audit(all) => return self.ends.push((**all).clone()),
            _ => return,
        };
        for finding in findings.iter().filter(|finding| finding.blocks_pass()) {
            *self.findings.entry((finding.check.to_string(), finding.verdict.name())).or_default() += 1;
        }
    }

    fn add_series(&mut self, one: &AuditedReport) {
        self.count += 1;
        let series = Series::of(one);
        if one.severity() != Severity::Good {
            self.worst.insert((one.severity(), one.target.to_string()), series.clone());
            if self.worst.len() > WORST {
                self.worst.pop_last();
            }
        }
        match self.count <= MOST_SERIES {
            true => self.objects.push(series),
            false => self.objects = Vec::new(),
        }
    }

    /// The metrics. With more than 10,000 objects, only the hundred worst of those that are not in order have series.
    pub fn finish(self, now: Timestamp) -> String {
        let mut out = Page(String::new());
        let verdicts = Verdict::ALL.iter().map(|verdict| {
            let count = self.verdicts.get(verdict.name()).copied().unwrap_or_default();
            (labelled("verdict", verdict.name()), count as f64)
        });
        // Prometheus sorts by label; the order is that of earlier versions.
        let verdicts: BTreeMap<String, f64> = verdicts.collect();
        out.family("objects", "Stored AMI objects by verdict.", verdicts);
        let objects = if self.count > MOST_SERIES { self.worst.into_values().collect() } else { self.objects };
        out.objects(&objects, now);
        let counts = self.findings.iter().map(|((check, verdict), count)| {
            (format!("{},{}", labelled("check", check), labelled("verdict", verdict)), *count as f64)
        });
        out.family("findings", "Failed checks, and required checks that are unknown.", counts);
        let counts = self.observed.iter().map(|(kind, count)| (labelled("kind", kind), *count as f64));
        out.family("observations", "Observations over all objects, which do not affect the verdict.", counts);
        self.ends.iter().for_each(|all| out.whole(all, now));
        out.0
    }
}

fn labelled(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", escaped(value))
}

struct Page(String);

impl Page {
    /// The families of single objects.
    fn objects(&mut self, objects: &[Series], now: Timestamp) {
        let each = |value: fn(&Series) -> Option<f64>| {
            objects.iter().filter_map(move |one| Some((one.labels.clone(), value(one)?)))
        };
        self.family("object_bytes", "Size of an object.", each(|one| one.size));
        let ages = objects
            .iter()
            .filter_map(|one| one.proved.map(|at| (one.labels.clone(), now.duration_since(at).as_secs() as f64)));
        self.family("object_proof_age_seconds", "Time since every byte of an object was proved.", ages);
        self.family(
            "object_proof_time_seconds",
            "Time of the newest proof of an object by its kind, in seconds since 1970.",
            objects.iter().flat_map(|one| one.kinds.clone()),
        );
        self.family(
            "object_exit_code",
            "Exit code of an object: 0 passed, 1 failed, 3 unknown, 4 could not be examined, 130 interrupted.",
            each(|one| Some(one.exit)),
        );
    }

    /// The families of the audit as a whole.
    fn whole(&mut self, all: &AuditReport, now: Timestamp) {
        let mut single = |name: &str, help: &str, value: f64| self.family(name, help, [(String::new(), value)]);
        single("audit_exit_code", "Exit code of the audit.", f64::from(all.exit_code.code()));
        single(
            "audit_end_time_seconds",
            "Time at which the audit ended, in seconds since 1970.",
            now.as_second() as f64,
        );
        single("audit_elapsed_seconds", "Duration of the audit.", all.elapsed_seconds);
        single("audit_objects_left", "Objects that the run did not reach.", all.not_reached() as f64);
        single("audit_objects_missing", "Objects in the ledger that no longer exist.", all.missing as f64);
        single("audit_received_bytes", "Object bytes received.", all.received_bytes as f64);
        single("audit_requests", "Requests sent.", all.requests as f64);
    }

    /// Writes one family of gauges; nothing if it has no samples.
    fn family(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, f64)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "# HELP stored_ami_{name} {help}\n# TYPE stored_ami_{name} gauge\n");
        for (labels, value) in samples {
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "stored_ami_{name}{labels} {value}");
        }
    }
}

fn object(target: &str) -> String {
    let rest = target.trim_start_matches("s3://");
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    format!("bucket=\"{}\",key=\"{}\"", escaped(bucket), escaped(key))
}

/// Escapes backslash and quote for a label value. The Prometheus text format has no other escape except that of the
/// line feed, so control characters are written as the text of their escapes.
fn escaped(value: &str) -> String {
    machine_text(value).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Exit, FindingReport};
    use crate::verdict::{CheckId, Finding, Outcome, PolicyCheck, Reason};

    fn audited(number: usize, unknown: bool) -> Report {
        let reason = Reason::NotStated { detail: "x".to_owned() };
        let check = CheckId::PolicyCheck(PolicyCheck::Tags);
        let finding = FindingReport::from(&Finding { check, required: true, outcome: Outcome::Unknown(reason) });
        let json = serde_json::json!({
            "target": format!("s3://b/ami-{number:08x}.bin"), "verdict": "unknown", "findings": [], "requests": 0,
            "received_bytes": 0, "elapsed_seconds": 0.0, "exit_code": 0,
        });
        let mut one: AuditedReport = serde_json::from_value(json).unwrap();
        if unknown {
            (one.findings, one.exit_code) = (vec![finding], Exit::Unknown);
        }
        Report::Audited(Box::new(one))
    }

    #[test]
    fn with_very_many_objects_only_the_worst_have_series() {
        let series = |objects: usize, unknown: usize| {
            let mut metrics = AuditMetrics::default();
            (0..objects).for_each(|number| metrics.add(&audited(number, number < unknown)));
            let text = metrics.finish(Timestamp::UNIX_EPOCH);
            assert!(text.contains(&format!("stored_ami_objects{{verdict=\"unknown\"}} {objects}\n")), "{text}");
            text.lines().filter(|line| line.starts_with("stored_ami_object_exit_code{")).count()
        };
        assert_eq!(series(MOST_SERIES, 0), MOST_SERIES);
        assert_eq!(series(MOST_SERIES + 1, 0), 0);
        assert_eq!(series(MOST_SERIES + 1, 3), 3);
        assert_eq!(series(MOST_SERIES + 1, WORST + 9), WORST);
    }
}
