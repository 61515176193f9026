use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::source::{PartBody, SourceError};
use crate::sync::lock;

/// Counts the bytes of a body that the connection has taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub fn bytes(&self) -> u64 {
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
    /// A request body must be `Sync`.
    body: Mutex<crate::source::Body>,
    left: u64,
    sent: Sent,
}

/// A request body of `length` bytes that arrive while they are sent.
pub(super) fn arriving(body: crate::source::Body, length: u64, sent: &Sent) -> ByteStream {
    let arriving = Arriving { body: Mutex::new(body), left: length, sent: sent.clone() };
    ByteStream::new(SdkBody::from_body_1_x(arriving))
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        let polled = lock(&self.body).as_mut().poll_next(context);
        Poll::Ready(match ready!(polled) {
            Some(Ok(bytes)) => {
                let length = bytes.len() as u64;
                self.left = self.left.saturating_sub(length);
                self.sent.0.fetch_add(length, Ordering::Relaxed);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => Some(Err(error)),
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
