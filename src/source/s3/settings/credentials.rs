use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::region::Region;

use super::super::causes::deepest;
use super::super::error::service_cause;
use super::super::http::Unfit;
use super::super::proxies::by_proxy;
use super::plan::{CONTAINER_TOKEN, Keys, Plan};
use super::web_identity::WebIdentity;
use super::{SettingError, process, values};
use crate::files::{InputError, InputKind, read_bytes};
use crate::sync::lock;

/// Session name of assumed roles in the logs of the account, if the profile names none.
const SESSION: &str = "stored-ami";

/// What providers that send requests are made from.
pub(in crate::source::s3) struct Wire {
    /// For STS, with its configured endpoint.
    pub sts: SdkConfig,
    /// For the other services, such as SSO.
    pub services: ProviderConfig,
    /// Without a proxy: container and instance metadata are on this machine's own link.
    pub metadata: ProviderConfig,
}

/// Notices of providers, for the user.
pub(in crate::source::s3) type Notes = Arc<Mutex<Vec<String>>>;

/// Makes the provider of a plan.
pub(in crate::source::s3) fn provider<'a>(
    plan: &'a Plan,
    wire: &'a Wire,
    notes: &'a Notes,
) -> Pin<Box<dyn Future<Output = SharedCredentialsProvider> + Send + 'a>> {
    Box::pin(async move {
        let inner = match plan {
            Plan::Environment(keys) | Plan::Profile { keys, .. } => SharedCredentialsProvider::new(of_keys(keys)),
            Plan::Process { command, .. } => SharedCredentialsProvider::new(Process { command: command.clone() }),
            Plan::WebIdentity { role, token_file, session } => {
                let session = session.as_deref().unwrap_or(SESSION);
                SharedCredentialsProvider::new(WebIdentity::new(&wire.sts, role, token_file, session))
            }
            Plan::Sso { account, role, url, region, session, .. } => {
                let builder = SsoCredentialsProvider::builder()
                    .configure(&wire.services)
                    .account_id(account)
                    .role_name(role)
                    .start_url(url)
                    .region(Region::new(region.clone()));
                let builder = match session {
                    Some(session) => builder.session_name(session),
                    None => builder,
                };
                SharedCredentialsProvider::new(builder.build())
            }
            Plan::Container { .. } => {
                SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&wire.metadata).build())
            }
            Plan::Instance => {
                SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&wire.metadata).build())
            }
            Plan::Role { role, from } => {
                let from = provider(from, wire, notes).await;
                let mut builder = AssumeRoleProvider::builder(&role.arn)
                    .configure(&wire.sts)
                    .session_name(role.session.as_deref().unwrap_or(SESSION));
                if let Some(id) = &role.external_id {
                    builder = builder.external_id(id);
                }
                if let Some(seconds) = role.seconds {
                    builder = builder.session_length(Duration::from_secs(seconds));
                }
                SharedCredentialsProvider::new(builder.build_from_provider(from).await)
            }
        };
        SharedCredentialsProvider::new(Checked { inner, plan: plan.clone(), notes: Arc::clone(notes) })
    })
}

fn of_keys(keys: &Keys) -> Credentials {
    Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "stored-ami")
}

struct Process {
    command: String,
}

/// Prints no command line: it may contain secrets.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Process(…)")
    }
}

impl ProvideCredentials for Process {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let run = process::run(&self.command, process::TIME_LIMIT).await;
            run.map_err(|problem| CredentialsError::provider_error(problem.to_string()))
        })
    }
}

/// Explains in a sentence why there are no credentials, and checks that a request can carry those found.
#[derive(Debug)]
struct Checked {
    inner: SharedCredentialsProvider,
    plan: Plan,
    notes: Notes,
}

