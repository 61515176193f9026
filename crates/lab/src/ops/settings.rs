//! Settings of a bucket.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::lookup;
use crate::shared::Shared;
use crate::wire::xml::{self, Namespace};
use crate::wire::{Code, Reply, S3Error, S3Request};

#[derive(Serialize)]
struct Location<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    #[serde(rename = "$text", skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

/// GetBucketLocation; its answer is empty for us-east-1.
pub(super) fn location(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let region = lookup::bucket(&store, &request.bucket)?.region.as_str();
    let document = Location { xmlns: Namespace, region: Some(region).filter(|region| *region != "us-east-1") };
    Reply::subresource("LocationConstraint", &document)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encryption {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    rule: EncryptionRule,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionRule {
    apply_server_side_encryption_by_default: DefaultEncryption,
    bucket_key_enabled: bool,
}

#[derive(Serialize)]
struct DefaultEncryption {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: &'static str,
    #[serde(rename = "KMSMasterKeyID", skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// GetBucketEncryption: S3's default of every bucket, unless it has a key.
pub(super) fn encryption(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let key = lookup::bucket(&shared.store(), &request.bucket)?.options.kms_key.clone();
    let algorithm = if key.is_some() { "aws:kms" } else { "AES256" };
    let rule = EncryptionRule {
        apply_server_side_encryption_by_default: DefaultEncryption { algorithm, key },
        bucket_key_enabled: false,
    };
    Reply::subresource("ServerSideEncryptionConfiguration", &Encryption { xmlns: Namespace, rule })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublicAccess {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

/// GetPublicAccessBlock: all on for private buckets, off for the others.
pub(super) fn public_access(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let on = lookup::bucket(&store, &request.bucket)?.options.private;
    let document = PublicAccess {
        xmlns: Namespace,
        block_public_acls: on,
        ignore_public_acls: on,
        block_public_policy: on,
        restrict_public_buckets: on,
    };
    Reply::subresource("PublicAccessBlockConfiguration", &document)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RequestPayment {
    #[serde(rename = "@xmlns", skip_deserializing)]
    xmlns: Namespace,
    payer: String,
}

/// GetBucketRequestPayment.
pub(super) fn request_payment(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let pays = lookup::bucket(&store, &request.bucket)?.options.requester_pays;
    let payer = if pays { "Requester" } else { "BucketOwner" }.to_owned();
    Reply::subresource("RequestPaymentConfiguration", &RequestPayment { xmlns: Namespace, payer })
}

/// PutBucketRequestPayment.
pub(super) fn put_request_payment(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    let pays = match xml::read::<RequestPayment>(body)?.payer.as_str() {
        "Requester" => true,
        "BucketOwner" => false,
        _ => return Err(Code::MalformedXml.error()),
    };
    shared.store().change_bucket(&request.bucket, |bucket| bucket.options.requester_pays = pays)?;
    Ok(Reply::empty(StatusCode::OK))
}
