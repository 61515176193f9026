use std::path::PathBuf;

use aws_sdk_s3::types::ChecksumAlgorithm;
use serde_json::Value;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Lab, LabOptions, Operation};

use crate::common::{Run, Server, data};

pub const BUCKET: &str = "archive";

/// A lab with one bucket, the program, and a directory for ledgers and reports.
pub struct Rig {
    pub lab: Lab,
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl Rig {
    /// A rig with an empty bucket.
    pub async fn new() -> Self {
        Self::on(LabOptions::default()).await
    }

    /// A rig with an empty bucket, on a server with these options.
    pub async fn on(options: LabOptions) -> Self {
        let lab = Lab::start(options).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket(BUCKET).await;
        Rig { lab, server, folder: tempfile::tempdir().unwrap() }
    }

    /// A rig with this many small objects, proved by CRC64NVME.
    pub async fn with(objects: u64) -> Self {
        let rig = Self::new().await;
        for number in 0..objects {
            rig.put(&key(number), number, 2_000).await;
        }
        rig
    }

    /// Uploads pseudo-random bytes, with a CRC64NVME.
    pub async fn put(&self, key: &str, seed: u64, size: usize) {
        self.server.put(BUCKET, key, &data(seed + 1, size), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    }

    /// Creates the AMI that an object is a copy of, without written blocks, and tags the object as a store does.
    pub fn source(&self, number: u64) {
        let id = format!("ami-{number:017x}");
        let volumes = vec![VolumeSpec { full_bytes: Some(0), ..VolumeSpec::new("/dev/sda1", 8) }];
        self.lab.create_image("us-east-1", ImageSpec { id: Some(id.clone()), volumes, ..ImageSpec::new(&id) });
        let tags = [("source-ami", id), ("source-account", "123456789012".to_owned())];
        let tags = tags.map(|(name, value)| (format!("stored-ami:{name}"), value)).into();
        self.lab.with_object(BUCKET, &key(number), |object| object.tags = tags).unwrap();
    }

    pub async fn delete(&self, key: &str) {
        self.server.client.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of a file in the directory, as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Runs a command for a person.
    pub async fn told(&self, args: &[&str], exit: i32) -> String {
        let mut command = self.server.command();
        command.args(args);
        let run = Run::of(command).await;
        run.assert_exit(exit);
        run.stdout
    }

    /// Runs `audit s3://archive` with the ledger `l.db`.
    pub async fn audit(&self, args: &[&str]) -> Audited {
        let ledger = self.text("l.db");
        let all = [&["audit", "s3://archive", "--ledger", &ledger], args].concat();
        Audited::of(self.server.run(&all).await)
    }

    /// Number of requests of an operation since the calls were cleared.
    pub fn calls(&self, operation: Operation) -> usize {
        self.lab.calls().iter().filter(|call| call.operation == operation).count()
    }
}

/// The key of an object.
pub fn key(number: u64) -> String {
    format!("p{}/ami-{number:017x}.bin", number % 3)
}

/// The URI of an object.
pub fn target(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// The output of an audit.
pub struct Audited {
    pub run: Run,
    /// The JSON lines of standard output.
    pub lines: Vec<Value>,
}

impl Audited {
    pub fn of(run: Run) -> Self {
        let lines = run.lines();
        Audited { run, lines }
    }

    /// The lines of this type.
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    /// The summary of the audit.
    pub fn end(&self) -> &Value {
        self.of_type("audit").next().unwrap_or_else(|| panic!("no end: {:?}", self.run))
    }

    /// The line of this object.
    pub fn object(&self, key: &str) -> &Value {
        let target = target(key);
        self.of_type("audited").find(|line| line["target"] == target.as_str()).unwrap_or_else(|| panic!("no {key}"))
    }

    pub fn assert_exit(&self, exit: i32) -> &Self {
        assert_eq!(self.run.exit, Some(exit), "{:?} {:#?}", self.run.stderr, self.lines.last());
        self
    }

    /// Everything reported, in a form that is stable between runs: objects with failed or unknown checks, buckets, and
    /// observations.
    pub fn named(&self) -> Vec<String> {
        let wrong = |line: &Value| {
            let findings = line["findings"].as_array().unwrap().iter();
            let bears =
                findings.filter(|f| f["verdict"] == "fail" || f["required"] == true && f["verdict"] == "unknown");
            let mut words: Vec<String> = bears
                .map(|f| format!("{} {}", f["check"].as_str().unwrap(), f["reason"]["code"].as_str().unwrap_or("fail")))
                .collect();
            words.sort();
            words.join(", ")
        };
        let mut named: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| match line["type"].as_str().unwrap() {
                "audited" if line["exit_code"] != 0 => {
                    Some(format!("{}: {}", line["target"].as_str().unwrap(), wrong(line)))
                }
                "audited_bucket" if line["exit_code"] != 0 => {
                    Some(format!("bucket {}: {}", line["bucket"].as_str().unwrap(), wrong(line)))
                }
                "observation" => {
                    Some(format!("{}: {}", line["kind"].as_str().unwrap(), line["subject"].as_str().unwrap()))
                }
                _ => None,
            })
            .collect();
        named.sort();
        named
    }
}
