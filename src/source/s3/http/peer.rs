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
use crate::source::NamedEndpoint;

/// What the clients of a connection share about the servers.
#[derive(Debug, Clone, Default)]
pub(in crate::source::s3) struct Servers {
    /// Whether any server has answered. After an answer, a refused connection is an outage that may pass, and before it
    /// most likely a wrong setting.
    reached: Arc<AtomicBool>,
    /// The endpoints that settings name.
    endpoints: Arc<[NamedEndpoint]>,
}

impl Servers {
    /// None has answered yet.
    pub(in crate::source::s3) fn new(endpoints: Vec<NamedEndpoint>) -> Self {
        Servers { reached: Arc::default(), endpoints: endpoints.into() }
    }

    /// The endpoint of a request, whose host may begin with the name of the bucket.
    fn endpoint(&self, at: &Server) -> Option<NamedEndpoint> {
        let is_of = |endpoint: &&NamedEndpoint| {
            let named = Server::of(&endpoint.url);
            let bucket = at.host.strip_suffix(&named.host).map(|before| before.is_empty() || before.ends_with('.'));
            named.port == at.port && bucket == Some(true)
        };
        self.endpoints.iter().find(is_of).cloned()
    }
}

/// The endpoint that a response is from, as an extension of the response.
#[derive(Debug, Clone)]
pub(in crate::source::s3) struct AskedEndpoint(pub NamedEndpoint);

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
    /// The endpoint, if a setting names it.
    pub endpoint: Option<NamedEndpoint>,
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
pub(super) fn named(inner: SharedHttpClient, servers: &Servers) -> SharedHttpClient {
    Named { inner, servers: servers.clone() }.into_shared()
}

#[derive(Debug)]
struct Named<T> {
    inner: T,
    servers: Servers,
}

impl HttpClient for Named<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        Named { inner, servers: self.servers.clone() }.into_shared()
    }
}

impl HttpConnector for Named<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let at = Server::of(request.uri());
        let servers = self.servers.clone();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            let endpoint = servers.endpoint(&at);
            match answer {
                Ok(mut answer) => {
                    servers.reached.store(true, Ordering::Relaxed);
                    if let Some(endpoint) = endpoint.filter(|_| !answer.status().is_success()) {
                        answer.add_extension(AskedEndpoint(endpoint));
                    }
                    Ok(answer)
                }
                Err(error) => Err(at_server(error, at, servers.reached.load(Ordering::Relaxed), endpoint)),
            }
        })
    }
}

/// The server of a URL.
#[derive(Debug, Default, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
}

impl Server {
    fn of(uri: &str) -> Self {
        let uri: Option<http::Uri> = uri.parse().ok();
        let Some(uri) = uri.as_ref() else { return Server::default() };
        let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        Server { host: uri.host().unwrap_or_default().to_owned(), port: uri.port_u16().unwrap_or(usual) }
    }
}

/// The same kind of error, with the server.
fn at_server(error: ConnectorError, at: Server, reached: bool, endpoint: Option<NamedEndpoint>) -> ConnectorError {
    let (timeout, user, io, other) = (error.is_timeout(), error.is_user(), error.is_io(), error.as_other());
    let server = if at == Server::default() { String::new() } else { format!("{}:{}", at.host, at.port) };
    let cause = error.into_source();
    let wrapped: BoxError = NoResponse { server, host: at.host, reached, endpoint, cause }.into();
    match () {
        () if timeout => ConnectorError::timeout(wrapped),
        () if user => ConnectorError::user(wrapped),
        () if io => ConnectorError::io(wrapped),
        () => ConnectorError::other(wrapped, other),
    }
}
