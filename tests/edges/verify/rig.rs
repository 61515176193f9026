use std::path::Path;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami::checksum::{Algorithm, Hasher};
use stored_ami_lab::{Lab, LabOptions, Operation};

use crate::common::{Run, Server, bare_command, data};

pub const BUCKET: &str = "archive";
pub const KEY: &str = "ami-0123456789abcdef0.bin";
pub const PART: usize = 60_007;

/// A lab with one bucket, and the program.
pub struct Rig {
    pub lab: Lab,
    pub server: Server,
}

impl Rig {
    /// Objects have no checksum unless one is requested.
    pub async fn new() -> Self {
        let lab = Lab::start(LabOptions { default_checksum: false, ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket(BUCKET).await;
        Rig { lab, server }
    }

    pub async fn put(&self, bytes: &[u8], checksum: Option<ChecksumAlgorithm>) {
        self.server.put(BUCKET, KEY, bytes, checksum).await;
    }

    pub async fn multipart(
        &self,
        key: &str,
        bytes: &[u8],
        part: usize,
        sum: Option<(ChecksumAlgorithm, ChecksumType)>,
    ) {
        let parts: Vec<&[u8]> = bytes.chunks(part).collect();
        self.server.multipart(BUCKET, key, &parts, sum).await;
    }

    pub async fn verify(&self, more: &[&str]) -> Run {
        self.verify_key(KEY, more).await
    }

    pub async fn verify_key(&self, key: &str, more: &[&str]) -> Run {
        self.lab.clear_calls();
        let target = format!("s3://{BUCKET}/{key}");
        let mut args = vec!["verify", &target];
        args.extend(more);
        self.server.run(&args).await
    }

    /// The text output, as a user sees it.
    pub async fn shown(&self, more: &[&str]) -> String {
        let target = format!("s3://{BUCKET}/{KEY}");
        let mut command = self.server.command();
        command.args(["verify", &target]).args(more);
        // Lines are wrapped to the width of a terminal.
        Run::of(command).await.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Number of reads of object bytes.
    pub fn reads(&self) -> usize {
        self.lab.calls().iter().filter(|call| call.operation == Operation::GetObject).count()
    }

    /// Sets an ETag that looks like an MD5 but is not one.
    pub fn odd_etag(&self, etag: &str) {
        self.lab.with_object(BUCKET, KEY, |object| object.etag = etag.to_owned()).unwrap();
    }
}

/// The bytes of the object.
pub fn image() -> Vec<u8> {
    data(7, PART * 3 - 1_000)
}

pub fn hex(algorithm: Algorithm, bytes: &[u8]) -> String {
    Hasher::digest(algorithm, bytes).hex()
}

/// Verifies a local file with the directory as current directory, so that paths are as given.
pub async fn offline(folder: &Path, args: &[&str]) -> Run {
    let mut command = bare_command();
    command.current_dir(folder).arg("verify").args(args).arg("--json");
    Run::of(command).await
}

/// The verdicts of all findings of a check.
pub fn verdicts(run: &Run, check: &str) -> Vec<String> {
    let report = run.report();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check);
    findings
        .map(|finding| match finding["reason"]["code"].as_str() {
            Some(code) => format!("unknown: {code}"),
            None => finding["verdict"].as_str().unwrap().to_owned(),
        })
        .collect()
}
