/// Decodes a key of a listing or an inventory in URL encoding, in which a space may be written as `+` (S3 API
/// Reference, `ListObjectsV2`, `encoding-type`). `None` if the text is not in that encoding.
pub fn decoded_key(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
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
        for wrong in ["a%2", "a%", "%zz", "%FF"] {
            assert_eq!(decoded_key(wrong), None, "{wrong}");
        }
    }
}