impl Checked {
    async fn credentials(&self) -> Provided {
        self.plan.check_file().map_err(|error| CredentialsError::provider_error(Explained(error.to_string())))?;
        let found = self.inner.provide_credentials().await.map_err(|error| {
            let text = match deepest::<Explained>(&error) {
                // The source of a role has already explained the failure.
                Some(Explained(text)) => text.clone(),
                None => self.plan.explain(&cause(&error, &self.plan)),
            };
            CredentialsError::provider_error(Explained(text))
        })?;
        let (found, trimmed) =
            clean(&found, &self.plan).map_err(|text| CredentialsError::provider_error(Explained(text)))?;
        if let Some(note) = trimmed {
            lock(&self.notes).push(note);
        }
        Ok(found)
    }
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Why a provider failed, with a hint if a proxy may be the reason.
fn cause(error: &CredentialsError, plan: &Plan) -> String {
    let said = service_cause(error);
    let unreached = deepest::<ConnectorError>(error).is_some() && deepest::<Unfit>(error).is_none();
    if unreached && !plan.is_fallback() { format!("{said}{}", by_proxy()) } else { said }
}

/// A complete sentence for the user.
#[derive(Debug)]
struct Explained(String);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Explained {}

impl Plan {
    /// Whether credentials come from container or instance metadata, which are asked if nothing names another source.
    pub(crate) fn is_fallback(&self) -> bool {
        matches!(self, Plan::Instance | Plan::Container { .. })
    }

    /// Where the credentials come from, for people. Contains no command line, which may hold secrets.
    pub(crate) fn origin(&self) -> String {
        match self {
            Plan::Environment(_) => "AWS_ACCESS_KEY_ID".to_owned(),
            Plan::Profile { profile, .. } => format!("the keys of profile `{profile}`"),
            Plan::Process { profile, .. } => format!("the credential_process of profile `{profile}`"),
            Plan::WebIdentity { role, token_file, .. } => format!("role {role} by the web identity in {token_file}"),
            Plan::Sso { profile, .. } => format!("the SSO of profile `{profile}`"),
            Plan::Container { .. } => "the metadata of this container".to_owned(),
            Plan::Instance => "the metadata of this machine".to_owned(),
            Plan::Role { role, from } => format!("role {}, assumed with {}", role.arn, from.origin()),
        }
    }

    /// Checks the type of a file that the SDK would read: the SDK would block on a pipe, and read a device forever.
    fn check_file(&self) -> Result<(), SettingError> {
        let (path, kind, setting) = match self {
            Plan::Container { token_file: Some(path) } => {
                (Path::new(path), InputKind::ContainerToken, format!("{CONTAINER_TOKEN}: "))
            }
            Plan::Sso { cache: Some(path), .. } => (path.as_path(), InputKind::SsoCache, String::new()),
            _ => return Ok(()),
        };
        match read_bytes(path, kind) {
            Ok(_) => Ok(()),
            // The provider reports a missing file itself, with advice.
            Err(InputError::Io(error)) if error.kind() == ErrorKind::NotFound && setting.is_empty() => Ok(()),
            Err(error) => {
                let text = format!("{setting}{}: {error}", path.display());
                Err(SettingError::new(text).of(path.display().to_string()).caused_by(error))
            }
        }
    }

    fn explain(&self, cause: &str) -> String {
        match self {
            Plan::Environment(_) | Plan::Profile { .. } => cause.to_owned(),
            Plan::Process { profile, .. } => format!("the credential_process of profile `{profile}` {cause}"),
            Plan::WebIdentity { role, token_file, .. } => {
                format!("role {role} by the web identity in {token_file}: {cause}")
            }
            Plan::Sso { profile, .. } => {
                format!("profile `{profile}` signs in by SSO: {cause}; run `aws sso login --profile {profile}`")
            }
            // The SDK's message repeats the addresses it was given.
            Plan::Container { .. } => format!("container credentials: {}", values::without_secrets(cause)),
            Plan::Instance => values::without_secrets(cause),
            Plan::Role { role, .. } => format!("role {} could not be assumed: {cause}", role.arn),
        }
    }

