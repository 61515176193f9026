use super::operation::Operation as Op;
use super::ops::no_such_bucket;
use super::presigned;
use super::shared::Shared;
use super::wire::{Code, S3Error, S3Request};

/// Everything that is checked before an operation looks at keys. Signatures
/// are not verified; only the Region they are scoped to is read.
pub(crate) fn check(shared: &Shared, request: &S3Request) -> Result<(), S3Error> {
    let credential = request.credential();
    if credential.is_some_and(|(access_key, _)| access_key.starts_with("EXPIRED")) {
        return Err(Code::ExpiredToken.error());
    }
    presigned::check(request)?;
    let bucketless = matches!(request.operation, Op::ListBuckets | Op::CreateBucket | Op::Service(_) | Op::Unknown);
    if !bucketless {
        bucket(shared, request, credential)?;
    }
    let versioned = request.version_id().is_some();
    let by_headers = request.operation.actions_of_headers(|name| request.header(name).is_some());
    let denied = |action: &&str| shared.denies(action, &request.key);
    if request.operation.actions(versioned).iter().chain(&by_headers).any(denied) || lacks(shared, request) {
        return Err(access_denied(shared, request));
    }
    Ok(())
}

/// Whether a write lacks the header that the policy of the bucket demands.
fn lacks(shared: &Shared, request: &S3Request) -> bool {
    let store = shared.store();
    let demands = store.buckets.get(&request.bucket).and_then(|bucket| bucket.options.demands.as_ref());
    demands.is_some_and(|(name, value)| request.operation.writes_properties() && request.header(name) != Some(value))
}

fn bucket(shared: &Shared, request: &S3Request, credential: Option<(&str, Option<&str>)>) -> Result<(), S3Error> {
    let store = shared.store();
    let bucket = store.buckets.get(&request.bucket).ok_or_else(|| no_such_bucket(&request.bucket))?;
    let signed_for = credential.and_then(|(_, region)| region);
    if request.operation != Op::GetBucketLocation && signed_for.is_some_and(|region| region != bucket.region) {
        let region = bucket.region.clone();
        return Err(Code::PermanentRedirect.error().header("x-amz-bucket-region", region.clone()).with(|detail| {
            detail.endpoint = Some(format!("{}.s3.{region}.amazonaws.com", request.bucket));
            detail.bucket = Some(request.bucket.clone());
            detail.region = Some(region);
        }));
    }
    let other_owner =
        request.header("x-amz-expected-bucket-owner").is_some_and(|owner| owner != shared.options.account);
    let anonymous = bucket.options.private && credential.is_none();
    let unpaid = bucket.options.requester_pays
        && matches!(request.operation, Op::GetObject | Op::HeadObject | Op::GetObjectAttributes)
        && request.header("x-amz-request-payer") != Some("requester");
    if other_owner || anonymous || unpaid {
        return Err(Code::AccessDenied.error());
    }
    Ok(())
}

/// HeadBucket tells a bucket's Region also to those it refuses.
fn access_denied(shared: &Shared, request: &S3Request) -> S3Error {
    let error = Code::AccessDenied.error();
    let region = shared.store().buckets.get(&request.bucket).map(|bucket| bucket.region.clone());
    match (request.operation, region) {
        (Op::HeadBucket, Some(region)) => error.header("x-amz-bucket-region", region),
        _ => error,
    }
}
