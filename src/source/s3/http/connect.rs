use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufRead as _, BufReader};
use tokio::net::TcpStream;
use tower_service::Service;

use super::addresses::Addresses;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Bytes that TLS takes from the socket at a time, instead of the 4 KiB it asks for.
const BUFFER: usize = 64 << 10;

/// Connects over TCP; tries the addresses of a name in order.
#[derive(Clone)]
pub(super) struct Tcp(HttpConnector<Addresses>);

impl Tcp {
    /// `timeout` limits connecting.
    pub(super) fn new(timeout: Duration) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Addresses::default());
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(timeout));
        Tcp(connector)
    }
}

impl Service<Uri> for Tcp {
    type Response = Buffered;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Buffered, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let plain = uri.scheme_str() == Some("http");
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            Ok(Buffered { stream: TokioIo::new(BufReader::with_capacity(BUFFER, stream)), unseen: plain })
        })
    }
}

/// A connection that is read through a large buffer. Larger reads bypass the buffer.
pub(super) struct Buffered {
    stream: TokioIo<BufReader<TcpStream>>,
    /// Set on a plain HTTP connection until its first byte arrives.
    unseen: bool,
}

/// The server answered a plain HTTP request with TLS.
#[derive(Debug, thiserror::Error)]
#[error("the server speaks TLS")]
pub(in crate::source::s3) struct TlsAnswer;

impl Buffered {
    /// Examines the first byte: a TLS record starts with its type, alert or handshake (RFC 8446 §5.1).
    fn look(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unseen {
            let first = ready!(Pin::new(self.stream.inner_mut()).poll_fill_buf(context))?.first();
            if matches!(first, Some(0x15 | 0x16)) {
                return Poll::Ready(Err(io::Error::other(TlsAnswer)));
            }
            self.unseen = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Connection for Buffered {
    fn connected(&self) -> Connected {
        self.stream.inner().get_ref().connected()
    }
}

impl Read for Buffered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.look(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Buffered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }
}
