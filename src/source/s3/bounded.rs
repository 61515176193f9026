use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
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
            let body = Limited::new(response.take_body(), LARGEST_ANSWER);
            *response.body_mut() = SdkBody::from_body_1_x(Gathered::new(body));
        }
        Ok(())
    }
}

/// A body in one piece. Each frame of the connection holds a buffer of 64 KiB, and there may be a byte in it: frames
/// that wait for each other would take many times the size of the answer.
struct Gathered<B> {
    /// Gone when it has ended.
    body: Option<B>,
    bytes: BytesMut,
}

impl<B> Gathered<B> {
    fn new(body: B) -> Self {
        Gathered { body: Some(body), bytes: BytesMut::new() }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Gathered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        while let Some(body) = &mut self.body {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => self.bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.body = None,
            }
        }
        let all = self.bytes.split().freeze();
        Poll::Ready((!all.is_empty()).then_some(Ok(Frame::data(all))))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    #[tokio::test]
    async fn many_frames_become_one() {
        for frames in [0, 1, 1000] {
            let of = |i: usize| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![i as u8; 3])));
            let mut body = Gathered::new(StreamBody::new(stream::iter((0..frames).map(of))));
            let mut lengths = Vec::new();
            while let Some(frame) = body.frame().await {
                lengths.push(frame.unwrap().into_data().unwrap().len());
            }
            assert_eq!(lengths, if frames == 0 { vec![] } else { vec![3 * frames] });
        }
    }
}
