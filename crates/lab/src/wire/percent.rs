//! Percent-encoding (RFC 3986 §2.1) of keys, query strings and file names.

/// Decodes `%XX`; other bytes, and what is no valid escape, stay as they are.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let escaped = match (first, rest) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        bytes = match escaped {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest.get(2..).unwrap_or_default()
            }
            None => {
                out.push(first);
                rest
            }
        };
    }
    out
}

/// Decodes a component of a query string, where `+` stands for a space.
pub(crate) fn decode_query(text: &str) -> String {
    String::from_utf8_lossy(&decode(&text.replace('+', " "))).into_owned()
}

/// Encodes as S3 does for `encoding-type=url`: `/` stays.
pub(crate) fn encode_key(key: &str) -> String {
    encode(key, |byte| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte))
}

/// Encodes into a name that is safe as one component of a path.
pub(crate) fn encode_name(text: &str) -> String {
    let name = encode(text, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    // `.`, `..` and hidden names would mean something to the file system.
    match name.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => name,
    }
}

fn encode(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for key in ["ami-1.bin", "a b/ü+%", "..", ".x", "日本/\u{1}"] {
            assert_eq!(decode(&encode_key(key)), key.as_bytes());
            assert_eq!(decode(&encode_name(key)), key.as_bytes());
            assert!(!encode_name(key).contains('/') && !encode_name(key).starts_with('.'), "{key}");
        }
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decode("%"), b"%");
        assert_eq!(decode("%4"), b"%4");
        assert_eq!(decode("%zz%41"), b"%zzA");
        assert_eq!(decode_query("a+b%2Bc"), "a b+c");
    }
}
