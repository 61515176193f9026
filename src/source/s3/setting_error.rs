use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

use crate::source::Advice;
#[cfg(feature = "ec2")]
use crate::source::SourceError;

/// Why a connection cannot be configured.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("{text}")]
    Credentials {
        text: String,
        advice: Option<Advice>,
        #[source]
        cause: CredentialsError,
    },
}

/// The name of the setting that prevents a connection: an option, a variable, a key of a profile or a file.
#[cfg(feature = "ec2")]
pub(crate) fn wrong_setting(error: &SourceError) -> Option<&str> {
    match error.source()?.downcast_ref()? {
        ConnectError::Setting(wrong) => wrong.setting(),
        ConnectError::Credentials { .. } => None,
    }
}

/// A wrong setting. The text starts with the name of the setting and contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct SettingError {
    text: String,
    /// The option, variable, key of a profile or file.
    setting: Option<String>,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl SettingError {
    /// An error without a cause.
    pub(super) fn new(text: impl Into<String>) -> Self {
        SettingError { text: text.into(), setting: None, cause: None }
    }

    /// The same error with the name of the setting, unless it has one.
    pub(super) fn of(self, setting: impl Into<String>) -> Self {
        SettingError { setting: self.setting.or_else(|| Some(setting.into())), ..self }
    }

    /// The name of the setting, if it is known.
    #[cfg(feature = "ec2")]
    pub(super) fn setting(&self) -> Option<&str> {
        self.setting.as_deref()
    }

    /// The same error with its cause.
    pub(super) fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        SettingError { cause: Some(cause.into()), ..self }
    }
}

impl From<String> for SettingError {
    fn from(text: String) -> Self {
        SettingError::new(text)
    }
}

/// Errors with the same text are equal.
impl PartialEq for SettingError {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
