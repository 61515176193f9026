use glob::{MatchOptions, Pattern};

use crate::cli::usage::UsageError;
#[cfg(feature = "s3")]
use crate::ident::AmiId;
#[cfg(feature = "s3")]
use crate::source::{ErrorKind, SourceError};

/// More would be an audit, which keeps no list in memory.
pub(in crate::cli) const MOST_TARGETS: usize = 100_000;

/// How the text of a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum PatternKind {
    /// With wildcards.
    Glob,
    /// A prefix of `ami-….bin` objects.
    StoredAmis,
    /// A prefix of any objects.
    AllKeys,
}

/// Keys of one bucket: by a pattern, or by a prefix.
#[derive(Debug, Clone)]
pub(in crate::cli) struct KeyPattern {
    pub typed: String,
    pub bucket: String,
    /// What the server is asked for: the pattern up to its first wildcard, or the prefix.
    pub prefix: String,
    keys: Keys,
}

#[derive(Debug, Clone)]
enum Keys {
    Matching(Pattern),
    StoredAmis,
    All,
}

/// A `*` does not cross a `/`, as in a shell and in rclone.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl KeyPattern {
    /// # Errors
    ///
    /// The text is not `s3://bucket/…`, the bucket has a wildcard, or the pattern is malformed.
    pub(crate) fn parse(text: &str, kind: PatternKind) -> Result<Self, UsageError> {
        let option = if kind == PatternKind::Glob { "--glob" } else { "--prefix" };
        let wrong = |problem: &str| Err(UsageError(format!("{option} {text}: {problem}")));
        let Some(rest) = text.strip_prefix("s3://") else {
            return wrong("only objects in S3 are listed; write s3://bucket/…, or leave the option out for one target");
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || bucket.contains([':', '*', '?', '[']) {
            return wrong("write the whole name of one bucket: s3://bucket/…");
        }
        let (prefix, keys) = match kind {
            PatternKind::Glob => {
                let pattern = match Pattern::new(key) {
                    Ok(pattern) => pattern,
                    Err(error) => {
                        return wrong(&format!("{} at character {}; write [*] for a literal *", error.msg, error.pos));
                    }
                };
                (key.split(['*', '?', '[']).next().unwrap_or_default(), Keys::Matching(pattern))
            }
            PatternKind::AllKeys => (key, Keys::All),
            PatternKind::StoredAmis => (key, Keys::StoredAmis),
        };
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Ok(KeyPattern { typed: text.to_owned(), bucket, prefix, keys })
    }

    /// Whether a listed key is meant.
    #[cfg(feature = "s3")]
    pub(crate) fn holds(&self, key: &str) -> bool {
        match &self.keys {
            Keys::Matching(pattern) => pattern.matches_with(key, OPTIONS),
            Keys::StoredAmis => AmiId::from_key(key).is_some(),
            // A key that ends with a slash and has no bytes is how consoles show an empty folder.
            Keys::All => !key.ends_with('/'),
        }
    }

    /// The error if no key is meant, and `others` were listed.
    #[cfg(feature = "s3")]
    pub(crate) fn nothing(&self, others: u64) -> SourceError {
        let detail = match &self.keys {
            Keys::Matching(_) => format!(
                "no key matches, of {others} that begin with `{}`; * does not match /, and **/ does",
                self.prefix
            ),
            Keys::StoredAmis => format!(
                "no ami-….bin object has a key with this prefix, and {others} others do; --all-keys reads those too"
            ),
            Keys::All => "no object has a key with this prefix".to_owned(),
        };
        SourceError::new(ErrorKind::NotFound, &self.typed, detail)
    }
}

#[cfg(all(test, feature = "s3"))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_patterns_and_prefixes() {
        use PatternKind::*;
        const KEYS: [&str; 7] =
            ["ami-1a2b3c4d.bin", "p/ami-1a2b3c4d.bin", "p/q/ami-1a2b3c4d.bin", "p/x.bin", "p/[a]*.bin", "p/.x", "p/"];
        for (text, kind, prefix, held) in [
            ("s3://b/*.bin", Glob, "", &[0][..]),
            ("s3://b/p/*", Glob, "p/", &[1, 3, 4, 5, 6]),
            ("s3://b/**/*.bin", Glob, "", &[0, 1, 2, 3, 4]),
            ("s3://b/p/?.bin", Glob, "p/", &[3]),
            ("s3://b/p/[[]a][*].bin", Glob, "p/", &[4]),
            ("s3://b/p/x.bin", Glob, "p/x.bin", &[3]),
            ("s3://b", StoredAmis, "", &[0, 1, 2]),
            ("s3://b/p/", StoredAmis, "p/", &[0, 1, 2]),
            ("s3://b/p/*", AllKeys, "p/*", &[0, 1, 2, 3, 4, 5]),
        ] {
            let pattern = KeyPattern::parse(text, kind).unwrap();
            assert_eq!((pattern.bucket.as_str(), pattern.prefix.as_str()), ("b", prefix), "{text}");
            let found: Vec<usize> = (0..KEYS.len()).filter(|at| pattern.holds(KEYS[*at])).collect();
            assert_eq!(found, held, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for (text, hint) in [
            ("*.bin", "write s3://bucket/"),
            ("s3://*/k", "whole name of one bucket"),
            ("s3:///k", "whole name of one bucket"),
            ("s3://arn:aws:s3:::b/k", "whole name of one bucket"),
            ("s3://b/[a", "at character 0"),
            ("s3://b/a***", "at character"),
        ] {
            let problem = KeyPattern::parse(text, PatternKind::Glob).unwrap_err().0;
            assert!(problem.starts_with(&format!("--glob {text}: ")) && problem.contains(hint), "{problem}");
        }
    }
}
