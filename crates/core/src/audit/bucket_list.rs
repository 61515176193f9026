use serde::Deserialize;

use crate::ident::Prefix;

/// A bucket or prefix to audit, and whose credentials to use for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BucketEntry {
    /// What is audited.
    #[serde(deserialize_with = "prefix")]
    pub prefix: Prefix,
    /// ARN of a role that is assumed with the credentials of the run.
    pub role: Option<String>,
    /// External id that the role requires.
    pub external_id: Option<String>,
    /// Profile of the AWS configuration files, in place of the credentials of the run.
    pub profile: Option<String>,
    /// Account that the bucket must belong to.
    pub expected_owner: Option<String>,
    /// Region of the bucket; by default the bucket is asked.
    pub region: Option<String>,
}

/// The buckets of an audit, from a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketList {
    /// In the order of the file.
    #[serde(rename = "bucket")]
    pub buckets: Vec<BucketEntry>,
}

fn prefix<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Prefix, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl BucketEntry {
    /// Everything but the prefix.
    fn access(&self) -> [Option<&String>; 5] {
        let BucketEntry { prefix: _, role, external_id, profile, expected_owner, region } = self;
        [role.as_ref(), external_id.as_ref(), profile.as_ref(), expected_owner.as_ref(), region.as_ref()]
    }

    fn problem(&self) -> Option<&'static str> {
        let is_account = |owner: &String| owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            BucketEntry { role: Some(_), profile: Some(_), .. } => Some("has both a role and a profile"),
            BucketEntry { role: None, external_id: Some(_), .. } => Some("has an external-id without a role"),
            BucketEntry { role: Some(arn), .. } if !arn.starts_with("arn:") => Some("has a role that is no ARN"),
            BucketEntry { expected_owner: Some(owner), .. } if !is_account(owner) => {
                Some("has an expected-owner that is no account of twelve digits")
            }
            _ => None,
        }
    }
}

impl BucketList {
    /// Parses a file (TOML) of one table `[[bucket]]` for each bucket or prefix.
    ///
    /// # Errors
    ///
    /// The text is malformed, an entry contradicts itself, or two entries of one bucket differ in their access; the
    /// message is for the user.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let list: BucketList = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        if list.buckets.is_empty() {
            return Err("names no bucket".to_owned());
        }
        for (index, entry) in list.buckets.iter().enumerate() {
            if let Some(problem) = entry.problem() {
                return Err(format!("{} {problem}", entry.prefix));
            }
            let mut others = list.buckets.iter().skip(index + 1);
            let same = |other: &&BucketEntry| other.prefix.bucket == entry.prefix.bucket;
            if others.any(|other| same(&other) && other.access() != entry.access()) {
                return Err(format!("bucket {} has two entries with different access", entry.prefix.bucket));
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_its_own_access() {
        let text = "[[bucket]]\nprefix = \"s3://a/p\"\nrole = \"arn:aws:iam::111122223333:role/audit\"\n\
            external-id = \"x\"\nexpected-owner = \"111122223333\"\n\n[[bucket]]\nprefix = \"s3://b\"\n\
            profile = \"other\"\nregion = \"eu-west-1\"\n";
        let list = BucketList::from_toml(text).unwrap();
        assert_eq!(list.buckets[0].external_id.as_deref(), Some("x"));
        assert_eq!((list.buckets[1].prefix.to_string().as_str(), &list.buckets[1].role), ("s3://b/", &None));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let bucket = |more: &str| format!("[[bucket]]\nprefix = \"s3://a\"\n{more}");
        let two = format!("{}{}", bucket(""), bucket("profile = \"p\""));
        for (text, problem) in [
            (String::new(), "missing field `bucket`"),
            ("bucket = []".to_owned(), "names no bucket"),
            ("[[bucket]]\nprefix = \"a\"".to_owned(), "does not begin with s3://"),
            (bucket("rôle = \"x\""), "line 3"),
            (bucket("role = \"x\""), "no ARN"),
            (bucket("role = \"arn:x\"\nprofile = \"p\""), "both a role and a profile"),
            (bucket("external-id = \"x\""), "without a role"),
            (bucket("expected-owner = \"1\""), "twelve digits"),
            (bucket("region = 1"), "line 3"),
            (two, "two entries"),
        ] {
            let error = BucketList::from_toml(&text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
