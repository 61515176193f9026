use std::fmt;
use std::str::FromStr;

use super::{AmiId, ObjectUri};

/// The destination of a store: a bucket and optionally a path. EC2 takes it as one text, `bucket/path`, and
/// uses the path as a prefix of the key (EC2 User Guide, *How AMI store and restore works*, "File paths").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketPath {
    /// Name of the bucket.
    pub bucket: String,
    /// Path without leading and trailing slashes; empty if there is none.
    pub path: String,
    /// Whether it was written as `s3://…`, which the EC2 API does not accept.
    pub as_uri: bool,
}

/// The text is not a bucket with an optional path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` {problem}; write BUCKET or BUCKET/path")]
pub struct ParseBucketPathError {
    /// The text as typed.
    pub input: String,
    /// The problem, for the user.
    pub problem: &'static str,
}

impl BucketPath {
    /// The key under which EC2 stores an AMI here.
    pub fn key(&self, ami: &AmiId) -> String {
        if self.path.is_empty() { format!("{ami}.bin") } else { format!("{}/{ami}.bin", self.path) }
    }

    /// The object that a store of `ami` creates.
    pub fn object(&self, ami: &AmiId) -> ObjectUri {
        ObjectUri { bucket: self.bucket.clone(), key: self.key(ami), version: None }
    }
}

impl FromStr for BucketPath {
    type Err = ParseBucketPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| ParseBucketPathError { input: text.to_owned(), problem };
        if text.starts_with("arn:") {
            return Err(error("is an ARN, and a store takes the name of a bucket"));
        }
        let (rest, as_uri) = match text.strip_prefix("s3://") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_matches('/');
        if path.split('/').next_back().is_some_and(|last| last.ends_with(".bin")) {
            return Err(error("names an object; the name of the object is made from the AMI id"));
        }
        // S3 User Guide, *General purpose bucket naming rules*. Old buckets may have upper-case letters and
        // `_`.
        let legal =
            bucket.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) && bucket.len() >= 3;
        if bucket.is_empty() {
            return Err(error("names no bucket"));
        }
        if !legal || bucket.len() > 255 {
            return Err(error("is not the name of a bucket"));
        }
        Ok(BucketPath { bucket: bucket.to_owned(), path: path.to_owned(), as_uri })
    }
}

/// In the notation of the EC2 API.
impl fmt::Display for BucketPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bucket)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, "/{}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_bucket_and_path() {
        let ami: AmiId = "ami-1a2b3c4d".parse().unwrap();
        for (text, display, key, as_uri) in [
            ("archive", "archive", "ami-1a2b3c4d.bin", false),
            ("s3://archive/", "archive", "ami-1a2b3c4d.bin", true),
            ("s3://archive/a/b/", "archive/a/b", "a/b/ami-1a2b3c4d.bin", true),
            ("archive/a", "archive/a", "a/ami-1a2b3c4d.bin", false),
        ] {
            let parsed: BucketPath = text.parse().unwrap();
            assert_eq!((parsed.to_string().as_str(), parsed.key(&ami).as_str(), parsed.as_uri), (display, key, as_uri));
        }
        for text in ["", "s3://", "/x", "a b", "arn:aws:s3:::archive", "archive/ami-1a2b3c4d.bin", "ab"] {
            assert!(text.parse::<BucketPath>().is_err(), "{text}");
        }
    }
}
