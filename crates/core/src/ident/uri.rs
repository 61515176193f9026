use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::problem::not_an_object;
use super::{ParseTargetError, TargetProblem};

/// Separates the key from the version.
pub(super) const VERSION: &str = "?versionId=";

/// An object in S3: bucket or access point ARN, key, and optionally a version.
///
/// The text is not percent-decoded, because keys may contain `%`. The last `?versionId=` ends the key. If a
/// key itself contains `?versionId=` and no version is meant, an empty one is appended:
/// `s3://b/k?versionId=1?versionId=`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectUri {
    /// Name of the bucket, or ARN of an access point.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Version id; `None` for the current version.
    pub version: Option<String>,
}

/// As its text. Reading takes no other spelling than the one that is written.
impl Serialize for ObjectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let uri: ObjectUri = text.parse().map_err(D::Error::custom)?;
        if uri.to_string() == text { Ok(uri) } else { Err(D::Error::custom(format!("{text}: is written {uri}"))) }
    }
}

impl JsonSchema for ObjectUri {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl ObjectUri {
    /// The same object at another version.
    pub fn at_version(&self, version: Option<String>) -> Self {
        ObjectUri { version, ..self.clone() }
    }

    /// The last segment of the key.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// The object that a path without `s3://` may mean: `bucket/key`. `None` if its first segment is not the name
    /// of a bucket (S3 User Guide, *General purpose bucket naming rules*).
    pub fn meant_by(path: &str) -> Option<Self> {
        let (bucket, key) = path.split_once('/').filter(|(_, key)| !key.is_empty())?;
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = bucket.as_bytes();
        let is_bucket = (3..=63).contains(&bytes.len()) && bytes.iter().copied().all(legal);
        (is_bucket && ends(bytes.first()) && ends(bytes.last())).then(|| ObjectUri {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        })
    }

    /// Parses an address in which everything after the bucket is the key.
    ///
    /// # Errors
    ///
    /// When the text is not the address of an object.
    pub fn whole_key(text: &str, version: Option<String>) -> Result<Self, ParseTargetError> {
        let (bucket, key) = Self::split(text)?;
        let uri = ObjectUri { bucket, key, version };
        uri.complete().map_err(|problem| ParseTargetError::new(text, problem))
    }

    /// The bucket, and everything after it.
    fn split(text: &str) -> Result<(String, String), ParseTargetError> {
        let split = if let Some(rest) = text.strip_prefix("s3://") {
            Self::from_s3(rest)
        } else if text.starts_with("arn:") {
            Self::from_arn(text)
        } else {
            Err(not_an_object(text))
        };
        split.map_err(|problem| ParseTargetError::new(text, problem))
    }

    fn from_s3(rest: &str) -> Result<(String, String), TargetProblem> {
        let (bucket, key) = rest.split_once('/').ok_or(TargetProblem::NoKey)?;
        Self::in_bucket(bucket, key)
    }

    /// Parses `arn:partition:s3:::bucket/key`, or the ARN of an access point,
    /// `arn:partition:s3:region:account:accesspoint/name/object/key` (IAM Service Authorization Reference,
    /// *Actions, resources, and condition keys for Amazon S3*).
    fn from_arn(text: &str) -> Result<(String, String), TargetProblem> {
        let mut fields = text.splitn(6, ':');
        let service = fields.nth(2).ok_or(TargetProblem::IncompleteArn)?;
        if service != "s3" {
            return Err(TargetProblem::OtherArn);
        }
        let resource = fields.nth(2).ok_or(TargetProblem::IncompleteArn)?;
        let Some(point) = resource.strip_prefix("accesspoint/").or_else(|| resource.strip_prefix("accesspoint:"))
        else {
            let (bucket, key) = resource.split_once('/').ok_or(TargetProblem::BucketArn)?;
            return Self::in_bucket(bucket, key);
        };
        let (name, key) = point.split_once("/object/").ok_or(TargetProblem::PointArn)?;
        let prefix = text.strip_suffix(resource).unwrap_or_default();
        Ok((format!("{prefix}accesspoint/{name}"), key.to_owned()))
    }

    /// Refuses an ARN in the place of a bucket: it contains slashes, so only its beginning would be taken as
    /// the bucket.
    fn in_bucket(bucket: &str, key: &str) -> Result<(String, String), TargetProblem> {
        if bucket.starts_with("arn:") {
            return Err(TargetProblem::ArnAsBucket);
        }
        Ok((bucket.to_owned(), key.to_owned()))
    }

