use std::borrow::Cow;
use std::io::{self, Write};

use crate::ident::ascii_command;

/// The characters that a terminal or a reader of text can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// All of Unicode.
    #[default]
    Utf8,
    /// ASCII only: other characters are written in another way.
    Ascii,
}

impl Charset {
    /// The text in these characters. A command between backticks stays one that a shell takes. Typographic signs become the
    /// usual ASCII ones, such as `-`, `x`, `...` and `->`; any other character becomes its number, such as `\u{e9}`.
    pub fn text(self, text: &str) -> Cow<'_, str> {
        if self == Charset::Utf8 || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut ascii = String::with_capacity(text.len());
        for (index, span) in text.split('`').enumerate() {
            if index > 0 {
                ascii.push('`');
            }
            match index % 2 == 1 && is_command(span) {
                true => ascii.push_str(&ascii_command(span)),
                false => push_signs(&mut ascii, span),
            }
        }
        Cow::Owned(ascii)
    }

    /// The mark at the end of a text that was cut off.
    pub fn ellipsis(self) -> &'static str {
        match self {
            Charset::Utf8 => "…",
            Charset::Ascii => "...",
        }
    }
}

/// Whether a text between backticks is a command that is copied as a whole.
pub(super) fn is_command(span: &str) -> bool {
    ["stored-ami ", "aws "].iter().any(|program| span.starts_with(program))
}

fn push_signs(ascii: &mut String, text: &str) {
    for c in text.chars() {
        match replacement(c) {
            Some(signs) => ascii.push_str(signs),
            None if c.is_ascii() => ascii.push(c),
            None => ascii.extend(c.escape_unicode()),
        }
    }
}

fn replacement(c: char) -> Option<&'static str> {
    Some(match c {
        '–' | '—' | '−' | '─' => "-",
        '×' => "x",
        '÷' => "/",
        '…' => "...",
        '→' => "->",
        '·' => ".",
        '≥' => ">=",
        '≤' => "<=",
        '≈' => "~",
        '‘' | '’' => "'",
        '“' | '”' => "\"",
        '│' => "|",
        '└' | '├' => "+",
        '\u{a0}' => " ",
        // Stands for a character that is not printed.
        '\u{fffd}' => "?",
        _ => return None,
    })
}

/// A writer that writes text in a [`Charset`].
pub(super) struct Encoded<W> {
    out: W,
    charset: Charset,
    /// The begin of a character that the last call cut off.
    begun: Vec<u8>,
}

impl<W: Write> Encoded<W> {
    /// Writes to `out`.
    pub(super) fn new(out: W, charset: Charset) -> Self {
        Encoded { out, charset, begun: Vec::new() }
    }
}

impl<W: Write> Write for Encoded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.charset == Charset::Utf8 {
            return self.out.write(bytes);
        }
        let all = [&std::mem::take(&mut self.begun)[..], bytes].concat();
        for chunk in all.utf8_chunks() {
            self.out.write_all(self.charset.text(chunk.valid()).as_bytes())?;
            self.begun = chunk.invalid().to_vec();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_signs_stand_for_others() {
        let text = "bytes 0–9 × 2 → é\u{fffd} … end";
        assert_eq!(Charset::Utf8.text(text), text);
        assert_eq!(Charset::Ascii.text(text), "bytes 0-9 x 2 -> \\u{e9}? ... end");
        let advice = "→ `stored-ami inspect s3://b/é` shows `é`";
        assert_eq!(
            Charset::Ascii.text(advice),
            "-> `stored-ami inspect \"$(printf 's3://b/\\303\\251')\"` shows `\\u{e9}`"
        );
    }

    #[test]
    fn characters_in_two_pieces_are_whole() {
        let text = "a–é\u{1f980}…z";
        for at in 0..=text.len() {
            let mut out = Vec::new();
            let mut encoded = Encoded::new(&mut out, Charset::Ascii);
            let (one, two) = text.as_bytes().split_at(at);
            encoded.write_all(one).unwrap();
            encoded.write_all(two).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), "a-\\u{e9}\\u{1f980}...z", "{at}");
        }
    }
}
