use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream as _, StreamExt as _, stream};
use hyper::body::{Frame, SizeHint};

use super::Switch;
use crate::content::Frames;

/// What happens after the last byte of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ending {
    #[default]
    Clean,
    /// FIN before the announced length is reached.
    Close,
    /// RST.
    Reset,
    /// Nothing, for as long as the client waits.
    Stall,
}

/// The body of a response.
pub(crate) struct Body {
    frames: Frames,
    /// Bytes announced as Content-Length; `None` sends it chunked.
    announced: Option<u64>,
    ending: Ending,
    switch: Arc<Switch>,
    sent: Arc<AtomicU64>,
}

impl Body {
    pub(crate) fn new(frames: Frames, announced: Option<u64>, ending: Ending, switch: Arc<Switch>) -> Self {
        Body { frames, announced, ending, switch, sent: Arc::default() }
    }

    pub(crate) fn full(bytes: Bytes, switch: Arc<Switch>) -> Self {
        let announced = Some(bytes.len() as u64);
        Body::new(one_frame(bytes), announced, Ending::Clean, switch)
    }

    /// Counts the bytes handed to the connection, for the call log.
    pub(crate) fn sent(&self) -> Arc<AtomicU64> {
        self.sent.clone()
    }
}

pub(crate) fn one_frame(bytes: Bytes) -> Frames {
    stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed()
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match ready!(Pin::new(&mut self.frames).poll_next(cx)) {
            Some(Ok(bytes)) => {
                self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => match self.ending {
                Ending::Clean => Poll::Ready(None),
                Ending::Stall => Poll::Pending,
                ending => {
                    // hyper throws away what it has not written when a body fails.
                    ready!(self.switch.poll_flushed(cx));
                    if ending == Ending::Reset {
                        self.switch.reset_on_close();
                    }
                    Poll::Ready(Some(Err(io::Error::other("the script ends the body here"))))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.announced == Some(0) && self.ending == Ending::Clean
    }

    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(len) => SizeHint::with_exact(len),
            None => SizeHint::new(),
        }
    }
}
