use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::machine_text;
use crate::report::{DrillOutcome, DrillPhase, DrillPhaseReport, DrillReport, DrillState};
use crate::verdict::Verdict;

/// A drill as JUnit test cases: one for each step, and one for the whole. What failed is a failure; what is unknown is an
/// error, because it is not proved; a step that was not done is skipped.
///
/// # Errors
///
/// The document cannot be serialised.
pub fn drill_junit(report: &DrillReport) -> Result<String, String> {
    let mut suite = TestSuite::new(machine_text(&report.target));
    for phase in DrillPhase::ALL {
        let found = report.phases.iter().rfind(|done| done.phase == *phase);
        suite.add_test_case(case(report, *phase, found));
    }
    suite.add_test_case(whole(report));
    let mut all = Suites::new("stored-ami drill");
    all.add_test_suite(suite);
    all.to_string().map_err(|error| error.to_string())
}

fn case(report: &DrillReport, phase: DrillPhase, found: Option<&DrillPhaseReport>) -> TestCase {
    let status = match found {
        None => TestCaseStatus::skipped(),
        Some(done) => match done.state {
            DrillState::Passed => TestCaseStatus::success(),
            DrillState::Skipped => TestCaseStatus::skipped(),
            DrillState::Failed => refuted(NonSuccessKind::Failure, Verdict::Fail, &done.detail),
            DrillState::Unknown => refuted(NonSuccessKind::Error, Verdict::Unknown, &done.detail),
        },
    };
    named(report, phase.name(), status, found.and_then(|done| done.seconds))
}

fn whole(report: &DrillReport) -> TestCase {
    let text = format!("the drill is {}, and its verdict {}", report.outcome, report.verdict);
    let status = match (report.outcome, report.verdict) {
        (DrillOutcome::Ended, Verdict::Pass) => TestCaseStatus::success(),
        (DrillOutcome::Planned, _) => TestCaseStatus::skipped(),
        (_, Verdict::Fail) => refuted(NonSuccessKind::Failure, Verdict::Fail, &text),
        _ => refuted(NonSuccessKind::Error, Verdict::Unknown, &text),
    };
    let mut case = named(report, "drill", status, None);
    let mut add = |name: &str, value: &str| {
        case.add_property((name, machine_text(value).as_str()));
    };
    add("aws_backup_validation", report.backup_validation.name());
    add("expected_image", &report.expected_image);
    report.image.iter().for_each(|image| add("image", image));
    report.restored_at.iter().for_each(|at| add("restored_at", at));
    report.recovery_seconds.iter().for_each(|seconds| add("recovery_seconds", &format!("{seconds:.3}")));
    let kept = report.resources.iter().filter_map(|one| Some((&one.id, one.recycle_bin.as_ref()?.clause())));
    let kept: Vec<String> = kept.map(|(id, until)| format!("{id} {until}")).collect();
    if !kept.is_empty() {
        add("recycle_bin", &kept.join("; "));
    }
    case
}

fn named(report: &DrillReport, name: &str, status: TestCaseStatus, seconds: Option<f64>) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(machine_text(&report.target));
    case.set_time(Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default());
    case
}

fn refuted(kind: NonSuccessKind, verdict: Verdict, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(verdict.name());
    status.set_message(machine_text(text));
    status
}
