use std::fmt;
use std::str::FromStr;

/// An AMI id: `ami-` and 8 or 17 lower-case hexadecimal digits (EC2 User Guide, *Resource IDs*).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AmiId(String);

/// The text is not an AMI id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an AMI id (ami- and 8 or 17 hexadecimal digits){}", .0, self.hint())]
pub struct ParseAmiIdError(pub String);

impl ParseAmiIdError {
    /// The id in the name of an object, if the text is one.
    fn hint(&self) -> String {
        let is_object = self.0.starts_with("s3://");
        match AmiId::from_key(&self.0) {
            Some(id) if is_object => {
                format!(
                    "; this command takes the id alone, {id}, and the bucket, if it needs one, as an option of its own"
                )
            }
            Some(id) => format!("; write {id} alone"),
            None if is_object => {
                "; this command takes the id of an AMI, such as ami-0123456789abcdef0, and no object".to_owned()
            }
            None => String::new(),
        }
    }
}

impl AmiId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The AMI id in the last segment of a key named by EC2: `[path/]<ami id>.bin` (EC2 User Guide, *How AMI
    /// store and restore works*).
    pub fn from_key(key: &str) -> Option<Self> {
        key.rsplit('/').next()?.strip_suffix(".bin")?.parse().ok()
    }
}

impl FromStr for AmiId {
    type Err = ParseAmiIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_resource_id(text, "ami-") { Ok(AmiId(text.to_owned())) } else { Err(ParseAmiIdError(text.to_owned())) }
    }
}

/// Whether a text is a snapshot id: `snap-` and 8 or 17 lower-case hexadecimal digits.
pub fn is_snapshot_id(text: &str) -> bool {
    is_resource_id(text, "snap-")
}

fn is_resource_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

impl fmt::Display for AmiId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_ids() {
        for id in ["ami-056a6742115906e8c", "ami-1a2b3c4d"] {
            assert_eq!(id.parse::<AmiId>().unwrap().as_str(), id);
        }
        for id in [
            "",
            "ami-",
            "ami-123",
            "ami-056a6742115906e8",
            "ami-056a6742115906e8cc",
            "AMI-1a2b3c4d",
            "ami-1A2B3C4D",
            "i-1a2b3c4d",
        ] {
            assert!(id.parse::<AmiId>().is_err(), "{id}");
        }
    }

    #[test]
    fn ids_of_snapshots() {
        for (id, legal) in [
            ("snap-056a6742115906e8c", true),
            ("snap-1a2b3c4d", true),
            ("ami-1a2b3c4d", false),
            ("snap-1", false),
            ("snap-1a2b3c4d; touch x", false),
            ("snap-1A2B3C4D", false),
            ("", false),
        ] {
            assert_eq!(is_snapshot_id(id), legal, "{id}");
        }
    }

    #[test]
    fn found_in_the_last_segment_of_a_key() {
        let id = "ami-056a6742115906e8c".parse().ok();
        assert_eq!(AmiId::from_key("ami-056a6742115906e8c.bin"), id);
        assert_eq!(AmiId::from_key("a/b/ami-056a6742115906e8c.bin"), id);
        for key in ["ami-056a6742115906e8c", "ami-056a6742115906e8c.bin/x", "image.bin", ""] {
            assert_eq!(AmiId::from_key(key), None, "{key}");
        }
    }
}
