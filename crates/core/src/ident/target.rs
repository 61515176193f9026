use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{AmiId, ObjectUri, ParseTargetError, holds_signature, redact_urls};

/// What a command reads: an object in S3 or a local file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// An object in S3.
    Object(ObjectUri),
    /// A file of the local file system.
    File(PathBuf),
}

impl Target {
    /// The AMI id in the name, if there is one.
    pub fn ami_id(&self) -> Option<AmiId> {
        match self {
            Target::Object(uri) => AmiId::from_key(&uri.key),
            Target::File(path) => AmiId::from_key(path.file_name()?.to_str()?),
        }
    }

    /// The last segment of the name, by which checksum files refer to it.
    pub fn file_name(&self) -> String {
        match self {
            Target::Object(uri) => uri.key.rsplit('/').next().unwrap_or_default().to_owned(),
            Target::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseTargetError { target: "(empty)".into(), problem: "is not a target" });
        }
        if text.starts_with("s3://") || text.starts_with("arn:") {
            return text.parse().map(Target::Object);
        }
        if holds_signature(text) {
            return Err(ParseTargetError {
                target: redact_urls(text).into_owned(),
                problem: "is a presigned URL, which cannot be read; use s3://bucket/key with credentials",
            });
        }
        if let Some((scheme, _)) = text.split_once("://")
            && scheme != "file"
        {
            return Err(ParseTargetError {
                target: redact_urls(text).into_owned(),
                problem: "has a scheme that is not known; use s3://bucket/key, an S3 ARN or a file",
            });
        }
        Ok(Target::File(text.strip_prefix("file://").unwrap_or(text).into()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Object(uri) => uri.fmt(f),
            Target::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_files() {
        assert!(matches!("s3://b/k".parse(), Ok(Target::Object(_))));
        assert_eq!("dir/x.bin".parse(), Ok(Target::File("dir/x.bin".into())));
        assert_eq!("file:///x.bin".parse(), Ok(Target::File("/x.bin".into())));
        for presigned in ["https://b/k?X-Amz-Signature=secret", "b/k?X-Amz-Signature=secret", "x://b/k?a=secret"] {
            let error = presigned.parse::<Target>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!("https://b/k".parse::<Target>().is_err());
        assert!("".parse::<Target>().is_err());
    }

    #[test]
    fn targets_know_their_ami_id_and_file_name() {
        let target: Target = "s3://b/p/ami-1a2b3c4d.bin".parse().unwrap();
        assert_eq!(target.ami_id(), "ami-1a2b3c4d".parse().ok());
        assert_eq!(target.file_name(), "ami-1a2b3c4d.bin");
    }
}
