//! The EBS direct APIs: the blocks of snapshots, read and written by REST and JSON.

mod change;
mod error;
mod read;

use std::sync::Arc;

use http::{Method, StatusCode};

use error::{BlockError, access_denied};

use super::action::Action;
use super::fault::Fault;
use super::operation::Operation;
use super::shared::Shared;
use super::wire::{Reply, S3Request};
use crate::ec2;

/// Whether a request is for EBS: its paths could also name a bucket `snapshots`.
pub(crate) fn is_meant(request: &S3Request) -> bool {
    request.service() == Some("ebs")
}

/// What a request asks for, and of which snapshot and block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Call<'a> {
    action: Action,
    snapshot: &'a str,
    block: Option<u32>,
}

fn call(request: &S3Request) -> Option<Call<'_>> {
    if request.bucket != "snapshots" {
        return None;
    }
    let mut path = request.key.split('/');
    let first = path.next().unwrap_or_default();
    let rest: Vec<&str> = path.collect();
    let of = |action, snapshot, block| Some(Call { action, snapshot, block });
    match (&request.method, first, &rest[..]) {
        (&Method::POST, "", []) => of(Action::StartSnapshot, "", None),
        (&Method::POST, "completion", [snapshot]) => of(Action::CompleteSnapshot, snapshot, None),
        (&Method::GET, snapshot, ["blocks"]) => of(Action::ListSnapshotBlocks, snapshot, None),
        (&Method::GET, snapshot, ["changedblocks"]) => of(Action::ListChangedBlocks, snapshot, None),
        (&Method::GET, snapshot, ["blocks", block]) => of(Action::GetSnapshotBlock, snapshot, block.parse().ok()),
        (&Method::PUT, snapshot, ["blocks", block]) => of(Action::PutSnapshotBlock, snapshot, block.parse().ok()),
        _ => None,
    }
}

/// The operation of a request to EBS.
pub(crate) fn operation(request: &S3Request) -> Operation {
    call(request).map_or(Operation::Unknown, |call| Operation::Service(call.action))
}

/// Answers a request to EBS.
pub(crate) fn answer(shared: &Arc<Shared>, request: &S3Request, body: &[u8], fault: Option<&Fault>) -> Reply {
    let result = match fault {
        Some(Fault::Status { status, code }) => Err(BlockError::scripted(*status, code)),
        // This answer is not sent.
        Some(Fault::Dropped) => Ok(Reply::empty(StatusCode::OK)),
        _ => carry_out(shared, request, body),
    };
    result.unwrap_or_else(|error| error.reply())
}

fn carry_out(shared: &Arc<Shared>, request: &S3Request, body: &[u8]) -> Result<Reply, BlockError> {
    let (access_key, region) = request.credential().unwrap_or_default();
    if access_key.starts_with("EXPIRED") {
        return Err(BlockError::new(
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ));
    }
    let region = region.unwrap_or(&shared.options.region);
    let call = call(request).ok_or_else(|| BlockError::new(404, "UnknownOperationException", "No such operation."))?;
    if shared.denies(call.action.iam(), call.snapshot) {
        return Err(access_denied(call.action.iam(), call.snapshot));
    }
    ec2::by_clock(shared);
    match call.action {
        Action::ListSnapshotBlocks => read::list(shared, region, request, call.snapshot),
        Action::ListChangedBlocks => read::changed(shared, region, request, call.snapshot),
        Action::GetSnapshotBlock => read::get(shared, region, request, (call.snapshot, call.block)),
        Action::StartSnapshot => change::start(shared, region, body),
        Action::PutSnapshotBlock => change::put(shared, region, request, (call.snapshot, call.block, body)),
        _ => change::complete(shared, region, request, call.snapshot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, uri: &str) -> S3Request {
        S3Request::parse(&method, &uri.parse().unwrap(), http::HeaderMap::new()).unwrap()
    }

    #[test]
    fn the_six_calls() {
        for (method, uri, action, block) in [
            (Method::POST, "/snapshots", Action::StartSnapshot, None),
            (Method::POST, "/snapshots/completion/snap-1", Action::CompleteSnapshot, None),
            (Method::GET, "/snapshots/snap-1/blocks?maxResults=100", Action::ListSnapshotBlocks, None),
            (Method::GET, "/snapshots/snap-1/changedblocks", Action::ListChangedBlocks, None),
            (Method::GET, "/snapshots/snap-1/blocks/7?blockToken=t", Action::GetSnapshotBlock, Some(7)),
            (Method::PUT, "/snapshots/snap-1/blocks/7", Action::PutSnapshotBlock, Some(7)),
        ] {
            let request = request(method, uri);
            let found = call(&request).unwrap();
            assert_eq!((found.action, found.block), (action, block), "{uri}");
        }
        assert_eq!(call(&request(Method::GET, "/archive/snap-1/blocks")), None);
    }
}
