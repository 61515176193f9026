/// A key as S3 writes it in listings and inventories that are asked for in URL encoding, where a space may be `+` (S3
/// API reference, *ListObjectsV2*, `encoding-type`). `None` where it is not in that encoding.
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
