//! Converts values of SDK outputs.

use aws_sdk_s3::operation::get_object_attributes::GetObjectAttributesOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ObjectPart;
use jiff::Timestamp;

use crate::checksum::{Algorithm, Digest, StoredChecksum};
use crate::facts::{AttributeFacts, Encryption, LockEnd, PartFacts};
use crate::ident::ETag;
use crate::source::{ErrorKind, SourceError};
use crate::units::PartNumber;

/// `None` for a time outside the range of [`Timestamp`].
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

/// The end of a lock; a time after the last [`Timestamp`] is [`LockEnd::Beyond`].
pub(super) fn lock_end(time: &DateTime) -> LockEnd {
    match time.secs() {
        beyond if beyond > Timestamp::MAX.as_second() => LockEnd::Beyond,
        seconds => {
            let before_all = |_| LockEnd::NotKnown(format!("{seconds} seconds since 1970"));
            Timestamp::from_second(seconds).map_or_else(before_all, LockEnd::At)
        }
    }
}

/// The checksum fields of a response or of a part, by algorithm.
macro_rules! checksum_values {
    ($answer:expr) => {
        [
            (Algorithm::Crc32, $answer.checksum_crc32()),
            (Algorithm::Crc32c, $answer.checksum_crc32_c()),
            (Algorithm::Crc64Nvme, $answer.checksum_crc64_nvme()),
            (Algorithm::Sha1, $answer.checksum_sha1()),
            (Algorithm::Sha256, $answer.checksum_sha256()),
            (Algorithm::Sha512, $answer.checksum_sha512()),
            (Algorithm::Md5, $answer.checksum_md5()),
            (Algorithm::Xxh64, $answer.checksum_xxhash64()),
            (Algorithm::Xxh3, $answer.checksum_xxhash3()),
            (Algorithm::Xxh128, $answer.checksum_xxhash128()),
        ]
    };
}

/// Parses checksum values. Returns those that can be read, and a message for each of the others.
pub(super) fn stored<'a>(
    values: impl IntoIterator<Item = (Algorithm, Option<&'a str>)>,
    stated: Option<&str>,
    multipart: bool,
) -> (Vec<StoredChecksum>, Vec<String>) {
    let mut checksums = Vec::new();
    let mut unreadable = Vec::new();
    for (algorithm, value) in values {
        let Some(value) = value else { continue };
        match StoredChecksum::parse(algorithm, value, stated, multipart) {
            Ok(checksum) => checksums.push(checksum),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    (checksums, unreadable)
}

/// A size in bytes.
///
/// # Errors
///
/// The size is missing or negative.
pub(super) fn size(stated: Option<i64>, subject: &str) -> Result<u64, SourceError> {
    stated.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| {
        let shown = stated.map_or("no size".to_owned(), |size| format!("a size of {size} bytes"));
        SourceError::new(ErrorKind::Protocol, subject, format!("the server states {shown}"))
    })
}

/// Encryption of an object, from the server-side encryption, the KMS key and the SSE-C algorithm of a response.
pub(super) fn encryption(sse: Option<&str>, key: Option<&str>, customer: Option<&str>) -> Encryption {
    match (sse, customer) {
        (_, Some(_)) => Encryption::CustomerKey,
        (None, None) => Encryption::None,
        (Some("AES256"), None) => Encryption::S3Managed,
        (Some(kind @ ("aws:kms" | "aws:kms:dsse")), None) => {
            Encryption::Kms { kind: kind.to_owned(), key: key.map(str::to_owned) }
        }
        (Some(kind), None) => Encryption::Other(kind.to_owned()),
    }
}

/// The checksums of a part. A value with a part count belongs to the object and is left out.
pub(super) fn part_digests<'a>(values: impl IntoIterator<Item = (Algorithm, Option<&'a str>)>) -> Vec<Digest> {
    values.into_iter().filter_map(|(algorithm, value)| Digest::parse(algorithm, value?).ok()).collect()
}

fn listed_part(part: &ObjectPart, subject: &str) -> Result<PartFacts, SourceError> {
    let number = part.part_number().and_then(|number| u32::try_from(number).ok()).and_then(PartNumber::new);
    let number = number
        .ok_or_else(|| SourceError::new(ErrorKind::Protocol, subject, "a part is listed without a usable number"))?;
    Ok(PartFacts {
        number,
        size: size(part.size(), subject)?,
        checksums: part_digests(checksum_values!(part)),
        of: None,
    })
}

/// Adds a page of attributes to `facts`.
///
/// # Errors
///
/// A part has no usable number or size.
pub(super) fn add_attributes(
    facts: &mut AttributeFacts,
    out: &GetObjectAttributesOutput,
    multipart: bool,
    subject: &str,
) -> Result<(), SourceError> {
    if facts.pages == 0 {
        facts.etag = out.e_tag().and_then(ETag::told);
        // A negative size becomes one that no HEAD states.
        facts.size = out.object_size().map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        if let Some(checksum) = out.checksum() {
            let stated = checksum.checksum_type().map(|kind| kind.as_str());
            (facts.checksums, facts.unreadable_checksums) = stored(checksum_values!(checksum), stated, multipart);
        }
    }
    facts.pages += 1;
    if let Some(parts) = out.object_parts() {
        facts.parts_count = parts.total_parts_count().and_then(|count| u32::try_from(count).ok());
        for part in parts.parts() {
            facts.parts.push(listed_part(part, subject)?);
        }
    }
    Ok(())
}
