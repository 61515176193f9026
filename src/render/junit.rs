use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::machine_text;
use super::spool::BySeverity;
use super::table::told;
use crate::report::{AuditReport, AuditedReport, Exit, FindingReport, Report, Severity};
use crate::verdict::Verdict;

/// An audit as JUnit test cases: a suite per bucket, a case for each object and for the bucket itself, and one for the
/// whole audit. The worst come first. Failed checks are failures; unknown checks and failed work are errors.
///
/// # Errors
///
/// The document cannot be serialised.
pub fn junit(reports: &[Report]) -> Result<Vec<u8>, String> {
    let mut suites = JUnitSuites::default();
    reports.iter().for_each(|report| suites.add(report));
    let mut out = Vec::new();
    suites.finish(&mut out).map(|()| out).map_err(|error| error.to_string())
}

/// Writes [`junit`] while the reports arrive, in memory that does not depend on their number.
#[derive(Default)]
pub struct JUnitSuites {
    suites: BTreeMap<String, Suite>,
    whole: Vec<TestCase>,
}

/// The cases of a bucket.
#[derive(Default)]
struct Suite {
    cases: BySeverity,
    worst: Option<Severity>,
    counts: Counts,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    tests: u64,
    errors: u64,
    failures: u64,
}

impl Counts {
    fn add(&mut self, exit: Exit) {
        self.tests += 1;
        match exit {
            Exit::Passed => {}
            Exit::Failed => self.failures += 1,
            _ => self.errors += 1,
        }
    }
}

impl JUnitSuites {
    /// Adds a report.
    pub fn add(&mut self, report: &Report) {
        let (bucket, case, exit, severity) = match report {
            Report::Audited(one) => (one.target.bucket.clone(), object(one), one.exit_code, one.severity()),
            Report::AuditedBucket(one) => {
                let case = TestCase::new("bucket", status(&one.findings, one.exit_code));
                (one.bucket.clone(), timed(case, &one.bucket, 0.0), one.exit_code, one.severity())
            }
            Report::Audit(one) => return self.whole.push(TestCase::new("whole", whole(one))),
            _ => return,
        };
        let suite = self.suites.entry(bucket).or_default();
        suite.counts.add(exit);
        suite.worst = Some(suite.worst.map_or(severity, |worst| worst.min(severity)));
        suite.cases.add(severity, || text_of(case));
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// Writing it, or a temporary file of it, failed.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        let mut suites: Vec<(String, Suite)> = self.suites.into_iter().collect();
        suites.sort_by_key(|(_, suite)| suite.worst);
        let mut audits = Vec::new();
        for case in self.whole {
            let mut suite = TestSuite::new("audit");
            suite.add_test_case(case);
            audits.push(suite);
        }
        let mut all = Suites::new(NAME);
        all.add_test_suites(audits);
        let whole = all.to_string().map_err(io::Error::other)?;
        let (head, rest) = match whole.find("    <testsuite ") {
            Some(at) => whole.split_at(at),
            None => (whole.trim_end().trim_end_matches(END), END),
        };
        let total =
            suites.iter().fold((all.tests as u64, all.errors as u64, all.failures as u64), |sum, (_, suite)| {
                let Counts { tests, errors, failures } = suite.counts;
                (sum.0 + tests, sum.1 + errors, sum.2 + failures)
            });
        let before = of_all(all.tests as u64, all.failures as u64, all.errors as u64);
        let after = of_all(total.0, total.2, total.1);
        out.write_all(head.replacen(&before, &after, 1).as_bytes())?;
        for (name, suite) in suites {
            let Counts { tests, errors, failures } = suite.counts;
            let counts = format!("tests=\"{tests}\" skipped=\"0\" errors=\"{errors}\" failures=\"{failures}\"");
            writeln!(out, "    <testsuite name=\"{}\" {counts}>", attribute(&machine_text(&name)))?;
            suite.cases.finish(out)?;
            writeln!(out, "    </testsuite>")?;
        }
        out.write_all(rest.as_bytes())
    }
}

const NAME: &str = "stored-ami audit";
const END: &str = "</testsuites>";

/// The counts of the whole document.
fn of_all(tests: u64, failures: u64, errors: u64) -> String {
    format!("tests=\"{tests}\" skipped=\"0\" failures=\"{failures}\" errors=\"{errors}\"")
}

/// A text between the quotes of an attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}

