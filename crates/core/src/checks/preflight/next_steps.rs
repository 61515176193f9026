use crate::verdict::{CheckId, Condition as C, Finding, Outcome, Reason};

/// What the user can do about the findings that stop a task, without repetitions; first about what failed. `command`
/// is the command of the task. `follow` is an AMI that holds the wanted name because this restore has made it already.
pub(super) fn next_steps(findings: &[Finding], command: &str, bucket: &str, follow: Option<&str>) -> Vec<String> {
    let policy =
        || format!("ask for the permissions; `stored-ami policy {command} --bucket {bucket}` prints all that it needs");
    let after = |finding: &Finding| match (finding.check, &finding.outcome) {
        (CheckId::Condition(C::Permission), Outcome::Fail(_)) => Some(policy()),
        (CheckId::Condition(C::NameFree), Outcome::Fail(_)) if follow.is_some() => {
            follow.map(|image| format!("follow it: `stored-ami restore --follow {image}`"))
        }
        (CheckId::Condition(condition), Outcome::Fail(_)) => condition.next_step().map(str::to_owned),
        (_, Outcome::Unknown(Reason::NotPermitted { .. } | Reason::PartNotPermitted { .. })) if finding.required => {
            Some(policy())
        }
        // What is in progress has no size, or may be other work.
        (CheckId::Condition(C::InProgress), Outcome::Unknown(Reason::NotStated { .. } | Reason::Ambiguous { .. })) => {
            C::InProgress.next_step().map(str::to_owned)
        }
        _ => None,
    };
    let failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Fail(_));
    let (failed, others): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(failed);
    let mut steps = Vec::new();
    for step in failed.into_iter().chain(others).filter_map(after) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let is_open =
        |finding: &Finding| finding.required && matches!(finding.outcome, Outcome::Unknown(Reason::Unanswered { .. }));
    if steps.is_empty() && findings.iter().any(is_open) {
        steps.push("the same command asks again what was not answered".to_owned());
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::{fail, optional, unknown};
    use super::*;

    const POLICY: &str = "ask for the permissions; `stored-ami policy store --bucket b` prints all that it needs";

    fn denied(condition: C) -> Finding {
        unknown(condition, Reason::NotPermitted { needs: "ec2:DescribeImages".to_owned() })
    }

    #[test]
    fn each_step_is_named_once_and_failures_come_first() {
        let findings =
            [denied(C::Image), denied(C::Sharing), fail(C::NameFree, "", "", ""), fail(C::Bucket, "", "", "")];
        let steps = next_steps(&findings, "store", "b", None);
        assert_eq!(steps, [C::NameFree.next_step().unwrap(), C::Bucket.next_step().unwrap(), POLICY]);
        assert_eq!(next_steps(&[denied(C::Image), fail(C::Permission, "", "", "")], "store", "b", None), [POLICY]);
        let throttled = || unknown(C::InProgress, Reason::Unanswered { detail: "throttled".to_owned() });
        assert_eq!(
            next_steps(&[throttled()], "store", "b", None),
            ["the same command asks again what was not answered"]
        );
        assert_eq!(next_steps(&[throttled(), denied(C::Image)], "store", "b", None), [POLICY]);
        let unsized_work = unknown(C::InProgress, Reason::NotStated { detail: String::new() });
        assert_eq!(next_steps(&[unsized_work], "store", "b", None), [C::InProgress.next_step().unwrap()]);
        assert!(next_steps(&[optional(throttled())], "store", "b", None).is_empty());
        assert!(next_steps(&[optional(denied(C::ImageQuota))], "store", "b", None).is_empty());
    }

    #[test]
    fn a_name_that_this_restore_holds_is_followed() {
        let findings = [fail(C::NameFree, "", "", "")];
        assert_eq!(
            next_steps(&findings, "restore", "b", Some("ami-1")),
            ["follow it: `stored-ami restore --follow ami-1`"]
        );
    }
}
