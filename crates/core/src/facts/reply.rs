use super::ContentRange;
use crate::ident::ETag;
use crate::units::ByteRange;

/// The headers of a response to GET that identify the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyHead {
    /// Whether the status is 206 Partial Content.
    pub partial: bool,
    /// `Content-Range` as received.
    pub content_range: Option<String>,
    /// `Content-Length` in bytes.
    pub content_length: Option<u64>,
    /// `ETag` of the object that answered.
    pub etag: Option<ETag>,
}

/// How a response differs from its request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyProblem {
    /// The object was replaced.
    #[error("ETag is {got}, and was {expected}")]
    Changed {
        /// ETag that the read is pinned to.
        expected: ETag,
        /// ETag of the response.
        got: ETag,
    },
    /// A partial response does not state its range.
    #[error("asked for bytes {asked}, got an answer without Content-Range")]
    NoContentRange {
        /// The requested range.
        asked: ByteRange,
    },
    /// The server answered with the whole object.
    #[error("asked for bytes {asked}, got the whole object")]
    RangeIgnored {
        /// The requested range.
        asked: ByteRange,
    },
    /// The response carries another range, or the object has another size.
    #[error("asked for bytes {asked} of {size}, got `{got}`")]
    WrongContentRange {
        /// The requested range.
        asked: ByteRange,
        /// Known size of the object in bytes.
        size: u64,
        /// `Content-Range` as received.
        got: String,
    },
    /// The length of the body differs from the range.
    #[error("asked for {asked} bytes, Content-Length is {got}")]
    WrongLength {
        /// Requested number of bytes.
        asked: u64,
        /// `Content-Length` of the response.
        got: u64,
    },
}

/// Checks the headers of a response against the requested range of an object of `size` bytes, and against the
/// ETag that the read is pinned to.
///
/// # Errors
///
/// When a header contradicts the request; nothing of the body may then be used.
pub fn check_reply(head: &ReplyHead, asked: ByteRange, size: u64, etag: Option<&ETag>) -> Result<(), ReplyProblem> {
    if let (Some(expected), Some(got)) = (etag, &head.etag)
        && !expected.allows(got)
    {
        return Err(ReplyProblem::Changed { expected: expected.clone(), got: got.clone() });
    }
    match (&head.content_range, head.partial) {
        (Some(text), _) => {
            let fits = text
                .parse::<ContentRange>()
                .is_ok_and(|got| got.range == asked && got.total.is_none_or(|total| total == size));
            if !fits {
                return Err(ReplyProblem::WrongContentRange { asked, size, got: text.clone() });
            }
        }
        (None, true) => return Err(ReplyProblem::NoContentRange { asked }),
        // A 200 response is correct only if the whole object was requested.
        (None, false) if asked == ByteRange::whole(size) => {}
        (None, false) => return Err(ReplyProblem::RangeIgnored { asked }),
    }
    match head.content_length {
        Some(got) if got != asked.len() => Err(ReplyProblem::WrongLength { asked: asked.len(), got }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(content_range: Option<&str>, length: u64) -> ReplyHead {
        ReplyHead {
            partial: content_range.is_some(),
            content_range: content_range.map(Into::into),
            content_length: Some(length),
            etag: Some(ETag::new("e")),
        }
    }

    #[test]
    fn ranges_are_compared_not_searched() {
        let asked = ByteRange::new(0, 10).unwrap();
        let etag = ETag::new("e");
        let check = |head: &ReplyHead| check_reply(head, asked, 100, Some(&etag));
        assert_eq!(check(&head(Some("bytes 0-9/100"), 10)), Ok(()));
        assert_eq!(check(&head(Some("bytes 0-9/*"), 10)), Ok(()));
        for wrong in ["bytes 10-99/100", "bytes 0-9/101", "bytes 0-99/100", "bytes 1-10/100", "nonsense"] {
            assert!(matches!(check(&head(Some(wrong), 10)), Err(ReplyProblem::WrongContentRange { .. })), "{wrong}");
        }
        assert!(matches!(check(&head(Some("bytes 0-9/100"), 11)), Err(ReplyProblem::WrongLength { .. })));
        assert!(matches!(check(&head(None, 100)), Err(ReplyProblem::RangeIgnored { .. })));
        let partial = ReplyHead { partial: true, ..head(None, 10) };
        assert!(matches!(check(&partial), Err(ReplyProblem::NoContentRange { .. })));
        let moved = ReplyHead { etag: Some(ETag::new("f")), ..head(Some("bytes 0-9/100"), 10) };
        assert!(matches!(check(&moved), Err(ReplyProblem::Changed { .. })));
    }

    #[test]
    fn a_plain_answer_to_a_request_for_everything_is_right() {
        assert_eq!(check_reply(&head(None, 100), ByteRange::whole(100), 100, None), Ok(()));
        assert_eq!(check_reply(&head(None, 0), ByteRange::whole(0), 0, None), Ok(()));
    }
}
