use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::problem::as_image;
use super::web::{self, Web};
use super::{AmiId, ObjectUri, ParseTargetError, PresignedUrl, TargetProblem, holds_signature};

/// What a command reads: an object in S3 or a local file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// An object in S3.
    Object(ObjectUri),
    /// An object in S3 that is read by a presigned URL. It is printed as the object, without the URL.
    Presigned(PresignedUrl),
    /// A file of the local file system.
    File(PathBuf),
}

impl Target {
    /// The AMI id in the name, if there is one.
    pub fn ami_id(&self) -> Option<AmiId> {
        match self {
            Target::Object(uri) => AmiId::from_key(&uri.key),
            Target::Presigned(url) => AmiId::from_key(&url.object().key),
            Target::File(path) => AmiId::from_key(path.file_name()?.to_str()?),
        }
    }

    /// The last segment of the name, by which checksum files refer to it.
    pub fn file_name(&self) -> String {
        match self {
            Target::Object(uri) => uri.file_name().to_owned(),
            Target::Presigned(url) => url.object().file_name().to_owned(),
            Target::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |problem| Err(ParseTargetError::new(text, problem));
        if text.starts_with("s3://") || text.starts_with("arn:") {
            return text.parse().map(Target::Object);
        }
        match web::parse(text) {
            Some(Ok(Web::Object { uri, .. })) => return Ok(Target::Object(uri)),
            Some(Ok(Web::Presigned(url))) => return Ok(Target::Presigned(url)),
            Some(Err(problem)) => return wrong(problem),
            None => {}
        }
        if holds_signature(text) {
            return wrong(TargetProblem::SignatureAlone);
        }
        if let Some((scheme, rest)) = text.split_once(':')
            && scheme.eq_ignore_ascii_case("s3")
        {
            return wrong(TargetProblem::Spelling(format!("s3://{}", rest.trim_start_matches('/'))));
        }
        if text.split_once("://").is_some_and(|(scheme, _)| scheme != "file") {
            return wrong(TargetProblem::UnknownScheme);
        }
        match text {
            "" => wrong(TargetProblem::Empty),
            "-" => wrong(TargetProblem::StandardInput),
            text if text == "~" || text.starts_with("~/") => wrong(TargetProblem::Tilde),
            text => match as_image(text) {
                Some(problem) => wrong(problem),
                None => Ok(Target::File(text.strip_prefix("file://").unwrap_or(text).into())),
            },
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Object(uri) => uri.fmt(f),
            Target::Presigned(url) => url.object().fmt(f),
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
        for presigned in ["https://b/?X-Amz-Signature=secret", "b/k?X-Amz-Signature=secret", "x://b/k?a=secret"] {
            let error = presigned.parse::<Target>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!("https://b/k".parse::<Target>().is_err());
        assert!("".parse::<Target>().is_err());
    }

    #[test]
    fn each_mistake_has_its_hint() {
        for (text, hint) in [
            ("-", "save it to a file"),
            ("~", "leave out the quotes"),
            ("~/x.bin", "write $HOME/"),
            ("S3://b/k", "write s3://b/k"),
            ("s3:/b/k", "write s3://b/k"),
            ("s3:b/k", "write s3://b/k"),
            ("ami-0123456789abcdef0", "write s3://BUCKET/ami-0123456789abcdef0.bin"),
            ("ami-0123", "is an AMI id"),
            ("gs://b/k", "scheme that is not known"),
            ("https://example.com/b/k", "--endpoint-url"),
            ("s3://b", "there are `audit` and"),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text}: ")) && error.contains(hint), "{error}");
        }
        for file in ["./-", "./~", "./ami-0123", "x~", "a*b", "dir/x.bin", "ami-1a2b3c4d.bin"] {
            assert_eq!(file.parse(), Ok(Target::File(file.into())));
        }
    }

    #[test]
    fn targets_know_their_ami_id_and_file_name() {
        let target: Target = "s3://b/p/ami-1a2b3c4d.bin".parse().unwrap();
        assert_eq!(target.ami_id(), "ami-1a2b3c4d".parse().ok());
        assert_eq!(target.file_name(), "ami-1a2b3c4d.bin");
    }
}
