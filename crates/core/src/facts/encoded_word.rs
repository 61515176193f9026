use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Decodes a metadata value. S3 sends values that are not ASCII as encoded words, `=?UTF-8?B?…?=` or
/// `=?UTF-8?Q?…?=` (RFC 2047). Text that is not a well-formed encoded word in UTF-8, ASCII or Latin-1 is left
/// unchanged.
pub fn decoded_words(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut behind_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, left)) = next_word(from) else {
            let (mark, left) = from.split_at(2);
            shown.push_str(before);
            shown.push_str(mark);
            (rest, behind_word) = (left, false);
            continue;
        };
        // White space between two words belongs to neither (RFC 2047, 6.2).
        if !(behind_word && before.chars().all(char::is_whitespace)) {
            shown.push_str(before);
        }
        shown.push_str(&word);
        (rest, behind_word) = (left, true);
    }
    shown.push_str(rest);
    shown
}

/// The encoded word at the start of a text, and the rest.
fn next_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (encoded, rest) = rest.split_once("?=")?;
    if encoded.contains(char::is_whitespace) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?,
        "Q" | "q" => quoted_printable(encoded)?,
        _ => return None,
    };
    // A language may follow the charset (RFC 2231, 5).
    let charset = charset.split('*').next().unwrap_or_default().to_ascii_lowercase();
    let word = match charset.as_str() {
        "utf-8" | "utf8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" | "latin1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some((word, rest))
}

fn quoted_printable(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                u8::from_str_radix(digits, 16).ok()?
            }
            b'_' => b' ',
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_and_all_else_stays() {
        for (text, meant) in [
            ("plain", "plain"),
            ("=?UTF-8?B?w7xiZXI=?=", "über"),
            ("=?utf-8?b?w7xiZXI?=", "über"),
            ("=?UTF-8?Q?=C3=BCber_alles?=", "über alles"),
            ("=?UTF-8?B?w7xi?= =?UTF-8?B?ZXI=?=", "über"),
            ("a =?UTF-8?B?w7w=?= b", "a ü b"),
            ("=?ISO-8859-1?Q?=FCber?=", "über"),
            ("=?UTF-8*de?Q?x?=", "x"),
            ("=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="),
            ("=?UTF-8?B?!?=", "=?UTF-8?B?!?="),
            ("=?UTF-8?X?a?=", "=?UTF-8?X?a?="),
            ("=?KOI8-R?B?w7w=?=", "=?KOI8-R?B?w7w=?="),
            ("=?UTF-8?Q?=+1?=", "=?UTF-8?Q?=+1?="),
            ("=?UTF-8?Q?a", "=?UTF-8?Q?a"),
            ("=?", "=?"),
            ("=?=?UTF-8?Q?a?=", "=?a"),
        ] {
            assert_eq!(decoded_words(text), meant, "{text}");
        }
    }
}
