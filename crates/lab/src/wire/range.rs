use stored_ami_core::units::ByteRange;

/// What a `Range` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// No range, several, or one that is malformed: S3 sends the whole object.
    Whole,
    Part(ByteRange),
    Unsatisfiable,
}

/// Reads a `Range` header against an object of `size` bytes (RFC 9110 §14.1.2).
pub(crate) fn parse(header: Option<&str>, size: u64) -> Asked {
    let Some((first, last)) = header.and_then(|text| text.trim().strip_prefix("bytes=")?.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>();
    let range = match (first.trim(), last.trim()) {
        ("", length) => match number(length) {
            Ok(0) => return Asked::Unsatisfiable,
            Ok(length) => (size.saturating_sub(length), size),
            Err(_) => return Asked::Whole,
        },
        (first, "") => match number(first) {
            Ok(first) => (first, size),
            Err(_) => return Asked::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
            _ => return Asked::Whole,
        },
    };
    match ByteRange::new(range.0, range.1) {
        Some(range) if !range.is_empty() => Asked::Part(range),
        _ => Asked::Unsatisfiable,
    }
}

/// Whether a request with this `Range` header reads the byte at `offset` of an object of any size. What is counted from
/// the end reads none, for where that lies is not known here.
pub(crate) fn reads(header: Option<&str>, offset: u64) -> bool {
    match parse(header, u64::MAX) {
        Asked::Whole => true,
        Asked::Part(range) => (range.start()..range.end()).contains(&offset),
        Asked::Unsatisfiable => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_rfc_9110_says() {
        let part = |start, end| Asked::Part(ByteRange::new(start, end).unwrap());
        for (header, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=5-", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-30", part(0, 10)),
            ("bytes=8-99", part(8, 10)),
            ("bytes=0-18446744073709551615", part(0, 10)),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=10-12", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=3-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=x-", Asked::Whole),
            ("items=0-1", Asked::Whole),
        ] {
            assert_eq!(parse(Some(header), 10), expected, "{header}");
        }
        assert_eq!(parse(None, 10), Asked::Whole);
        assert_eq!(parse(Some("bytes=0-"), 0), Asked::Unsatisfiable);
        assert_eq!(parse(Some("bytes=-1"), 0), Asked::Unsatisfiable);
    }
}
