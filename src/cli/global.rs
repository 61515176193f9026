//! Options of every command, before or after its name: what is shown.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::args::{rate, retries, time};
use super::usage::UsageError;
use crate::units::ByteSize;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Hide progress and notes
    ///
    /// Failures, unknown results, errors and the last line are always shown.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Show every check (-vv: also each request)
    ///
    /// Requests are shown on standard error, or in the log file.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Use colours: auto, always or never
    ///
    /// The default is `auto`, which uses them on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", value_enum, hide_possible_values = true)]
    pub(super) color: Option<ColourWhen>,
    /// Show no progress
    #[arg(long, global = true, hide_short_help = true)]
    no_progress: bool,
    /// Append messages, progress and events to this file too; events then go only there
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) log_file: Option<PathBuf>,
    /// Repeat a request that fails or stalls up to N times in a row [default: 7]
    #[arg(long, global = true, hide_short_help = true, value_name = "N", value_parser = retries)]
    pub(super) retries: Option<u32>,
    /// Maximum wait of one attempt for a response, or for the next bytes of an object
    ///
    /// Default: 20 s for bytes, 30 s for the head of a response, 60 s for a whole response.
    #[arg(long, global = true, hide_short_help = true, value_name = "TIME", value_parser = time)]
    pub(super) timeout: Option<Duration>,
    /// Maximum bytes per second, over all connections [default: no limit]
    #[arg(long, global = true, hide_short_help = true, value_name = "SIZE", value_parser = rate)]
    pub(super) max_rate: Option<ByteSize>,
}

impl GlobalArgs {
    /// Whether the options decide that progress is shown; `None` if they leave it open.
    pub(super) fn progress(&self) -> Option<bool> {
        (self.no_progress || self.quiet).then_some(false)
    }

    /// How the command reports to its user, with the chosen colours and progress.
    ///
    /// # Errors
    ///
    /// The options contradict each other.
    pub(super) fn display(&self, color: Option<ColourWhen>, progress: Option<bool>) -> Result<Display, UsageError> {
        let verbosity = match (self.quiet, self.verbose) {
            (true, 1..) => return Err(UsageError("--quiet and --verbose contradict each other: give one".to_owned())),
            (true, 0) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, 2..) => Verbosity::Requests,
        };
        let progress = if progress == Some(false) { ProgressMode::Off } else { ProgressMode::Auto };
        Ok(Display { verbosity, colour: Colour::of(color, |name| std::env::var_os(name)), progress })
    }
}

/// How a command reports to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Display {
    pub verbosity: Verbosity,
    pub colour: Colour,
    pub progress: ProgressMode,
}

/// How much is shown; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Failures, unknown results, errors and the last line.
    Quiet,
    /// Notes too, and progress unless [`ProgressMode`] says otherwise.
    Normal,
    /// Everything that was checked.
    Verbose,
    /// The requests too.
    Requests,
}

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressMode {
    /// A bar on a terminal, otherwise a line every few seconds.
    Auto,
    Off,
}

/// A value of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColourWhen {
    Auto,
    Always,
    Never,
}

/// Whether colours are used, after options and environment were weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    OnTerminals,
    Always,
    Never,
}

impl Colour {
    /// The choice of the user; without one, `NO_COLOR` (<https://no-color.org>), then `CLICOLOR_FORCE` and `CLICOLOR`
    /// (<https://bixense.com/clicolors>), then `TERM=dumb`.
    pub(super) fn of<V: AsRef<OsStr>>(chosen: Option<ColourWhen>, variable: impl Fn(&str) -> Option<V>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.as_ref().is_empty());
        let is = |name: &str, wanted: &str| variable(name).is_some_and(|value| value.as_ref() == wanted);
        match chosen {
            Some(ColourWhen::Always) => Colour::Always,
            Some(ColourWhen::Never) => Colour::Never,
            Some(ColourWhen::Auto) | None if set("NO_COLOR") => Colour::Never,
            _ if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => Colour::Always,
            _ if is("CLICOLOR", "0") || is("TERM", "dumb") => Colour::Never,
            _ => Colour::OnTerminals,
        }
    }

    /// Whether a stream that is a terminal, or is not, gets colours.
    pub(super) fn on(self, terminal: bool) -> bool {
        match self {
            Colour::OnTerminals => terminal,
            Colour::Always => true,
            Colour::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_comes_before_no_color_before_clicolor_force_before_the_terminal() {
        use ColourWhen::{Always, Auto, Never};
        type Row = (Option<ColourWhen>, &'static [(&'static str, &'static str)], Colour);
        let table: [Row; 13] = [
            (None, &[], Colour::OnTerminals),
            (Some(Auto), &[], Colour::OnTerminals),
            (None, &[("NO_COLOR", "1")], Colour::Never),
            (None, &[("NO_COLOR", "")], Colour::OnTerminals),
            (None, &[("CLICOLOR_FORCE", "1")], Colour::Always),
            (None, &[("CLICOLOR_FORCE", "0")], Colour::OnTerminals),
            (None, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Colour::Never),
            (Some(Auto), &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Colour::Never),
            (Some(Always), &[("NO_COLOR", "1"), ("TERM", "dumb")], Colour::Always),
            (Some(Never), &[("CLICOLOR_FORCE", "1")], Colour::Never),
            (None, &[("TERM", "dumb")], Colour::Never),
            (None, &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], Colour::Always),
            (None, &[("CLICOLOR", "0")], Colour::Never),
        ];
        for (chosen, variables, expected) in table {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(Colour::of(chosen, variable), expected, "{chosen:?} {variables:?}");
        }
        assert!(Colour::OnTerminals.on(true) && !Colour::OnTerminals.on(false));
        assert!(Colour::Always.on(false) && !Colour::Never.on(true));
    }
}
