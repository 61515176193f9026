use std::process::Command;

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;
use stored_ami::report::Line;
use stored_ami_lab::ec2::{Ec2State, ImageRecord, ImageSpec, SnapshotRecord, VolumeSpec};
use stored_ami_lab::{Action, CallRecord, Fault, FaultRule, Lab, LabOptions, Operation, TaskPace};

use crate::common::{Run, Server};

pub const REGION: &str = "us-east-1";
pub const BUCKET: &str = "archive";
pub const AMI: &str = "ami-0123456789abcdef0";
pub const OBJECT: &str = "s3://archive/ami-0123456789abcdef0.bin";
pub const KEY: &str = "ami-0123456789abcdef0.bin";
/// The id of another account.
pub const OTHER: &str = "999999999999";

/// A lab with one AMI of three volumes and one empty bucket, and the program.
pub struct Rig {
    pub lab: Lab,
    pub server: Server,
    pub home: tempfile::TempDir,
}

impl Rig {
    /// Tasks end with the first request for their state.
    pub async fn new() -> Self {
        Self::with(LabOptions::default(), TaskPace::Polls(0)).await
    }

    /// Tasks never end.
    pub async fn busy() -> Self {
        Self::with(LabOptions::default(), TaskPace::Polls(u32::MAX)).await
    }

    pub async fn with(options: LabOptions, tasks: TaskPace) -> Self {
        let lab = Lab::start(LabOptions { tasks, ..options }).await.unwrap();
        let server = Server::new(&lab.endpoint(), REGION, "test", "test");
        server.bucket(BUCKET).await;
        let volumes = [("/dev/sda1", 8), ("/dev/sdb", 20), ("/dev/sdc", 1)];
        let rig = Rig { lab, server, home: tempfile::tempdir().unwrap() };
        rig.create(Some(AMI), "golden", &volumes);
        rig
    }

    /// Creates an AMI of the account; sizes are in GiB.
    pub fn create(&self, id: Option<&str>, name: &str, volumes: &[(&str, u64)]) -> String {
        let volumes = volumes.iter().map(|(device, size)| VolumeSpec::new(device, *size)).collect();
        let id = id.map(str::to_owned);
        self.lab.create_image(REGION, ImageSpec { id, volumes, ..ImageSpec::new(name) })
    }

    /// Changes the state of EC2 in the lab.
    pub fn ec2<T>(&self, change: impl FnOnce(&mut Ec2State) -> T) -> T {
        self.lab.ec2(REGION, change)
    }

    /// Changes the AMI.
    pub fn image(&self, change: impl FnOnce(&mut ImageRecord)) {
        self.ec2(|state| change(state.images.get_mut(AMI).unwrap()));
    }

    /// Changes all snapshots there are.
    pub fn snapshots(&self, change: impl Fn(&mut SnapshotRecord)) {
        self.ec2(|state| state.snapshots.values_mut().for_each(change));
    }

    /// Sets the size of the AMI in GiB, with or without that of its written blocks.
    pub fn resize(&self, gib: u64, written_gib: Option<u64>) {
        self.ec2(|state| {
            let image = state.images.get_mut(AMI).unwrap();
            image.mappings.truncate(1);
            image.mappings[0].size = Some(gib);
            let snapshot = state.snapshots.get_mut(&image.mappings[0].snapshot).unwrap();
            snapshot.size = Some(gib);
            snapshot.full_bytes = written_gib.map(|gib| gib << 30);
        });
    }

    /// Deregisters the AMI.
    pub fn deregister(&self) {
        self.ec2(|state| state.images.remove(AMI));
    }

    /// Denies an IAM action.
    pub fn deny(&self, action: &str) {
        self.lab.deny(stored_ami_lab::Deny::action(action));
    }

    /// Answers the calls of this action whose parameters contain this text with this code.
    pub fn answer(&self, action: Action, containing: &str, status: u16, code: &'static str) {
        let rule = FaultRule::new(Operation::Service(action), Fault::Status { status, code });
        self.lab.script(rule.key_contains(containing).always());
    }

    pub fn command(&self) -> Command {
        let mut command = self.server.command();
        command.env("XDG_STATE_HOME", self.home.path());
        command
    }

    pub async fn run(&self, args: &[&str]) -> Run {
        let mut command = self.command();
        command.args(args).arg("--json");
        let run = Run::of(command).await;
        for line in run.lines() {
            let typed: Line = serde_json::from_value(line.clone()).unwrap();
            assert_eq!(serde_json::to_value(&typed).unwrap(), line, "nothing that the types do not hold");
        }
        run
    }

    /// Stores the AMI.
    pub async fn store(&self) {
        self.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await.assert_exit(0);
    }

    /// EC2 of the lab, for another program.
    fn other_program(&self) -> aws_sdk_ec2::Client {
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(self.lab.endpoint())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("other", "other", None, None, "test"))
            .build();
        aws_sdk_ec2::Client::from_conf(config)
    }

    /// Starts a store, like another program.
    pub async fn start_store(&self, image: &str, bucket: &str) {
        self.other_program().create_store_image_task().image_id(image).bucket(bucket).send().await.unwrap();
    }

    /// Describes store tasks, like another program, until all have ended.
    pub async fn wait_for_stores(&self) {
        let is_running = |state: &mut Ec2State| state.tasks.iter().any(|task| task.state == "InProgress");
        while self.ec2(is_running) {
            self.other_program().describe_store_image_tasks().send().await.unwrap();
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    /// Calls that start something.
    pub fn starts(&self) -> Vec<CallRecord> {
        let starts = [Action::CreateStoreImageTask, Action::CreateRestoreImageTask].map(Operation::Service);
        let mut calls = self.lab.calls();
        calls.retain(|call| starts.contains(&call.operation) && !call.query.contains("DryRun=true"));
        calls
    }

    /// Tags the object as `store` does.
    pub fn tag_source(&self, image: &str, account: &str) {
        let tags = [("source-ami", image), ("source-account", account)];
        let tags = tags.map(|(name, value)| (format!("stored-ami:{name}"), value.to_owned())).into();
        self.lab.with_object(BUCKET, KEY, |object| object.tags = tags).unwrap();
    }

    /// AMIs created by restores.
    pub fn restored(&self) -> Vec<ImageRecord> {
        self.ec2(|state| state.images.values().filter(|image| image.source_image.is_some()).cloned().collect())
    }
}

/// The line of this type.
pub fn line(run: &Run, kind: &str) -> Value {
    let lines = run.lines();
    let found = lines.iter().find(|line| line["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {run:?}")).clone()
}

/// A row of a table: a change, and its expected result.
pub struct Row<'a> {
    pub name: &'a str,
    pub check: &'a str,
    /// `pass`, `fail`, or `unknown: code`.
    pub verdict: &'a str,
    /// Contained in the observed value, or in the reason.
    pub text: &'a str,
    pub exit: i32,
}

impl Row<'_> {
    pub fn assert(&self, run: &Run) {
        assert_eq!(run.verdict(self.check), self.verdict, "{}: {run:?}", self.name);
        let finding = run.finding(self.check);
        let text = finding["reason"]["detail"].as_str().or(finding["observed"].as_str()).unwrap();
        assert!(text.contains(self.text), "{}: {text}", self.name);
        if self.verdict != "unknown" && !self.verdict.starts_with("unknown:") {
            assert!(finding["source"].is_string() && finding["expected"].is_string(), "{}: {finding}", self.name);
        }
        assert_eq!(run.exit, Some(self.exit), "{}: {run:?}", self.name);
    }
}
