use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use http_body_util::Limited;

/// The SDK reads the answers to all requests but GetObject whole before it looks at them.
/// A server that does not know `?attributes` answers with the object itself; so every such
/// answer is cut off at a size that no honest one reaches.
#[derive(Debug)]
pub(super) struct BoundedAnswers;

/// A page of 1,000 parts with ten checksums each stays under 1 MiB.
const LARGEST_ANSWER: usize = 4 << 20;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for BoundedAnswers {
    fn name(&self) -> &'static str {
        "BoundedAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let streams = config.load::<Metadata>().is_some_and(|metadata| metadata.name() == "GetObject");
        let response = context.response_mut();
        if !streams || !response.status().is_success() {
            let body = response.take_body();
            *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, LARGEST_ANSWER));
        }
        Ok(())
    }
}
