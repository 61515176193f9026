use std::error::Error;

/// A wrong setting. The text begins with the name of the setting, and holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct SettingError {
    text: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl SettingError {
    pub fn new(text: impl Into<String>) -> Self {
        SettingError { text: text.into(), cause: None }
    }

    /// The same error with the one that it was made from.
    pub fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        SettingError { cause: Some(cause.into()), ..self }
    }
}

impl From<String> for SettingError {
    fn from(text: String) -> Self {
        SettingError::new(text)
    }
}

/// Two errors are the same if they say the same.
impl PartialEq for SettingError {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
