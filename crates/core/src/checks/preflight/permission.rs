use super::{fail, pass, reason, unknown};
use crate::facts::{Caller, Fact};
use crate::verdict::{Condition, Finding, Reason};

/// EC2's response to the call with `DryRun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRun {
    /// `DryRunOperation`: the call is permitted.
    Permitted,
    /// `UnauthorizedOperation`.
    Denied {
        /// The message, decoded if that is permitted.
        message: String,
    },
    /// Another code. EC2 may check it before the permission, so the permission remains unknown.
    Other {
        /// Error code of the response.
        code: String,
        /// Message of the response.
        message: String,
    },
    /// There was no usable response.
    Unanswered {
        /// The error, for the report.
        detail: String,
    },
}

/// As [`permission`], but unknown if the caller's account is not known. The account id is needed to start a
/// task and to find it again.
pub(crate) fn permission_of(caller: &Fact<Caller>, answer: &DryRun, action: &str) -> Finding {
    match (answer, caller) {
        (DryRun::Permitted, caller) if caller.value().is_none() => {
            unknown(Condition::Permission, reason(caller, "this account"))
        }
        _ => permission(answer, action),
    }
}

/// `DryRun` proves the permission for the EC2 call only (EC2 API Reference, *Dry run*).
pub(crate) fn permission(answer: &DryRun, action: &str) -> Finding {
    let check = Condition::Permission;
    let rule = format!("{action} is allowed");
    match answer {
        DryRun::Permitted => pass(check, "DryRun", rule, "DryRunOperation: it would have been carried out"),
        DryRun::Denied { message } => fail(check, "DryRun", rule, message.as_str()),
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
