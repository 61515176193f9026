use std::collections::BTreeMap;

use super::Record;
use crate::checks::preflight::LogicalSize;

const PREFIX: &str = "stored-ami:";
/// Maximum length of a tag value (S3 User Guide, *Categorizing your objects using tags*).
const LONGEST_VALUE: usize = 256;

const SOURCE: &str = "tags of the object";

/// Makes object tags from a record: eight of the ten tags that S3 allows. The second value lists the entries
/// that are too long for a tag.
pub fn object_tags(record: &Record) -> (BTreeMap<String, String>, Vec<String>) {
    let number = |bytes: Option<u64>| bytes.map(|bytes| bytes.to_string());
    let entries = [
        ("source-ami", Some(record.image.clone())),
        ("source-name", record.name.clone()),
        ("source-account", Some(record.account.clone())),
        ("source-region", Some(record.region.clone())),
        ("volumes", Some(record.volumes.len().to_string())),
        ("volume-bytes", number(record.volume_bytes)),
        ("written-bytes", number(record.written_bytes)),
        ("encrypted", record.encrypted().map(|encrypted| encrypted.to_string())),
    ];
    let (mut tags, mut left_out) = (BTreeMap::new(), Vec::new());
    for (name, value) in entries {
        let Some(value) = value.map(|value| escape(&value)) else { continue };
        if value.len() <= LONGEST_VALUE {
            tags.insert(format!("{PREFIX}{name}"), value);
        } else {
            left_out.push(name.to_owned());
        }
    }
    (tags, left_out)
}

/// The sizes that `store` wrote to the tags of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeFromTags {
    /// Logical size of the source.
    pub size: LogicalSize,
    /// Whether a volume of the source was encrypted; `None` if not stated.
    pub encrypted: Option<bool>,
    /// Number of volumes; `None` if not stated.
    pub volumes: Option<u64>,
}

/// What the tags that `store` wrote state about the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedSource {
    /// Id of the AMI.
    pub image: String,
    /// Account that stored it.
    pub account: Option<String>,
    /// Region of the AMI.
    pub region: Option<String>,
    /// Sum of the sizes of all volumes in bytes.
    pub volume_bytes: Option<u64>,
}

/// Reads the source from tags. `None` if there are no tags of this tool.
///
/// # Errors
///
/// The inner result is an error, with a text for the report, when a tag cannot be read or the AMI's id is
/// missing.
pub fn source_from_tags(tags: &BTreeMap<String, String>) -> Option<Result<TaggedSource, String>> {
    tags.keys().find(|name| name.starts_with(PREFIX))?;
    let text = |name: &str| match tags.get(&format!("{PREFIX}{name}")) {
        None => Ok(None),
        Some(value) => unescape(value).map(Some).ok_or_else(|| format!("the tag {PREFIX}{name} is `{value}`")),
    };
    let source = || -> Result<TaggedSource, String> {
        let image = text("source-ami")?.ok_or_else(|| format!("there is no tag {PREFIX}source-ami"))?;
        let number = |value: String| value.parse().map_err(|_| format!("the tag {PREFIX}volume-bytes is `{value}`"));
        let volume_bytes = text("volume-bytes")?.map(number).transpose()?;
        Ok(TaggedSource { image, account: text("source-account")?, region: text("source-region")?, volume_bytes })
    };
    Some(source())
}

/// Reads the sizes from tags. `None` if the tags are of another AMI than `image`, or state no size.
pub fn size_from_tags(tags: &BTreeMap<String, String>, image: Option<&str>) -> Option<SizeFromTags> {
    let text = |name: &str| tags.get(&format!("{PREFIX}{name}")).and_then(|value| unescape(value));
    let number = |name: &str| text(name).and_then(|value| value.parse().ok());
    let source = text("source-ami")?;
    if image.is_some_and(|image| image != source) {
        return None;
    }
    let stated = tags.get(&format!("{PREFIX}volume-bytes"))?;
    let size = match number("volume-bytes") {
        Some(volumes) => LogicalSize::of_volumes(Some(volumes), number("written-bytes"), SOURCE),
        None => LogicalSize::unknown(format!("{SOURCE}: `{stated}` is no number of bytes")),
    };
    let size = LogicalSize { tagged: true, ..size };
    Some(SizeFromTags {
        size,
        encrypted: text("encrypted").and_then(|value| value.parse().ok()),
        volumes: number("volumes"),
    })
}

/// Escapes a tag value. Letters, digits, spaces and `+ - . _ : / @` stay; every other byte, including `=`,
/// becomes `=` and two hexadecimal digits. So any text fits S3's alphabet for tags and can be restored.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b" +-._:/@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("={byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::GIB;

    #[test]
    fn escaped_by_byte() {
        assert_eq!(escape("a b=c(é)"), "a b=3Dc=28=C3=A9=29");
        assert_eq!(unescape("=4"), None);
        assert_eq!(unescape("=ZZ"), None);
        assert_eq!(unescape("=FF"), None);
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_fits_the_alphabet(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(escaped.chars().all(|c| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c)));
            prop_assert_eq!(unescape(&escaped), Some(text));
        }
    }

    fn record(name: String) -> Record {
        let image = crate::facts::ImageFacts { id: "ami-1a2b3c4d".into(), name: Some(name), ..Default::default() };
        let caller = crate::facts::Caller { account: "123456789012".into(), arn: "arn:aws:iam::1:user/x".into() };
        let size = LogicalSize { volumes: Some(7 * GIB), written: Some(5), ..LogicalSize::default() };
        Record::of(&image, &[], &size, &caller, "us-east-1")
    }

    #[test]
    fn sizes_come_back_from_tags_of_the_same_ami_only() {
        let (tags, left_out) = object_tags(&record("web (prod)".into()));
        assert!(left_out.is_empty());
        assert!(tags.len() <= 10);
        let found = size_from_tags(&tags, Some("ami-1a2b3c4d")).unwrap();
        assert_eq!((found.size.volumes, found.size.written, found.encrypted), (Some(7 * GIB), Some(5), None));
        for stated in ["0", "1", "1073741825", "-1073741824", "x", ""] {
            let mut odd = tags.clone();
            odd.insert("stored-ami:volume-bytes".into(), stated.into());
            let found = size_from_tags(&odd, Some("ami-1a2b3c4d")).unwrap();
            assert_eq!((found.size.volumes, found.size.written), (None, None), "{stated}");
            assert!(found.size.tagged && found.size.source.starts_with("tags of the object: "), "{:?}", found.size);
        }
        assert_eq!(size_from_tags(&tags, Some("ami-11111111")), None);
        assert_eq!(size_from_tags(&BTreeMap::new(), None), None);
    }

    #[test]
    fn what_is_too_long_is_left_out_and_named() {
        let (tags, left_out) = object_tags(&record("é".repeat(60)));
        assert_eq!(left_out, ["source-name"]);
        assert!(!tags.contains_key("stored-ami:source-name"));
    }
}
