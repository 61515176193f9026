//! The HTTP client below the SDK, for requests whose bodies are objects.
//!
//! The SDK's own client allows neither the frame size nor the addresses to be chosen, and its TLS reads 4 KiB at a
//! time. This client returns frames that stay in the processor's cache, and spreads its connections over all addresses
//! of a server. Behind a proxy, the SDK's own client is used.

mod addresses;
mod connect;
mod peer;
mod small;
mod trust;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::error::ConnectorError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector as SdkConnector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::{self, Handle};

use super::proxies::proxy_settings;
use crate::source::FRAME;
use crate::sync::lock;
use connect::Tcp;
pub(super) use connect::TlsAnswer;
use peer::named;
pub(super) use peer::{AskedEndpoint, NoConnection, NoResponse, Servers};
pub(super) use small::Unfit;
pub(super) use trust::{Trust, certificate_refused, no_tls};

/// Time limit for connecting; S3 answers in milliseconds.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the head of a response.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Time limit for the head of the response to an upload, from the start of the request. A part of 5 GiB takes 12 hours
/// at 1 Mbit/s.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(12 * 60 * 60);

/// Maximum length in bytes of a frame from a TLS connection. TLS brings 16 KiB at a time, and each of them takes a buffer
/// of this size.
const TLS_FRAME: usize = 64 << 10;

/// A client with its own connections.
pub(super) fn client(trust: &Trust, servers: &Servers) -> SharedHttpClient {
    patient_client(trust, servers, READ_TIMEOUT)
}

/// A client for requests whose time depends on the size of their body. The caller limits their time.
pub(super) fn upload_client(trust: &Trust, servers: &Servers) -> SharedHttpClient {
    patient_client(trust, servers, UPLOAD_TIMEOUT)
}

fn patient_client(trust: &Trust, servers: &Servers, patience: Duration) -> SharedHttpClient {
    if behind_a_proxy() {
        return sdk_client(trust, servers);
    }
    named(Wire { connector: connector(trust), clients: Arc::default(), patience }.into_shared(), servers)
}

fn connector(trust: &Trust) -> HttpsConnector<Tcp> {
    HttpsConnectorBuilder::new()
        .with_tls_config(trust.tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(Tcp::new(CONNECT_TIMEOUT))
}

fn behind_a_proxy() -> bool {
    !proxy_settings().is_empty()
}

/// The SDK's own client, for requests that carry no objects.
pub(super) fn sdk_client(trust: &Trust, servers: &Servers) -> SharedHttpClient {
    named(sdk_client_by(trust, ProxyConfig::from_env()), servers)
}

/// The SDK's own client, for requests with small responses.
pub(super) fn small_client(trust: &Trust, servers: &Servers) -> SharedHttpClient {
    small::small(sdk_client(trust, servers))
}

/// For container and instance metadata, which a proxy cannot reach and must not see.
pub(super) fn metadata_client() -> SharedHttpClient {
    small::small(sdk_client_by(&Trust::default(), ProxyConfig::disabled()))
}

fn sdk_client_by(trust: &Trust, proxy: ProxyConfig) -> SharedHttpClient {
    let store = trust.bundle().map_or_else(TrustStore::default, |pem| TrustStore::empty().with_pem_certificate(pem));
    let context = TlsContext::builder().with_trust_store(store).build().unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = SdkConnector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context.clone()).build()
    })
}

#[derive(Clone)]
struct Wire {
    connector: HttpsConnector<Tcp>,
    /// A task of the runtime in which a connection was made drives it, so that it serves requests of this runtime alone.
    clients: Arc<Mutex<HashMap<runtime::Id, Clients>>>,
    /// Time limit for the head of a response.
    patience: Duration,
}

/// Clients with the connections of one runtime.
#[derive(Clone)]
struct Clients {
    /// For URLs without TLS.
    plain: Client<HttpsConnector<Tcp>, SdkBody>,
    tls: Client<HttpsConnector<Tcp>, SdkBody>,
}

impl Clients {
    fn new(connector: &HttpsConnector<Tcp>) -> Self {
        let client = |frame: usize| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .http1_read_buf_exact_size(frame)
                // An invalid header line is ignored and does not fail the response.
                .http1_ignore_invalid_headers_in_responses(true)
                .build(connector.clone())
        };
        Clients { plain: client(FRAME), tls: client(TLS_FRAME) }
    }
}

impl Wire {
    /// The client of the current runtime for this URL.
    fn client(&self, uri: &Uri) -> Client<HttpsConnector<Tcp>, SdkBody> {
        let mut clients = lock(&self.clients);
        let of_runtime = clients.entry(Handle::current().id()).or_insert_with(|| Clients::new(&self.connector));
        if uri.scheme_str() == Some("http") { of_runtime.plain.clone() } else { of_runtime.tls.clone() }
    }
}

/// A server sent an informational status and no final response. A retry would have the same result.
#[derive(Debug, thiserror::Error)]
#[error("status {status} came, and no answer behind it within {} s", .patience.as_secs())]
pub(super) struct OnlyInformed {
    status: u16,
    patience: Duration,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        Wire { patience: settings.read_timeout().unwrap_or(self.patience), ..self.clone() }.into_shared()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let informed = Arc::new(AtomicU16::new(0));
            let told = Arc::clone(&informed);
            hyper::ext::on_informational(&mut request, move |answer| {
                told.store(answer.status().as_u16(), Ordering::Relaxed);
            });
            let (client, patience) = (wire.client(request.uri()), wire.patience);
            let Ok(answer) = tokio::time::timeout(patience, client.request(request)).await else {
                return Err(match informed.load(Ordering::Relaxed) {
                    0 => ConnectorError::timeout(format!("no answer within {} s", patience.as_secs()).into()),
                    status => ConnectorError::other(OnlyInformed { status, patience }.into(), None),
                });
            };
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// The server keeps the connection open; the error comes from the client's time limit.
    #[tokio::test]
    async fn informational_statuses_are_not_awaited_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut bytes = [0; 4096];
            while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
                stream.write_all(b"HTTP/1.1 199 X\r\n\r\n").unwrap();
            }
        });
        let patience = Duration::from_secs(1);
        let wire = Wire { connector: connector(&Trust::default()), clients: Arc::default(), patience };
        let request = http::Request::head(format!("http://127.0.0.1:{port}/b/k")).body(SdkBody::empty()).unwrap();
        let error = wire.call(HttpRequest::try_from(request).unwrap()).await.unwrap_err();
        let said = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(said, "status 199 came, and no answer behind it within 1 s");
    }

    /// A connection ends with the runtime that made it, and another runtime makes its own.
    #[test]
    fn connections_serve_the_runtime_that_made_them() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let made = Arc::new(AtomicU16::new(0));
        let count = Arc::clone(&made);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    let (mut stream, mut bytes) = (stream.unwrap(), [0; 4096]);
                    while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                    }
                });
            }
        });
        let wire = Wire { connector: connector(&Trust::default()), clients: Arc::default(), patience: READ_TIMEOUT };
        let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let ask = |runtime: &tokio::runtime::Runtime| {
            let request = http::Request::head(format!("http://127.0.0.1:{port}/b/k")).body(SdkBody::empty()).unwrap();
            let answer = runtime.block_on(async { wire.call(HttpRequest::try_from(request).unwrap()).await });
            assert_eq!(answer.unwrap().status().as_u16(), 200);
            made.load(Ordering::Relaxed)
        };
        let (one, other) = (runtime(), runtime());
        assert_eq!((ask(&one), ask(&other)), (1, 2));
        drop(one);
        ask(&other);
    }
}
