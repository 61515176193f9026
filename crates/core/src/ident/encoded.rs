/// Decodes a key of a listing or an inventory in URL encoding, in which a space may be written as `+` (S3 API
/// Reference, `ListObjectsV2`, `encoding-type`). `None` if the text is not in that encoding.
pub fn decoded_key(text: &str) -> Option<String> {
    decoded(text, Plus::Space)
}

/// What `+` means in an encoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    /// A space, as in a query.
    Space,
    /// Itself, as in a path.
    Itself,
}

/// Decodes percent-encoding (RFC 3986, 2.1). `None` if a `%` starts no encoded byte, or the bytes are not UTF-8.
pub(super) fn decoded(text: &str, plus: Plus) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut byte = [0];
                hex::decode_to_slice([rest.next()?, rest.next()?], &mut byte).ok()?;
                byte[0]
            }
            b'+' if plus == Plus::Space => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_url_encoding() {
        assert_eq!(decoded_key("p/%C3%BC+x%2B").unwrap(), "p/ü x+");
        assert_eq!(decoded_key("plain").unwrap(), "plain");
        assert_eq!(decoded("a+b%2B", Plus::Itself).unwrap(), "a+b+");
        for wrong in ["a%2", "a%", "%zz", "%FF", "%+f"] {
            assert_eq!(decoded_key(wrong), None, "{wrong}");
        }
    }
}