    fn complete(self) -> Result<Self, TargetProblem> {
        match (self.bucket.is_empty(), self.key.is_empty()) {
            (true, _) => Err(TargetProblem::NoBucket),
            (_, true) => Err(TargetProblem::NoKey),
            (false, false) => Ok(self),
        }
    }
}

/// Splits the version from the text after the bucket.
pub(super) fn key_and_version(text: &str) -> Result<(&str, Option<&str>), TargetProblem> {
    match text.rsplit_once(VERSION) {
        None => Ok((text, None)),
        Some((key, "")) if key.contains(VERSION) => Ok((key, None)),
        Some((_, "")) => Err(TargetProblem::EmptyVersion),
        Some((key, version)) => Ok((key, Some(version))),
    }
}

impl FromStr for ObjectUri {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (bucket, rest) = Self::split(text)?;
        let parsed = key_and_version(&rest).and_then(|(key, version)| {
            ObjectUri { bucket, key: key.to_owned(), version: version.map(str::to_owned) }.complete()
        });
        parsed.map_err(|problem| ParseTargetError::new(text, problem))
    }
}

impl fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bucket.starts_with("arn:") {
            write!(f, "{}/object/{}", self.bucket, self.key)?;
        } else {
            write!(f, "s3://{}/{}", self.bucket, self.key)?;
        }
        match &self.version {
            Some(version) => write!(f, "{VERSION}{version}"),
            None if self.key.contains(VERSION) => f.write_str(VERSION),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(bucket: &str, key: &str, version: Option<&str>) -> ObjectUri {
        ObjectUri { bucket: bucket.into(), key: key.into(), version: version.map(Into::into) }
    }

    #[test]
    fn every_form_is_read_and_printed_again() {
        let point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap";
        for (text, expected) in [
            ("s3://b/ami-1a2b3c4d.bin", uri("b", "ami-1a2b3c4d.bin", None)),
            ("s3://b/p/q/k?versionId=v1", uri("b", "p/q/k", Some("v1"))),
            ("s3://b/odd?name", uri("b", "odd?name", None)),
            ("s3://b//k", uri("b", "/k", None)),
            (&format!("{point}/object/a/b"), uri(point, "a/b", None)),
        ] {
            let parsed: ObjectUri = text.parse().unwrap();
            assert_eq!(parsed, expected);
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!("arn:aws-us-gov:s3:::b/p/k".parse(), Ok(uri("b", "p/k", None)));
    }

    #[test]
    fn every_key_can_be_named() {
        for key in [
            "k?versionId=v",
            "k?versionId=",
            "?versionId=v",
            "k?versionId=1/x",
            "k?versionId=1?versionId=",
            "a%3FversionId=1",
            "a%b",
            "a b",
            "//",
            "..",
        ] {
            for version in [None, Some("v"), Some("null")] {
                for bucket in ["b", "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"] {
                    let named = uri(bucket, key, version);
                    assert_eq!(named.to_string().parse(), Ok(named.clone()), "{named}");
                }
                let given = ObjectUri::whole_key(&format!("s3://b/{key}"), version.map(Into::into));
                assert_eq!(given, Ok(uri("b", key, version)));
                let given = ObjectUri::whole_key(&format!("arn:aws:s3:::b/{key}"), version.map(Into::into));
                assert_eq!(given, Ok(uri("b", key, version)));
            }
        }
    }

    #[test]
    fn says_what_is_wrong() {
        use TargetProblem::*;
        for (text, problem) in [
            ("s3://", NoKey),
            ("s3://b", NoKey),
            ("s3://b/", NoKey),
            ("s3:///k", NoBucket),
            ("s3://b/k?versionId=", EmptyVersion),
            ("arn:aws:ec2:us-east-1::image/ami-1", OtherArn),
            ("arn:aws:s3", IncompleteArn),
            ("arn:aws:s3:::b", BucketArn),
            ("arn:aws:s3:us-east-1:123456789012:accesspoint/ap", PointArn),
            ("s3://arn:aws:s3:us-east-1:123456789012:accesspoint/ap/k", ArnAsBucket),
            ("arn:aws:s3:::arn:x/k", ArnAsBucket),
            ("b/k", NotAnObject),
            ("ami-1a2b3c4d", ImageForObject("ami-1a2b3c4d".into())),
        ] {
            assert_eq!(text.parse::<ObjectUri>().unwrap_err().problem, problem, "{text}");
        }
    }
}
