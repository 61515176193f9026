use super::AccessSurvey;
use crate::copy::{CopyCheck, CopyFinding};
use crate::facts::Fact;

const CHECK: CopyCheck = CopyCheck::Public;

/// Whether everybody may read the bucket. Block Public Access rules it out; otherwise both the policy and the ACL must.
pub(super) fn public(survey: &AccessSurvey) -> CopyFinding {
    let block = match &survey.blocked {
        Fact::Known { value: true, source } => {
            return CopyFinding::pass(CHECK, "Block Public Access is on").by(source);
        }
        Fact::Known { .. } | Fact::Absent { .. } => "Block Public Access of the bucket is not completely on".to_owned(),
        other => format!("Block Public Access: {}", other.why_not().unwrap_or_default()),
    };
    if let Fact::Known { value: true, source } = &survey.policy {
        return CopyFinding::fail(CHECK, format!("the policy of the bucket makes it public; {block}")).by(source);
    }
    if let Fact::Known { value, source } = &survey.grants
        && !value.is_empty()
    {
        let text = format!("the ACL of the bucket grants {}; {block}", value.join(", "));
        return CopyFinding::fail(CHECK, text).by(source);
    }
    let no_policy = matches!(survey.policy, Fact::Known { value: false, .. } | Fact::Absent { .. });
    let unknown = [
        survey.policy.why_not().filter(|_| !no_policy).map(|why| format!("whether its policy makes it public: {why}")),
        survey.grants.why_not().map(|why| format!("whether its ACL does: {why}")),
    ];
    let unknown: Vec<String> = unknown.into_iter().flatten().collect();
    match unknown.is_empty() {
        true => {
            let text = format!("neither the policy nor the ACL of the bucket makes it public; {block}");
            CopyFinding::pass(CHECK, text).by("GetBucketPolicyStatus, GetBucketAcl")
        }
        false => CopyFinding::open(CHECK, format!("{block}; not known: {}", unknown.join("; "))),
    }
}
