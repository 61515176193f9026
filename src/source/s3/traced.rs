use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::clock::{Clock as _, SystemClock};

/// Emits one event for each attempt of a request: operation, address, status, request id and time to the head of the
/// response. Queries, other headers and bodies may hold secrets, and are left out.
#[derive(Debug)]
pub(crate) struct Traced;

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

/// What an event says of a request. It is kept apart, because the request is gone after it was sent.
#[derive(Debug, Default)]
struct Sent {
    method: String,
    host: String,
    path: String,
    range: String,
}

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Sent {
    fn of(request: &HttpRequest) -> Self {
        let uri: Option<http::Uri> = request.uri().parse().ok();
        let host = uri.as_ref().and_then(http::Uri::authority).map(|host| host.as_str());
        Sent {
            method: request.method().to_owned(),
            // A URL of an endpoint may contain a password.
            host: host.and_then(|host| host.rsplit('@').next()).unwrap_or_default().to_owned(),
            path: uri.as_ref().map_or("", http::Uri::path).to_owned(),
            range: request.headers().get("range").unwrap_or_default().to_owned(),
        }
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Traced {
    fn name(&self) -> &'static str {
        "Traced"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Began(SystemClock.monotonic()));
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if tracing::enabled!(target: "stored_ami::request", tracing::Level::DEBUG) {
            config.interceptor_state().store_put(Sent::of(context.request()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config.load::<Metadata>();
        let began = config.load::<Began>().map(|began| began.0);
        let elapsed = began.map(|began| SystemClock.monotonic().duration_since(began));
        let none = Sent::default();
        let sent = config.load::<Sent>().unwrap_or(&none);
        let response = context.response();
        tracing::debug!(
            target: "stored_ami::request",
            service = metadata.map_or("", |metadata| metadata.service()),
            operation = metadata.map_or("", |metadata| metadata.name()),
            method = sent.method,
            host = sent.host,
            path = sent.path,
            range = sent.range,
            status = response.map(|response| response.status().as_u16()),
            request_id = response.and_then(request_id),
            milliseconds = elapsed.map(|elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)),
            "request"
        );
        Ok(())
    }
}

/// S3 and the other services name their request ids differently.
fn request_id(response: &HttpResponse) -> Option<&str> {
    let headers = response.headers();
    ["x-amz-request-id", "x-amzn-requestid", "x-amzn-request-id"].into_iter().find_map(|name| headers.get(name))
}
