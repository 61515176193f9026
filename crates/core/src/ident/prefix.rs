use std::fmt;
use std::str::FromStr;

use super::TargetProblem;
use super::uri::{VERSION, key_and_version};

/// The objects of a bucket whose keys start with a prefix: `s3://bucket` for all of them, or
/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// Name of the bucket.
    pub bucket: String,
    /// Prefix of the keys; empty for all keys. It is not a path: `s3://b/am` contains
    /// `s3://b/ami-1a2b3c4d.bin`.
    pub prefix: String,
}

/// The text is not a bucket with an optional prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` {problem}; write s3://bucket or s3://bucket/prefix")]
pub struct ParsePrefixError {
    /// The text as typed.
    pub input: String,
    /// The problem, for the user.
    pub problem: PrefixProblem,
}

/// Why a text is not a bucket with an optional prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixProblem {
    /// Another scheme, or none.
    #[error("does not begin with s3://")]
    Scheme,
    /// `s3:///prefix`.
    #[error("names no bucket")]
    NoBucket,
    /// An ARN or a port.
    #[error("has no name of a bucket where one must be")]
    NotABucket,
    /// A listing has the current versions only.
    #[error("names a version, and an audit takes current ones")]
    Version,
    /// The version is malformed.
    #[error(transparent)]
    Target(#[from] TargetProblem),
}

impl Prefix {
    /// Whether an object is in the bucket and under the prefix.
    pub fn holds(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && key.starts_with(&self.prefix)
    }
}

impl FromStr for Prefix {
    type Err = ParsePrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| ParsePrefixError { input: text.to_owned(), problem };
        let rest = text.strip_prefix("s3://").ok_or_else(|| error(PrefixProblem::Scheme))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        match bucket {
            "" => Err(error(PrefixProblem::NoBucket)),
            arn if arn.contains(':') => Err(error(PrefixProblem::NotABucket)),
            _ => match key_and_version(prefix) {
                Ok((prefix, None)) => Ok(Prefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() }),
                Ok((_, Some(_))) => Err(error(PrefixProblem::Version)),
                Err(problem) => Err(error(problem.into())),
            },
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.prefix.contains(VERSION) { VERSION } else { "" };
        write!(f, "s3://{}/{}{end}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_prefixes() {
        for (text, bucket, prefix) in [
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("s3://b/p", "b", "p"),
            ("s3://b/p//", "b", "p//"),
            ("s3://b/k?versionId=1?versionId=", "b", "k?versionId=1"),
        ] {
            let parsed: Prefix = text.parse().unwrap();
            assert_eq!((parsed.bucket.as_str(), parsed.prefix.as_str()), (bucket, prefix));
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
        for text in
            ["", "b", "s3://", "s3:///p", "s3://arn:aws:s3:::b/p", "s3://b/k?versionId=1", "s3://b/k?versionId="]
        {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
        let prefix: Prefix = "s3://b/am".parse().unwrap();
        assert!(prefix.holds("b", "ami-1a2b3c4d.bin") && !prefix.holds("b", "x/ami") && !prefix.holds("c", "ami"));
    }
}
