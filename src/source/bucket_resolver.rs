use std::sync::Arc;

use super::{BucketService, Context, ObjectSource};
use crate::ident::ObjectUri;

/// Where the objects and buckets of an archive are opened, in whatever Regions they are.
pub trait BucketResolver: Send + Sync {
    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource>;

    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService>;

    /// Where a bucket is, as far as it is known.
    fn region(&self, bucket: &str) -> Option<String>;
}
