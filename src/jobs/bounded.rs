//! Limits the responses that the SDK reads completely before it parses them.

use aws_sdk_s3control::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3control::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3control::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

/// Limit of a response in bytes. The description of a job has a few kilobytes.
const LARGEST: usize = 1 << 20;

/// Interceptor that limits all responses.
#[derive(Debug)]
pub(super) struct Bounded;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let body = Limited::new(response.take_body(), LARGEST);
        *response.body_mut() = SdkBody::from_body_1_x(body);
        Ok(())
    }
}
