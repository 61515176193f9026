use std::sync::Arc;

use futures_util::stream::{self, Stream};

use super::{AuditServices, Chosen};
use crate::checksum::{Algorithm, Hasher};
use crate::facts::ListedObject;
use crate::ident::{ObjectUri, Prefix, Target};
use crate::source::{BucketService, SourceError};

/// An object that is to be looked at, if it is due.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub uri: ObjectUri,
    /// `None` where it was named, and not listed.
    pub listed: Option<ListedObject>,
}

/// What comes of listing.
pub(super) enum Listed {
    Page {
        candidates: Vec<Candidate>,
        others: u64,
        /// A prefix that came to its end without any.
        empty: Option<Prefix>,
    },
    /// A prefix that could not be listed, or not to its end.
    Problem(Prefix, SourceError),
}

/// Pages of candidates, one prefix after the other; a prefix that cannot be listed does not stop the rest.
pub(super) fn candidates<'a>(services: &'a AuditServices, chosen: &'a Chosen) -> impl Stream<Item = Listed> + 'a {
    let (prefixes, named) = match chosen {
        Chosen::Listed(prefixes) => (prefixes.as_slice(), None),
        Chosen::Named { objects, .. } => {
            let named = objects.iter().map(|uri| Candidate { uri: uri.clone(), listed: None });
            (&[][..], Some(Listed::Page { candidates: named.collect(), others: 0, empty: None }))
        }
    };
    let begin = Cursor { services, prefixes, bucket: None, token: None, found: false };
    let listed = stream::unfold(begin, Cursor::next);
    futures_util::StreamExt::chain(stream::iter(named), listed)
}

struct Cursor<'a> {
    services: &'a AuditServices,
    prefixes: &'a [Prefix],
    bucket: Option<Arc<dyn BucketService>>,
    token: Option<String>,
    /// Whether this prefix held any so far.
    found: bool,
}

impl Cursor<'_> {
    async fn next(mut self) -> Option<(Listed, Self)> {
        let (prefix, rest) = self.prefixes.split_first()?;
        let bucket = self
            .bucket
            .get_or_insert_with(|| self.services.archive.bucket(&prefix.bucket, self.services.context.clone()));
        let listed = match bucket.list(&prefix.prefix, self.token.as_deref()).await {
            Err(error) => {
                (self.prefixes, self.bucket, self.token, self.found) = (rest, None, None, false);
                return Some((Listed::Problem(prefix.clone(), error), self));
            }
            Ok(page) => page,
        };
        self.token = listed.next;
        let mut others = 0;
        let mut candidates = Vec::new();
        for object in listed.objects {
            let uri = ObjectUri { bucket: prefix.bucket.clone(), key: object.key.clone(), version: None };
            if Target::Object(uri.clone()).ami_id().is_some() {
                candidates.push(Candidate { uri, listed: Some(object) });
            } else {
                others += 1;
            }
        }
        self.found |= !candidates.is_empty();
        let mut empty = None;
        if self.token.is_none() {
            empty = (!self.found).then(|| prefix.clone());
            (self.prefixes, self.bucket, self.found) = (rest, None, false);
        }
        Some((Listed::Page { candidates, others, empty }, self))
    }
}

/// A digest over everything listed, in order: the shards of one audit must have seen the same.
pub(super) struct ListingDigest(Hasher);

impl ListingDigest {
    pub fn new() -> Self {
        ListingDigest(Hasher::new(Algorithm::Sha256))
    }

    pub fn add(&mut self, candidate: &Candidate) {
        let listed = candidate.listed.as_ref();
        let modified = listed.and_then(|object| object.modified).map(|time| time.to_string());
        let etag = listed.and_then(|object| object.etag.as_ref()).map(ToString::to_string);
        let size = listed.and_then(|object| object.size).map(|size| size.to_string());
        for part in [Some(candidate.uri.to_string()), size, etag, modified] {
            self.0.update(part.unwrap_or_default().as_bytes());
            self.0.update(&[0]);
        }
    }

    pub fn finish(self) -> String {
        self.0.finish().hex()
    }
}
