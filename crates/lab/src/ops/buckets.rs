use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{lookup, no_content};
use crate::shared::{ACCOUNT, Shared};
use crate::store::{Bucket, BucketOptions, check_bucket};
use crate::wire::xml::{self, Namespace};
use crate::wire::{Code, Reply, S3Error, S3Request, dates};

#[derive(Deserialize)]
struct Configuration {
    #[serde(rename = "LocationConstraint")]
    location: Option<String>,
}

/// CreateBucket.
pub(super) fn create(shared: &Shared, request: &S3Request, body: &[u8]) -> Result<Reply, S3Error> {
    check_bucket(&request.bucket)?;
    let mut store = shared.store();
    if store.buckets.contains_key(&request.bucket) {
        return Err(Code::BucketAlreadyOwnedByYou.error());
    }
    let region = if body.is_empty() { None } else { xml::read::<Configuration>(body)?.location };
    let options = BucketOptions { region, ..BucketOptions::default() };
    store.add_bucket(&request.bucket, Bucket::new(&shared.options.region, options, Timestamp::now()))?;
    Ok(Reply::empty(StatusCode::OK).header("location", format!("/{}", request.bucket)))
}

/// HeadBucket.
pub(super) fn head(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let store = shared.store();
    let bucket = lookup::bucket(&store, &request.bucket)?;
    Ok(Reply::empty(StatusCode::OK).header("x-amz-bucket-region", &bucket.region))
}

/// DeleteBucket.
pub(super) fn delete(shared: &Shared, request: &S3Request) -> Result<Reply, S3Error> {
    let mut store = shared.store();
    if !lookup::bucket(&store, &request.bucket)?.objects.is_empty() {
        return Err(Code::BucketNotEmpty.error());
    }
    store.remove_bucket(&request.bucket)?;
    Ok(no_content())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllMyBuckets {
    #[serde(rename = "@xmlns")]
    xmlns: Namespace,
    owner: Owner,
    buckets: Buckets,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Buckets {
    bucket: Vec<BucketEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BucketEntry {
    name: String,
    creation_date: String,
    bucket_region: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Owner {
    #[serde(rename = "ID")]
    id: &'static str,
    display_name: &'static str,
}

pub(super) const OWNER: Owner = Owner { id: ACCOUNT, display_name: "lab" };

/// ListBuckets.
pub(super) fn list(shared: &Shared) -> Result<Reply, S3Error> {
    let store = shared.store();
    let bucket = store
        .buckets
        .iter()
        .map(|(name, bucket)| BucketEntry {
            name: name.clone(),
            creation_date: dates::iso(bucket.created),
            bucket_region: bucket.region.clone(),
        })
        .collect();
    let document = AllMyBuckets { xmlns: Namespace, owner: OWNER, buckets: Buckets { bucket } };
    Reply::xml("ListAllMyBucketsResult", &document)
}
