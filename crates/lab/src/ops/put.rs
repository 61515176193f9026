use std::sync::Arc;

use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;

use super::{Job, conditions, draft, headers, lookup};
use crate::checksum::{Algorithm, ChecksumType, StoredChecksum, not_an_md5};
use crate::content::{ChecksumChoice, Content, PartSizes, Source, Synthetic, SyntheticSpec};
use crate::record::ObjectRecord;
use crate::shared::Shared;
use crate::store::Object;
use crate::wire::{Arrival, Code, Ingested, Reply, S3Error, S3Request, ingest};
use stored_ami_core::units::ByteSize;

/// PutObject.
pub(super) async fn put(job: Job<'_>) -> Result<Reply, S3Error> {
    let Job { shared, request, body } = job;
    let mut record = draft::record(shared, request)?;
    if let Some(text) = request.header("x-lab-synthesize") {
        let spec = synthetic_spec(text)
            .ok_or_else(|| Code::InvalidArgument.because("x-lab-synthesize: size=…,part=…,seed=…,checksum=…"))?;
        let bucket = request.bucket.clone();
        let record = synthesize(shared, &bucket, record, spec).await?;
        return Ok(stored(&record));
    }
    write_conditions(shared, request)?;
    let client = draft::client_algorithm(request);
    let kept = if draft::no_checksum(shared, request, client.is_some()) {
        None
    } else {
        Some(client.unwrap_or(Algorithm::Crc64Nvme))
    };
    let arrived = receive(shared, request, body, &[client, kept]).await?;
    record.size = arrived.size;
    record.etag = draft::etag(&arrived.md5, &record.encryption);
    record.checksum = kept.and_then(|algorithm| Some(StoredChecksum::full(algorithm, arrived.digest(algorithm)?)));
    write_conditions(shared, request)?;
    let object = Object { record: record.clone(), content: Content::new(arrived.source) };
    shared.store().place(&request.bucket, object)?;
    Ok(stored(&record))
}

/// Reads the body of a request and compares it with the client's checksums.
pub(super) async fn receive(
    shared: &Shared,
    request: &S3Request,
    body: &mut Incoming,
    algorithms: &[Option<Algorithm>],
) -> Result<Ingested, S3Error> {
    let announced = request.header("x-amz-sdk-checksum-algorithm").is_some();
    if announced && !draft::sends_checksum(request) {
        return Err(Code::InvalidRequest.because(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were \
             found.",
        ));
    }
    let mut algorithms: Vec<Algorithm> = algorithms.iter().copied().flatten().collect();
    algorithms.sort();
    algorithms.dedup();
    let streaming = request.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let encoded = request.header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
    let file = shared.store().folder.as_ref().map(|folder| folder.incoming());
    let frames = body.into_data_stream().map(|frame| frame);
    let arrival = Arrival { file, aws_chunked: streaming || encoded, algorithms };
    let arrived = ingest(frames, arrival).await?;
    arrived.check(request)?;
    Ok(arrived)
}

/// `If-None-Match: *` and `If-Match` guard an upload against overwriting.
pub(super) fn write_conditions(shared: &Shared, request: &S3Request) -> Result<(), S3Error> {
    let store = shared.store();
    let bucket = lookup::bucket(&store, &request.bucket)?;
    if request.header("if-none-match") == Some("*") && bucket.holds(&request.key) {
        return Err(conditions::failed("If-None-Match"));
    }
    if let Some(etags) = request.header("if-match") {
        let object = lookup::find(&store, shared, &request.bucket, &request.key, None)?;
        if !conditions::matches(etags, &object.record.etag) {
            return Err(conditions::failed("If-Match"));
        }
    }
    Ok(())
}

/// The answer to a write.
fn stored(record: &ObjectRecord) -> Reply {
    let mut reply = Reply::empty(http::StatusCode::OK).header("etag", format!("\"{}\"", record.etag));
    headers::version(&mut reply, record);
    headers::encryption(&mut reply, &record.encryption);
    if let Some(stored) = &record.checksum {
        reply.set(stored.algorithm.header().as_str(), stored.header_value(record.parts.len()));
        reply.set("x-amz-checksum-type", stored.kind.name());
    }
    reply
}

