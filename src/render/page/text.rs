use std::fmt;

use crate::render::printable;
use crate::units::{ByteSize, noun};

/// Text that may be external. Templates show no other text, so no control character can reach a page; the templates
/// escape it for HTML.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Text(String);

impl Text {
    /// Whether the text is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words of a command. A browser breaks lines between them, and not at their hyphens.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }
}

impl<S: AsRef<str>> From<S> for Text {
    fn from(text: S) -> Self {
        Text(printable(text.as_ref()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of things, shown as `67,108,864`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Count(pub usize);

impl Count {
    /// `1 object`, `2,000 objects`.
    pub(super) fn objects(self) -> String {
        format!("{self} {}", noun(self.0 as u64, "object"))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0 as u64))
    }
}

/// Percent-encodes a text for a link.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// `67,108,864`.
pub(super) fn grouped(number: u64) -> String {
    ByteSize(number).grouped()
}

/// `64 MiB (67,108,864 bytes)`.
pub(super) fn size(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} bytes") } else { format!("{} ({} bytes)", ByteSize(bytes), grouped(bytes)) }
}

/// `64 MiB/s`.
pub(super) fn rate(bytes_per_second: f64) -> String {
    format!("{}/s", ByteSize(bytes_per_second as u64))
}

/// `12.3 %` of a share of one.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `part 7`, `parts 7–9`.
pub(super) fn parts(first: u64, last: u64) -> String {
    if first == last { format!("part {first}") } else { format!("parts {first}–{last}") }
}
