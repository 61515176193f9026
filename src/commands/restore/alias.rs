use crate::commands::RegionServices;
use crate::report::{Exit, FindingReport, TaskNote, TaskReport};
use crate::verdict::{CheckId, Condition, Evidence, Finding, Outcome, Reason, Verdict};

/// Number of read-back attempts.
const ALIAS_LOOKS: u32 = 8;

/// Points an SSM parameter at the AMI, and reads it back until it shows the new value. Instances are launched from the
/// alias, so it is not changed if the AMI failed a check, or if a required check is unknown and not accepted.
pub(super) async fn point_alias(services: &RegionServices, name: &str, report: &mut TaskReport) {
    if report.exit_code != Exit::Passed {
        report.notes.push(TaskNote::AliasNotWritten { alias: name.to_owned() }.into());
        return;
    }
    let check = CheckId::Condition(Condition::Alias);
    let outcome = match services.account.put_alias(name, &report.image).await {
        Err(error) => Outcome::Unknown(Reason::Unanswered { detail: format!("PutParameter: {}", error.explain()) }),
        Ok(()) => read_back(services, name, &report.image).await,
    };
    let finding = Finding { check, required: true, outcome };
    let verdict = finding.verdict();
    report.findings.push(FindingReport::from(&finding));
    if verdict != Verdict::Pass {
        report.verdict = match report.verdict {
            Some(Verdict::Fail) => Some(Verdict::Fail),
            _ => Some(Verdict::Unknown),
        };
        if report.exit_code == Exit::Passed {
            report.exit_code = Exit::Unknown;
        }
    }
}

async fn read_back(services: &RegionServices, name: &str, image: &str) -> Outcome {
    let mut seen = "nothing".to_owned();
    for look in 0..ALIAS_LOOKS {
        if look > 0 {
            services.context().clock.sleep(std::time::Duration::from_secs(1 << look.min(4))).await;
        }
        match services.account.alias(name).await {
            Ok(value) if value == image => {
                return Outcome::Pass(Evidence::of_rule("GetParameter", format!("{name} names {image}"), value));
            }
            Ok(value) => seen = value,
            Err(error) => seen = error.explain(),
        }
    }
    let detail = format!(
        "{name} was written and does not name {image} yet ({seen}); SSM drops the write of an AMI it does not accept"
    );
    Outcome::Unknown(Reason::NotStated { detail })
}
