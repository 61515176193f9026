//! Settings that count before the arguments are parsed.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::ValueEnum as _;

use super::name::Setting;
use super::sources::Sources;
use crate::cli::global::{Colour, ColourWhen};

/// The colours of help and of errors of the parser: `--color`, the variable, and the usual variables. A wrong value
/// counts as absent, because the parser reports it. The configuration file is not read, so that help needs no valid
/// one.
pub(in crate::cli) fn colour_of_parser<T: AsRef<OsStr>>(words: &[T]) -> Colour {
    let variable = || std::env::var_os(Setting::Color.variable());
    let chosen =
        flag(words, "--color").or_else(variable).and_then(|value| ColourWhen::from_str(value.to_str()?, false).ok());
    Colour::of(chosen, |name| std::env::var_os(name))
}

/// The log file of arguments that are wrong: `--log-file`, the variable, or the configuration file.
pub(in crate::cli) fn log_file_of_parser<T: AsRef<OsStr>>(words: &[T]) -> Option<PathBuf> {
    let typed = flag(words, "--log-file").filter(|path| !path.as_encoded_bytes().starts_with(b"-")).map(PathBuf::from);
    typed.or_else(|| Sources::read(std::env::vars_os()).ok()?.given.log_file.map(|given| given.value().clone()))
}

/// The value of a flag among unparsed arguments.
fn flag<T: AsRef<OsStr>>(words: &[T], name: &str) -> Option<OsString> {
    let mut words = words.iter().map(AsRef::as_ref).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(OsStr::to_owned);
        }
        if let Some(value) = word.to_str().and_then(|word| word.strip_prefix(name)?.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_found_before_the_arguments_are_parsed() {
        for (line, value) in [
            ("x verify --color always", Some("always")),
            ("x --color=never verify", Some("never")),
            ("x verify --color", None),
            ("x verify --colour always", None),
            ("x verify -- --color always", None),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(flag(&words, "--color").as_deref(), value.map(OsStr::new), "{line}");
        }
    }
}
