//! What the parser proposes for a mistyped word.

use clap::error::{ContextKind, ContextValue};

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

/// Flags that are never proposed: they weaken a check, allow a cost or overwrite something.
const NEVER_PROPOSED: [&str; 7] =
    ["--accept", "--force", "--no-reread", "--no-sign-request", "--request-payer", "--sse-c-key-file", "--yes"];

/// Words that the parser cannot place, and what it proposes for each.
const TYPED: [(ContextKind, ContextKind); 2] = [
    (ContextKind::InvalidArg, ContextKind::SuggestedArg),
    (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
];

/// The same error with better proposals: those for the usual words of other programs, none that has little in common
/// with what was typed, and none of [`NEVER_PROPOSED`].
pub(in crate::cli) fn improved(mut error: clap::Error) -> clap::Error {
    for (typed, proposed) in TYPED {
        let Some(ContextValue::String(typed)) = error.get(typed) else { continue };
        let proposals: Vec<String> = match error.get(proposed) {
            Some(ContextValue::String(word)) => vec![word.clone()],
            Some(ContextValue::Strings(words)) => words.clone(),
            _ => Vec::new(),
        };
        let better = better(typed, &proposals);
        error.remove(proposed);
        if better.len() < proposals.len() {
            // The usage was made from a proposal.
            error.remove(ContextKind::Usage);
        }
        if let [word] = &better[..] {
            error.insert(proposed, ContextValue::String(word.clone()));
        } else if !better.is_empty() {
            error.insert(proposed, ContextValue::Strings(better));
        }
    }
    error
}

fn better(typed: &str, proposals: &[String]) -> Vec<String> {
    match USUAL.iter().find(|(word, _)| *word == typed) {
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
            better(typed, &proposals.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of("ls", &["bench"]), ["audit"]);
        assert_eq!(of("--endpoint", &[]), ["--endpoint-url"]);
        assert_eq!(of("--diget", &["--digest", "--no-tags"]), ["--digest"]);
        assert_eq!(of("--accep", &["--accept <CHECK>"]), [""; 0]);
        assert!(is_risky("--accept <CHECK>") && is_risky("--yes") && !is_risky("--yes-no"));
    }
}
