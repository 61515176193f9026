use std::fmt;
use std::str::FromStr;

use super::web::{self, Web};
use super::{ObjectUri, ParseTargetError, Target, TargetProblem, redact_urls};

/// A target as typed. How its address is parsed depends on whether a version is given separately.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedTarget(String);

/// Without the secrets of a URL.
impl fmt::Debug for TypedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedTarget").field(&redact_urls(&self.0)).finish()
    }
}

/// The version of an object, given separately from its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionChoice {
    /// The current version.
    None,
    /// The version of this id.
    Id(String),
}

impl TypedTarget {
    /// The target. If a version is given, everything after the bucket is the key.
    ///
    /// # Errors
    ///
    /// When the text is not a target, or a version is given for a file.
    pub fn target(&self, version: Option<&VersionChoice>) -> Result<Target, ParseTargetError> {
        let TypedTarget(text) = self;
        match version {
            None => text.parse(),
            Some(version) if is_object(text) => ObjectUri::whole_key(text, version.id()).map(Target::Object),
            Some(version) => match text.parse()? {
                Target::Object(uri) if uri.version.is_none() => Ok(Target::Object(uri.at_version(version.id()))),
                Target::Object(_) | Target::Presigned(_) => {
                    Err(ParseTargetError::new(text, TargetProblem::VersionTwice))
                }
                Target::File(_) => Err(ParseTargetError::new(text, TargetProblem::FileVersion)),
            },
        }
    }

    /// The Region that an `https://` URL of S3 or of its console states.
    pub fn region(&self) -> Option<String> {
        match web::parse(&self.0)?.ok()? {
            Web::Object { region, .. } => region,
            Web::Presigned(_) => None,
        }
    }
}

impl VersionChoice {
    /// The id; `None` for the current version.
    fn id(&self) -> Option<String> {
        match self {
            VersionChoice::None => None,
            VersionChoice::Id(id) => Some(id.clone()),
        }
    }
}

fn is_object(text: &str) -> bool {
    text.starts_with("s3://") || text.starts_with("arn:")
}

/// Rejects a text that is not a target with or without a separate version.
impl FromStr for TypedTarget {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<Target>() {
            Err(error) if !is_object(text) || ObjectUri::whole_key(text, None).is_err() => Err(error),
            _ => Ok(TypedTarget(text.to_owned())),
        }
    }
}

impl FromStr for VersionChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err("a version id, or none for the current version"),
            "none" => Ok(VersionChoice::None),
            id => Ok(VersionChoice::Id(id.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_beside_it_leaves_the_whole_rest_to_the_key() {
        let read = |text: &str, version: Option<&str>| {
            let version = version.map(|version| version.parse().unwrap());
            text.parse::<TypedTarget>().unwrap().target(version.as_ref()).map(|target| target.to_string())
        };
        for (text, version, printed) in [
            ("s3://b/k?versionId=v", None, "s3://b/k?versionId=v"),
            ("s3://b/k?versionId=v", Some("none"), "s3://b/k?versionId=v?versionId="),
            ("s3://b/k?versionId=", Some("none"), "s3://b/k?versionId=?versionId="),
            ("s3://b/k?versionId=v", Some("w"), "s3://b/k?versionId=v?versionId=w"),
            ("arn:aws:s3:::b/k?versionId=v", Some("null"), "s3://b/k?versionId=v?versionId=null"),
            ("s3://b/k", Some("none"), "s3://b/k"),
        ] {
            assert_eq!(read(text, version).as_deref(), Ok(printed));
        }
        assert!(read("s3://b/k?versionId=", None).is_err());
        assert!(read("a.bin", Some("v")).is_err());
        let url = "https://b.s3.eu-west-1.amazonaws.com/k%20k";
        assert_eq!(read(url, Some("v")).as_deref(), Ok("s3://b/k k?versionId=v"));
        assert!(read(&format!("{url}?versionId=v"), Some("v")).is_err());
        assert_eq!(url.parse::<TypedTarget>().unwrap().region().as_deref(), Some("eu-west-1"));
        assert_eq!("s3://b/k".parse::<TypedTarget>().unwrap().region(), None);
        for wrong in ["", "s3://b", "https://b/k"] {
            assert!(wrong.parse::<TypedTarget>().is_err(), "{wrong}");
        }
    }
}
