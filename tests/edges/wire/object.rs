//! An object on a server of the test, whose responses a test can modify.

use stored_ami::checksum::{Algorithm, Hasher};

use super::server::{Answer, Asked};
use crate::common::data;

pub const TARGET: &str = "s3://bucket/ami-0123456789abcdef0.bin";
pub const SIZE: usize = 300_000;
pub const TIME: &str = "Fri, 02 Jan 2026 03:04:05 GMT";

/// The bytes of the object.
pub fn bytes() -> Vec<u8> {
    data(11, SIZE)
}

/// The ETag of an object that was uploaded by PUT, without quotes.
pub fn etag() -> String {
    md5(&bytes())
}

/// The response of a correct server to HEAD and GET; subresources are not implemented.
pub fn honest(asked: &Asked, body: &[u8]) -> Answer {
    if ["attributes", "tagging", "retention", "legal-hold"].iter().any(|name| asked.asks(name)) {
        return Answer::error(501, "NotImplemented", "not here");
    }
    let range = asked.range().filter(|(first, _)| *first < body.len());
    let (status, part) = match range {
        Some((first, last)) => (206, &body[first..=last.min(body.len() - 1)]),
        None => (200, body),
    };
    let mut answer = Answer::new(status)
        .header("ETag", format!("\"{}\"", md5(body)))
        .header("Last-Modified", TIME)
        .header("Accept-Ranges", "bytes")
        .header("Content-Type", "binary/octet-stream")
        .body(part);
    if let Some((first, _)) = range {
        let last = first + part.len() - 1;
        answer = answer.header("Content-Range", format!("bytes {first}-{last}/{}", body.len()));
    }
    if asked.is_head() {
        answer = answer.header("Content-Length", body.len().to_string()).body([]);
    }
    answer
}

/// The MD5 of some bytes, in hexadecimal.
pub fn md5(bytes: &[u8]) -> String {
    Hasher::digest(Algorithm::Md5, bytes).hex()
}
