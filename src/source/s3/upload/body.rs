use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::source::{ErrorKind, PartBody, SourceError};
use crate::sync::lock;

/// Counts the bytes of a body that the connection has taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The frames of a part as a request body, without copying them.
struct Frames {
    body: PartBody,
    next: usize,
    left: u64,
    sent: Sent,
}

/// A request body with the frames of a part.
pub(super) fn stream(body: &PartBody, sent: &Sent) -> ByteStream {
    let frames = Frames { body: body.clone(), next: 0, left: body.length(), sent: sent.clone() };
    ByteStream::new(SdkBody::from_body_1_x(frames))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(bytes) = self.body.frames().get(self.next).cloned() else { return Poll::Ready(None) };
        self.next += 1;
        let length = bytes.len() as u64;
        self.left -= length;
        self.sent.0.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.body.frames().len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Bytes that arrive while they are sent, as a request body.
struct Arriving {
    /// A request body must be `Sync`. `None` after the end: the SDK asks again, and the source may not be asked again.
    body: Mutex<Option<crate::source::Body>>,
    left: u64,
    sent: Sent,
}

/// A request body of `length` bytes that arrive while they are sent.
pub(super) fn arriving(body: crate::source::Body, length: u64, sent: &Sent) -> ByteStream {
    let arriving = Arriving { body: Mutex::new(Some(body)), left: length, sent: sent.clone() };
    ByteStream::new(SdkBody::from_body_1_x(arriving))
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        let polled = match &mut *lock(&self.body) {
            Some(body) => ready!(body.as_mut().poll_next(context)),
            None => return Poll::Ready(None),
        };
        if polled.is_none() {
            *lock(&self.body) = None;
        }
        let broken = |detail| SourceError::new(ErrorKind::Transient, "the source", detail);
        Poll::Ready(match polled {
            Some(Ok(bytes)) => match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => {
                    self.left = left;
                    self.sent.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    Some(Ok(Frame::data(bytes)))
                }
                None => Some(Err(broken("more bytes than the part has"))),
            },
            Some(Err(error)) => Some(Err(error)),
            None if self.left > 0 => Some(Err(broken("the part ended early"))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::DisplayErrorContext;
    use futures_util::stream;

    use super::*;

    /// The body of a part of five bytes whose frames have these lengths.
    async fn sent(frames: &[usize]) -> Result<usize, String> {
        let frames: Vec<_> = frames.iter().map(|length| Ok(Bytes::from(vec![7; *length]))).collect();
        // A stream that may not be asked again after its end, as that of a connection.
        let unfold = stream::unfold(frames.into_iter(), |mut frames| async move { Some((frames.next()?, frames)) });
        let mut body = arriving(Box::pin(unfold), 5, &Sent::default()).into_inner();
        let mut length = 0;
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|error| DisplayErrorContext(&*error).to_string())?;
            length += frame.data_ref().map_or(0, |data| data.len());
        }
        assert!(std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_none());
        Ok(length)
    }

    #[tokio::test]
    async fn a_part_has_its_length_or_fails() {
        assert_eq!(sent(&[2, 3]).await, Ok(5));
        assert!(sent(&[2, 2]).await.unwrap_err().contains("ended early"));
        assert!(sent(&[2, 4]).await.unwrap_err().contains("more bytes"));
    }
}
