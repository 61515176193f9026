use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An entity tag, without the quotes of a strong one.
///
/// A strong ETag identifies a version of the bytes. A weak one (`W/"…"`, RFC 9110, 8.8.1) is kept with its
/// mark and identifies nothing: objects with different bytes may share it. [`form`](Self::form) only
/// describes the text. Whether a text of that form is an MD5 depends on the server, on encryption, and on how
/// the object was written (S3 API Reference, `Object.ETag`); see
/// [`ObjectFacts::etag_is_documented`](crate::facts::ObjectFacts::etag_is_documented).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag {
    text: String,
    strength: Strength,
}

/// Whether an ETag identifies the bytes (RFC 9110, 8.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    /// It changes whenever the bytes change.
    Strong,
    /// It may stay the same when the bytes change.
    Weak,
}

/// The form of an ETag's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ETagForm {
    /// 32 hexadecimal digits, as the MD5 of the body would be.
    Md5 {
        /// The 16 bytes of the value.
        digest: [u8; 16],
    },
    /// 32 hexadecimal digits, `-` and a part count, as the MD5 of the parts' MD5s would be.
    Multipart {
        /// The 16 bytes of the value.
        digest: [u8; 16],
        /// Number of parts, 1 to 10,000.
        parts: u32,
    },
    /// Any other text, and every weak ETag.
    Opaque,
}

impl ETag {
    /// Accepts an ETag with or without quotes; some servers omit them.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let bare = unquoted(text);
        match weak_tag(text).or_else(|| weak_tag(bare)) {
            Some(tag) => ETag { text: format!("W/\"{}\"", unquoted(tag)), strength: Strength::Weak },
            None => ETag { text: bare.to_owned(), strength: Strength::Strong },
        }
    }

    /// The ETag that a server states; `None` if it is empty.
    pub fn told(text: &str) -> Option<Self> {
        let etag = ETag::new(text);
        (!etag.is_empty()).then_some(etag)
    }

    /// A strong ETag without its quotes, or a weak one as received.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the ETag is strong or weak.
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// Whether it identifies a version of the bytes.
    pub fn is_strong(&self) -> bool {
        self.strength == Strength::Strong
    }

    /// The value of an `If-Match` header. `None` for a weak ETag, which never matches there (RFC 9110,
    /// 13.1.1).
    pub fn if_match(&self) -> Option<String> {
        self.is_strong().then(|| format!("\"{}\"", self.text))
    }

    /// An ETag as a document keeps it, in the form of [`ETag::as_str`].
    pub fn kept(text: &str) -> Self {
        let strength = if weak_tag(text).is_some() { Strength::Weak } else { Strength::Strong };
        ETag { text: text.to_owned(), strength }
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.opaque().is_empty()
    }

    /// Whether two ETags are of the same bytes. `None` where the texts are equal and one of them is weak.
    pub(super) fn is_same(&self, other: &ETag) -> Option<bool> {
        match (self.opaque() == other.opaque(), self.is_strong() && other.is_strong()) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        }
    }

    /// Whether a response with the ETag `other` may be of the object that has this one. If this one is weak,
    /// only the texts are compared.
    pub fn allows(&self, other: &ETag) -> bool {
        self.is_same(other).unwrap_or(!self.is_strong())
    }

    fn opaque(&self) -> &str {
        match self.strength {
            Strength::Strong => &self.text,
            Strength::Weak => weak_tag(&self.text).map(unquoted).unwrap_or_default(),
        }
    }

    /// The form of the text.
    pub fn form(&self) -> ETagForm {
        if !self.is_strong() {
            return ETagForm::Opaque;
        }
        let (hex_part, parts) = match self.text.split_once('-') {
            Some((hex_part, count)) => (hex_part, Some(count)),
            None => (self.text.as_str(), None),
        };
        let mut digest = [0; 16];
        if hex::decode_to_slice(hex_part, &mut digest).is_err() {
            return ETagForm::Opaque;
        }
        match parts {
            None => ETagForm::Md5 { digest },
            Some(count) if count.bytes().all(|b| b.is_ascii_digit()) => match count.parse() {
                Ok(parts) if (1..=crate::units::PartNumber::MAX).contains(&parts) => {
                    ETagForm::Multipart { digest, parts }
                }
                _ => ETagForm::Opaque,
            },
            Some(_) => ETagForm::Opaque,
        }
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

/// The text after the mark of a weak ETag. The grammar requires an upper-case `W`, but some servers send a
/// lower-case one.
fn weak_tag(text: &str) -> Option<&str> {
    text.strip_prefix("W/").or_else(|| text.strip_prefix("w/")).map(str::trim)
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As its text.
impl Serialize for ETag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ETag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| ETag::kept(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_not_part_of_it() {
        assert_eq!(ETag::new("\"abc\""), ETag::new("abc"));
        assert_eq!(ETag::new("abc").if_match().unwrap(), "\"abc\"");
    }

    #[test]
    fn a_weak_one_is_kept_whole_and_identifies_nothing() {
        const MD5: &str = "65247a1c5755517a32636c78de3d624a";
        for text in [format!("W/\"{MD5}\""), format!("w/\"{MD5}\""), format!("W/{MD5}"), format!("\"W/\"{MD5}\"\"")] {
            let etag = ETag::told(&text).unwrap();
            assert_eq!(etag.as_str(), format!("W/\"{MD5}\""), "{text}");
            assert_eq!((etag.strength(), etag.if_match(), etag.form()), (Strength::Weak, None, ETagForm::Opaque));
            assert_eq!(ETag::new(etag.as_str()), etag);
            assert_ne!(etag, ETag::new(MD5));
            assert!(etag.allows(&etag) && etag.allows(&ETag::new(MD5)) && !ETag::new(MD5).allows(&etag));
            assert!(!etag.allows(&ETag::new("another")) && !etag.allows(&ETag::new("W/\"another\"")));
        }
    }

    #[test]
    fn an_empty_one_is_none() {
        for text in ["", "\"\"", "  ", "W/\"\"", "W/"] {
            assert_eq!(ETag::told(text), None, "{text}");
        }
    }

    #[test]
    fn forms_are_recognised() {
        let digest = [0x65, 0x24, 0x7a, 0x1c, 0x57, 0x55, 0x51, 0x7a, 0x32, 0x63, 0x6c, 0x78, 0xde, 0x3d, 0x62, 0x4a];
        assert_eq!(ETag::new("65247a1c5755517a32636c78de3d624a").form(), ETagForm::Md5 { digest });
        assert_eq!(
            ETag::new("\"65247a1c5755517a32636c78de3d624a-177\"").form(),
            ETagForm::Multipart { digest, parts: 177 }
        );
        for opaque in [
            "",
            "5f3c-2000000",
            "65247a1c5755517a32636c78de3d624a-0",
            "65247a1c5755517a32636c78de3d624a-10001",
            "65247a1c5755517a32636c78de3d624a-+5",
            "65247a1c5755517a32636c78de3d624a-",
            "65247a1c5755517a32636c78de3d624a-1-1",
            "65247a1c5755517a32636c78de3d624",
        ] {
            assert_eq!(ETag::new(opaque).form(), ETagForm::Opaque, "{opaque}");
        }
    }
}
