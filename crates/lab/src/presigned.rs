use jiff::Timestamp;
use jiff::fmt::strtime;

use super::wire::{Code, S3Error, S3Request};
use crate::operation::Operation;

/// What S3 checks of a request that is signed in its URL, apart from the signature itself: that it is a GET, as the
/// lab takes every such URL to be signed for one; that it has not expired; and that every `x-amz-*` header is signed.
pub(crate) fn check(request: &S3Request) -> Result<(), S3Error> {
    if request.query("X-Amz-Signature").is_none() && request.query("Signature").is_none() {
        return Ok(());
    }
    // Uploads by presigned URLs are left to other tools.
    if request.is_head() || !matches!(request.operation, Operation::GetObject | Operation::PutObject) {
        return Err(Code::SignatureDoesNotMatch.error());
    }
    let expires = expires(request).ok_or_else(|| Code::AccessDenied.because("Invalid date or expiry"))?;
    if expires <= Timestamp::now() {
        return Err(Code::AccessDenied.because("Request has expired"));
    }
    let signed = request.query("X-Amz-SignedHeaders").unwrap_or_default().to_ascii_lowercase();
    let is_signed = |name: &str| signed.split(';').any(|known| known == name);
    let mut amz = request.headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-amz-"));
    match amz.find(|name| !is_signed(name)) {
        Some(_) => Err(Code::AccessDenied.because("There were headers present in the request which were not signed")),
        None => Ok(()),
    }
}

fn expires(request: &S3Request) -> Option<Timestamp> {
    match request.query("X-Amz-Expires") {
        Some(seconds) => {
            let date = strtime::parse("%Y%m%dT%H%M%SZ", request.query("X-Amz-Date")?).ok()?.to_datetime().ok()?;
            let begin = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
            begin.checked_add(jiff::SignedDuration::from_secs(seconds.parse().ok()?)).ok()
        }
        None => Timestamp::from_second(request.query("Expires")?.parse().ok()?).ok(),
    }
}
