use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use super::{ObjectUri, PresignedProblem};

/// Header with which S3 is asked for the stored checksums.
const CHECKSUM_MODE: &str = "x-amz-checksum-mode";

/// Parameters that every presigned URL has (Amazon S3 API Reference, *Authenticating Requests: Using Query Parameters*;
/// SigV2: *Signing and authenticating REST requests*).
const SIGV4: [&str; 5] = ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"];
const SIGV2: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

/// A presigned URL of an object: whoever has it can read the object until it expires (S3 User Guide, *Download and
/// upload objects with presigned URLs*). Neither `Debug` nor any other output shows its query.
#[derive(Clone)]
pub struct PresignedUrl {
    url: String,
    object: ObjectUri,
    host: String,
    expires: Option<Timestamp>,
    checksum_header: bool,
    asks_checksums: bool,
    replaced_headers: Vec<&'static str>,
}

/// Parameters with which a URL replaces headers of the object (S3 API Reference, `GetObject`), without `response-`.
const REPLACEABLE: [&str; 6] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];

impl PresignedUrl {
    /// `query` holds the decoded parameters of `url`.
    pub(super) fn new(
        url: &str,
        host: &str,
        object: ObjectUri,
        query: &[(String, String)],
    ) -> Result<Self, PresignedProblem> {
        let of = |name: &str| query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let complete = |names: &[&str]| names.iter().all(|name| of(name).is_some());
        if !complete(&SIGV4) && !complete(&SIGV2) {
            return Err(PresignedProblem::CutOff);
        }
        if of("partNumber").is_some() {
            return Err(PresignedProblem::OnePart);
        }
        let signed = of("X-Amz-SignedHeaders").map(String::as_str).unwrap_or_default().to_ascii_lowercase();
        let mut checksum_header = false;
        for name in signed.split(';').filter(|name| !matches!(*name, "" | "host")) {
            if name != CHECKSUM_MODE {
                return Err(PresignedProblem::SignedHeader(name.to_owned()));
            }
            checksum_header = true;
        }
        Ok(PresignedUrl {
            url: url.to_owned(),
            object,
            host: host.to_owned(),
            expires: expires(of).ok_or(PresignedProblem::Validity)?,
            checksum_header,
            asks_checksums: checksum_header || of(CHECKSUM_MODE).is_some(),
            replaced_headers: REPLACEABLE
                .into_iter()
                .filter(|name| of(&format!("response-{name}")).is_some())
                .collect(),
        })
    }

    /// The object. Its bucket is the first segment of the path where the host does not name it.
    pub fn object(&self) -> &ObjectUri {
        &self.object
    }

    /// Host name of the server, without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The whole URL, which is a secret: only the request may contain it.
    pub fn secret(&self) -> &str {
        &self.url
    }

    /// When it expires, if the URL states that.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Headers of responses that come from the URL and not from the object, in lower case.
    pub fn replaced_headers(&self) -> &[&'static str] {
        &self.replaced_headers
    }

    /// Whether the header `x-amz-checksum-mode` was signed and must be sent, with the value `ENABLED`.
    pub fn has_checksum_header(&self) -> bool {
        self.checksum_header
    }

    /// Whether it asks for the stored checksums, by a signed header or parameter. S3 sends them with the whole object
    /// only.
    pub fn asks_checksums(&self) -> bool {
        self.asks_checksums
    }
}

/// By `X-Amz-Date` and `X-Amz-Expires` (SigV4), or by `Expires` (SigV2). `None` if they cannot be read.
fn expires<'a>(of: impl Fn(&str) -> Option<&'a String>) -> Option<Option<Timestamp>> {
    if let Some(seconds) = of("X-Amz-Expires") {
        let seconds: u32 = seconds.parse().ok()?;
        let date = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", of("X-Amz-Date")?).ok()?.to_datetime().ok()?;
        let begin = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(begin.checked_add(SignedDuration::from_secs(seconds.into())).ok());
    }
    match of("Expires") {
        None => Some(None),
        Some(second) => Some(Some(Timestamp::from_second(second.parse().ok()?).ok()?)),
    }
}

/// By the URL, which the other fields are made from.
impl PartialEq for PresignedUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for PresignedUrl {}

impl Hash for PresignedUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedUrl").field("object", &self.object).field("expires", &self.expires).finish()
    }
}
