use std::sync::Arc;

use super::ask::asked;
use crate::account::AccountService;
use crate::checks::preflight::DryRun;
use crate::facts::{Caller, Fact};
use crate::image::ImageService;
use crate::source::{BucketService, ErrorKind, Session, SourceError};

/// The services that store and restore: one account, one Region, one bucket.
#[derive(Clone)]
pub struct Services {
    pub images: Arc<dyn ImageService>,
    pub account: Arc<dyn AccountService>,
    pub bucket: Arc<dyn BucketService>,
    /// The object that is stored or restored.
    pub object: Session,
}

impl Services {
    /// Asked before everything else: with credentials that are refused, or without a connection to the Region, the
    /// rest need not be tried. Where STS alone cannot be reached, or answers what cannot be read, the rest is.
    pub(super) async fn caller(&self) -> Result<Fact<Caller>, SourceError> {
        match self.account.caller().await {
            Err(error) if error.is_transient() || error.kind == ErrorKind::Protocol => {
                let ec2 = self.images.ebs_default().await;
                if !ec2.is_err_and(|error| error.is_transient()) {
                    return Ok(asked(Err(error), "GetCallerIdentity", "sts:GetCallerIdentity"));
                }
                let detail =
                    format!("{}; is {} a Region, and can it be reached from here?", error.detail, self.images.region());
                Err(SourceError { detail, ..error })
            }
            answer => answer.map(|value| Fact::Known { value, source: "GetCallerIdentity" }),
        }
    }

    /// What the answer to a dry run means, with the reason of a refusal decoded where that is allowed.
    pub(super) async fn dry_run(&self, answer: Result<String, SourceError>) -> DryRun {
        let error = match answer {
            Ok(id) => {
                let detail = format!("the server ignored DryRun and answered with {id}: it may have started a task");
                return DryRun::Unanswered { detail };
            }
            Err(error) => error,
        };
        match error.code.as_deref() {
            _ if error.kind == ErrorKind::DryRunAllowed => DryRun::Permitted,
            Some("UnauthorizedOperation") => DryRun::Denied { message: self.decoded(&error).await },
            Some(code) if !error.is_transient() => DryRun::Other { code: code.to_owned(), message: error.explain() },
            _ => DryRun::Unanswered { detail: error.explain() },
        }
    }

    /// The message of a refusal; in place of its encoded part what that says, where the caller may decode it.
    pub(super) async fn decoded(&self, error: &SourceError) -> String {
        let text = error.explain();
        let Some((before, encoded)) = text.split_once(ENCODED) else { return text };
        let encoded = encoded.split_whitespace().next().unwrap_or_default();
        let before = before.trim_end_matches([' ', '.']);
        match self.account.decode(encoded).await {
            Ok(decoded) => match denial(&decoded) {
                Some(cause) => format!("{before}: {cause}"),
                None => format!("{before}: {decoded}"),
            },
            Err(_) => format!("{before} (the cause is encoded; sts:DecodeAuthorizationMessage shows it to who may)"),
        }
    }
}

const ENCODED: &str = "Encoded authorization failure message: ";

/// The cause in a decoded message (IAM User Guide, *DecodeAuthorizationMessage*): an explicit deny or no allow.
fn denial(decoded: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(decoded).ok()?;
    let explicit = document.get("explicitDeny")?.as_bool()?;
    let context = document.get("context");
    let field = |name: &str| context.and_then(|context| context.get(name)).and_then(|value| value.as_str());
    let mut text = if explicit { "an explicit deny" } else { "no statement allows it" }.to_owned();
    if let (Some(action), Some(resource)) = (field("action"), field("resource")) {
        text = format!("{text} ({action} on {resource})");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_a_denial() {
        let decoded = r#"{"allowed":false,"explicitDeny":true,"context":{"action":"ec2:X","resource":"arn:r"}}"#;
        assert_eq!(denial(decoded).unwrap(), "an explicit deny (ec2:X on arn:r)");
        assert_eq!(denial(r#"{"explicitDeny":false}"#).unwrap(), "no statement allows it");
        assert_eq!(denial("text"), None);
    }
}
