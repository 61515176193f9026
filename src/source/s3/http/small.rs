//! A client for requests with small responses. The SDK reads them completely, so this client limits their size and
//! time.

use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::error::ConnectorError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::super::whole::{Broken, Most, whole};
use super::READ_TIMEOUT;

/// Limit of a body in bytes, above all responses of STS, KMS, SSM, Service Quotas, SSO and metadata services.
const LARGEST: usize = 1 << 20;
/// Limit of XML elements; the largest of these responses have some dozens.
const MOST_ELEMENTS: u64 = 10_000;

/// Why a response is rejected.
#[derive(Debug, thiserror::Error)]
pub(in crate::source::s3) enum Unfit {
    #[error("the answer is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    #[error("the answer did not end within {} s", READ_TIMEOUT.as_secs())]
    Slow,
    #[error("the answer cannot be read: {0}")]
    Broken(Broken),
}

/// Wraps a client so that its responses are complete and at most [`LARGEST`] bytes.
pub(super) fn small(inner: SharedHttpClient) -> SharedHttpClient {
    Small { inner }.into_shared()
}

#[derive(Debug)]
struct Small<T> {
    inner: T,
}

impl HttpClient for Small<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        Small { inner: self.inner.http_connector(settings, components) }.into_shared()
    }
}

impl HttpConnector for Small<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // STS answers in XML, and the SDK's XML parser accepts a truncated document. Its JSON parser does not.
        let xml = request.headers().get("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move { gathered(answer.await?, xml, READ_TIMEOUT).await })
    }
}

async fn gathered(mut answer: HttpResponse, xml: bool, within: Duration) -> Result<HttpResponse, ConnectorError> {
    let unfit = |unfit: Unfit| ConnectorError::other(unfit.into(), None);
    let body = Limited::new(answer.take_body(), LARGEST);
    let Ok(body) = tokio::time::timeout(within, body.collect()).await else { return Err(unfit(Unfit::Slow)) };
    let body = match body {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(unfit(Unfit::TooLarge)),
        Err(error) => return Err(ConnectorError::io(error)),
    };
    if xml && answer.status().is_success() {
        whole(&body, Most::elements(MOST_ELEMENTS)).map_err(|broken| unfit(Unfit::Broken(broken)))?;
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::s3::causes::deepest;

    async fn of(status: u16, body: Vec<u8>, xml: bool) -> Result<usize, String> {
        let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        let answer = gathered(answer, xml, READ_TIMEOUT).await;
        answer.map(|answer| answer.body().bytes().unwrap().len()).map_err(|error| {
            assert!(!error.is_io() && !error.is_timeout(), "asked again it would be the same");
            deepest::<Unfit>(&error).unwrap().to_string()
        })
    }

    #[tokio::test]
    async fn an_answer_is_whole_and_small() {
        for status in [200, 403, 500] {
            for xml in [false, true] {
                let large = of(status, vec![b' '; LARGEST + 1], xml).await;
                assert_eq!(large.unwrap_err(), "the answer is larger than 1 MiB");
            }
            assert_eq!(of(status, vec![b' '; LARGEST], false).await, Ok(LARGEST));
        }
        assert_eq!(of(200, b"<A><B/></A>".to_vec(), true).await, Ok(11));
        assert!(of(200, b"<A><Account>1234".to_vec(), true).await.unwrap_err().contains("cut off"));
        // The body of an error response is only shown, so it is not checked.
        assert_eq!(of(403, b"<A><B".to_vec(), true).await, Ok(5));
    }
}
