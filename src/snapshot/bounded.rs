//! Limits the responses that the SDK reads completely before it parses them.

use aws_sdk_ebs::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_ebs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ebs::error::BoxError;
use aws_sdk_ebs::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use http_body_util::Limited;

/// Limit of a response in bytes: a page of 10,000 blocks with tokens of 256 characters takes 3 MB.
const LARGEST: usize = 8 << 20;

/// Interceptor that limits all responses but successful ones to GetSnapshotBlock.
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
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_block = config.load::<Metadata>().is_some_and(|metadata| metadata.name() == "GetSnapshotBlock");
        let response = context.response_mut();
        if !is_block || !response.status().is_success() {
            let body = Limited::new(response.take_body(), LARGEST);
            *response.body_mut() = SdkBody::from_body_1_x(body);
        }
        Ok(())
    }
}
