//! Names the server in errors of requests without a response.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::error::{BoxError, ConnectorError};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;

use super::super::causes::causes;
use super::addresses::UnknownName;

/// Whether any server has answered over these clients. Shared by the clients of a connection: after an answer, a refused
/// connection is an outage that may pass, and before it most likely a wrong setting.
pub(in crate::source::s3) type Reached = Arc<AtomicBool>;

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::s3) enum NoConnection {
    /// The resolver does not know the name.
    UnknownName,
    /// Nothing listens on the port.
    Refused,
    /// There is no route to the host or the network.
    NoRoute,
    /// The host does not respond.
    TimedOut,
}

/// A request to this server got no response.
#[derive(Debug)]
pub(in crate::source::s3) struct NoResponse {
    /// Host and port of the request.
    pub server: String,
    /// The host alone.
    pub host: String,
    /// Whether a server has answered before.
    pub reached: bool,
    cause: BoxError,
}

impl fmt::Display for NoResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no response from {}", self.server)
    }
}

impl Error for NoResponse {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

impl NoResponse {
    /// Why no connection was made, as far as a typed error says it.
    pub(crate) fn no_connection(&self) -> Option<NoConnection> {
        causes(self.cause.as_ref()).find_map(|cause| {
            if cause.is::<UnknownName>() {
                return Some(NoConnection::UnknownName);
            }
            match cause.downcast_ref::<io::Error>()?.kind() {
                io::ErrorKind::ConnectionRefused => Some(NoConnection::Refused),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(NoConnection::NoRoute),
                io::ErrorKind::TimedOut => Some(NoConnection::TimedOut),
                _ => None,
            }
        })
    }
}

/// Wraps a client so that its errors name the server.
pub(super) fn named(inner: SharedHttpClient, reached: &Reached) -> SharedHttpClient {
    Named { inner, reached: Arc::clone(reached) }.into_shared()
}

#[derive(Debug)]
struct Named<T> {
    inner: T,
    reached: Reached,
}

impl HttpClient for Named<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        Named { inner, reached: Arc::clone(&self.reached) }.into_shared()
    }
}

impl HttpConnector for Named<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (server, host) = server_of(request.uri());
        let reached = Arc::clone(&self.reached);
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(answer) => {
                    reached.store(true, Ordering::Relaxed);
                    Ok(answer)
                }
                Err(error) => Err(at_server(error, server, host, reached.load(Ordering::Relaxed))),
            }
        })
    }
}

/// Host with port, and the host alone.
fn server_of(uri: &str) -> (String, String) {
    let uri: Option<http::Uri> = uri.parse().ok();
    let Some(uri) = uri.as_ref() else { return Default::default() };
    let host = uri.host().unwrap_or_default();
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    (format!("{host}:{}", uri.port_u16().unwrap_or(usual)), host.to_owned())
}

/// The same kind of error, with the server.
fn at_server(error: ConnectorError, server: String, host: String, reached: bool) -> ConnectorError {
    let (timeout, user, io, other) = (error.is_timeout(), error.is_user(), error.is_io(), error.as_other());
    let wrapped: BoxError = NoResponse { server, host, reached, cause: error.into_source() }.into();
    match () {
        () if timeout => ConnectorError::timeout(wrapped),
        () if user => ConnectorError::user(wrapped),
        () if io => ConnectorError::io(wrapped),
        () => ConnectorError::other(wrapped, other),
    }
}
