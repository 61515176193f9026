use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Connection;
use crate::ident::ObjectUri;
use crate::source::{BucketResolver, BucketService, Context, ObjectSource, Refused, SourceError};

/// Connections to several buckets, each in its own Region.
pub struct Buckets {
    home: Connection,
    elsewhere: BTreeMap<String, Connection>,
    regions: BTreeMap<String, String>,
    refused: BTreeMap<String, SourceError>,
}

impl Buckets {
    /// Asks each bucket for its Region. A bucket that does not answer is accessed in the Region of `home`.
    pub async fn locate(home: Connection, buckets: &BTreeSet<String>, context: &Context) -> Self {
        let (mut elsewhere, mut regions) = (BTreeMap::new(), BTreeMap::new());
        let mut opened: BTreeMap<String, Connection> = BTreeMap::new();
        for name in buckets {
            let Ok(facts) = home.bucket(name, context.clone()).facts().await else { continue };
            let Some(region) = facts.region else { continue };
            regions.insert(name.clone(), region.clone());
            if region == home.region() {
                continue;
            }
            let connection = opened.entry(region).or_insert_with_key(|region| home.in_region(region));
            elsewhere.insert(name.clone(), connection.clone());
        }
        Buckets { home, elsewhere, regions, refused: BTreeMap::new() }
    }

    /// Accesses a bucket over its own connection, or fails each request on it with this error.
    pub async fn with_own(mut self, bucket: &str, own: Result<Connection, SourceError>, context: &Context) -> Self {
        let own = match own {
            Ok(own) => own,
            Err(error) => {
                self.refused.insert(bucket.to_owned(), error);
                return self;
            }
        };
        let region = own.bucket(bucket, context.clone()).facts().await.ok().and_then(|facts| facts.region);
        let own = match region.as_deref().filter(|region| *region != own.region()) {
            Some(region) => own.in_region(region),
            None => own,
        };
        self.regions.extend(region.map(|region| (bucket.to_owned(), region)));
        self.elsewhere.insert(bucket.to_owned(), own);
        self
    }

    /// The connection as configured, in the configured Region.
    pub fn home(&self) -> &Connection {
        &self.home
    }

    /// The connection for a bucket, in its Region.
    pub fn of(&self, bucket: &str) -> &Connection {
        self.elsewhere.get(bucket).unwrap_or(&self.home)
    }
}

impl BucketResolver for Buckets {
    fn object(&self, uri: &ObjectUri) -> Arc<dyn ObjectSource> {
        match self.refused.get(&uri.bucket) {
            Some(error) => Arc::new(Refused::new(uri, error)),
            None => Arc::new(self.of(&uri.bucket).object(uri.clone())),
        }
    }

    fn bucket(&self, name: &str, context: Context) -> Arc<dyn BucketService> {
        match self.refused.get(name) {
            Some(error) => {
                let uri = ObjectUri { bucket: name.to_owned(), key: String::new(), version: None };
                Arc::new(Refused::new(&uri, error))
            }
            None => Arc::new(self.of(name).bucket(name, context)),
        }
    }

    fn region(&self, bucket: &str) -> Option<String> {
        self.regions.get(bucket).cloned()
    }
}
