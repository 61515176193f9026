//! From the words of the command line to a command.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{ColorChoice, FromArgMatches as _};

use super::command::Cli;
use super::global::Colour;
use super::help;
use super::output::{complain, log, open_log};
use super::settings::{colour_of_parser, log_file_of_parser};
use super::terminal::charset;
use crate::files::{OutputKind, try_output};
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
            let printed = print(&error, colour_of_parser(&typed), &typed);
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
        matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| help::improved(error, words))
    }
}

/// Prints help on standard output, or a message on standard error and in the log file.
fn print<T: AsRef<OsStr>>(error: &clap::Error, colour: Colour, typed: &[T]) -> io::Result<()> {
    let text = error.render();
    let coloured = |terminal: bool| if colour.on(terminal) { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        log_mistake(typed, &text.to_string());
        return io::stderr().write_all(charset().text(&coloured(io::stderr().is_terminal())).as_bytes());
    }
    let mut out = io::stdout();
    out.write_all(charset().text(&coloured(out.is_terminal())).as_bytes())?;
    out.flush()
}

/// Appends a message about mistyped arguments to the log file that the arguments, the environment or the configuration
/// file name. An argument that names the file a second time may be meant as another file, which then stays as it is.
pub(super) fn log_mistake<T: AsRef<OsStr>>(typed: &[T], message: &str) {
    let Some(path) = log_file_of_parser(typed) else { return };
    let names = |word: &T| word.as_ref().as_encoded_bytes().ends_with(path.as_os_str().as_encoded_bytes());
    if typed.iter().filter(|word| names(word)).count() > 1 || try_output(&path, OutputKind::Log, false).is_err() {
        return;
    }
    if open_log(&path).is_ok() {
        message.lines().filter(|line| !line.trim().is_empty()).for_each(|line| log(&shown(line)));
    }
}

/// An argument as it may be printed: without control characters, and without the secrets of a URL.
fn shown(word: &str) -> String {
    printable(&redact_urls(word))
}
