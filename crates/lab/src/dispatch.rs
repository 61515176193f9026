use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, DATE, EXPECT, SERVER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;

use super::access;
use super::calls::CallRecord;
use super::control;
use super::ebs;
use super::ec2;
use super::fault::{self, Fault, Seen};
use super::local;
use super::ops::{self, Job};
use super::service::ServiceCall;
use super::shared::Shared;
use super::wire::{Body, Ending, Reply, S3Error, S3Request, Switch, dates, xml};

/// Number of bytes of an unwanted body that are read, so that a client which sends
/// before it reads gets the answer instead of a broken connection.
const DRAINED: usize = 64 << 20;

/// Largest body of a call to a service other than S3.
const LARGEST_CALL: usize = 1 << 20;

/// Answers one request; `None` where a fault leaves no answer.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    switch: Arc<Switch>,
) -> Option<Response<Body>> {
    if !shared.pace.latency.is_zero() {
        tokio::time::sleep(shared.pace.latency).await;
    }
    let (head, mut body) = request.into_parts();
    let request_id = shared.fresh_id();
    let waits_for_permission = head.headers.contains_key(EXPECT);
    let mut fault = None;
    // Log the request as sent: a fault may change its interpretation.
    let parsed =
        local::check(&head.uri, &head.headers).and_then(|()| S3Request::parse(&head.method, &head.uri, head.headers));
    let (call, request, result) = match parsed {
        Err(error) => (CallRecord::of(&S3Request::unreadable(head.method.clone())), None, Err(error)),
        Ok(mut request) if ServiceCall::is_meant(&request) => {
            let bytes = gather(&mut body).await;
            let call = ServiceCall::parse(&shared, &request, &bytes);
            request.operation = call.operation();
            request.raw_query = String::from_utf8_lossy(&bytes).into_owned();
            fault = shared.script.next(&Seen { key: &request.raw_query, ..Seen::of(&request) });
            let reply = call.answer(&shared, &request, fault.as_ref(), &request_id).await;
            (CallRecord::of(&request), Some(request), Ok(reply))
        }
        Ok(mut request) if control::is_meant(&request) => {
            let bytes = gather(&mut body).await;
            request.operation = control::operation(&request);
            fault = shared.script.next(&Seen::of(&request));
            let reply = control::answer(&shared, &request, &bytes, fault.as_ref()).await;
            (CallRecord::of(&request), Some(request), Ok(reply))
        }
        Ok(mut request) if ebs::is_meant(&request) => {
            let bytes = gather(&mut body).await;
            request.operation = ebs::operation(&request);
            fault = shared.script.next(&Seen::of(&request));
            let reply = ebs::answer(&shared, &request, &bytes, fault.as_ref());
            (CallRecord::of(&request), Some(request), Ok(reply))
        }
        Ok(mut request) => {
            let call = CallRecord::of(&request);
            fault = shared.script.next(&Seen::of(&request));
            let result = operate(&shared, &mut request, fault.as_ref(), &mut body).await;
            (call, Some(request), result)
        }
    };
    if fault.as_ref().is_some_and(Fault::leaves_no_answer) {
        switch.reset_on_close();
        shared.calls.add(CallRecord { fault, ..call }, Arc::default());
        return None;
    }
    if result.is_err() && !waits_for_permission {
        drain(&mut body).await;
    }
    let is_head = head.method == http::Method::HEAD;
    let mut reply = result.unwrap_or_else(|error| error_reply(&error, &request_id, is_head));
    reply.set("x-amz-request-id", &request_id);
    reply.set("x-amz-id-2", request_id.chars().rev().collect::<String>());
    reply.set(SERVER.as_str(), "stored-ami-lab");
    reply.set(DATE.as_str(), dates::http(Timestamp::now()));
    let end = match (&fault, &request) {
        (Some(fault), Some(request)) => fault::late(fault, request, &mut reply),
        _ => (Some(reply.len), Ending::Clean),
    };
    let response = respond(&shared, reply, end, is_head, switch);
    let call = CallRecord { status: response.status().as_u16(), fault, ..call };
    shared.calls.add(call, response.body().sent());
    Some(response)
}

async fn operate(
    shared: &Arc<Shared>,
    request: &mut S3Request,
    fault: Option<&Fault>,
    body: &mut Incoming,
) -> Result<Reply, S3Error> {
    if let Some(fault) = fault
        && let Some(reply) = fault::before(fault, request)?
    {
        return Ok(reply);
    }
    ec2::by_clock(shared);
    access::check(shared, request)?;
    let reply = ops::run(Job { shared, request, body }).await?;
    match fault {
        Some(Fault::ReplaceObject) => ops::replace(shared, request)?,
        Some(Fault::DeleteObject) => ops::vanish(shared, request)?,
        _ => {}
    }
    Ok(reply)
}

/// The body of a call to a service other than S3.
async fn gather(body: &mut Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if bytes.len() > LARGEST_CALL {
            break;
        }
    }
    bytes
}

async fn drain(body: &mut Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > DRAINED {
            return;
        }
    }
}

fn error_reply(error: &S3Error, request_id: &str, is_head: bool) -> Reply {
    let bodiless = is_head || error.status == StatusCode::NOT_MODIFIED;
    let body = match xml::error(error, request_id, request_id) {
        Ok(body) if !bodiless => body,
        _ => Bytes::new(),
    };
    let mut reply = Reply::bytes(error.status, body).header("content-type", "application/xml");
    for (name, value) in &error.headers {
        reply.set(name.as_str(), value);
    }
    reply
}

fn respond(
    shared: &Shared,
    reply: Reply,
    (announced, ending): (Option<u64>, Ending),
    is_head: bool,
    switch: Arc<Switch>,
) -> Response<Body> {
    let Reply { status, mut headers, frames, len, .. } = reply;
    let body = if is_head {
        // The length a GET would have; hyper takes it from the header.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
        Body::full(Bytes::new(), switch)
    } else {
        Body::new(shared.pace.frames(frames.boxed()), announced, ending, switch)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
