use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An entity tag, without the quotes around a strong one.
///
/// A strong ETag identifies a version of the bytes. A weak one (`W/"…"`, RFC 9110 §8.8.1) is kept whole and identifies
/// nothing: two objects with other bytes may share it. Only the *form* of a strong one is read here; whether a form
/// may be believed to be an MD5 depends on encryption and on how the object was written (S3 API reference,
/// `Object.ETag`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag {
    text: String,
    strength: Strength,
}

/// How much an ETag says (RFC 9110 §8.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    /// It changes with every byte.
    Strong,
    /// It may stay when bytes change.
    Weak,
}

/// What the text of an ETag looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ETagForm {
    /// 32 hexadecimal digits: the MD5 of the body, if it is one at all.
    Md5 { digest: [u8; 16] },
    /// 32 hexadecimal digits, `-`, a part count: the MD5 of the parts' MD5s, if it is one at all.
    Multipart { digest: [u8; 16], parts: u32 },
    /// Anything else.
    Opaque,
}

impl ETag {
    /// Takes an ETag with or without quotes; some servers send it bare.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let bare = unquoted(text);
        match weak_tag(text).or_else(|| weak_tag(bare)) {
            Some(tag) => ETag { text: format!("W/\"{}\"", unquoted(tag)), strength: Strength::Weak },
            None => ETag { text: bare.to_owned(), strength: Strength::Strong },
        }
    }

    /// An ETag as a server tells it. An empty one is none.
    pub fn told(text: &str) -> Option<Self> {
        let etag = ETag::new(text);
        (!etag.is_empty()).then_some(etag)
    }

    /// A strong ETag without its quotes, or a weak one whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// Whether it identifies a version of the bytes.
    pub fn is_strong(&self) -> bool {
        self.strength == Strength::Strong
    }

    /// The value of an `If-Match` for it. `None` for a weak one, which never matches there (RFC 9110 §13.1.1).
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

    /// Whether an answer under `other` may be of the object that has this one. Where this one is weak, only the texts
    /// are compared.
    pub fn allows(&self, other: &ETag) -> bool {
        self.is_same(other).unwrap_or(!self.is_strong())
    }

    fn opaque(&self) -> &str {
        match self.strength {
            Strength::Strong => &self.text,
            Strength::Weak => weak_tag(&self.text).map(unquoted).unwrap_or_default(),
        }
    }

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

/// What stands behind the mark of a weak ETag. The mark is upper case by the grammar, and not from every server.
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
    fn forms() {
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
