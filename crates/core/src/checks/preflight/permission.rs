use super::{fail, pass, reason, unknown};
use crate::facts::{Caller, Fact};
use crate::verdict::{Condition, Finding, Reason};

/// What EC2 answered to the call with `DryRun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// `DryRunOperation`.
    Permitted,
    /// `UnauthorizedOperation`, with the message, decoded where that is allowed.
    Denied {
        message: String,
    },
    /// Another code. It may be checked before the permission, so it says nothing about it.
    Other {
        code: String,
        message: String,
    },
    Unanswered {
        detail: String,
    },
}

/// The same, of a caller. Who that is must be known: a task is started, and found again, under the account's id.
pub fn permission_of(caller: &Fact<Caller>, answer: &DryRun, action: &str) -> Finding {
    match (answer, caller) {
        (DryRun::Permitted, caller) if caller.value().is_none() => {
            unknown(Condition::Permission, reason(caller, "this account"))
        }
        _ => permission(answer, action),
    }
}

/// `DryRun` proves the permission for the EC2 call alone (EC2 API reference, *Dry run*).
pub fn permission(answer: &DryRun, action: &str) -> Finding {
    let check = Condition::Permission;
    let rule = format!("{action} is allowed");
    match answer {
        DryRun::Permitted => pass(check, "DryRun", rule, "DryRunOperation: it would have been carried out"),
        DryRun::Denied { message } => fail(check, "DryRun", rule, format!("UnauthorizedOperation: {message}")),
        DryRun::Other { code, message } => {
            let detail = format!("DryRun was answered with {code}, which says nothing about the permission: {message}");
            unknown(check, Reason::Undocumented { detail })
        }
        DryRun::Unanswered { detail } => unknown(check, Reason::Unanswered { detail: format!("DryRun: {detail}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn only_two_codes_speak_of_the_permission() {
        let of = |answer| permission(&answer, "ec2:CreateStoreImageTask").verdict();
        let (code, message) = ("InvalidAMIID.Malformed".to_owned(), String::new());
        assert_eq!(of(DryRun::Permitted), Verdict::Pass);
        assert_eq!(of(DryRun::Denied { message: message.clone() }), Verdict::Fail);
        assert_eq!(of(DryRun::Other { code, message }), Verdict::Unknown);
        assert_eq!(of(DryRun::Unanswered { detail: String::new() }), Verdict::Unknown);
    }
}
