use std::io::{self, Read};

/// Limit of one string in a price file, in bytes. The longest that AWS publishes is its disclaimer of some
/// hundred bytes.
const MOST_STRING: usize = 64 << 10;

/// A reader of JSON that fails on an overlong string before the string is held in memory.
pub(super) struct Narrow<R> {
    inner: R,
    /// Bytes of the current string; `None` outside strings.
    string: Option<usize>,
    escaped: bool,
}

impl<R> Narrow<io::Take<R>> {
    /// Bytes left of the size limit.
    pub(crate) fn limit(&self) -> u64 {
        self.inner.limit()
    }
}

impl<R> Narrow<R> {
    pub(crate) fn new(inner: R) -> Self {
        Narrow { inner, string: None, escaped: false }
    }
}

impl<R: Read> Read for Narrow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        for byte in buffer.iter().take(got) {
            self.string = match (self.string, *byte) {
                (None, b'"') => Some(0),
                (None, _) => None,
                (Some(_), b'"') if !self.escaped => None,
                (Some(MOST_STRING), _) => {
                    return Err(io::Error::other(format!("a string is longer than {MOST_STRING} bytes")));
                }
                (Some(length), byte) => {
                    self.escaped = byte == b'\\' && !self.escaped;
                    Some(length + 1)
                }
            };
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_does_not_end_is_refused() {
        let read = |text: &str| Narrow::new(text.as_bytes()).read_to_end(&mut Vec::new());
        let text = "x".repeat(MOST_STRING);
        assert!(read(&format!("[\"{text}\", \"\\\"\\\\\", \"{text}\"]")).is_ok());
        assert!(read(&format!("[\"{text}x\"]")).is_err());
        assert!(read(&format!("[\"{text}\\\"\"]")).is_err());
        assert!(read(&"1".repeat(3 * MOST_STRING)).is_ok(), "numbers are no strings");
    }
}
