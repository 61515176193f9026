//! From the words of the command line to a command.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{ColorChoice, FromArgMatches as _};

use super::command::Cli;
use super::global::Colour;
use super::help;
use super::output::complain;
use super::settings::colour_of_parser;
use crate::ident::redact_urls;
use crate::render::printable;
use crate::report::Exit;

impl Cli {
    /// Parses the arguments.
    ///
    /// # Errors
    ///
    /// The exit code if there is nothing to run: after an invalid argument, which was printed, or after help.
    ///
    /// Control characters and secrets in URLs are removed from the arguments that a message repeats, because scripts
    /// may pass names chosen by others.
    pub fn read() -> Result<Self, ExitCode> {
        let typed: Vec<_> = std::env::args_os().collect();
        Cli::understand(&typed).map_err(|error| {
            let clean: Vec<_> = typed.iter().map(|word| shown(&word.to_string_lossy())).collect();
            let error = if typed.iter().zip(&clean).all(|(typed, clean)| typed == clean.as_str()) {
                error
            } else {
                Cli::understand(&clean).err().unwrap_or_else(|| clap::Error::new(error.kind()))
            };
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            if let Err(problem) = printed
                && !error.use_stderr()
                && problem.kind() != std::io::ErrorKind::BrokenPipe
            {
                complain(&format!("standard output: {problem}"));
                return ExitCode::from(Exit::CouldNot.code());
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }

    fn understand<T: AsRef<OsStr>>(words: &[T]) -> Result<Self, clap::Error> {
        let command = help::coloured(match colour_of_parser(words) {
            Colour::OnTerminals => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        });
        let matches = command.try_get_matches_from(words.iter().map(AsRef::as_ref));
        matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(help::improved)
    }
}

/// An argument as it may be printed: without control characters, and without the secrets of a URL.
fn shown(word: &str) -> String {
    printable(&redact_urls(word))
}
