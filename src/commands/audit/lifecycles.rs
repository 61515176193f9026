use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use crate::facts::{Fact, LifecycleRule};
use crate::source::{BucketResolver, Context, ErrorKind};

const SOURCE: &str = "GetBucketLifecycleConfiguration";

/// The rules of a bucket, or why they are not known.
type Rules = Fact<Arc<[LifecycleRule]>>;

/// The lifecycle rules of buckets, requested at most once per bucket and shared by all objects.
#[derive(Debug, Clone, Default)]
pub struct Lifecycles(Arc<Mutex<BTreeMap<String, Arc<OnceCell<Rules>>>>>);

impl Lifecycles {
    pub(super) async fn of(&self, archive: &dyn BucketResolver, context: &Context, bucket: &str) -> Rules {
        let cell = {
            let mut all = crate::sync::lock(&self.0);
            Arc::clone(all.entry(bucket.to_owned()).or_default())
        };
        let ask = || async {
            match archive.bucket(bucket, context.clone()).lifecycle().await {
                Ok(rules) => Fact::Known { value: rules.into(), source: SOURCE },
                Err(error) if error.kind == ErrorKind::Denied => {
                    Fact::NotPermitted { needs: "s3:GetLifecycleConfiguration" }
                }
                // Only one error code means that there are no rules. Servers without this API may answer anything else.
                Err(error) => Fact::Unavailable { because: format!("{SOURCE}: {}", error.explain()) },
            }
        };
        cell.get_or_init(ask).await.clone()
    }
}
