use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Deny, Lab, LabOptions};

use crate::common::{ClosedPort, Run, Server, bare_command};

pub const AMI: &str = "ami-0123456789abcdef0";

/// One row: what is typed, and what is printed.
pub struct Row {
    /// Where and when, for the reader of the table.
    pub when: &'static str,
    /// Environment variables besides those of the situation.
    pub env: &'static [(&'static str, &'static str)],
    /// The command line without the name of the program.
    pub typed: &'static str,
    pub exit: i32,
    /// Standard output, every word of it.
    pub out: &'static str,
    /// Standard error, every word of it.
    pub err: &'static str,
}

/// Standard output that is a report and no message.
pub const ANY: &str = "<any>";

/// Keys that the lab accepts.
pub const KEYS: (&str, &str) = ("AWS_ACCESS_KEY_ID", "test");
pub const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "test");

const CONFIG: &str = "[default]\nregion = us-east-1\n[profile dev]\n[profile minio]\naws_access_key_id = test\n\
                      aws_secret_access_key = test\nendpoint_url = http://minio.example:9000\n";

/// A lab with a bucket, an object and an AMI; a closed port; two servers that speak TLS, one of them with a certificate
/// that nobody trusts; and a home directory.
pub struct Rig {
    lab: Lab,
    server: Server,
    closed: ClosedPort,
    tls: String,
    untrusted: String,
    home: tempfile::TempDir,
}

impl Rig {
    pub async fn new(denied: &[&str]) -> Self {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket("archive").await;
        server.put("archive", &format!("{AMI}.bin"), b"stored", None).await;
        let volumes = vec![VolumeSpec::new("/dev/sda1", 8)];
        lab.create_image("us-east-1", ImageSpec { id: Some(AMI.to_owned()), volumes, ..ImageSpec::new("golden") });
        for action in denied {
            lab.deny(Deny::action(action));
        }
        let closed = ClosedPort::new();
        let home = tempfile::tempdir().unwrap();
        for (name, text) in [("config", CONFIG), ("x.bin", "x"), ("other.bin", "other"), ("not.json", "{\"a\":1}")] {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        Rig { lab, server, closed, tls: tls(), untrusted: untrusted(), home }
    }

    /// Names and their values in texts, the longest first.
    fn names(&self) -> [(&'static str, String); 5] {
        let lab = self.lab.endpoint().trim_start_matches("http://").to_owned();
        let home = self.home.path().display().to_string();
        let (closed, tls, untrusted) = (self.closed.address().to_string(), self.tls.clone(), self.untrusted.clone());
        [("HOME", home), ("UNTRUSTED", untrusted), ("LAB", lab), ("CLOSED", closed), ("TLS", tls)]
    }

    /// A text with the values of the names.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in self.names() {
            text = text.replace(&format!("<{name}>"), &value);
        }
        text
    }

    fn command(&self, row: &Row) -> Command {
        let mut command = bare_command();
        command
            .args(row.typed.split_whitespace().map(|word| self.filled(word)))
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path())
            .env("AWS_CONFIG_FILE", self.home.path().join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.home.path().join("credentials"))
            .env("AWS_ENDPOINT_URL", &self.server.endpoint)
            .env("AWS_REGION", "us-east-1");
        for (name, value) in row.env {
            command.env(name, self.filled(value));
        }
        command
    }

    /// Runs a command of the situation.
    pub async fn prepare(&self, typed: &'static str) {
        let row = Row { when: "", env: &[KEYS, SECRET], typed, exit: 0, out: ANY, err: "" };
        Run::of(self.command(&row)).await;
    }

    /// Runs the rows in order.
    pub async fn check_all(&self, rows: &[Row]) {
        for row in rows {
            self.check(row).await;
        }
    }

    /// Runs a row, and compares the exit code and all of both texts.
    async fn check(&self, row: &Row) {
        let began = Instant::now();
        let run = Run::of(self.command(row)).await;
        let took = began.elapsed();
        let plain = |text: &str| {
            let mut text = without_request_ids(text);
            for (name, value) in self.names() {
                text = text.replace(&value, &format!("<{name}>"));
            }
            // How a retry is shown is the subject of other tests.
            let of_retry = |line: &&str| line.contains("trying again") || line.starts_with("retried ");
            let lines = text.lines().filter(|line| !of_retry(line)).map(without_head);
            lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
        };
        let out = if row.out == ANY { ANY.to_owned() } else { plain(&run.stdout) };
        let err = plain(&run.stderr);
        assert_eq!(
            (run.exit, out.as_str(), err.as_str()),
            (Some(row.exit), row.out.trim_matches('\n'), row.err.trim_matches('\n')),
            "{}: {}\n--- out\n{out}\n--- err\n{err}\n",
            row.when,
            row.typed
        );
        // A mistake is reported while the user still looks.
        assert!(took.as_secs() < 30, "{}: {took:?}", row.when);
    }
}

/// ` [request id …]`, wherever a line breaks in it.
fn without_request_ids(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" [request id") {
        kept.push_str(before);
        rest = after.split_once(']').map_or("", |(_, rest)| rest);
    }
    kept + rest
}

/// A line of JSON without the fields that say when and by what it was written, and that repeat its result.
fn without_head(line: &str) -> String {
    match (line.split_once("\"at\":"), line.split_once("\"type\":")) {
        (Some((before, _)), Some((_, after))) => format!("{before}\"type\":{after}"),
        _ => line.to_owned(),
    }
}

/// A server that answers every connection with the alert of a TLS server.
fn tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"\x15\x03\x01\x00\x02\x02\x46");
        }
    });
    address
}

const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/localhost.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/tls/localhost.key");

/// A TLS server for `localhost` whose CA is in no bundle. No handshake with it is completed.
fn untrusted() -> String {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut tcp = stream.unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = Stream::new(&mut tls, &mut tcp).read(&mut [0; 4096]);
        }
    });
    address
}
