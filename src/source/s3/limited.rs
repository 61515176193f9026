use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::Limited;

/// Limits the responses that an SDK reads completely before it parses them.
#[derive(Debug)]
pub(crate) struct LimitedResponses {
    /// Limit of a response in bytes.
    pub largest: usize,
    /// The operation whose successful responses are streams that the caller limits.
    pub streamed: Option<&'static str>,
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for LimitedResponses {
    fn name(&self) -> &'static str {
        "LimitedResponses"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(Metadata::name);
        let response = context.response_mut();
        let is_stream = self.streamed.is_some() && operation == self.streamed && response.status().is_success();
        if !is_stream {
            let body = Limited::new(response.take_body(), self.largest);
            *response.body_mut() = SdkBody::from_body_1_x(body);
        }
        Ok(())
    }
}
