use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use aws_sdk_ec2::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use crate::source::{ErrorKind, SourceError};

/// Bytes of all answers to one operation together, its pages and repetitions included. The account with the most AMIs
/// that the default quota allows, 50,000, stays below it.
pub(super) const LARGEST_ANSWERS: usize = 64 << 20;

/// What one operation may still receive. The SDK reads each answer whole before it looks at it, so without a bound a
/// server decides how much memory that takes.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    left: Arc<AtomicUsize>,
    exceeded: Arc<AtomicBool>,
}

impl Allowance {
    pub fn new() -> Self {
        Allowance { left: Arc::new(AtomicUsize::new(LARGEST_ANSWERS)), exceeded: Arc::default() }
    }

    /// The error of an operation, which is the bound where that was hit. Asking again would hit it again.
    pub fn explain(&self, error: SourceError) -> SourceError {
        if !self.exceeded.load(Ordering::Relaxed) {
            return error;
        }
        let detail = format!("the answers of EC2 are larger than {} MiB together", LARGEST_ANSWERS >> 20);
        SourceError { kind: ErrorKind::Protocol, detail, ..error }
    }

    /// Whether so many bytes more may come.
    fn take(&self, bytes: usize) -> bool {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        if taken.is_err() {
            self.exceeded.store(true, Ordering::Relaxed);
        }
        taken.is_ok()
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Allowance {
    fn name(&self) -> &'static str {
        "Allowance"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let counted = Counted { body: Some(response.take_body()), bytes: BytesMut::new(), allowance: self.clone() };
        *response.body_mut() = SdkBody::from_body_1_x(counted);
        Ok(())
    }
}

/// A body in one piece, cut off where the allowance ends. Frames that waited for each other would each keep the whole
/// buffer of the connection that they came in.
struct Counted {
    /// Gone when it has ended.
    body: Option<SdkBody>,
    bytes: BytesMut,
    allowance: Allowance,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while let Some(body) = &mut this.body {
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let data = frame.data_ref().map_or(&[][..], |data| data);
                    if !this.allowance.take(data.len()) {
                        (this.body, this.bytes) = (None, BytesMut::new());
                        return Poll::Ready(Some(Err("the answer is too large".into())));
                    }
                    this.bytes.extend_from_slice(data);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => this.body = None,
            }
        }
        let all = this.bytes.split().freeze();
        Poll::Ready((!all.is_empty()).then_some(Ok(Frame::data(all))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn read(allowance: &Allowance, size: usize) -> Option<usize> {
        let body = Some(SdkBody::from(vec![7; size]));
        let counted = Counted { body, bytes: BytesMut::new(), allowance: allowance.clone() };
        counted.collect().await.ok().map(|all| all.to_bytes().len())
    }

    #[tokio::test]
    async fn all_answers_of_an_operation_share_one_allowance() {
        let error = || SourceError::new(ErrorKind::Transient, "x", "y");
        let allowance = Allowance::new();
        assert_eq!(read(&allowance, 40 << 20).await, Some(40 << 20));
        assert_eq!(read(&allowance, 0).await, Some(0));
        assert_eq!(read(&allowance, 24 << 20).await, Some(24 << 20));
        assert_eq!(allowance.explain(error()), error());
        assert_eq!(read(&allowance, 1).await, None);
        let explained = allowance.explain(error());
        assert_eq!(explained.kind, ErrorKind::Protocol);
        assert!(explained.detail.contains("larger than 64 MiB together"), "{explained}");
        // Another operation has its own.
        assert_eq!(read(&Allowance::new(), LARGEST_ANSWERS).await, Some(LARGEST_ANSWERS));
        assert_eq!(read(&Allowance::new(), LARGEST_ANSWERS + 1).await, None);
    }
}
