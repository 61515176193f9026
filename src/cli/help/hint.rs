//! What the parser proposes for a mistyped word.

use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Words of other programs, and what they are called here.
const USUAL: [(&str, &str); 18] = [
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
    ("--in", "--bucket"),
    ("--bucket", "--in"),
    ("--prefix", "--in"),
];

/// Flags that are never proposed: they weaken a check, allow a cost or overwrite something.
const NEVER_PROPOSED: [&str; 7] =
    ["--accept", "--force", "--no-reread", "--no-sign-request", "--request-payer", "--sse-c-key-file", "--yes"];

/// Words that the parser cannot place, and what it proposes for each.
const TYPED: [(ContextKind, ContextKind); 2] = [
    (ContextKind::InvalidArg, ContextKind::SuggestedArg),
    (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
];

/// The same error with better proposals: those for the usual words of other programs and commands, none that has little
/// in common with what was typed, and none of [`NEVER_PROPOSED`]. `typed` are all words of the command line.
pub(in crate::cli) fn improved<T: AsRef<OsStr>>(mut error: clap::Error, words: &[T]) -> clap::Error {
    explain_missing(&mut error, words);
    // How to pass a flag as a value: it would become the name of a file or an object.
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    for (typed, proposed) in TYPED {
        let Some(ContextValue::String(typed)) = error.get(typed) else { continue };
        let proposals: Vec<String> = match error.get(proposed) {
            Some(ContextValue::String(word)) => vec![word.clone()],
            Some(ContextValue::Strings(words)) => words.clone(),
            _ => Vec::new(),
        };
        let better = better(typed, &proposals, |flag| has_flag(words, flag));
        error.remove(proposed);
        if better != proposals {
            // The usage was made from a proposal.
            error.remove(ContextKind::Usage);
        }
        if !better.is_empty() {
            // Not also how to pass the flag as a value.
            error.remove(ContextKind::Suggested);
        }
        if let [word] = &better[..] {
            error.insert(proposed, ContextValue::String(word.clone()));
        } else if !better.is_empty() {
            error.insert(proposed, ContextValue::Strings(better));
        }
    }
    error
}

/// Says of each missing argument what it is.
fn explain_missing<T: AsRef<OsStr>>(error: &mut clap::Error, words: &[T]) {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return;
    }
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return };
    let command = named(words);
    let width = missing.iter().map(|argument| argument.chars().count()).max().unwrap_or_default();
    let explained = missing.iter().map(|argument| {
        // An argument that another one can replace is written in square brackets, and missing in angle brackets.
        let plain = |text: &str| text.replace(['<', '>', '[', ']'], "");
        let known = command.get_arguments().find(|known| plain(&known.to_string()) == plain(argument));
        match known.and_then(clap::Arg::get_help) {
            Some(help) => format!("{argument:<width$}  {help}"),
            None => argument.clone(),
        }
    });
    let explained = explained.collect();
    error.insert(ContextKind::InvalidArg, ContextValue::Strings(explained));
}

/// The command that these words name.
fn named<T: AsRef<OsStr>>(words: &[T]) -> clap::Command {
    let mut command = super::command();
    for word in words.iter().skip(1) {
        if let Some(sub) = command.find_subcommand(word.as_ref()) {
            command = sub.clone();
        }
    }
    command
}

/// Whether the command that these words name has a flag.
fn has_flag<T: AsRef<OsStr>>(words: &[T], flag: &str) -> bool {
    named(words).get_arguments().any(|argument| argument.get_long() == flag.strip_prefix("--"))
}

fn better(typed: &str, proposals: &[String], has_flag: impl Fn(&str) -> bool) -> Vec<String> {
    let is_known = |word: &str| !word.starts_with("--") || has_flag(word);
    match USUAL.iter().find(|(word, ours)| *word == typed && is_known(ours)) {
        Some((_, ours)) => vec![(*ours).to_owned()],
        None => proposals.iter().filter(|word| !is_risky(word) && is_near(typed, word)).cloned().collect(),
    }
}

/// Whether at most a third of the longer word must be changed to get the other.
fn is_near(one: &str, other: &str) -> bool {
    strsim::levenshtein(one, other) * 3 <= one.chars().count().max(other.chars().count())
}

fn is_risky(word: &str) -> bool {
    word.split(['=', ' ']).next().is_some_and(|flag| NEVER_PROPOSED.contains(&flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_near_if_a_third_of_them_differs() {
        assert!(is_near("verfy", "verify") && is_near("--josn", "--json") && is_near("abc", "abd"));
        assert!(!is_near("abc", "ade") && !is_near("--no-progress", "--no-sign-request"));
    }

    #[test]
    fn usual_words_far_ones_and_risky_ones() {
        let of = |typed: &str, proposals: &[&str]| {
            better(typed, &proposals.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), |_| true)
        };
        assert_eq!(of("ls", &["bench"]), ["audit"]);
        assert_eq!(of("--endpoint", &[]), ["--endpoint-url"]);
        assert_eq!(of("--diget", &["--digest", "--no-tags"]), ["--digest"]);
        assert_eq!(of("--accep", &["--accept <CHECK>"]), [""; 0]);
        assert_eq!(better("--in", &["--no-tags".to_owned()], |_| false), [""; 0]);
        assert!(has_flag(&["stored-ami", "is-stored", "ami-1a2b3c4d", "--in"], "--bucket"));
        assert!(!has_flag(&["stored-ami", "verify", "--in"], "--bucket"));
        assert!(is_risky("--accept <CHECK>") && is_risky("--yes") && !is_risky("--yes-no"));
    }
}
