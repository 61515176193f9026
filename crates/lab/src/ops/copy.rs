use serde::Serialize;

use super::elements::ChecksumElements;
use super::{Job, conditions, draft, headers, lookup, multipart};
use crate::checksum::{Algorithm, StoredChecksum};
use crate::content::{Content, Reader};
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::store::Object;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Arrival, Code, Ingested, Reply, S3Error, S3Request, dates, ingest, percent, range};
use stored_ami_core::units::{ByteRange, GIB};

/// Most bytes one CopyObject or UploadPartCopy may copy (S3 User Guide,
/// *multipart upload limits*).
const LONGEST_COPY: u64 = 5 * GIB;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Copied<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    #[serde(rename = "ETag", serialize_with = "xml::quoted")]
    etag: &'a str,
    last_modified: String,
    #[serde(flatten)]
    checksum: ChecksumElements,
}

/// The object a copy reads from, opened.
struct Origin {
    record: ObjectRecord,
    reader: Reader,
}

fn origin(shared: &Shared, request: &S3Request) -> Result<Origin, S3Error> {
    let text = request.header("x-amz-copy-source").unwrap_or_default();
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (text, None),
    };
    let path = String::from_utf8_lossy(&percent::decode(path)).into_owned();
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .ok_or_else(|| Code::InvalidArgument.because("Copy Source must mention the source bucket and key"))?;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    if shared.denies(action, key) {
        return Err(Code::AccessDenied.error());
    }
    let store = shared.store();
    let object = lookup::find(&store, shared, bucket, key, version)?;
    let wanted = request.header("x-amz-copy-source-if-match");
    if wanted.is_some_and(|etags| !conditions::matches(etags, &object.record.etag)) {
        return Err(conditions::failed("x-amz-copy-source-If-Match"));
    }
    lookup::check_source_key(&object.record, request)?;
    if object.record.is_archived(jiff::Timestamp::now()) {
        return Err(Code::InvalidObjectState.error());
    }
    Ok(Origin { record: object.record.clone(), reader: object.content.open()? })
}

async fn read(
    shared: &Shared,
    reader: Reader,
    range: ByteRange,
    algorithm: Option<Algorithm>,
) -> Result<Ingested, S3Error> {
    if range.len() > LONGEST_COPY {
        return Err(Code::InvalidRequest.because(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }
    let file = shared.store().folder.as_ref().map(|folder| folder.incoming());
    let algorithms = algorithm.into_iter().collect();
    ingest(reader.frames(range), Arrival { file, aws_chunked: false, algorithms }).await
}

/// CopyObject: the bytes written anew as one object, whatever parts they had.
pub(super) async fn object(job: Job<'_>) -> Result<Reply, S3Error> {
    let Job { shared, request, .. } = job;
    let Origin { record: source, reader } = origin(shared, request)?;
    let mut record = draft::record(shared, request)?;
    if request.header("x-amz-metadata-directive") != Some("REPLACE") {
        record.metadata = source.metadata.clone();
        record.headers = source.headers.clone();
    }
    if request.header("x-amz-tagging-directive") != Some("REPLACE") {
        record.tags = source.tags.clone();
    }
    let named = request.header("x-amz-checksum-algorithm").and_then(Algorithm::from_name);
    let algorithm = named.or(source.checksum.as_ref().map(|stored| stored.algorithm));
    let algorithm = if draft::no_checksum(shared, request, algorithm.is_some()) {
        None
    } else {
        Some(algorithm.unwrap_or(Algorithm::Crc64Nvme))
    };
    let arrived = read(shared, reader, ByteRange::whole(source.size), algorithm).await?;
    record.size = arrived.size;
    record.etag = draft::etag(&arrived.md5, &record.encryption);
    record.checksum = algorithm.and_then(|algorithm| Some(StoredChecksum::full(algorithm, arrived.digest(algorithm)?)));
    let checksum = record.checksum.as_ref().map(ChecksumElements::bare).unwrap_or_default();
    let document =
        Copied { xmlns: Namespace, etag: &record.etag, last_modified: dates::iso(record.last_modified), checksum };
    let mut reply = Reply::xml("CopyObjectResult", &document)?;
    headers::version(&mut reply, &record);
    headers::encryption(&mut reply, &record.encryption);
    if source.version_id != "null" {
        reply.set("x-amz-copy-source-version-id", &source.version_id);
    }
    shared.store().place(&request.bucket, Object { record, content: Content::new(arrived.source) })?;
    Ok(reply)
}

/// UploadPartCopy.
pub(super) async fn part(job: Job<'_>) -> Result<Reply, S3Error> {
    let Job { shared, request, .. } = job;
    // Ceph refuses such a request; S3 documents the error for all requests.
    if request.header("content-length").is_none() {
        return Err(Code::MissingContentLength.error());
    }
    let algorithm = multipart::upload_algorithm(shared, request)?;
    let Origin { record: source, reader } = origin(shared, request)?;
    let range = match request.header("x-amz-copy-source-range") {
        None => ByteRange::whole(source.size),
        Some(text) => match range::parse(Some(text), source.size) {
            range::Asked::Part(range) => range,
            _ => {
                return Err(Code::InvalidArgument
                    .because("The x-amz-copy-source-range value must be of the form bytes=first-last"));
            }
        },
    };
    let arrived = read(shared, reader, range, algorithm).await?;
    let (part, encryption) = multipart::keep_part(shared, request, arrived)?;
    let checksum = match (algorithm, part.digest) {
        (Some(algorithm), Some(digest)) => ChecksumElements::bare(&StoredChecksum::full(algorithm, &digest)),
        _ => ChecksumElements::default(),
    };
    let document = Copied {
        xmlns: Namespace,
        etag: &part.etag,
        last_modified: dates::iso(part.last_modified),
        checksum: checksum.without_type(),
    };
    let mut reply = Reply::xml("CopyPartResult", &document)?;
    headers::encryption(&mut reply, &encryption);
    Ok(reply)
}