/// Stores an object whose bytes are generated when they are read.
async fn synthesize(
    shared: &Arc<Shared>,
    bucket: &str,
    mut record: ObjectRecord,
    spec: SyntheticSpec,
) -> Result<ObjectRecord, S3Error> {
    record.size = spec.size;
    let made = tokio::task::spawn_blocking(move || {
        let synthetic = Synthetic::new(spec)?;
        let facts = synthetic.facts()?;
        Ok((synthetic, facts))
    });
    let (synthetic, facts) = made
        .await
        .map_err(std::io::Error::other)?
        .map_err(|error: crate::content::SyntheticError| Code::InvalidArgument.because(error.to_string()))?;
    record.etag = facts.etag;
    record.parts = facts.parts;
    record.checksum = facts.checksum;
    let content = Content::new(Source::Synthetic(Arc::new(synthetic)));
    shared.store().place(bucket, Object { record: record.clone(), content })?;
    Ok(record)
}

/// Stores a synthetic object for a caller in this process.
pub(crate) async fn synthesize_at(
    shared: &Arc<Shared>,
    bucket: &str,
    key: &str,
    spec: SyntheticSpec,
) -> Result<ObjectRecord, S3Error> {
    let mut request = S3Request::unreadable(http::Method::PUT);
    request.bucket = bucket.to_owned();
    request.key = key.to_owned();
    let record = draft::record(shared, &request)?;
    synthesize(shared, bucket, record, spec).await
}

/// Replaces the object by other bytes, with another ETag and no checksum.
pub(crate) fn replace(shared: &Shared, request: &S3Request) -> Result<(), S3Error> {
    let mut store = shared.store();
    let mut object = lookup::find(&store, shared, &request.bucket, &request.key, None)?.clone();
    // Answers in progress continue to read the old bytes.
    if let (Source::File { path, .. }, Some(folder)) = (&mut object.content.source, &store.folder) {
        let copy = folder.incoming();
        std::fs::copy(&*path, &copy)?;
        *path = copy;
    }
    object.content.damage(0, 0xFF)?;
    object.record.etag = not_an_md5(object.record.etag.as_bytes(), "replaced");
    object.record.last_modified = Timestamp::now();
    object.record.checksum = None;
    object.record.parts.clear();
    if object.record.version_id != "null" {
        object.record.version_id = shared.fresh_id();
    }
    Ok(store.place(&request.bucket, object)?)
}

/// `size=100GiB,part=64MiB,seed=1,checksum=crc64nvme`; a checksum may be
/// `none` or end in `/full` or `/composite`. Without `part` it is a plain PUT.
fn synthetic_spec(text: &str) -> Option<SyntheticSpec> {
    let mut spec = SyntheticSpec {
        size: 0,
        parts: PartSizes::None,
        seed: 0,
        checksum: ChecksumChoice::Default(Algorithm::Crc64Nvme),
    };
    for field in text.split(',') {
        let (name, value) = field.trim().split_once('=')?;
        match name {
            "size" => spec.size = value.parse::<ByteSize>().ok()?.0,
            "part" => spec.parts = PartSizes::Uniform(value.parse::<ByteSize>().ok()?.0),
            "seed" => spec.seed = value.parse().ok()?,
            "checksum" if value == "none" => spec.checksum = ChecksumChoice::None,
            "checksum" => {
                spec.checksum = match value.split_once('/') {
                    None => ChecksumChoice::Default(Algorithm::from_name(value)?),
                    Some((name, "full")) => {
                        ChecksumChoice::Typed(Algorithm::from_name(name)?, ChecksumType::FullObject)
                    }
                    Some((name, "composite")) => {
                        ChecksumChoice::Typed(Algorithm::from_name(name)?, ChecksumType::Composite)
                    }
                    Some(_) => return None,
                };
            }
            _ => return None,
        }
    }
    Some(spec)
}
