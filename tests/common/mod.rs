//! Shared code of the black-box tests: a server, objects on it, and runs of the program.
#![allow(dead_code, reason = "each test binary uses its own share")]

pub mod peak;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, Tag, Tagging};
use serde_json::Value;

/// Bytes without a power-of-two period, different for each seed.
pub fn data(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = vec![0; size];
    // A loop, because the tests are not optimised, and iterators take several times as long then.
    for byte in &mut bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    bytes
}

/// A port that refuses connections, and that no server of another test can take while this value lives.
pub struct ClosedPort(tokio::net::TcpSocket);

impl ClosedPort {
    pub fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        ClosedPort(socket)
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.0.local_addr().unwrap()
    }
}

/// An S3 server to test against.
#[derive(Clone)]
pub struct Server {
    pub endpoint: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    pub client: Client,
}

impl Server {
    pub fn new(endpoint: &str, region: &str, access_key: &str, secret_key: &str) -> Self {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(true)
            .build();
        Server {
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            client: Client::from_conf(config),
        }
    }

    pub async fn bucket(&self, bucket: &str) {
        // The bucket may exist from an earlier run.
        let _ = self.client.create_bucket().bucket(bucket).send().await;
    }

    pub async fn put(&self, bucket: &str, key: &str, body: &[u8], checksum: Option<ChecksumAlgorithm>) {
        // S3 refuses the name of an algorithm without a checksum.
        let calculation = match checksum {
            Some(_) => RequestChecksumCalculation::WhenSupported,
            None => RequestChecksumCalculation::WhenRequired,
        };
        self.client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(body.to_vec().into())
            .set_checksum_algorithm(checksum)
            .customize()
            .config_override(aws_sdk_s3::Config::builder().request_checksum_calculation(calculation))
            .send()
            .await
            .unwrap();
    }

    /// Uploads `parts` by multipart upload.
    pub async fn multipart(
        &self,
        bucket: &str,
        key: &str,
        parts: &[&[u8]],
        checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    ) {
        self.multipart_with(bucket, key, parts, checksum, |create| create).await;
    }

    /// Uploads parts with the given checksum type.
    pub async fn multipart_with(
        &self,
        bucket: &str,
        key: &str,
        parts: &[&[u8]],
        checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
        adjust: impl FnOnce(
            aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
        )
            -> aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder,
    ) {
        let create = self
            .client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .set_checksum_algorithm(checksum.as_ref().map(|(algorithm, _)| algorithm.clone()))
            .set_checksum_type(checksum.as_ref().map(|(_, kind)| kind.clone()));
        let upload = adjust(create).send().await.unwrap().upload_id().unwrap().to_owned();
        let mut done = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let number = index as i32 + 1;
            let out = self
                .client
                .upload_part()
                .bucket(bucket)
                .key(key)
                .upload_id(&upload)
                .part_number(number)
                .body(part.to_vec().into())
                .send()
                .await
                .unwrap();
            done.push(
                CompletedPart::builder()
                    .part_number(number)
                    .set_e_tag(out.e_tag().map(str::to_owned))
                    .set_checksum_crc32(out.checksum_crc32().map(str::to_owned))
                    .set_checksum_crc32_c(out.checksum_crc32_c().map(str::to_owned))
                    .set_checksum_crc64_nvme(out.checksum_crc64_nvme().map(str::to_owned))
                    .set_checksum_sha1(out.checksum_sha1().map(str::to_owned))
                    .set_checksum_sha256(out.checksum_sha256().map(str::to_owned))
                    .build(),
            );
        }
        self.client
            .complete_multipart_upload()
            .bucket(bucket)
            .key(key)
            .upload_id(&upload)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(done)).build())
            .send()
            .await
            .unwrap();
    }

    pub async fn tag(&self, bucket: &str, key: &str, name: &str, value: &str) {
        let tag = Tag::builder().key(name).value(value).build().unwrap();
        let tagging = Tagging::builder().tag_set(tag).build().unwrap();
        self.client.put_object_tagging().bucket(bucket).key(key).tagging(tagging).send().await.unwrap();
    }

    /// The program, configured for this server only.
    pub fn command(&self) -> Command {
        let mut command = bare_command();
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", &self.region)
            .env("AWS_ACCESS_KEY_ID", &self.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret_key);
        command
    }

    /// Runs the program with `--json`.
    pub async fn run(&self, args: &[&str]) -> Run {
        let mut command = self.command();
        command.args(args).arg("--json");
        Run::of(command).await
    }
}

/// The program without the settings of this machine.
pub fn bare_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stored-ami"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = name.starts_with("AWS_") || name.starts_with("STORED_AMI_") || name == "RUST_LOG";
        if ours || name.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("STORED_AMI_CONFIG", "")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("NO_COLOR");
    command
}

/// Result of a run of the program.
#[derive(Debug, Clone)]
pub struct Run {
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub async fn of(mut command: Command) -> Self {
        // The server may run in this process, so it must not be blocked.
        let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Run::from(output)
    }

    /// Runs the program, and sends it SIGTERM as soon as the lab answers a request with a fault.
    pub async fn terminated(mut command: Command, lab: &stored_ami_lab::Lab) -> Self {
        let mut faults = lab.faults();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::time::timeout(std::time::Duration::from_secs(60), faults.recv()).await.unwrap().unwrap();
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        Run::from(tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap())
    }

    fn from(output: Output) -> Self {
        Run {
            exit: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The JSON lines of standard output.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The report about the only target.
    pub fn report(&self) -> Value {
        let lines = self.lines();
        assert_eq!(lines.len(), 2, "a report and a summary: {self:?}");
        assert_eq!(lines[1]["type"], "summary");
        lines[0].clone()
    }

    /// The finding of this check in the only report.
    pub fn finding(&self, check: &str) -> Value {
        let report = self.report();
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("no finding {check} in {report:#}")).clone()
    }

    /// `pass`, `fail`, or `unknown: code`.
    pub fn verdict(&self, check: &str) -> String {
        let finding = self.finding(check);
        match finding["reason"]["code"].as_str() {
            Some(code) => format!("unknown: {code}"),
            None => finding["verdict"].as_str().unwrap().to_owned(),
        }
    }

    pub fn assert_exit(&self, exit: i32) -> &Self {
        assert_eq!(self.exit, Some(exit), "{self:?}");
        self
    }
}

/// Writes a file into a directory, and returns its path.
pub fn write(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}
