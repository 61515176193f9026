/// Decodes a checksum file: UTF-8, or UTF-16 if it starts with a byte order mark. Invalid UTF-8 is replaced,
/// so that one odd name does not make the other lines unreadable.
///
/// # Errors
///
/// When UTF-16 is invalid; the text is for the user.
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok(String::from_utf8_lossy(rest).into_owned()),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => Ok(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err("starts with a UTF-16 byte order mark but is not valid UTF-16".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_at_the_beginning_say_how_text_is_written() {
        let text = "aß€😀\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            [&[0xFF, 0xFE][..], &little].concat(),
            [&[0xFE, 0xFF][..], &big].concat(),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
        assert!(decode(&[0xFF, 0xFE, b'a']).is_err());
        assert!(decode(&[0xFE, 0xFF, 0xD8, 0x00]).is_err(), "half of a pair");
        assert_eq!(decode(b"a\xFFb").as_deref(), Ok("a\u{FFFD}b"));
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }
}
