use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// States the length of a PUT or POST without content (RFC 9110, 8.6). hyper leaves it out, and Ceph then refuses
/// UploadPartCopy with status 411.
#[derive(Debug)]
pub(super) struct EmptyContent;

const LENGTH: &str = "content-length";

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for EmptyContent {
    fn name(&self) -> &'static str {
        "EmptyContent"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let has_content = matches!(request.method(), "PUT" | "POST");
        if has_content && request.body().content_length() == Some(0) && request.headers().get(LENGTH).is_none() {
            request.headers_mut().insert(LENGTH, "0");
        }
        Ok(())
    }
}
