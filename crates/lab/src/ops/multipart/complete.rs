use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::elements::ChecksumElements;
use super::super::{headers, put};
use super::{assemble, no_such_upload};
use crate::checksum::{self, Algorithm, ChecksumType, StoredChecksum};
use crate::content::Content;
use crate::record::PartRecord;
use crate::shared::Shared;
use crate::store::{Object, Upload, UploadedPart};
use crate::wire::xml::{self, Namespace};
use crate::wire::{Code, Reply, S3Error, S3Request};

#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "Part", default)]
    parts: Vec<WantedPart>,
}

/// The elements of `<Part>` by their names: a number, an ETag, and perhaps
/// one of ten checksums.
type WantedPart = BTreeMap<String, String>;

struct Asked<'a> {
    number: u32,
    etag: &'a str,
    checksums: &'a WantedPart,
}

impl<'a> Asked<'a> {
    fn read(part: &'a WantedPart) -> Option<Self> {
        let number = part.get("PartNumber")?.parse().ok()?;
        Some(Asked { number, etag: part.get("ETag")?, checksums: part })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Completed<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    location: String,
    bucket: &'a str,
    key: &'a str,
    #[serde(rename = "ETag", serialize_with = "xml::quoted")]
    etag: &'a str,
    #[serde(flatten)]
    checksum: ChecksumElements,
}

/// CompleteMultipartUpload.
pub(in crate::ops) async fn complete(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let wanted: Wanted = xml::read(body)?;
    let wanted: Option<Vec<Asked<'_>>> = wanted.parts.iter().map(Asked::read).collect();
    let wanted = wanted.ok_or_else(|| Code::MalformedXml.error())?;
    let (record, chosen) = {
        let mut store = shared.store();
        let upload = super::find(&mut store, request)?;
        let chosen = choose(upload, &wanted, shared.options.min_part_bytes)?;
        let checksum = object_checksum(upload, &chosen)?;
        check_totals(request, &chosen, checksum.as_ref())?;
        let mut record = upload.draft.clone();
        record.last_modified = jiff::Timestamp::now();
        record.size = chosen.iter().map(|(_, part)| part.size).sum();
        record.etag = checksum::multipart_etag(chosen.iter().map(|(_, part)| part.etag.as_str()));
        record.checksum = checksum;
        record.parts = chosen.iter().map(|(number, part)| part_record(*number, part)).collect();
        (record, chosen)
    };
    put::write_conditions(shared, request)?;
    let sources = chosen.into_iter().map(|(_, part)| part.source).collect();
    let source = assemble::assemble(sources).await?;
    let object = Object { record: record.clone(), content: Content::new(source) };
    {
        let mut store = shared.store();
        let id = request.query("uploadId").unwrap_or_default();
        let bucket = store.buckets.get_mut(&request.bucket).ok_or_else(|| no_such_upload(request))?;
        let upload = bucket.uploads.remove(id).ok_or_else(|| no_such_upload(request))?;
        store.place(&request.bucket, object)?;
        for part in upload.parts.into_values() {
            part.source.delete_file()?;
        }
    }
    let document = Completed {
        xmlns: Namespace,
        location: format!("/{}/{}", request.bucket, request.key),
        bucket: &request.bucket,
        key: &request.key,
        etag: &record.etag,
        checksum: record
            .checksum
            .as_ref()
            .map(|stored| ChecksumElements::with_count(stored, record.parts.len()))
            .unwrap_or_default(),
    };
    let mut reply = Reply::xml("CompleteMultipartUploadResult", &document)?;
    headers::version(&mut reply, &record);
    headers::encryption(&mut reply, &record.encryption);
    Ok(reply)
}

/// The uploaded parts that a client lists, in its order, each compared with what
/// the client states.
fn choose(upload: &Upload, wanted: &[Asked<'_>], min: u64) -> Result<Vec<(u32, UploadedPart)>, S3Error> {
    if wanted.is_empty() {
        return Err(Code::MalformedXml.error());
    }
    if wanted.is_sorted_by(|a, b| a.number < b.number) {
        let composite = matches!(upload.checksum, Some((_, ChecksumType::Composite)));
        if composite && !wanted.iter().zip(1..).all(|(part, number)| part.number == number) {
            return Err(Code::InternalError.because("Composite checksums need consecutive part numbers from 1"));
        }
    } else {
        return Err(Code::InvalidPartOrder.error());
    }
    let mut chosen = Vec::with_capacity(wanted.len());
    for (index, asked) in wanted.iter().enumerate() {
        let part = upload.parts.get(&asked.number).ok_or_else(|| Code::InvalidPart.error())?;
        let same = asked.etag.trim_matches('"') == part.etag && checksum_agrees(upload, asked, part);
        if !same {
            return Err(Code::InvalidPart.error());
        }
        if part.size < min && index + 1 < wanted.len() {
            return Err(Code::EntityTooSmall.error());
        }
        chosen.push((asked.number, part.clone()));
    }
    Ok(chosen)
}

fn checksum_agrees(upload: &Upload, asked: &Asked<'_>, part: &UploadedPart) -> bool {
    let Some((algorithm, _)) = upload.checksum else { return true };
    match (asked.checksums.get(algorithm.element()), &part.digest) {
        (Some(value), Some(digest)) => *value == STANDARD.encode(digest),
        _ => true,
    }
}

fn object_checksum(upload: &Upload, chosen: &[(u32, UploadedPart)]) -> Result<Option<StoredChecksum>, S3Error> {
    let Some((algorithm, kind)) = upload.checksum else { return Ok(None) };
    let parts: Option<Vec<(Vec<u8>, u64)>> =
        chosen.iter().map(|(_, part)| Some((part.digest.clone()?, part.size))).collect();
    let stored = parts.and_then(|parts| checksum::from_parts(algorithm, kind, &parts));
    stored.map(Some).ok_or_else(|| Code::InternalError.error())
}

/// Compares the whole object with what the client states.
fn check_totals(
    request: &S3Request,
    chosen: &[(u32, UploadedPart)],
    stored: Option<&StoredChecksum>,
) -> Result<(), S3Error> {
    let size: u64 = chosen.iter().map(|(_, part)| part.size).sum();
    if let Some(expected) = request.header("x-amz-mp-object-size")
        && expected.parse() != Ok(size)
    {
        return Err(Code::InvalidRequest
            .because("The provided 'x-amz-mp-object-size' header does not match what was computed."));
    }
    let Some(stored) = stored else { return Ok(()) };
    let given = Algorithm::ALL.into_iter().find_map(|algorithm| {
        let value = request.header(algorithm.header().as_str())?;
        Some((algorithm, value.split_once('-').map_or(value, |(value, _)| value)))
    });
    match given {
        Some((algorithm, value)) if (algorithm, value) != (stored.algorithm, stored.value.as_str()) => {
            Err(Code::BadDigest.because(format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.name().to_lowercase()
            )))
        }
        _ => Ok(()),
    }
}

fn part_record(number: u32, part: &UploadedPart) -> PartRecord {
    let checksum = part.digest.as_ref().map(|digest| STANDARD.encode(digest));
    PartRecord { number, size: part.size, etag: part.etag.clone(), checksum }
}
