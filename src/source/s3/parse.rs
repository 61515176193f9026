use aws_sdk_s3::operation::get_object_attributes::GetObjectAttributesOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ObjectPart;
use jiff::Timestamp;

use crate::checksum::{Algorithm, Digest, StoredChecksum};
use crate::facts::{
    AttributeFacts, ContentRange, Encryption, Fact, LegalHold, LockFacts, LockMode, ObjectFacts, PartFacts,
};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectUri, Target};
use crate::source::{ErrorKind, SourceError};
use crate::units::PartNumber;

pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

/// When a lock ends. The calendar of this tool ends on the last days of 9999, and a lock until then lasts longer.
pub(super) fn lock_end(time: &DateTime) -> Option<Timestamp> {
    match time.secs() {
        beyond if beyond > Timestamp::MAX.as_second() => Some(Timestamp::MAX),
        seconds => Timestamp::from_second(seconds).ok(),
    }
}

/// The checksum values of an answer, whichever of its fields they are in.
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

type Values<'a> = [(Algorithm, Option<&'a str>); 10];

/// What could be read, and what could not, in words.
fn stored(values: Values<'_>, stated: Option<&str>, multipart: bool) -> (Vec<StoredChecksum>, Vec<String>) {
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

pub(super) fn size(stated: Option<i64>, subject: &str) -> Result<u64, SourceError> {
    stated.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| {
        SourceError::new(ErrorKind::Protocol, subject, format!("the server states no usable size ({stated:?})"))
    })
}

fn is_multipart(etag: Option<&ETag>) -> bool {
    matches!(etag.map(ETag::form), Some(ETagForm::Multipart { .. }))
}

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

pub(super) fn head_facts(
    uri: &ObjectUri,
    out: &HeadObjectOutput,
    checksum_mode: bool,
) -> Result<ObjectFacts, SourceError> {
    let etag = out.e_tag().map(ETag::new);
    let stated = out.checksum_type().map(|kind| kind.as_str());
    let (checksums, unreadable_checksums) = stored(checksum_values!(out), stated, is_multipart(etag.as_ref()));
    let checksums = match checksum_mode {
        false => Fact::NotPermitted { needs: "kms:Decrypt" },
        true if checksums.is_empty() => Fact::Absent { source: "HeadObject" },
        true => Fact::Known { value: checksums, source: "HeadObject" },
    };
    let version = out.version_id().filter(|version| *version != "null").map(str::to_owned);
    let pinned = uri.version.clone().or_else(|| version.clone());
    Ok(ObjectFacts {
        id: ObjectId { target: Target::Object(uri.at_version(pinned)), etag },
        source: "HeadObject",
        size: size(out.content_length(), &uri.to_string())?,
        last_modified: out.last_modified().and_then(timestamp),
        checksums,
        unreadable_checksums,
        storage_class: Some(out.storage_class().map_or("STANDARD", |class| class.as_str()).to_owned()),
        archive_status: out.archive_status().map(|status| status.as_str().to_owned()),
        restore: out.restore().map(|restore| restore.parse().map_err(|_| restore.to_owned())),
        encryption: encryption(
            out.server_side_encryption().map(|sse| sse.as_str()),
            out.ssekms_key_id(),
            out.sse_customer_algorithm(),
        ),
        version: out.version_id().map(str::to_owned),
        lock: LockFacts {
            mode: out.object_lock_mode().map(|mode| LockMode::of(mode.as_str())),
            retain_until: out.object_lock_retain_until_date().and_then(lock_end),
            legal_hold: out.object_lock_legal_hold_status().map(|status| LegalHold::of(status.as_str())),
        },
        replication: out.replication_status().map(|status| status.as_str().to_owned()),
        expiration: out.expiration().map(str::to_owned),
        content_type: out.content_type().map(str::to_owned),
        metadata: out.metadata().map(|all| all.clone().into_iter().collect()).unwrap_or_default(),
        missing_metadata: out.missing_meta().and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        tag_count: out.tag_count().and_then(|count| u32::try_from(count).ok()),
    })
}

pub(super) fn part_facts(number: PartNumber, out: &HeadObjectOutput, subject: &str) -> Result<PartFacts, SourceError> {
    let size = size(out.content_length(), subject)?;
    let range = out.content_range().and_then(|range| range.parse::<ContentRange>().ok());
    if let Some(odd) = range.filter(|stated| stated.range.len() != size) {
        let detail = format!("part {number} has {size} bytes by Content-Length, and {odd} by Content-Range");
        return Err(SourceError::new(ErrorKind::Protocol, subject, detail));
    }
    Ok(PartFacts {
        number,
        size,
        checksums: part_digests(checksum_values!(out)),
        of: out.parts_count().and_then(|count| u32::try_from(count).ok()),
    })
}

/// A part's own values. A value with a part count speaks of the object, not of the part.
fn part_digests(values: Values<'_>) -> Vec<Digest> {
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

/// Adds a page of attributes to what is there.
pub(super) fn add_attributes(
    facts: &mut AttributeFacts,
    out: &GetObjectAttributesOutput,
    multipart: bool,
    subject: &str,
) -> Result<(), SourceError> {
    if facts.pages == 0 {
        facts.etag = out.e_tag().map(ETag::new);
        facts.size = out.object_size().and_then(|size| u64::try_from(size).ok());
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
