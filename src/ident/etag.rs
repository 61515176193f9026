use std::fmt;

/// An entity tag, kept without its quotes.
///
/// An ETag identifies a version of the bytes. Only its *form* is read here;
/// whether a form may be believed to be an MD5 depends on encryption and on
/// how the object was written (S3 API reference, `Object.ETag`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(String);

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
        let text = text.strip_prefix('"').unwrap_or(text);
        let text = text.strip_suffix('"').unwrap_or(text);
        ETag(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form HTTP wants in `If-Match`.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    pub fn form(&self) -> ETagForm {
        let (hex_part, parts) = match self.0.split_once('-') {
            Some((hex_part, count)) => (hex_part, Some(count)),
            None => (self.0.as_str(), None),
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

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_not_part_of_it() {
        assert_eq!(ETag::new("\"abc\""), ETag::new("abc"));
        assert_eq!(ETag::new("abc").quoted(), "\"abc\"");
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
