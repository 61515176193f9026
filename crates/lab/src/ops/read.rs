use http::StatusCode;
use jiff::Timestamp;

use super::{conditions, headers, lifecycle, lookup, restore};
use crate::checksum::ChecksumType;
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::wire::range::{self, Asked};
use crate::wire::{Code, Reply, S3Error, S3Request, Served};
use stored_ami_core::units::ByteRange;

/// Response headers a GET may ask to have replaced.
const OVERRIDES: [&str; 6] =
    ["content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding"];

/// HeadObject and GetObject: the same answer, with or without bytes.
pub(super) fn read(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    restore::advance(shared, request);
    let store = shared.store();
    let object = lookup::object(&store, shared, request)?;
    let record = &object.record;
    lookup::check_customer_key(record, request)?;
    // A presigner moves the header into the query.
    let mode = request.header("x-amz-checksum-mode").or_else(|| request.query("x-amz-checksum-mode"));
    let wants_checksum = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
    if record.encryption.needs_kms()
        && (!request.is_head() || wants_checksum)
        && shared.denies("kms:Decrypt", &record.key)
    {
        return Err(Code::AccessDenied.error());
    }
    conditions::check(record, request)?;
    if !request.is_head() && record.is_archived(Timestamp::now()) {
        return Err(archived(record));
    }

    let part = request.part_number()?;
    // HEAD states the size in the record, GET the number of bytes: a test may set them apart.
    let size = if request.is_head() { record.size } else { object.content.len() };
    let asked = select(request, record, part, size)?;
    let range = asked.unwrap_or(ByteRange::whole(size));

    let mut reply = Reply::empty(if asked.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    headers::object(&mut reply, record, shared);
    if shared.options.expiration_header {
        let by_rule = || lifecycle::expiration(store.buckets.get(&request.bucket)?, record);
        record.expiration.clone().or_else(by_rule).iter().for_each(|text| reply.set("x-amz-expiration", text));
    }
    if asked.is_some() {
        reply.set("content-range", format!("bytes {}-{}/{size}", range.start(), range.end().saturating_sub(1)));
    }
    if part.is_some() && record.is_multipart() {
        reply.set("x-amz-mp-parts-count", record.parts.len().to_string());
    }
    if wants_checksum {
        checksum(&mut reply, record, asked, part);
    }
    for name in OVERRIDES {
        if let Some(value) = request.query(&format!("response-{name}")) {
            reply.set(name, value);
        }
    }
    reply.len = range.len();
    if !request.is_head() {
        reply.frames = object.content.open()?.frames(range);
    }
    reply.served = Some(Served { record: record.clone(), range });
    Ok(reply)
}

/// The bytes asked for; `None` is the whole object under status 200.
fn select(
    request: &S3Request,
    record: &ObjectRecord,
    part: Option<u32>,
    size: u64,
) -> Result<Option<ByteRange>, S3Error> {
    let header = request.header("range");
    let Some(number) = part else {
        return match range::parse(header, size) {
            Asked::Whole => Ok(None),
            Asked::Part(range) => Ok(Some(range)),
            Asked::Unsatisfiable => {
                Err(Code::InvalidRange.error().header("content-range", format!("bytes */{size}")).with(|detail| {
                    detail.range_requested = header.map(str::to_owned);
                    detail.actual_object_size = Some(size);
                }))
            }
        };
    };
    if header.is_some() {
        return Err(Code::InvalidRequest.because("Cannot specify both Range header and partNumber query parameter"));
    }
    let (start, len) = record.part_range(number).ok_or_else(|| Code::InvalidPartNumber.error())?;
    let range = ByteRange::new(start, start.saturating_add(len).min(size));
    // No Content-Range can describe an empty part.
    Ok(range.filter(|range| !range.is_empty()))
}

/// The whole object's checksum when the whole was asked for; a part's own
/// when exactly that part was, and only if the parts were digested singly.
fn checksum(reply: &mut Reply, record: &ObjectRecord, asked: Option<ByteRange>, part: Option<u32>) {
    let Some(stored) = &record.checksum else { return };
    let value = match (asked, stored.kind) {
        (None, _) => Some(stored.header_value(record.parts.len())),
        (Some(range), ChecksumType::Composite) => {
            let exact = |number| record.part_range(number) == Some((range.start(), range.len()));
            record.parts.iter().find(|part| exact(part.number)).and_then(|part| part.checksum.clone())
        }
        (Some(_), ChecksumType::FullObject) if part.is_some() && !record.is_multipart() => Some(stored.value.clone()),
        (Some(_), ChecksumType::FullObject) => None,
    };
    if let Some(value) = value {
        reply.set(stored.algorithm.header().as_str(), value);
        reply.set("x-amz-checksum-type", stored.kind.name());
    }
}

fn archived(record: &ObjectRecord) -> S3Error {
    Code::InvalidObjectState.error().with(|detail| {
        detail.storage_class = Some(record.storage_class.clone());
        detail.access_tier = record.archive_status.clone();
    })
}
