use jiff::Timestamp;

use crate::record::ObjectRecord;
use crate::wire::{Code, S3Error, S3Request, dates};

/// Checks the conditions of a read, in the order of
/// RFC 9110 §13.2.2, which is also S3's.
pub(super) fn check(record: &ObjectRecord, request: &S3Request) -> Result<(), S3Error> {
    let modified = record.last_modified.as_second();
    let date = |name| request.header(name).and_then(dates::parse_http).map(Timestamp::as_second);
    match (request.header("if-match"), date("if-unmodified-since")) {
        (Some(etags), _) if !matches(etags, &record.etag) => return Err(failed("If-Match")),
        (None, Some(since)) if modified > since => return Err(failed("If-Unmodified-Since")),
        _ => {}
    }
    let unchanged = match (request.header("if-none-match"), date("if-modified-since")) {
        (Some(etags), _) => matches(etags, &record.etag),
        (None, Some(since)) => modified <= since,
        (None, None) => false,
    };
    if unchanged {
        let error = Code::NotModified.error();
        return Err(error
            .header("etag", format!("\"{}\"", record.etag))
            .header("last-modified", dates::http(record.last_modified)));
    }
    Ok(())
}

/// Whether a list of ETags, quoted or bare, names this one.
pub(super) fn matches(etags: &str, etag: &str) -> bool {
    etags.split(',').map(|text| text.trim().trim_matches('"')).any(|text| text == "*" || text == etag)
}

pub(super) fn failed(condition: &str) -> S3Error {
    Code::PreconditionFailed.error().with(|detail| detail.condition = Some(condition.to_owned()))
}
