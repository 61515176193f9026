//! Limits and checks responses before the SDK deserialises them.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::http::Headers as SdkHeaders;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::{LengthLimitError, Limited};

use super::document::{Document, Foreign, LARGEST_ANSWER};
use super::headers::Headers;
use super::shape;
use crate::ident::ObjectIdentity;
use crate::sync::lock;

/// Interceptor that limits and checks responses before the SDK deserialises them.
///
/// The SDK reads the responses to all requests but GetObject completely before it parses them, and rejects a response
/// for a single header that it cannot parse. This interceptor limits the size of all bodies except those of successful
/// GetObject requests, rejects responses that are not the document of the operation, mostly before reading their body,
/// and passes on only headers that the SDK can parse.
#[derive(Debug)]
pub(super) struct BoundedAnswers;

/// The object that a request is about, and a record of its response.
#[derive(Clone, Default)]
pub(super) struct About {
    known: ObjectIdentity,
    heard: Arc<Mutex<Heard>>,
}

/// Record of a response, beyond the SDK's output.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// All headers of a successful response.
    pub headers: Headers,
    /// Length in bytes of a rejected body.
    pub wasted: u64,
    /// For each rule of a lifecycle configuration, in order: why it is not understood, or `None`.
    pub odd_rules: Vec<Option<String>>,
    /// HTTP status; `None` without a response.
    pub status: Option<u16>,
}

impl About {
    /// For a request about the object `known`.
    pub(super) fn new(known: ObjectIdentity) -> Self {
        About { known, heard: Arc::default() }
    }

    /// What has been recorded so far.
    pub(super) fn heard(&self) -> Heard {
        lock(&self.heard).clone()
    }

    fn hear(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut lock(&self.heard));
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("About")
    }
}

impl Storable for About {
    type Storer = StoreReplace<Self>;
}

/// Set on a single request. Puts the object that the request is about into the config bag for [`BoundedAnswers`].
#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for About {
    fn name(&self) -> &'static str {
        "About"
    }

    fn modify_before_transmit(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(self.clone());
        Ok(())
    }
}

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
        let operation = config.load::<Metadata>().map(|metadata| metadata.name().to_owned()).unwrap_or_default();
        let about = config.load::<About>().cloned().unwrap_or_default();
        let response = context.response_mut();
        about.hear(|heard| heard.status = Some(response.status().as_u16()));
        if !response.status().is_success() {
            bound(response, LARGEST_ANSWER, None);
            return Ok(());
        }
        let headers = Headers::of(response.headers());
        about.hear(|heard| heard.headers = headers.clone());
        *response.headers_mut() = harmless(&headers);
        if operation == "GetObject" {
            return Ok(());
        }
        let Some(document) = Document::of(&operation) else {
            bound(response, LARGEST_ANSWER, None);
            return Ok(());
        };
        if let Err(foreign) = document.check_head(&headers, &about.known) {
            drop(response.take_body());
            return Err(foreign.into());
        }
        bound(response, document.limit(), Some(Check { document, about }));
        Ok(())
    }
}

/// The headers of a successful response that the SDK needs, each once and as text.
fn harmless(headers: &Headers) -> SdkHeaders {
    let mut kept = SdkHeaders::new();
    for name in ["x-amz-bucket-region", "x-amz-request-id"] {
        if let Some(value) = headers.one(name) {
            // A value that is not a valid header value is left out.
            drop(kept.try_insert(name, value));
        }
    }
    kept
}

/// Limits a body to `limit` bytes and, with a `check`, checks the complete body.
fn bound(response: &mut HttpResponse, limit: usize, check: Option<Check>) {
    let body = Limited::new(response.take_body(), limit);
    *response.body_mut() = SdkBody::from_body_1_x(Gathered { body: Some(body), bytes: BytesMut::new(), limit, check });
}

struct Check {
    document: Document,
    about: About,
}

/// Collects a body into one frame. Each frame of the connection holds a buffer of 128 KiB even if it carries one byte,
/// so a queue of frames would take many times the size of the response.
struct Gathered<B> {
    /// `None` after the end of the body.
    body: Option<B>,
    bytes: BytesMut,
    limit: usize,
    check: Option<Check>,
}

impl<B> Gathered<B> {
    /// Checks the body at its end or at the limit, if there is a check.
    fn judge(&mut self, too_long: bool) -> Result<(), Foreign> {
        let Some(Check { document, about }) = self.check.take() else { return Ok(()) };
        let judged = match too_long {
            true => Err(Foreign::TooLong(self.limit)),
            false => document.check_body(&self.bytes).and_then(|()| document.check_length(&self.bytes, &about.known)),
        };
        let judged = judged.and_then(|()| shape::check(document.operation, &self.bytes).map_err(Foreign::Odd));
        if judged.is_err() {
            about.hear(|heard| heard.wasted = self.bytes.len() as u64);
        } else if document.operation == "GetBucketLifecycleConfiguration" {
            about.hear(|heard| heard.odd_rules = shape::rules(&self.bytes));
        }
        judged
    }
}

impl<B> Body for Gathered<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(body) = &mut self.body {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => self.bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => {
                    let error: BoxError = error.into();
                    let foreign = error.is::<LengthLimitError>().then(|| self.judge(true).err()).flatten();
                    self.body = None;
                    self.bytes.clear();
                    return Poll::Ready(Some(Err(foreign.map_or(error, Into::into))));
                }
                None => {
                    self.body = None;
                    if let Err(foreign) = self.judge(false) {
                        self.bytes.clear();
                        return Poll::Ready(Some(Err(foreign.into())));
                    }
                }
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

    fn gathered(
        frames: usize,
        limit: usize,
        check: Option<Check>,
    ) -> Gathered<impl Body<Data = Bytes, Error = BoxError> + Unpin> {
        let of = |i: usize| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![i as u8; 3])));
        let body = Limited::new(StreamBody::new(stream::iter((0..frames).map(of))), limit);
        Gathered { body: Some(body), bytes: BytesMut::new(), limit, check }
    }

    #[tokio::test]
    async fn many_frames_become_one() {
        for frames in [0, 1, 1000] {
            let mut body = gathered(frames, 1 << 20, None);
            let mut lengths = Vec::new();
            while let Some(frame) = body.frame().await {
                lengths.push(frame.unwrap().into_data().unwrap().len());
            }
            assert_eq!(lengths, if frames == 0 { vec![] } else { vec![3 * frames] });
        }
    }

    #[tokio::test]
    async fn what_is_no_document_is_counted_and_refused() {
        let document = Document::of("GetObjectTagging").unwrap();
        for (frames, limit, wasted) in [(5, 100, 15), (1000, 100, 99)] {
            let about = About::default();
            let mut body = gathered(frames, limit, Some(Check { document, about: about.clone() }));
            let error = body.frame().await.unwrap().unwrap_err();
            let foreign = error.downcast_ref::<Foreign>().unwrap();
            assert_eq!(*foreign == Foreign::TooLong(limit), frames > 100);
            assert_eq!(about.heard().wasted, wasted);
            assert!(body.frame().await.is_none());
        }
    }
}
