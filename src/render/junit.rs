use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::machine_text;
use super::table::told;
use crate::report::{AuditReport, Exit, FindingReport, Report, Severity};
use crate::verdict::Verdict;

/// An audit as JUnit test cases: a suite per bucket, a case for each object and for the bucket itself, and one for the
/// whole audit. The worst come first. Failed checks are failures; unknown checks and failed work are errors.
///
/// # Errors
///
/// The document cannot be serialised.
pub fn junit(reports: &[Report]) -> Result<Vec<u8>, String> {
    let mut suites: Vec<(String, TestSuite)> = Vec::new();
    let mut reports: Vec<&Report> = reports.iter().collect();
    reports.sort_by_key(|report| (severity(report).is_none(), severity(report)));
    for report in reports {
        let (bucket, name, findings, exit, seconds) = match report {
            Report::Audited(one) => {
                let target = one.target.to_string();
                let rest = target.trim_start_matches("s3://");
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (bucket.to_owned(), key.to_owned(), &one.findings, one.exit_code, one.elapsed_seconds)
            }
            Report::AuditedBucket(one) => (one.bucket.clone(), "bucket".to_owned(), &one.findings, one.exit_code, 0.0),
            Report::Audit(one) => {
                let mut suite = TestSuite::new("audit");
                suite.add_test_case(TestCase::new("whole", whole(one)));
                suites.push(("audit".to_owned(), suite));
                continue;
            }
            _ => continue,
        };
        let mut case = TestCase::new(machine_text(&name), status(findings, exit));
        if let Report::Audited(one) = report {
            let proof = one.proof.as_ref().or(one.unread_proof.as_ref());
            for (name, value) in
                proof.iter().flat_map(|proof| [("proof_kind", proof.kind.to_string()), ("proved_at", proof.at.clone())])
            {
                case.add_property((name, machine_text(&value).as_str()));
            }
        }
        case.set_classname(machine_text(&bucket));
        case.set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        match suites.iter_mut().find(|(known, _)| *known == bucket) {
            Some((_, suite)) => drop(suite.add_test_case(case)),
            None => {
                let mut suite = TestSuite::new(machine_text(&bucket));
                suite.add_test_case(case);
                suites.push((bucket, suite));
            }
        }
    }
    let mut all = Suites::new("stored-ami audit");
    all.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    let mut out = Vec::new();
    all.serialize(&mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

/// The order of the cases: the worst first, and the whole audit last.
fn severity(report: &Report) -> Option<Severity> {
    match report {
        Report::Audited(one) => Some(one.severity()),
        Report::AuditedBucket(one) => Some(one.severity()),
        _ => None,
    }
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
