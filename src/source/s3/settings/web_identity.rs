use std::path::Path;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use aws_sdk_sts::Client;

use crate::files::{InputKind, read_text};

/// A role that a token in a file may assume. The SDK's own provider ignores the endpoints of a profile.
#[derive(Debug)]
pub(super) struct WebIdentity {
    sts: Client,
    role: String,
    token_file: String,
    session: String,
}

impl WebIdentity {
    /// `sts` is the configuration of the STS client, `session` the session name.
    pub(super) fn new(sts: &SdkConfig, role: &str, token_file: &str, session: &str) -> Self {
        WebIdentity {
            sts: Client::new(sts),
            role: role.to_owned(),
            token_file: token_file.to_owned(),
            session: session.to_owned(),
        }
    }

    /// Read for each request, because the issuer replaces the token before it expires.
    fn token(&self) -> Result<String, CredentialsError> {
        let read = read_text(Path::new(&self.token_file), InputKind::WebIdentityToken);
        let text = read.map_err(|error| CredentialsError::provider_error(error.to_string()))?;
        Ok(text.trim().to_owned())
    }

    async fn credentials(&self) -> Provided {
        let request = self.sts.assume_role_with_web_identity().role_arn(&self.role).role_session_name(&self.session);
        let answer = request.web_identity_token(self.token()?).send().await;
        let answer = answer.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials().ok_or_else(|| CredentialsError::provider_error("STS gave no credentials"))?;
        let mut builder = Credentials::builder()
            .access_key_id(given.access_key_id())
            .secret_access_key(given.secret_access_key())
            .session_token(given.session_token())
            .provider_name("web identity");
        builder.set_expiry(SystemTime::try_from(*given.expiration()).ok());
        Ok(builder.build())
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
