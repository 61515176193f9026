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

/// What one attempt sends, and when it began.
#[derive(Debug)]
struct Attempt {
    began: Instant,
    method: String,
    host: String,
    path: String,
    range: String,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
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
        // The values of the attempt before it must not stand for one that fails before it sends anything.
        config.interceptor_state().store_put(Attempt::new());
        Ok(())
    }

    // The request is gone when its attempt ends.
    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if tracing::enabled!(target: "stored_ami::request", tracing::Level::DEBUG) {
            let began = config.load::<Attempt>().map(|attempt| attempt.began);
            let attempt = Attempt::new().sending(context.request());
            let began = began.unwrap_or(attempt.began);
            config.interceptor_state().store_put(Attempt { began, ..attempt });
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
        let attempt = config.load::<Attempt>();
        let elapsed = attempt.map(|attempt| SystemClock.monotonic().duration_since(attempt.began));
        let response = context.response();
        tracing::debug!(
            target: "stored_ami::request",
            service = metadata.map_or("", |metadata| metadata.service()),
            operation = metadata.map_or("", |metadata| metadata.name()),
            method = attempt.map(|attempt| attempt.method.as_str()),
            host = attempt.map(|attempt| attempt.host.as_str()),
            path = attempt.map(|attempt| attempt.path.as_str()),
            range = attempt.map(|attempt| attempt.range.as_str()).filter(|range| !range.is_empty()),
            status = response.map(|response| response.status().as_u16()),
            request_id = response.and_then(request_id),
            milliseconds = elapsed.map(|elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)),
            "request"
        );
        Ok(())
    }
}

impl Attempt {
    fn new() -> Self {
        let [method, host, path, range] = Default::default();
        Attempt { began: SystemClock.monotonic(), method, host, path, range }
    }

    fn sending(self, request: &HttpRequest) -> Self {
        let uri: Option<http::Uri> = request.uri().parse().ok();
        let host = uri.as_ref().and_then(http::Uri::authority).and_then(|host| host.as_str().rsplit('@').next());
        Attempt {
            method: request.method().to_owned(),
            host: host.unwrap_or_default().to_owned(),
            path: uri.as_ref().map_or("", http::Uri::path).to_owned(),
            range: request.headers().get("range").unwrap_or_default().to_owned(),
            ..self
        }
    }
}

/// S3 and the other services name their request ids differently.
fn request_id(response: &HttpResponse) -> Option<&str> {
    let headers = response.headers();
    ["x-amz-request-id", "x-amzn-requestid", "x-amzn-request-id"].into_iter().find_map(|name| headers.get(name))
}