    /// The owner of the credentials, and the names of their three fields, for messages.
    fn fields(&self) -> (String, [&'static str; 3]) {
        let usual = ["access key id", "secret access key", "session token"];
        match self {
            Plan::Environment(_) => {
                ("the environment".into(), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
            }
            Plan::Profile { profile, .. } => {
                let keys = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
                (format!("profile `{profile}`"), keys)
            }
            Plan::Process { profile, .. } => (format!("the credential_process of profile `{profile}`"), usual),
            _ => ("the credentials".into(), usual),
        }
    }
}

/// Credentials without white space around their fields, and a note if there was some. A field that no request can carry
/// is refused by name: the SDK would panic on some of them.
fn clean(given: &Credentials, plan: &Plan) -> Result<(Credentials, Option<String>), String> {
    let (whose, fields) = plan.fields();
    let values = [Some(given.access_key_id()), Some(given.secret_access_key()), given.session_token()];
    let mut kept: [Option<String>; 3] = [const { None }; 3];
    let mut trimmed = Vec::new();
    for (index, ((value, field), kept)) in values.into_iter().zip(fields).zip(&mut kept).enumerate() {
        let Some(value) = value else { continue };
        let inner = value.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        // The secret is not sent in a header.
        let fits = |c: char| if index == 1 { !c.is_control() } else { (' '..='~').contains(&c) };
        if !inner.chars().all(fits) {
            return Err(format!("{field} of {whose} holds a character that no request can carry"));
        }
        if inner.is_empty() && index < 2 {
            return Err(format!("{field} of {whose} is empty"));
        }
        if inner.len() != value.len() {
            trimmed.push(field);
        }
        *kept = Some(inner.to_owned()).filter(|inner| !inner.is_empty());
    }
    let [id, secret, token] = kept;
    let mut builder = Credentials::builder()
        .access_key_id(id.unwrap_or_default())
        .secret_access_key(secret.unwrap_or_default())
        .provider_name("stored-ami");
    builder.set_session_token(token);
    builder.set_expiry(given.expiry());
    let note =
        (!trimmed.is_empty()).then(|| format!("white space around {} of {whose} was left out", trimmed.join(" and ")));
    Ok((builder.build(), note))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan() -> Plan {
        Plan::Environment(Keys { id: String::new(), secret: String::new(), token: None })
    }

    #[test]
    fn white_space_is_trimmed_and_named() {
        let given = Credentials::new("AKIA\r\n", "\tsecret", Some("token\u{feff}".into()), None, "test");
        let (kept, note) = clean(&given, &plan()).unwrap();
        assert_eq!(
            (kept.access_key_id(), kept.secret_access_key(), kept.session_token()),
            ("AKIA", "secret", Some("token"))
        );
        let note = note.unwrap();
        assert!(note.contains("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"), "{note}");
        assert_eq!(clean(&Credentials::new("A", "S", None, None, "test"), &plan()).unwrap().1, None);
    }

    proptest! {
        /// Every accepted field can be sent in a header; a refused one is named and not shown.
        #[test]
        fn what_is_kept_can_be_sent(id in "\\PC{0,9}|.{0,9}|[A-Z\r\n]{1,9}", secret in ".{0,9}", token in ".{0,9}") {
            let given = Credentials::new(id.clone(), secret.clone(), Some(token.clone()), None, "test");
            match clean(&given, &plan()) {
                Ok((kept, _)) => {
                    prop_assert!(http::HeaderValue::from_str(kept.access_key_id()).is_ok());
                    prop_assert!(kept.session_token().is_none_or(|token| http::HeaderValue::from_str(token).is_ok()));
                    prop_assert!(!kept.access_key_id().is_empty() && !kept.secret_access_key().is_empty());
                }
                Err(problem) => prop_assert!(problem.starts_with("AWS_"), "{}", problem),
            }
        }
    }
}
