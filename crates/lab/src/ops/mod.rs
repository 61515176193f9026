//! The operations of the S3 API, one file for each family.

mod access;
mod attributes;
mod buckets;
mod conditions;
mod copy;
mod delete;
mod draft;
mod elements;
mod headers;
mod lifecycle;
mod list;
mod lock;
mod lookup;
mod multipart;
mod put;
mod read;
mod restore;
mod settings;
mod tagging;
mod versions;

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

pub(crate) use delete::vanish;
pub(crate) use lookup::no_such_bucket;
pub(crate) use put::{replace, synthesize_at};

use super::operation::Operation as Op;
use super::shared::Shared;
use super::store::check_key;
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
    pub(crate) async fn small_body(&mut self) -> Result<Vec<u8>, S3Error> {
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

/// Operations whose request carries XML.
const WITH_XML: [Op; 10] = [
    Op::CompleteMultipartUpload,
    Op::CreateBucket,
    Op::DeleteObjects,
    Op::PutBucketLifecycleConfiguration,
    Op::PutBucketRequestPayment,
    Op::PutBucketVersioning,
    Op::PutObjectLegalHold,
    Op::PutObjectRetention,
    Op::PutObjectTagging,
    Op::RestoreObject,
];

pub(crate) async fn run(mut job: Job<'_>) -> Result<Reply, S3Error> {
    let (shared, request) = (job.shared, job.request);
    check_key(&request.key)?;
    let with_xml = WITH_XML.contains(&request.operation);
    let xml = if with_xml { job.small_body().await? } else { Vec::new() };
    match request.operation {
        Op::AbortMultipartUpload => multipart::abort(shared, request),
        Op::CompleteMultipartUpload => multipart::complete(shared, request, &xml).await,
        Op::CopyObject => copy::object(job).await,
        Op::CreateBucket => buckets::create(shared, request, &xml),
        Op::CreateMultipartUpload => multipart::create(shared, request),
        Op::DeleteBucket => buckets::delete(shared, request),
        Op::DeleteBucketLifecycle => lifecycle::delete(shared, request),
        Op::DeleteObject => delete::object(shared, request),
        Op::DeleteObjectTagging => tagging::delete(shared, request),
        Op::DeleteObjects => delete::objects(shared, request, &xml),
        Op::GetBucketAcl => access::acl(shared, request),
        Op::GetBucketEncryption => settings::encryption(shared, request),
        Op::GetBucketLifecycleConfiguration => lifecycle::get(shared, request),
        Op::GetBucketLocation => settings::location(shared, request),
        Op::GetBucketPolicyStatus => access::policy_status(shared, request),
        Op::GetBucketRequestPayment => settings::request_payment(shared, request),
        Op::GetBucketVersioning => versions::get(shared, request),
        Op::GetObject | Op::HeadObject => read::read(shared, request),
        Op::GetObjectAttributes => attributes::get(shared, request),
        Op::GetObjectLegalHold => lock::legal_hold(shared, request),
        Op::GetObjectLockConfiguration => access::lock_configuration(shared, request),
        Op::GetObjectRetention => lock::retention(shared, request),
        Op::GetObjectTagging => tagging::get(shared, request),
        Op::GetPublicAccessBlock => settings::public_access(shared, request),
        Op::HeadBucket => buckets::head(shared, request),
        Op::ListBuckets => buckets::list(shared),
        Op::ListMultipartUploads => multipart::uploads(shared, request),
        Op::ListObjectVersions => versions::list(shared, request),
        Op::ListObjectsV2 => list::objects(shared, request),
        Op::ListParts => multipart::parts(shared, request),
        Op::PutBucketLifecycleConfiguration => lifecycle::put(shared, request, &xml),
        Op::PutBucketRequestPayment => settings::put_request_payment(shared, request, &xml),
        Op::PutBucketVersioning => versions::put(shared, request, &xml),
        Op::PutObject => put::put(job).await,
        Op::PutObjectLegalHold => lock::put_legal_hold(shared, request, &xml),
        Op::PutObjectRetention => lock::put_retention(shared, request, &xml),
        Op::PutObjectTagging => tagging::put(shared, request, &xml),
        Op::RestoreObject => restore::restore(shared, request, &xml),
        Op::UploadPart => multipart::upload_part(job).await,
        Op::UploadPartCopy => copy::part(job).await,
        Op::Connect | Op::Service(_) | Op::Unknown => Err(Code::NotImplemented.error()),
    }
}

fn no_content() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}
