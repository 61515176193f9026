use std::sync::Arc;

use super::{BucketService, Context, ObjectSource};
use crate::ident::ObjectUri;

/// Opens objects and buckets, in the Region of each bucket.
pub trait BucketResolver: Send + Sync {
    /// Opens an object; sends no request.
    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource>;

    /// Opens a bucket; sends no request. `context` counts and retries its requests.
    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService>;

    /// The Region of a bucket, if it is known.
    fn region(&self, bucket: &str) -> Option<String>;
}
