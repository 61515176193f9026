//! S3 Control: jobs of S3 Batch Operations that compute checksums.

mod outcome;
mod report;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};

use super::action::Action;
use super::fault::Fault;
use super::jobs::{ControlError, CreateJob, created};
use super::operation::Operation;
use super::shared::Shared;
use super::wire::{Reply, S3Request};
use crate::sync::lock;

/// The version of the API, which begins its paths.
const VERSION: &str = "v20180820";

/// Whether a request is for S3 Control: its paths could also name a bucket.
pub(crate) fn is_meant(request: &S3Request) -> bool {
    request.bucket == VERSION && request.header("x-amz-account-id").is_some()
}

/// What a request asks for, and of which job.
fn call(request: &S3Request) -> Option<(Action, &str)> {
    let path: Vec<&str> = request.key.split('/').collect();
    match (&request.method, path.as_slice()) {
        (&Method::POST, ["jobs"]) => Some((Action::CreateJob, "")),
        (&Method::GET, ["jobs"]) => Some((Action::ListJobs, "")),
        (&Method::GET, ["jobs", id]) => Some((Action::DescribeJob, id)),
        (&Method::POST, ["jobs", id, "status"]) => Some((Action::UpdateJobStatus, id)),
        _ => None,
    }
}

/// The operation of a request to S3 Control.
pub(crate) fn operation(request: &S3Request) -> Operation {
    call(request).map_or(Operation::Unknown, |(action, _)| Operation::Service(action))
}

/// Answers a request to S3 Control.
pub(crate) async fn answer(shared: &Arc<Shared>, request: &S3Request, body: &[u8], fault: Option<&Fault>) -> Reply {
    let result = match fault {
        Some(Fault::Status { status, code }) => {
            Err(ControlError::new(code, "This answer comes from a script of the lab.").with_status(*status))
        }
        // This answer is not sent.
        Some(Fault::Dropped) => carry_out(shared, request, body).await.map(|_| String::new()),
        _ => carry_out(shared, request, body).await,
    };
    let (status, text) = match result {
        Ok(text) => (200, text),
        Err(error) => (error.status, error.text()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::bytes(status, Bytes::from(text)).header("content-type", "application/xml")
}

async fn carry_out(shared: &Arc<Shared>, request: &S3Request, body: &[u8]) -> Result<String, ControlError> {
    let (access_key, _) = request.credential().unwrap_or_default();
    if access_key.starts_with("EXPIRED") {
        let message = "The security token included in the request is expired";
        return Err(ControlError::new("ExpiredToken", message).with_status(403));
    }
    let (action, id) =
        call(request).ok_or_else(|| ControlError::new("NoSuchOperation", "No such operation.").with_status(404))?;
    let is_ours = request.header("x-amz-account-id") == Some(shared.options.account.as_str());
    if !is_ours || shared.denies(action.iam(), "") {
        return Err(ControlError::new("AccessDenied", "Access Denied").with_status(403));
    }
    match action {
        Action::CreateJob => create(shared, body),
        Action::ListJobs => Ok(lock(&shared.jobs).list()),
        Action::UpdateJobStatus => {
            let wanted = request.query("requestedJobStatus").unwrap_or_default();
            lock(&shared.jobs).update(id, wanted)
        }
        _ => {
            outcome::step(shared, id).await;
            lock(&shared.jobs).describe(id)
        }
    }
}

fn create(shared: &Shared, body: &[u8]) -> Result<String, ControlError> {
    let request = CreateJob::read(body)?;
    let hex = shared.fresh_id();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let id = format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32));
    let id = lock(&shared.jobs).create(id, request)?;
    Ok(created(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_calls() {
        for (method, uri, action, id) in [
            (Method::POST, "/v20180820/jobs", Action::CreateJob, ""),
            (Method::GET, "/v20180820/jobs?maxResults=1", Action::ListJobs, ""),
            (Method::GET, "/v20180820/jobs/j-1", Action::DescribeJob, "j-1"),
            (Method::POST, "/v20180820/jobs/j-1/status?requestedJobStatus=Cancelled", Action::UpdateJobStatus, "j-1"),
        ] {
            let mut headers = http::HeaderMap::new();
            let plain = S3Request::parse(&method, &uri.parse().unwrap(), headers.clone()).unwrap();
            assert!(!is_meant(&plain), "a bucket of that name");
            headers.insert("x-amz-account-id", "123456789012".parse().unwrap());
            let request = S3Request::parse(&method, &uri.parse().unwrap(), headers).unwrap();
            assert!(is_meant(&request));
            assert_eq!(call(&request), Some((action, id)), "{uri}");
        }
    }
}
