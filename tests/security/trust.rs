//! Which servers are trusted: certificates of the system, or only those of `AWS_CA_BUNDLE`.
//!
//! The fixtures are a CA and its certificate for `localhost`, both valid from 2020 to 2120; the key of the CA was
//! deleted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::common::{Run, bare_command, write};
use crate::http::{answer, listen, request};
use crate::rig::{AMI, BUCKET, OBJECT};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/tls/localhost.pem");
const KEY: &[u8] = include_bytes!("../fixtures/tls/localhost.key");

/// Answers every request with 404, and counts those that passed the handshake.
struct TlsServer {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    fn start() -> Self {
        let chain = CertificateDer::pem_slice_iter(CERTIFICATE).collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let requests: Arc<AtomicUsize> = Arc::default();
        let seen = Arc::clone(&requests);
        let port = listen(move |mut tcp| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut tcp);
            while let Some(request) = request(&mut stream) {
                seen.fetch_add(1, Ordering::SeqCst);
                answer(&mut stream, &request, 404, &[], "");
            }
        });
        TlsServer { port, requests }
    }

    /// Runs a command against the server under a host name. Returns the run and the number of requests.
    async fn run(&self, host: &str, bundle: Option<&str>, args: &[&str]) -> (Run, usize) {
        let before = self.requests.load(Ordering::SeqCst);
        let mut command = bare_command();
        command
            .args(args)
            .arg("--json")
            .env("AWS_ENDPOINT_URL", format!("https://{host}:{}", self.port))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(bundle.map(|bundle| ("AWS_CA_BUNDLE", bundle)));
        let run = Run::of(command).await;
        (run, self.requests.load(Ordering::SeqCst) - before)
    }
}

/// The first two use the client for object bodies, the last one that of the SDK.
const COMMANDS: [&[&str]; 3] = [&["inspect", OBJECT], &["verify", OBJECT], &["stored", AMI, "--bucket", BUCKET]];

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_of_ones_own_is_believed_where_the_bundle_names_it() {
    let server = TlsServer::start();
    for args in COMMANDS {
        let (run, requests) = server.run("localhost", Some(CA), args).await;
        assert!(requests > 0, "{args:?}: {run:?}");
        assert!(!run.stdout.contains("trusted"), "{args:?}: {run:?}");
        assert_eq!(run.exit, Some(4), "it answers with 404; {args:?}: {run:?}");
    }
}

/// A profile may name the bundle; the variable takes precedence.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_the_profile_is_believed() {
    let server = TlsServer::start();
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), "config", format!("[default]\nca_bundle = {CA}\n").as_bytes());
    for args in COMMANDS {
        let mut command = bare_command();
        command
            .args(args)
            .arg("--json")
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_ENDPOINT_URL", format!("https://localhost:{}", server.port))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        let before = server.requests.load(Ordering::SeqCst);
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(4), "it answers with 404; {args:?}: {run:?}");
        assert!(server.requests.load(Ordering::SeqCst) > before && !run.stdout.contains("trusted"), "{run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_believed_ends_it_before_a_request_is_sent() {
    let server = TlsServer::start();
    for args in COMMANDS {
        for (host, bundle, cause) in [
            ("localhost", None, "invalid peer certificate: UnknownIssuer"),
            ("127.0.0.1", Some(CA), "invalid peer certificate: certificate not valid for name \"127.0.0.1\""),
        ] {
            let (run, requests) = server.run(host, bundle, args).await;
            assert_eq!(requests, 0, "not even the signature of a request is given away; {args:?}: {run:?}");
            let error = run.assert_exit(4).report();
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(&format!(" is not trusted: {cause}")), "{args:?}: {message}");
            assert!(!run.stderr.contains("trying again"), "it would be refused again; {args:?}: {run:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_without_certificates_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(folder.path(), "empty.pem", b"");
    let text = write(folder.path(), "text.pem", b"certificates are elsewhere\n");
    let key = write(folder.path(), "key.pem", KEY);
    let torn = write(folder.path(), "torn.pem", &CERTIFICATE[..CERTIFICATE.len() / 2]);
    let server = TlsServer::start();
    for (bundle, problem) in [
        (empty.as_str(), "there is no certificate in it"),
        (&text, "there is no certificate in it"),
        (&key, "there is no certificate in it"),
        (&torn, "AWS_CA_BUNDLE"),
        ("/nonexistent/ca.pem", "there is no such file"),
    ] {
        for args in COMMANDS {
            let (run, requests) = server.run("localhost", Some(bundle), args).await;
            assert_eq!((run.exit, requests), (Some(2), 0), "{bundle}: {run:?}");
            assert!(run.stderr.contains(problem) && run.stderr.contains("AWS_CA_BUNDLE"), "{bundle}: {run:?}");
            assert!(run.stdout.is_empty(), "{bundle}: {run:?}");
        }
    }
}