/// The lines of a case in its suite.
fn text_of(case: TestCase) -> io::Result<Vec<u8>> {
    let (mut all, mut suite) = (Suites::new(NAME), TestSuite::new(""));
    suite.add_test_case(case);
    all.add_test_suite(suite);
    let text = all.to_string().map_err(io::Error::other)?;
    let start = text.find("        <testcase").unwrap_or_default();
    let end = text.rfind("    </testsuite>").unwrap_or(text.len());
    Ok(text.get(start..end).unwrap_or_default().as_bytes().to_vec())
}

fn timed(mut case: TestCase, bucket: &str, seconds: f64) -> TestCase {
    case.set_classname(machine_text(bucket));
    case.set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    case
}

/// The case of an object.
fn object(one: &AuditedReport) -> TestCase {
    let target = one.target.to_string();
    let rest = target.trim_start_matches("s3://");
    let (_, key) = rest.split_once('/').unwrap_or((rest, ""));
    let mut case = TestCase::new(machine_text(key), status(&one.findings, one.exit_code));
    let proof = one.proof.as_ref().or(one.unread_proof.as_ref());
    for (name, value) in
        proof.iter().flat_map(|proof| [("proof_kind", proof.kind.to_string()), ("proved_at", proof.at.clone())])
    {
        case.add_property((name, machine_text(&value).as_str()));
    }
    timed(case, &one.target.bucket, one.elapsed_seconds)
}

/// The test case of the whole audit. It covers buckets that could not be listed, which have no cases of their own.
fn whole(audit: &AuditReport) -> TestCaseStatus {
    let interrupted = audit.exit_code == Exit::Interrupted;
    if audit.problems.is_empty() && audit.listed > 0 && !interrupted {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(Verdict::Unknown.name());
    let notes: Vec<String> = audit.notes.iter().map(ToString::to_string).collect();
    let told = [&audit.problems[..], &notes[..]].concat();
    status.set_message(machine_text(&told.join("; ")));
    status
}

fn status(findings: &[FindingReport], exit: Exit) -> TestCaseStatus {
    let (kind, verdict) = match exit {
        Exit::Passed => return TestCaseStatus::success(),
        Exit::Failed => (NonSuccessKind::Failure, Verdict::Fail),
        _ => (NonSuccessKind::Error, Verdict::Unknown),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.name());
    status.set_message(machine_text(&told(findings, verdict)));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::AuditedBucketReport;

    fn bucket(name: &str, exit: Exit) -> Report {
        let (verdict, findings) = (Verdict::Unknown, Vec::new());
        Report::AuditedBucket(AuditedBucketReport { bucket: name.to_owned(), verdict, findings, exit_code: exit })
    }

    /// What the library writes of the same cases in one piece.
    fn in_one_piece(suites: &[(&str, &[Exit])], audit: Option<&AuditReport>) -> String {
        let mut all = Suites::new(NAME);
        for (name, exits) in suites {
            let mut suite = TestSuite::new(*name);
            for exit in *exits {
                suite.add_test_case(timed(TestCase::new("bucket", status(&[], *exit)), name, 0.0));
            }
            all.add_test_suite(suite);
        }
        if let Some(audit) = audit {
            let mut suite = TestSuite::new("audit");
            suite.add_test_case(TestCase::new("whole", whole(audit)));
            all.add_test_suite(suite);
        }
        all.to_string().unwrap()
    }

    #[test]
    fn the_document_is_the_one_that_the_library_writes() {
        let good = AuditReport { listed: 1, ..AuditReport::default() };
        let wrong = AuditReport { problems: vec!["<a> & \"b\"".to_owned()], ..AuditReport::default() };
        for audit in [&good, &wrong] {
            let mut reports =
                vec![bucket("a", Exit::Passed), bucket("b<&\"'>", Exit::CouldNot), bucket("b<&\"'>", Exit::Failed)];
            reports.push(Report::Audit(Box::new(audit.clone())));
            let text = String::from_utf8(junit(&reports).unwrap()).unwrap();
            let suites: [(&str, &[Exit]); 2] = [("b<&\"'>", &[Exit::CouldNot, Exit::Failed]), ("a", &[Exit::Passed])];
            assert_eq!(text, in_one_piece(&suites, Some(audit)));
        }
        let text = String::from_utf8(junit(&[]).unwrap()).unwrap();
        assert_eq!(text.trim_end(), in_one_piece(&[], None).trim_end());
        let alone = String::from_utf8(junit(&[bucket("a", Exit::Passed)]).unwrap()).unwrap();
        assert_eq!(alone.trim_end(), in_one_piece(&[("a", &[Exit::Passed])], None).trim_end());
    }
}
