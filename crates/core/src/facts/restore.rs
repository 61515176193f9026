use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::parameters::{parameters, single};
use super::words::{ArchiveStatus, ClassWord};

/// The `x-amz-restore` header, about a temporary copy of an archived object (S3 API Reference, `HeadObject`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreState {
    /// Whether a restore request is in progress.
    pub ongoing: bool,
    /// When the temporary copy will be removed.
    pub expires: Option<Timestamp>,
}

/// The text is not an `x-amz-restore` header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an x-amz-restore header")]
pub struct ParseRestoreError(pub String);

impl FromStr for RestoreState {
    type Err = ParseRestoreError;

    /// Parses `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseRestoreError(text.to_owned());
        let all = parameters(text).ok_or_else(error)?;
        let ongoing = match single(&all, "ongoing-request") {
            Ok(Some("true")) => true,
            Ok(Some("false")) => false,
            _ => return Err(error()),
        };
        let expires = match single(&all, "expiry-date").map_err(|_| error())? {
            Some(date) => Some(rfc2822::parse(date).map_err(|_| error())?.timestamp()),
            None => None,
        };
        Ok(RestoreState { ongoing, expires })
    }
}

/// When a lifecycle rule will remove the object, by its `x-amz-expiration`: `expiry-date="Fri, 21 Dec 2012
/// 00:00:00 GMT", rule-id="…"` (S3 API Reference, `HeadObject`). `None` if it states no time or more than
/// one.
pub fn removal(expiration: &str) -> Option<Timestamp> {
    let all = parameters(expiration)?;
    rfc2822::parse(single(&all, "expiry-date").ok()??).ok().map(|date| date.timestamp())
}

/// Whether GET works on an object now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readability {
    /// It can be read.
    Now,
    /// It can be read through a temporary copy, until the given time if that is known.
    Until(Option<Timestamp>),
    /// It is archived. The text, for the report, names the class and whether a restore is in progress.
    Archived(String),
}

/// Determines from storage class, archive status and restore state whether an object can be read (S3 User
/// Guide, *Working with archived objects*). Unknown classes and archive statuses count as readable, because
/// the read itself will show.
pub fn readability(class: Option<&str>, archive_status: Option<&str>, restore: Option<&RestoreState>) -> Readability {
    let archived = match (class, archive_status) {
        (Some(class), _) if ClassWord::of(class).archives() => class.to_owned(),
        (_, Some(status)) if ArchiveStatus::of(status).is_known() => format!("Intelligent-Tiering {status}"),
        _ => return Readability::Now,
    };
    match restore {
        Some(RestoreState { ongoing: false, expires }) => Readability::Until(*expires),
        Some(RestoreState { ongoing: true, .. }) => Readability::Archived(format!("{archived}, being brought back")),
        None => Readability::Archived(format!("{archived}, not brought back")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_rule_tells_the_day() {
        let day = removal(r#"expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="a""#);
        assert_eq!(day, Some("2012-12-21T00:00:00Z".parse().unwrap()));
        let quoted = removal(r#"rule-id="a, expiry-date=b", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT""#);
        assert_eq!(quoted, day);
        for text in [
            "",
            "rule-id=\"a\"",
            r#"expiry-date="soon""#,
            "expiry-date=Fri, 21 Dec 2012 00:00:00 GMT",
            r#"my-expiry-date="Fri, 21 Dec 2099 00:00:00 GMT""#,
            r#"rule-id="expiry-date=Fri""#,
            r#"rule-id="x" expiry-date="Fri, 21 Dec 2099 00:00:00 GMT""#,
            r#"expiry-date="Fri, 21 Dec 2099 00:00:00 GMT"#,
            r#"expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", expiry-date="Fri, 21 Dec 2099 00:00:00 GMT""#,
        ] {
            assert_eq!(removal(text), None, "{text}");
        }
    }

    #[test]
    fn restore_header_is_parsed() {
        let done: RestoreState =
            r#"ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT""#.parse().unwrap();
        assert_eq!(done.expires.unwrap().to_string(), "2012-12-21T00:00:00Z");
        assert!(!done.ongoing);
        let running: RestoreState = r#"ongoing-request="true""#.parse().unwrap();
        assert_eq!(running, RestoreState { ongoing: true, expires: None });
        for bad in [
            "",
            "ongoing-request=true",
            r#"ongoing-request="maybe""#,
            r#"ongoing-request="false", expiry-date="soon""#,
            r#"not-ongoing-request="false""#,
            r#"ongoing-request="true", ongoing-request="false""#,
        ] {
            assert!(bad.parse::<RestoreState>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_can_be_read_now() {
        let copy = RestoreState { ongoing: false, expires: None };
        let running = RestoreState { ongoing: true, expires: None };
        for class in [None, Some("STANDARD"), Some("GLACIER_IR"), Some("STANDARD_IA"), Some("SOMETHING_NEW")] {
            assert_eq!(readability(class, None, None), Readability::Now);
        }
        for class in ["GLACIER", "DEEP_ARCHIVE"] {
            assert!(matches!(readability(Some(class), None, None), Readability::Archived(_)));
            assert!(matches!(readability(Some(class), None, Some(&running)), Readability::Archived(_)));
            assert_eq!(readability(Some(class), None, Some(&copy)), Readability::Until(None));
        }
        let tiering = readability(Some("INTELLIGENT_TIERING"), Some("DEEP_ARCHIVE_ACCESS"), None);
        assert!(matches!(tiering, Readability::Archived(_)));
        assert_eq!(readability(Some("INTELLIGENT_TIERING"), None, None), Readability::Now);
        assert_eq!(readability(Some("INTELLIGENT_TIERING"), Some("NEXT_ACCESS"), None), Readability::Now);
    }
}
