//! From the words of the command line to a command, with hints for mistyped ones.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue};

use super::command::Cli;
use super::help;
use super::output::complain;
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
        let matches = help::command()
            .try_get_matches_from(words.iter().map(AsRef::as_ref))
            .map_err(|error| better_hint(without_risky_tip(error)))?;
        Cli::from_arg_matches(&matches)
    }
}

/// Removes a suggestion that has little in common with what was typed, and adds one for usual words of other programs.
fn better_hint(mut error: clap::Error) -> clap::Error {
    for (typed, suggested) in [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
    ] {
        let Some(ContextValue::String(typed)) = error.get(typed).cloned() else { continue };
        let other = USUAL.iter().find(|(word, _)| *word == typed).map(|(_, ours)| (*ours).to_owned());
        let near = |hint: &String| is_near(&typed, hint);
        let hints: Vec<String> = match (other, error.get(suggested)) {
            (Some(other), _) => vec![other],
            (None, Some(ContextValue::String(hint))) => {
                Some(hint).filter(|hint| near(hint)).cloned().into_iter().collect()
            }
            (None, Some(ContextValue::Strings(hints))) => hints.iter().filter(|hint| near(hint)).cloned().collect(),
            _ => continue,
        };
        error.remove(suggested);
        if let [hint] = &hints[..] {
            error.insert(suggested, ContextValue::String(hint.clone()));
        } else if hints.is_empty() {
            // The usage line is made from the suggestion.
            error.remove(ContextKind::Usage);
        } else {
            error.insert(suggested, ContextValue::Strings(hints));
        }
    }
    error
}

/// Words of other programs, and what they are called here.
const USUAL: [(&str, &str); 15] = [
    ("check", "verify"),
    ("info", "inspect"),
    ("stat", "inspect"),
    ("ls", "audit"),
    ("list", "audit"),
    ("scan", "audit"),
    ("benchmark", "bench"),
    ("price", "cost"),
    ("deregister", "safe-to-delete"),
    ("delete", "safe-to-delete"),
    ("completion", "completions"),
    ("--output", "--json"),
    ("--checksum", "--digest"),
    ("--algorithm", "--digest"),
    ("--endpoint", "--endpoint-url"),
];

/// Whether at most a third of the longer word must be changed to get the other.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.iter().enumerate() {
        let mut next = vec![at + 1];
        for ((b, pair), left) in other.iter().zip(row.windows(2)).zip(1..) {
            let &[diagonal, above] = pair else { continue };
            let before: usize = next.get(left - 1).copied().unwrap_or_default();
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().is_some_and(|distance| distance * 3 <= one.len().max(other.len()))
}

/// Flags that a tip for a mistyped one must not propose: they weaken a check, allow a cost or overwrite something.
const NEVER_PROPOSED: [&str; 7] =
    ["--accept", "--force", "--no-reread", "--no-sign-request", "--request-payer", "--sse-c-key-file", "--yes"];

/// The same error without a tip that proposes such a flag, and without the usage line made from that tip.
fn without_risky_tip(mut error: clap::Error) -> clap::Error {
    let is_risky = |name: &String| NEVER_PROPOSED.iter().any(|flag| name.split(['=', ' ']).next() == Some(flag));
    let risky = match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(name)) => is_risky(name),
        Some(ContextValue::Strings(names)) => names.iter().any(is_risky),
        _ => false,
    };
    if risky {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    error
}

/// An argument as it may be printed: without control characters, and without the secrets of a URL.
fn shown(word: &str) -> String {
    printable(&redact_urls(word))
}
