//! A bucket that cannot be accessed at all, because there are no credentials for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Body, BucketService, ObjectSource, SourceError};
use crate::facts::{
    AttributeFacts, BucketEncryption, BucketFacts, BucketLock, LifecycleRule, ListedObject, ListedPage, LockFacts,
    ObjectFacts, PartFacts, UploadFacts, Versioning, Walk,
};
use crate::ident::{ObjectId, ObjectUri, Target};
use crate::units::{ByteRange, PartNumber};

/// Answers each request with the same error, and sends none.
pub struct Refused {
    target: Target,
    bucket: String,
    error: SourceError,
}

impl Refused {
    /// An object or bucket that cannot be accessed.
    pub fn new(uri: &ObjectUri, error: &SourceError) -> Self {
        Refused { target: Target::Object(uri.clone()), bucket: uri.bucket.clone(), error: error.clone() }
    }

    fn refuse<T>(&self) -> Result<T, SourceError> {
        Err(self.error.clone())
    }
}

#[async_trait]
impl ObjectSource for Refused {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        self.refuse()
    }

    async fn attributes(&self, _: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.refuse()
    }

    async fn part(&self, _: &ObjectId, _: PartNumber) -> Result<PartFacts, SourceError> {
        self.refuse()
    }

    async fn tags(&self, _: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.refuse()
    }

    async fn lock(&self, _: &ObjectId) -> Result<LockFacts, SourceError> {
        self.refuse()
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.refuse()
    }

    async fn read(&self, _: &ObjectId, _: u64, _: ByteRange) -> Result<Body, SourceError> {
        self.refuse()
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(Refused { target: self.target.clone(), bucket: self.bucket.clone(), error: self.error.clone() })
    }
}

#[async_trait]
impl BucketService for Refused {
    fn name(&self) -> &str {
        &self.bucket
    }

    async fn facts(&self) -> Result<BucketFacts, SourceError> {
        self.refuse()
    }

    async fn versioning(&self) -> Result<Versioning, SourceError> {
        self.refuse()
    }

    async fn encryption(&self) -> Result<BucketEncryption, SourceError> {
        self.refuse()
    }

    async fn public_access_blocked(&self) -> Result<bool, SourceError> {
        self.refuse()
    }

    async fn policy_is_public(&self) -> Result<bool, SourceError> {
        self.refuse()
    }

    async fn public_grants(&self) -> Result<Vec<String>, SourceError> {
        self.refuse()
    }

    async fn object_lock(&self) -> Result<BucketLock, SourceError> {
        self.refuse()
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, SourceError> {
        self.refuse()
    }

    async fn list(&self, _: &mut Walk) -> Result<ListedPage, SourceError> {
        self.refuse()
    }

    async fn uploads(&self, _: &str) -> Result<Vec<UploadFacts>, SourceError> {
        self.refuse()
    }

    async fn objects_named(&self, _: &str) -> Result<Vec<ListedObject>, SourceError> {
        self.refuse()
    }

    async fn versions_of(&self, _: &str) -> Result<Vec<ListedObject>, SourceError> {
        self.refuse()
    }

    async fn uploads_named(&self, _: &str) -> Result<Vec<UploadFacts>, SourceError> {
        self.refuse()
    }
}
