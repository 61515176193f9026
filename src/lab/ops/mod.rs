//! The operations of the S3 API, one file for each family.

mod attributes;
mod buckets;
mod conditions;
mod draft;
mod elements;
mod headers;
mod lookup;
mod multipart;
mod put;
mod range;
mod read;

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

pub(crate) use lookup::no_such_bucket;
pub(crate) use put::{replace, synthesize_at};

use super::operation::Operation as Op;
use super::shared::Shared;
use super::wire::{Code, Reply, S3Error, S3Request};

/// One request on its way through an operation.
pub(crate) struct Job<'a> {
    pub shared: &'a Arc<Shared>,
    pub request: &'a S3Request,
    pub body: &'a mut Incoming,
}

/// Largest XML document a client may send: 10,000 parts with their checksums fit.
const LONGEST_XML: usize = 4 << 20;

impl Job<'_> {
    /// The whole body of a request that carries XML.
    pub async fn small_body(&mut self) -> Result<Vec<u8>, S3Error> {
        let mut body = Vec::new();
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Code::IncompleteBody.because(error.to_string()))?;
            if let Some(data) = frame.data_ref() {
                body.extend_from_slice(data);
            }
            if body.len() > LONGEST_XML {
                return Err(Code::MalformedXml.error());
            }
        }
        Ok(body)
    }
}

pub(crate) async fn run(mut job: Job<'_>) -> Result<Reply, S3Error> {
    let (shared, request) = (job.shared, job.request);
    match request.operation {
        Op::GetObject | Op::HeadObject => read::read(shared, request),
        Op::GetObjectAttributes => attributes::get(shared, request),
        Op::PutObject => put::put(job).await,
        Op::CreateMultipartUpload => multipart::create(shared, request),
        Op::UploadPart => multipart::upload_part(job).await,
        Op::CompleteMultipartUpload => {
            let body = job.small_body().await?;
            multipart::complete(shared, request, &body).await
        }
        Op::AbortMultipartUpload => multipart::abort(shared, request),
        Op::CreateBucket => {
            let body = job.small_body().await?;
            buckets::create(shared, request, &body)
        }
        Op::HeadBucket => buckets::head(shared, request),
        Op::ListBuckets => buckets::list(shared),
        Op::DeleteBucket => buckets::delete(shared, request),
        _ => Err(Code::NotImplemented.error()),
    }
}

fn no_content() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}
