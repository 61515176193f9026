use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::calls::CallRecord;
use super::cloud::account::AccountState;
use super::content::{Content, SyntheticSpec};
use super::deny::Deny;
use super::ec2::{self, Ec2State, ImageSpec};
use super::fault::FaultRule;
use super::ops;
use super::options::LabOptions;
use super::query::ServiceError;
use super::record::ObjectRecord;
use super::server;
use super::shared::Shared;
use super::store::{Bucket, BucketOptions, Folder};
use crate::sync::lock;

/// A running lab. Dropping it stops it.
#[derive(Debug)]
pub struct Lab {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

/// Why a method of [`Lab`] failed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The bucket or the key does not exist, or its newest version is a delete marker.
    #[error("the lab has no such object: {bucket}/{key}")]
    NoSuchObject {
        /// The bucket that was named.
        bucket: String,
        /// The key that was named.
        key: String,
    },
    /// The lab refuses the request as S3 would.
    #[error("{0}")]
    Refused(String),
    /// The data folder cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Lab {
    /// Binds the address and serves requests on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// The address cannot be bound, or the data folder is not a lab's, is in use by another lab, or
    /// cannot be read.
    pub async fn start(options: LabOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.bind).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options)?);
        let stop = CancellationToken::new();
        let task = tokio::spawn(server::serve(listener, shared.clone(), stop.clone()));
        Ok(Lab { shared, address, stop, task: Some(task) })
    }

    /// The URL for `AWS_ENDPOINT_URL`, for example `http://127.0.0.1:9000`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The loopback address that the lab listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops serving and drops all connections.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // It fails only by a panic, and the panic has been printed.
            let _ = task.await;
        }
    }

    /// Waits until the lab stops.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// The number of open connections that the lab has accepted.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Waits until at most `most` connections are open. The requests of a client that was killed are then over: those
    /// that it had sent are carried out before its connections end.
    pub async fn disconnected(&self, most: usize) {
        // The sender lives as long as the lab.
        let _ = self.shared.connections.subscribe().wait_for(|open| *open <= most).await;
    }

    /// All requests since the start or the last [`Lab::clear_calls`].
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.calls.snapshot()
    }

    /// Empties the log of requests.
    pub fn clear_calls(&self) {
        self.shared.calls.clear();
    }

    /// A channel of the requests that faults hit from now on.
    pub fn faults(&self) -> UnboundedReceiver<CallRecord> {
        self.shared.calls.listen()
    }

    /// Denies an action from now on.
    pub fn deny(&self, rule: Deny) {
        self.shared.deny(rule);
    }

    /// Removes all [`Deny`] rules.
    pub fn allow_all(&self) {
        self.shared.allow_all();
    }

    /// Adds a fault rule after the existing ones; the first that matches a request applies.
    pub fn script(&self, rule: FaultRule) {
        self.shared.script.add(rule);
    }

    /// Removes all fault rules.
    pub fn clear_script(&self) {
        self.shared.script.clear();
    }

    /// Creates an empty bucket; a bucket of that name is replaced.
    ///
    /// # Errors
    ///
    /// The data folder cannot be written.
    pub fn create_bucket(&self, name: &str, options: BucketOptions) -> io::Result<()> {
        let bucket = Bucket::new(&self.shared.options.region, options, Timestamp::now());
        self.shared.store().add_bucket(name, bucket)
    }

    /// Sets the lifecycle configuration of a bucket to any text; `None` removes it.
    ///
    /// # Errors
    ///
    /// There is no such bucket, or the data folder cannot be written.
    pub fn lifecycle(&self, name: &str, document: Option<&str>) -> io::Result<()> {
        let document = document.map(str::to_owned);
        self.shared.store().change_bucket(name, |bucket| bucket.options.lifecycle = document)
    }

    /// Creates an AMI with generated snapshots and returns its id.
    pub fn create_image(&self, region: &str, spec: ImageSpec) -> String {
        self.ec2(region, |state| spec.make(state, |kind| self.shared.resource_id(kind)))
    }

    /// Reads or changes the state of EC2 in a Region.
    pub fn ec2<T>(&self, region: &str, change: impl FnOnce(&mut Ec2State) -> T) -> T {
        change(lock(&self.shared.cloud).region(region))
    }

    /// Flips bits of one byte of a snapshot.
    ///
    /// # Errors
    ///
    /// There is no such snapshot.
    pub fn flip_in_snapshot(&self, region: &str, snapshot: &str, offset: u64, mask: u8) -> Result<(), LabError> {
        let missing = || LabError::Refused(format!("The snapshot '{snapshot}' does not exist."));
        self.ec2(region, |state| {
            let record = state.snapshots.get_mut(snapshot).ok_or_else(missing)?;
            *record.flips.entry(offset).or_default() ^= mask;
            Ok(())
        })
    }

    /// Makes all tokens of blocks expire that were given out.
    pub fn expire_block_tokens(&self) {
        lock(&self.shared.block_reads).expire_tokens();
    }

    /// Reads or changes KMS keys, quotas and parameters.
    pub fn account<T>(&self, change: impl FnOnce(&mut AccountState) -> T) -> T {
        change(&mut lock(&self.shared.cloud).account)
    }

    /// Makes the next store task fail with this reason.
    pub fn fail_next_store(&self, reason: &str) {
        lock(&self.shared.cloud).fail_stores.push(reason.to_owned());
    }

    /// Stores an AMI in a bucket of its Region, as a store task would that ends at once, and returns the object's key.
    ///
    /// # Errors
    ///
    /// [`LabError::Refused`] where EC2 would refuse the task or end it as failed.
    pub async fn store_image(&self, region: &str, image: &str, bucket: &str) -> Result<String, LabError> {
        let refused = |error: ServiceError| LabError::Refused(error.message);
        ec2::store_at_once(&self.shared, region, image, bucket).await.map_err(refused)?;
        Ok(format!("{image}.bin"))
    }

    /// Makes the next restore task fail with this reason.
    pub fn fail_next_restore(&self, reason: &str) {
        lock(&self.shared.cloud).fail_restores.push(reason.to_owned());
    }

    /// Makes the next job of S3 Batch Operations fail with this reason, written `CODE: reason`.
    pub fn fail_next_job(&self, reason: &str) {
        lock(&self.shared.jobs).fail.push(reason.to_owned());
    }

    /// Flips the bits of `xor_mask` in one stored byte of the newest version. Checksums and ETag do
    /// not change.
    ///
    /// # Errors
    ///
    /// There is no such object, the offset is beyond its end, or the data folder cannot be written.
    pub fn damage(&self, bucket: &str, key: &str, offset: u64, xor_mask: u8) -> Result<(), LabError> {
        let done = self.shared.store().change(bucket, key, None, |object| object.content.damage(offset, xor_mask))?;
        Ok(done.ok_or_else(|| no_such_object(bucket, key))??)
    }

    /// Replaces the bytes of the newest version. Its metadata does not change, not even the size.
    ///
    /// # Errors
    ///
    /// There is no such object, or the data folder cannot be written.
    pub fn replace(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Result<(), LabError> {
        let mut store = self.shared.store();
        let found = store.buckets.get(bucket).and_then(|bucket| bucket.find(key, None));
        let there = found.filter(|object| !object.record.delete_marker).cloned();
        let mut object = there.ok_or_else(|| no_such_object(bucket, key))?;
        object.content = Content::of(bytes.into(), store.folder.as_ref().map(Folder::incoming))?;
        Ok(store.place(bucket, object)?)
    }

    /// Reads or changes the metadata of the newest version.
    ///
    /// # Errors
    ///
    /// There is no such object, or the data folder cannot be written.
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
    ///
    /// # Errors
    ///
    /// There is no such bucket, or S3 allows no such object (see [`SyntheticSpec`]).
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
