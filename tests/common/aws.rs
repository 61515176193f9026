//! A source that counts as AWS, whose API reference documents ETags.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use stored_ami::facts::{AttributeFacts, LockFacts, ObjectFacts, OwnerCheck, PartFacts, Service};
use stored_ami::ident::{ObjectId, Target};
use stored_ami::progress::Call;
use stored_ami::source::{Aside, Body, ObjectSource, SourceError};
use stored_ami::units::{ByteRange, PartNumber};

/// Wraps a source, and marks its facts as those of AWS.
pub struct AsAws(pub Arc<dyn ObjectSource>);

fn by_aws(facts: ObjectFacts) -> ObjectFacts {
    ObjectFacts { service: Service::Aws, ..facts }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectSource for AsAws {
    fn target(&self) -> &Target {
        self.0.target()
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        self.0.head().await.map(by_aws)
    }

    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.0.head_without_checksums().await.map(by_aws)
    }

    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        self.0.owner_check().await
    }

    fn lacks(&self, call: Call) -> Option<SourceError> {
        self.0.lacks(call)
    }

    fn aside(&self) -> Aside {
        self.0.aside()
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }

    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        self.0.explain(error).await
    }

    async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.0.attributes(id).await
    }

    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        self.0.part(id, number).await
    }

    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.0.tags(id).await
    }

    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        self.0.lock(id).await
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.0.find().await
    }

    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        self.0.read(id, size, range).await
    }

    fn reads_are_pinned(&self) -> bool {
        self.0.reads_are_pinned()
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(AsAws(self.0.fresh()))
    }
}
