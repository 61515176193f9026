use std::sync::Arc;

use super::ask::asked;
use crate::account::AccountService;
use crate::checks::preflight::DryRun;
use crate::facts::{Caller, Fact};
use crate::ident::{AmiId, ObjectUri, is_snapshot_id};
use crate::image::ImageService;
use crate::progress::Counting;
#[cfg(feature = "ebs")]
use crate::progress::Counts;
use crate::report::{EndOption, EndReport};
#[cfg(feature = "ec2")]
use crate::source::s3::Connection;
use crate::source::{BucketService, Context, ErrorKind, ObjectSource, Session, SourceError};

/// Opens the services of one Region. The given context counts the requests.
pub trait RegionClients: Send + Sync {
    /// EC2 in this Region.
    fn images(&self, context: Context) -> Arc<dyn ImageService>;
    /// STS, SSM and the quotas of the account.
    fn account(&self, context: Context) -> Arc<dyn AccountService>;
    /// S3, for the settings of a bucket.
    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService>;
    /// S3, for one object.
    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource>;
}

#[cfg(feature = "ec2")]
impl RegionClients for Connection {
    fn images(&self, context: Context) -> Arc<dyn ImageService> {
        Arc::new(crate::image::ec2::Ec2::new(self, context))
    }

    fn account(&self, context: Context) -> Arc<dyn AccountService> {
        Arc::new(crate::account::aws::Account::new(self, context))
    }

    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService> {
        Arc::new(Connection::bucket(self, name, context))
    }

    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource> {
        Arc::new(Connection::object(self, uri.clone()))
    }
}

/// EC2 and the account in one Region, as needed to follow tasks and to price AMIs.
///
/// Counts the requests of all services opened through it, for the reports of commands.
#[derive(Clone)]
pub struct RegionServices {
    /// EC2.
    pub images: Arc<dyn ImageService>,
    /// STS, SSM and the quotas of the account.
    pub account: Arc<dyn AccountService>,
    clients: Arc<dyn RegionClients>,
    /// The options by which the Region is reached, for commands that are printed.
    reach: Vec<EndOption>,
    context: Context,
    counting: Arc<Counting>,
}

/// A Region, with the object that is stored there or restored from there, and its bucket.
#[derive(Clone)]
pub struct ObjectServices {
    /// The Region.
    pub region: RegionServices,
    /// The bucket of the object.
    pub bucket: Arc<dyn BucketService>,
    /// The session with the object.
    pub object: Session,
}

impl RegionServices {
    /// The command that removes an AMI or a snapshot of this Region; `None` for an odd id, because people paste it into a
    /// shell.
    pub(in crate::commands) fn remove_with(&self, id: &str) -> Option<String> {
        let command = match is_snapshot_id(id) {
            true => format!("delete-snapshot --snapshot-id {id}"),
            false => format!("deregister-image --image-id {}", id.parse::<AmiId>().ok()?),
        };
        let endpoint = self.reach.iter().find(|option| option.name == "endpoint-url");
        let endpoint = endpoint.and_then(|option| option.value.as_deref());
        let (options, region) = (self.reach.clone(), Some(self.images.region().to_owned()));
        let used = EndReport { options, region, ..EndReport::default() };
        Some(format!("aws ec2 {command}{}", used.aws_arguments(endpoint)))
    }

    /// The same with the options by which it is reached, for commands that are printed.
    #[must_use]
    pub fn reached_by(self, options: &[EndOption]) -> Self {
        RegionServices { reach: options.to_vec(), ..self }
    }

    /// Opens the services of a Region, with a new count of requests.
    pub fn new(clients: Arc<dyn RegionClients>, context: &Context) -> Self {
        let (context, counting) = context.counted();
        RegionServices {
            images: clients.images(context.clone()),
            account: clients.account(context.clone()),
            clients,
            reach: Vec::new(),
            context,
            counting,
        }
    }

    /// The services for an object. A version in its URI is ignored, because EC2 always reads the current version.
    pub fn at(&self, object: &ObjectUri) -> ObjectServices {
        ObjectServices {
            region: self.clone(),
            bucket: self.clients.bucket(&object.bucket, self.context.clone()),
            object: Session::new(self.clients.object(&object.at_version(None)), self.context.clone()),
        }
    }

    /// The context that counts the requests.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Number of requests since these services were opened, including retries.
    pub fn requests(&self) -> u64 {
        self.counting.counts().requests
    }

    /// The counts since these services were opened.
    #[cfg(feature = "ebs")]
    pub(super) fn counts(&self) -> Counts {
        self.counting.counts()
    }

    /// Asks STS for the caller, before all other requests: with rejected credentials, or without a connection to the
    /// Region, the others cannot succeed. If only STS is unreachable or its response unreadable, the caller is unknown
    /// and the others are sent.
    pub(super) async fn caller(&self) -> Result<Fact<Caller>, SourceError> {
        match self.account.caller().await {
            Err(error) if error.is_transient() || error.kind == ErrorKind::Protocol => {
                let ec2 = self.images.ebs_default().await;
                if ec2.is_err_and(|error| error.is_transient()) {
                    return Err(error);
                }
                Ok(asked(Err(error), "GetCallerIdentity", "sts:GetCallerIdentity"))
            }
            answer => answer.map(|value| Fact::Known { value, source: "GetCallerIdentity" }),
        }
    }

    /// The meaning of a response to a dry run. Decodes the reason of a denial if the caller may do that.
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

    /// The message of an error, with its encoded part decoded if the caller may do that.
    pub(super) async fn decoded(&self, error: &SourceError) -> String {
        let text = error.explain();
        let Some((before, encoded)) = text.split_once(ENCODED) else { return text };
        let encoded = encoded.split_whitespace().next().unwrap_or_default();
        let before = before.trim_end_matches([' ', '.']);
        match self.account.decode(encoded).await {
            Ok(decoded) => match denial(&decoded) {
                // It names the action and the resource, as the message around it does.
                Some(cause) if error.kind == ErrorKind::Denied => format!("not permitted: {cause}"),
                Some(cause) => format!("{before}: {cause}"),
                None => format!("{before}: {decoded}"),
            },
            Err(_) => format!("{before} (the cause is encoded; sts:DecodeAuthorizationMessage shows it to who may)"),
        }
    }
}

/// EC2 appends the encoded cause to its message and has no field for it (STS API Reference,
/// *DecodeAuthorizationMessage*). Without this text the message is shown as it is.
const ENCODED: &str = "Encoded authorization failure message: ";

/// The cause of a denial in a decoded message (IAM User Guide, *DecodeAuthorizationMessage*): an explicit deny or no
/// allow.
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
