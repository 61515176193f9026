use crate::report::{DrillPhase, DrillPhaseReport, DrillState, Exit, TaskReport};
use crate::verdict::Verdict;

/// A step that was done in this run.
pub(super) fn done(
    phase: DrillPhase,
    state: impl Into<DrillState>,
    seconds: Option<f64>,
    detail: impl Into<String>,
) -> DrillPhaseReport {
    DrillPhaseReport { phase, state: state.into(), seconds, detail: detail.into() }
}

/// What a restore says about the object. One that EC2 reports as failed is a failure: the object was not restored.
pub(super) fn restored(task: &TaskReport) -> Verdict {
    match (task.verdict, &task.failure, task.exit_code) {
        (Some(verdict), ..) => verdict,
        (None, Some(_), Exit::CouldNot) => Verdict::Fail,
        _ => Verdict::Unknown,
    }
}

/// `fail` if one fails, `pass` if all pass, otherwise `unknown`. A step without a result is unknown.
pub(super) fn together(steps: &[Option<Verdict>]) -> Verdict {
    if steps.contains(&Some(Verdict::Fail)) {
        return Verdict::Fail;
    }
    match steps.iter().all(|step| *step == Some(Verdict::Pass)) {
        true => Verdict::Pass,
        false => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_that_all_pass_make_a_pass() {
        use Verdict::{Fail, Pass, Unknown};
        for (steps, expected) in [
            ([Some(Pass), Some(Pass), Some(Pass)], Pass),
            ([Some(Pass), Some(Pass), None], Unknown),
            ([Some(Pass), Some(Unknown), Some(Pass)], Unknown),
            ([None, None, None], Unknown),
            ([Some(Pass), None, Some(Fail)], Fail),
            ([Some(Fail), Some(Unknown), Some(Pass)], Fail),
        ] {
            assert_eq!(together(&steps), expected, "{steps:?}");
        }
    }
}
