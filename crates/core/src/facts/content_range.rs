use std::fmt;
use std::str::FromStr;

use crate::units::ByteRange;

/// A `Content-Range` header: `bytes first-last/total` (RFC 9110, 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The range that the response carries.
    pub range: ByteRange,
    /// Size of the object in bytes; `None` if the server wrote `*`.
    pub total: Option<u64>,
}

/// The text is not a `Content-Range` of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Content-Range of bytes")]
pub struct ParseContentRangeError(pub String);

impl FromStr for ContentRange {
    type Err = ParseContentRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseContentRangeError(text.to_owned()))
    }
}

fn number(text: &str) -> Option<u64> {
    // `u64::from_str` accepts a leading `+`, which the grammar does not.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn parse(text: &str) -> Option<ContentRange> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (positions, total) = rest.trim().split_once('/')?;
    let (first, last) = positions.split_once('-')?;
    let range = ByteRange::new(number(first)?, number(last)?.checked_add(1)?).filter(|range| !range.is_empty())?;
    let total = match total {
        "*" => None,
        total => Some(number(total).filter(|total| *total >= range.end())?),
    };
    unit.eq_ignore_ascii_case("bytes").then_some(ContentRange { range, total })
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/", self.range.start(), self.range.end().saturating_sub(1))?;
        match self.total {
            Some(total) => total.fmt(f),
            None => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for text in ["bytes 0-9/100", "bytes 99-99/100", "bytes 5-6/*"] {
            assert_eq!(text.parse::<ContentRange>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes */100",
            "bytes +0-9/100",
            "items 0-9/100",
            "bytes 0-18446744073709551615/*",
            "bytes 0-9/1e2",
        ] {
            assert!(text.parse::<ContentRange>().is_err(), "{text}");
        }
    }
}
