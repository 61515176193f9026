use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::account::AccountState;
use super::calls::CallRecord;
use super::content::{Content, SyntheticSpec};
use super::deny::Deny;
use super::ec2::{Ec2State, ImageSpec};
use super::fault::FaultRule;
use super::ops;
use super::options::LabOptions;
use super::server;
use super::shared::Shared;
use super::store::{Bucket, BucketOptions, Folder, ObjectRecord};
use crate::sync::lock;

/// A running lab. Dropping it stops it.
#[derive(Debug)]
pub struct Lab {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

/// Why something could not be done to the lab's objects.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab has no such object: {bucket}/{key}")]
    NoSuchObject { bucket: String, key: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lab {
    /// Binds and begins to serve, on the current Tokio runtime.
    pub async fn start(options: LabOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.bind).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options)?);
        let stop = CancellationToken::new();
        let task = tokio::spawn(server::serve(listener, shared.clone(), stop.clone()));
        Ok(Lab { shared, address, stop, task: Some(task) })
    }

    /// For example `http://127.0.0.1:9000`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and drops every connection.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // It can only fail by a panic, which has been reported already.
            let _ = task.await;
        }
    }

    /// Waits until the lab stops.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.calls.snapshot()
    }

    pub fn clear_calls(&self) {
        self.shared.calls.clear();
    }

    /// Requests as faults strike them, from now on.
    pub fn faults(&self) -> UnboundedReceiver<CallRecord> {
        self.shared.calls.listen()
    }

    /// Refuses an action from now on.
    pub fn deny(&self, rule: Deny) {
        self.shared.deny(rule);
    }

    /// Forgets every rule of refusal.
    pub fn allow_all(&self) {
        self.shared.allow_all();
    }

    /// Adds a fault behind those that are there.
    pub fn script(&self, rule: FaultRule) {
        self.shared.script.add(rule);
    }

    pub fn clear_script(&self) {
        self.shared.script.clear();
    }

    pub fn create_bucket(&self, name: &str, options: BucketOptions) -> io::Result<()> {
        let bucket = Bucket::new(&self.shared.options.region, options, Timestamp::now());
        self.shared.store().add_bucket(name, bucket)
    }

    /// Sets the lifecycle configuration of a bucket to a document of any form.
    pub fn lifecycle(&self, name: &str, document: Option<&str>) -> io::Result<()> {
        let document = document.map(str::to_owned);
        self.shared.store().change_bucket(name, |bucket| bucket.options.lifecycle = document)
    }

    /// Makes an AMI whose snapshots hold bytes of the lab's; its id.
    pub fn create_image(&self, region: &str, spec: ImageSpec) -> String {
        self.ec2(region, |state| spec.make(state, |kind| self.shared.resource_id(kind)))
    }

    /// Reads or changes what EC2 keeps in a Region.
    pub fn ec2<T>(&self, region: &str, change: impl FnOnce(&mut Ec2State) -> T) -> T {
        change(lock(&self.shared.cloud).region(region))
    }

    /// Reads or changes keys and quotas.
    pub fn account<T>(&self, change: impl FnOnce(&mut AccountState) -> T) -> T {
        change(&mut lock(&self.shared.cloud).account)
    }

    /// The next store that is started will fail with this reason.
    pub fn fail_next_store(&self, reason: &str) {
        lock(&self.shared.cloud).fail_stores.push(reason.to_owned());
    }

    /// The next restore that is started will fail with this reason.
    pub fn fail_next_restore(&self, reason: &str) {
        lock(&self.shared.cloud).fail_restores.push(reason.to_owned());
    }

    /// Flips the bits of `xor_mask` in one stored byte of the newest version.
    /// Checksums and ETag stay as they were.
    pub fn damage(&self, bucket: &str, key: &str, offset: u64, xor_mask: u8) -> Result<(), LabError> {
        let done = self.shared.store().change(bucket, key, None, |object| object.content.damage(offset, xor_mask))?;
        Ok(done.ok_or_else(|| no_such_object(bucket, key))??)
    }

    /// Puts other bytes in the place of those of the newest version. What S3 knows of it stays as it was, even the
    /// size.
    pub fn replace(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Result<(), LabError> {
        let mut store = self.shared.store();
        let found = store.buckets.get(bucket).and_then(|bucket| bucket.find(key, None));
        let there = found.filter(|object| !object.record.delete_marker).cloned();
        let mut object = there.ok_or_else(|| no_such_object(bucket, key))?;
        object.content = Content::of(bytes.into(), store.folder.as_ref().map(Folder::incoming))?;
        Ok(store.place(bucket, object)?)
    }

    /// Reads or changes what S3 knows of the newest version.
    pub fn with_object<T>(
        &self,
        bucket: &str,
        key: &str,
        change: impl FnOnce(&mut ObjectRecord) -> T,
    ) -> Result<T, LabError> {
        let done = self.shared.store().change(bucket, key, None, |object| change(&mut object.record))?;
        done.ok_or_else(|| no_such_object(bucket, key))
    }

    /// Stores an object of any size whose bytes are generated when they are read.
    pub async fn synthesize(&self, bucket: &str, key: &str, spec: SyntheticSpec) -> Result<ObjectRecord, LabError> {
        ops::synthesize_at(&self.shared, bucket, key, spec).await.map_err(|error| LabError::Refused(error.message))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn no_such_object(bucket: &str, key: &str) -> LabError {
    LabError::NoSuchObject { bucket: bucket.to_owned(), key: key.to_owned() }
}
