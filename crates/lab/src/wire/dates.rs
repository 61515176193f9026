//! The two ways S3 writes a time.

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// HTTP-date (RFC 9110 §5.6.7), as in `Last-Modified`.
pub(crate) fn http(time: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
}

pub(crate) fn parse_http(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// ISO 8601 with milliseconds, as in XML and in the lock headers.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_s3_writes_them() {
        let time: Timestamp = "2012-12-21T00:00:00Z".parse().unwrap();
        assert_eq!(http(time), "Fri, 21 Dec 2012 00:00:00 GMT");
        assert_eq!(parse_http("Fri, 21 Dec 2012 00:00:00 GMT"), Some(time));
        assert_eq!(iso(time), "2012-12-21T00:00:00.000Z");
    }
}
