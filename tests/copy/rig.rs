use std::process::Command;

use stored_ami_lab::{CallRecord, Lab, LabOptions, Operation};

use crate::common::{Run, Server, bare_command};

pub const KEY: &str = "ami-0123456789abcdef0.bin";
pub const FROM: &str = "s3://archive/ami-0123456789abcdef0.bin";
pub const TO: &str = "s3://gov-archive/ami-0123456789abcdef0.bin";
pub const GOV_ACCOUNT: &str = "210987654321";
pub const GOV_REGION: &str = "us-gov-west-1";

/// Two labs, each a partition with an account of its own, and a profile for each.
pub struct Rig {
    pub from: Lab,
    pub to: Lab,
    pub source: Server,
    pub destination: Server,
    pub home: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        Rig::with(LabOptions::default()).await
    }

    /// `from` are the options of the source's lab.
    pub async fn with(from: LabOptions) -> Self {
        let from = Lab::start(from).await.unwrap();
        let gov =
            LabOptions { region: GOV_REGION.to_owned(), account: GOV_ACCOUNT.to_owned(), ..LabOptions::default() };
        let to = Lab::start(gov).await.unwrap();
        let source = Server::new(&from.endpoint(), "us-east-1", "seed", "seed");
        let destination = Server::new(&to.endpoint(), GOV_REGION, "seed", "seed");
        source.bucket("archive").await;
        destination.bucket("gov-archive").await;
        let rig = Rig { from, to, source, destination, home: tempfile::tempdir().unwrap() };
        rig.config(&rig.profiles());
        rig.from.clear_calls();
        rig.to.clear_calls();
        rig
    }

    /// The profiles `commercial` and `gov`.
    pub fn profiles(&self) -> String {
        let of = |name: &str, key: &str, region: &str, url: String| {
            format!(
                "[profile {name}]\naws_access_key_id = {key}\naws_secret_access_key = s\nregion = {region}\n\
                 endpoint_url = {url}\n"
            )
        };
        of("commercial", "COMMERCIALKEY", "us-east-1", self.from.endpoint())
            + &of("gov", "GOVKEY", GOV_REGION, self.to.endpoint())
    }

    pub fn config(&self, text: &str) {
        std::fs::write(self.home.path().join("config"), text).unwrap();
    }

    /// `copy` between the two profiles, with `--json`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = bare_command();
        command
            .env("HOME", self.home.path())
            .env("AWS_CONFIG_FILE", self.home.path().join("config"))
            .args(["copy", "--json"])
            .args(profiles(args))
            .args(["--accept", "public"])
            .args(args);
        command
    }

    pub async fn copy(&self, args: &[&str]) -> Run {
        self.from.clear_calls();
        self.to.clear_calls();
        Run::of(self.command(&[&[FROM, TO], args].concat())).await
    }

    /// The bytes of an object at the destination.
    pub async fn bytes(&self, key: &str) -> Vec<u8> {
        let out = self.destination.client.get_object().bucket("gov-archive").key(key).send().await.unwrap();
        out.body.collect().await.unwrap().to_vec()
    }

    pub async fn has(&self, key: &str) -> bool {
        self.destination.client.head_object().bucket("gov-archive").key(key).send().await.is_ok()
    }

    /// Number of uploads in progress at the destination.
    pub async fn uploads(&self) -> usize {
        let out = self.destination.client.list_multipart_uploads().bucket("gov-archive").send().await.unwrap();
        out.uploads().len()
    }

    /// The calls of this operation at the destination.
    pub fn calls(&self, operation: Operation) -> Vec<CallRecord> {
        self.to.calls().into_iter().filter(|call| call.operation == operation).collect()
    }
}

/// The profile of each end that is no file; of both, if options come first.
pub fn profiles(args: &[&str]) -> Vec<&'static str> {
    let both = args.first().is_none_or(|first| first.starts_with('-'));
    let ends = [["--from-profile", "commercial"], ["--to-profile", "gov"]];
    let is_given = |(end, _): &(usize, _)| both || args.get(*end).is_none_or(|word| word.contains("://"));
    ends.into_iter().enumerate().filter(is_given).flat_map(|(_, option)| option).collect()
}

/// The report that counts: the last one before the summary.
pub fn report(run: &Run) -> serde_json::Value {
    let lines = run.lines();
    assert!(lines.len() >= 2, "{run:?}");
    let report = lines[lines.len() - 2].clone();
    assert_eq!(report["type"], "copy", "{run:?}");
    report
}

/// `pass`, `fail` or `unknown` of a check.
pub fn verdict(run: &Run, check: &str) -> String {
    let report = report(run);
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().rfind(|finding| finding["check"] == check);
    found.map_or_else(|| "absent".to_owned(), |finding| finding["verdict"].as_str().unwrap().to_owned())
}
