//! The command of this run, so that a run that was stopped can go on.

use std::path::Path;

use crate::ident::redact_urls;
use crate::render::shell_word;

/// The command of this run, quoted for a shell; `None` if an argument is not Unicode, or contains a URL with a secret,
/// which is never printed.
pub(super) fn same_command() -> Option<String> {
    let arguments: Option<Vec<String>> = std::env::args_os().skip(1).map(|word| word.into_string().ok()).collect();
    quoted(&arguments?)
}

/// What a run that was stopped keeps, where, and the command that goes on.
pub(super) fn kept_in(what: &str, place: &Path) -> String {
    let next = match same_command() {
        Some(command) => format!("go on with: {command}"),
        None => "the same command goes on".to_owned(),
    };
    format!("kept in {}: {what}; {next}", place.display())
}

/// Nothing is kept of a run that was stopped; the option that keeps it.
pub(super) fn not_kept(option: &str) -> String {
    match same_command() {
        Some(command) => format!("what was read is not kept; to keep it, run: {command} {option}"),
        None => format!("what was read is not kept; the same command with {option} keeps it"),
    }
}

/// Nothing is kept of a run that was stopped, and no option keeps it.
pub(super) const NEVER_KEPT: &str = "what was read is not kept; the same command reads it again";

fn quoted(arguments: &[String]) -> Option<String> {
    if arguments.iter().any(|word| redact_urls(word) != word.as_str()) {
        return None;
    }
    let words: Vec<String> = arguments.iter().map(|word| argument(word)).collect();
    Some(format!("stored-ami {}", words.join(" ")))
}

/// Quotes an argument if a shell would change it. Names of options are not quoted.
fn argument(word: &str) -> String {
    let name = word.trim_start_matches('-');
    let plain = shell_word(name) == name || (name.is_empty() && !word.is_empty());
    if plain { word.to_owned() } else { shell_word(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<String> {
        quoted(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_shell_reads_the_same_command() {
        let command = of(&["audit", "s3://b/a b", "--max-time", "5s", ""]);
        assert_eq!(command.as_deref(), Some("stored-ami audit 's3://b/a b' --max-time 5s ''"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(of(&["verify", "k", "--endpoint-url", "https://user:pass@host/"]), None);
        assert_eq!(of(&["verify", "https://b.s3.amazonaws.com/k?X-Amz-Signature=abc"]), None);
    }
}
