use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// Smaller differences are not reported: S3 accepts signatures for fifteen minutes.
const SMALL: SignedDuration = SignedDuration::from_mins(5);

/// A hint if the `Date` of a refusal differs from this machine's clock by more than a few minutes, because signatures
/// are then invalid. `None` if the header is missing or unreadable.
pub(super) fn hint(date: Option<&str>, now: Timestamp) -> Option<String> {
    let server = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date?.trim()).ok()?;
    let ahead = now.duration_since(server);
    if ahead.abs() <= SMALL {
        return None;
    }
    let minutes = ahead.abs().as_mins();
    let parts = [(minutes / 1440, "days"), (minutes / 60 % 24, "h"), (minutes % 60, "min")];
    let shown = parts.into_iter().filter(|(count, _)| *count > 0).take(2);
    let apart: Vec<String> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    let side = if ahead.is_positive() { "ahead of" } else { "behind" };
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Some(format!(
        "this machine's clock ({now}) is {} {side} the server's ({server}), and signatures need the right time",
        apart.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let of = |date: &str| hint(Some(date), now);
        assert_eq!(of("Thu, 26 Nov 2026 11:56:00 GMT"), None);
        assert_eq!(of("Thu, 26 Nov 2026 12:05:00 GMT"), None);
        assert!(of("Thu, 26 Nov 2026 12:06:00 GMT").unwrap().contains("6 min behind"));
        assert!(of("Thu, 26 Nov 2026 09:30:00 GMT").unwrap().contains("2 h 30 min ahead of"));
        assert!(of("Fri, 20 Nov 2020 12:00:00 GMT").unwrap().contains("2197 days ahead of"));
        for odd in ["", "yesterday", "Thu, 99 Nov 2026 11:56:00 GMT", "\u{fffd}"] {
            assert_eq!(of(odd), None);
        }
        assert_eq!(hint(None, now), None);
    }
}
