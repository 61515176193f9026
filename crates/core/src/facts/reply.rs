use super::ContentRange;
use crate::ident::ETag;
use crate::units::ByteRange;

/// The head of the answer to a read, as far as it can prove what is about to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyHead {
    pub partial: bool,
    pub content_range: Option<String>,
    pub content_length: Option<u64>,
    pub etag: Option<ETag>,
}

/// How an answer does not fit the request it answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyProblem {
    #[error("ETag is {got}, and was {expected}")]
    Changed { expected: ETag, got: ETag },
    #[error("asked for bytes {asked}, got an answer without Content-Range")]
    NoContentRange { asked: ByteRange },
    #[error("asked for bytes {asked}, got the whole object")]
    RangeIgnored { asked: ByteRange },
    #[error("asked for bytes {asked} of {size}, got `{got}`")]
    WrongContentRange { asked: ByteRange, size: u64, got: String },
    #[error("asked for {asked} bytes, Content-Length is {got}")]
    WrongLength { asked: u64, got: u64 },
}

/// Holds the head of an answer against what was asked of an object of `size` bytes.
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
        // A plain answer is right only when everything was asked for.
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
