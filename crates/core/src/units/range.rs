use std::fmt;

/// A half-open range of byte offsets, `start..end`. It may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    start: u64,
    end: u64,
}

impl ByteRange {
    /// `None` if `end` is less than `start`.
    pub fn new(start: u64, end: u64) -> Option<Self> {
        (start <= end).then_some(ByteRange { start, end })
    }

    /// The whole of an object of `size` bytes.
    pub fn whole(size: u64) -> Self {
        ByteRange { start: 0, end: size }
    }

    /// Offset of the first byte.
    pub fn start(self) -> u64 {
        self.start
    }

    /// Offset one past the last byte.
    pub fn end(self) -> u64 {
        self.end
    }

    /// Length in bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the range contains no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The rest of the range from the absolute offset `from`, which is clamped to the range.
    pub fn tail(self, from: u64) -> Self {
        ByteRange { start: from.clamp(self.start, self.end), end: self.end }
    }

    /// The value of an HTTP `Range` header (RFC 9110, 14.1.2), in which the last position is inclusive.
    /// `None` for an empty range, which the header cannot express.
    pub fn http_header(self) -> Option<String> {
        (!self.is_empty()).then(|| format!("bytes={}-{}", self.start, self.end - 1))
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_open_inside_inclusive_on_the_wire() {
        let range = ByteRange::new(10, 20).unwrap();
        assert_eq!(range.len(), 10);
        assert_eq!(range.http_header().as_deref(), Some("bytes=10-19"));
        assert_eq!(ByteRange::whole(0).http_header(), None);
        assert_eq!(ByteRange::new(2, 1), None);
    }

    #[test]
    fn tail_stays_inside() {
        let range = ByteRange::new(10, 20).unwrap();
        assert_eq!(range.tail(15), ByteRange::new(15, 20).unwrap());
        assert_eq!(range.tail(0), range);
        assert!(range.tail(99).is_empty());
    }
}
