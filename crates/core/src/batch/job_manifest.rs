use crate::ident::ObjectUri;

/// The manifest of a job (S3 User Guide, *Specifying a manifest*): bucket, URL-encoded key, and the version if all
/// objects have one.
pub(super) fn manifest<'a>(objects: impl IntoIterator<Item = &'a ObjectUri>, versions: bool) -> String {
    let mut text = String::new();
    for object in objects {
        text.push_str(&object.bucket);
        text.push(',');
        encode(&object.key, &mut text);
        if let Some(version) = object.version.as_deref().filter(|_| versions) {
            text.push(',');
            text.push_str(version);
        }
        text.push('\n');
    }
    text
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn encode(key: &str, text: &mut String) {
    for byte in key.bytes() {
        match byte {
            b'/' => text.push('/'),
            _ if is_plain(byte) => text.push(char::from(byte)),
            _ => text.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Whether a bucket and a version can stand in a manifest as they are. It is not documented how they would be escaped.
pub fn can_be_named(bucket: &str, version: Option<&str>) -> bool {
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(is_plain);
    is_plain(bucket) && version.is_none_or(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::decoded_key;

    fn object(key: &str, version: Option<&str>) -> ObjectUri {
        ObjectUri { bucket: "b".into(), key: key.into(), version: version.map(Into::into) }
    }

    #[test]
    fn every_key_can_be_written_and_read_back() {
        for key in ["a", "p/q r", "a,b", "a\"b", "ü\n\t", "100%", "a+b", "a%20b", "?versionId=1", "=cmd"] {
            let text = manifest([&object(key, Some("v1"))], true);
            assert_eq!(text.matches('\n').count(), 1, "{key:?}");
            let fields: Vec<&str> = text.trim_end().split(',').collect();
            assert_eq!((fields.len(), fields[0], fields[2]), (3, "b", "v1"), "{key:?}");
            assert_eq!(decoded_key(fields[1]).as_deref(), Some(key));
        }
        assert_eq!(manifest([&object("ü/+", None)], false), "b,%C3%BC/%2B\n");
    }

    #[test]
    fn what_cannot_be_named() {
        assert!(can_be_named("b", None) && can_be_named("b.c-d", Some("3HL4kqtJvjVBH40Nrjfkd.x_y-z")));
        for (bucket, version) in [
            ("arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", None),
            ("b", Some("a,b")),
            ("b", Some("")),
            ("b", Some("a\nb")),
        ] {
            assert!(!can_be_named(bucket, version), "{bucket} {version:?}");
        }
    }
}
