use http::StatusCode;
use jiff::Timestamp;

use super::super::{Job, draft, headers, put};
use crate::checksum::Algorithm;
use crate::record::Encryption;
use crate::shared::Shared;
use crate::store::UploadedPart;
use crate::wire::{Code, Ingested, Reply, S3Error, S3Request};

/// UploadPart.
pub(in crate::ops) async fn upload_part(job: Job<'_>) -> Result<Reply, S3Error> {
    let Job { shared, request, body } = job;
    let kept = upload_algorithm(shared, request)?;
    let client = draft::client_algorithm(request);
    let arrived = put::receive(shared, request, body, &[client, kept]).await?;
    let shown = client.and_then(|algorithm| Some((algorithm, arrived.digest(algorithm)?.to_vec())));
    let (part, encryption) = keep_part(shared, request, arrived)?;
    let mut reply = Reply::empty(StatusCode::OK).header("etag", format!("\"{}\"", part.etag));
    headers::encryption(&mut reply, &encryption);
    if let Some((algorithm, digest)) = shown {
        use base64::Engine as _;
        let value = base64::engine::general_purpose::STANDARD.encode(digest);
        reply.set(algorithm.header().as_str(), value);
    }
    Ok(reply)
}

/// The algorithm parts must be digested with, after the request was held
/// against the upload it names.
pub(in crate::ops) fn upload_algorithm(shared: &Shared, request: &S3Request) -> Result<Option<Algorithm>, S3Error> {
    if request.part_number()?.is_none() {
        return Err(Code::InvalidArgument.because("Part number must be an integer between 1 and 10000, inclusive"));
    }
    let mut store = shared.store();
    let upload = super::find(&mut store, request)?;
    let algorithm = upload.checksum.map(|(algorithm, _)| algorithm);
    if let (true, Some(expected), Some(actual)) = (upload.checksum_chosen, algorithm, draft::client_algorithm(request))
        && expected != actual
    {
        return Err(Code::InvalidRequest.because(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_lowercase(),
            actual.name().to_lowercase()
        )));
    }
    Ok(algorithm)
}

pub(in crate::ops) fn keep_part(
    shared: &Shared,
    request: &S3Request,
    arrived: Ingested,
) -> Result<(UploadedPart, Encryption), S3Error> {
    let number = request.part_number()?.unwrap_or_default();
    let mut store = shared.store();
    let upload = super::find(&mut store, request)?;
    let encryption = upload.draft.encryption.clone();
    let digest = upload.checksum.and_then(|(algorithm, _)| arrived.digest(algorithm).map(<[u8]>::to_vec));
    let part = UploadedPart {
        size: arrived.size,
        etag: draft::etag(&arrived.md5, &encryption),
        digest,
        last_modified: Timestamp::now(),
        source: arrived.source,
    };
    if let Some(replaced) = upload.parts.insert(number, part.clone()) {
        replaced.source.delete_file()?;
    }
    Ok((part, encryption))
}
