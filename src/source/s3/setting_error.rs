use std::error::Error;

/// A wrong setting. The text starts with the name of the setting and contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct SettingError {
    text: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl SettingError {
    /// An error without a cause.
    pub(super) fn new(text: impl Into<String>) -> Self {
        SettingError { text: text.into(), cause: None }
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
