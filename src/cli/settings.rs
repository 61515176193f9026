use super::command::Cli;
use super::global::Display;
use super::usage::UsageError;

/// What a command uses besides its own arguments.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub display: Display,
}

impl Settings {
    /// Weighs the global options.
    ///
    /// # Errors
    ///
    /// Options contradict each other.
    pub fn of(cli: &Cli) -> Result<Self, UsageError> {
        Ok(Settings { display: cli.global.display()? })
    }
}
