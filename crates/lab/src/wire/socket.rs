use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Lets the body of a response end its connection in a chosen way.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    armed: AtomicBool,
    flushed: AtomicBool,
    reset: AtomicBool,
    body: AtomicWaker,
}

impl Switch {
    /// Ready once everything written so far has been handed to the kernel.
    pub(crate) fn poll_flushed(&self, context: &Context<'_>) -> Poll<()> {
        if self.flushed.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.body.register(context.waker());
        self.armed.store(true, Ordering::Release);
        Poll::Pending
    }

    /// The connection ends with RST instead of FIN.
    pub(crate) fn reset_on_close(&self) {
        self.reset.store(true, Ordering::Release);
    }
}

/// A connection that reports flushes to its [`Switch`].
#[derive(Debug)]
pub(crate) struct LabSocket {
    stream: TcpStream,
    switch: Arc<Switch>,
}

impl LabSocket {
    pub(crate) fn new(stream: TcpStream, switch: Arc<Switch>) -> Self {
        LabSocket { stream, switch }
    }
}

impl Drop for LabSocket {
    fn drop(&mut self) {
        if self.switch.reset.load(Ordering::Acquire) {
            // Without it the client sees FIN where the script said RST; there
            // is nobody left to tell.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for LabSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for LabSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // hyper flushes the socket only when its own buffer is empty.
        if self.switch.armed.swap(false, Ordering::AcqRel) {
            self.switch.flushed.store(true, Ordering::Release);
            self.switch.body.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
