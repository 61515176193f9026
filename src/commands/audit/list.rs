use std::collections::btree_set;
use std::iter::Peekable;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};

use super::{AuditServices, Scope};
use crate::audit::History;
use crate::checksum::{Algorithm, Hasher};
use crate::facts::{ListedObject, ListedPage, Walk};
use crate::ident::{ObjectUri, Prefix, Target};
use crate::report::AuditNote;
use crate::source::{BucketService, SourceError};

/// An object to examine if it is due.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Candidate {
    /// The object.
    pub uri: ObjectUri,
    /// Its entry in the listing; `None` for an object named by the user.
    pub listed: Option<ListedObject>,
    /// What is unreadable in its listing entry, as text.
    pub odd: Option<String>,
    /// What the ledger knows of it; `None` without a ledger, and until it was looked up.
    pub history: Option<Box<History>>,
}

impl Candidate {
    /// A candidate that is known only by its name.
    pub(super) fn named(uri: ObjectUri) -> Self {
        Candidate { uri, listed: None, odd: None, history: None }
    }
}

/// One step of the listing.
pub(in crate::commands) enum Listed {
    Page {
        candidates: Vec<Candidate>,
        others: u64,
        /// The prefix, if it ended without any stored AMI object.
        empty: Option<Prefix>,
        /// Notes on the prefix, added with its last page.
        notes: Vec<AuditNote>,
        /// Whether nothing is listed after it.
        is_last: bool,
    },
    /// A prefix that could not be listed completely.
    Problem(Prefix, SourceError),
}

/// Pages of candidates, one prefix after the other. A prefix that cannot be listed does not stop the others.
pub(in crate::commands) fn candidates<'a>(
    services: &'a AuditServices,
    chosen: &'a Scope,
) -> impl Stream<Item = Listed> + 'a {
    match chosen {
        Scope::Listed(prefixes) => {
            stream::unfold(Cursor { services, prefixes, place: None }, Cursor::next).left_stream()
        }
        Scope::Named { objects, .. } => stream::unfold(objects.iter().peekable(), named).right_stream(),
    }
}

/// Number of named objects in a page.
const PAGE: usize = 1000;

/// The next page of named objects.
async fn named(
    mut rest: Peekable<btree_set::Iter<'_, ObjectUri>>,
) -> Option<(Listed, Peekable<btree_set::Iter<'_, ObjectUri>>)> {
    let candidates: Vec<Candidate> = rest.by_ref().take(PAGE).cloned().map(Candidate::named).collect();
    let is_last = rest.peek().is_none();
    let page = Listed::Page { candidates, others: 0, empty: None, notes: Vec::new(), is_last };
    (!matches!(&page, Listed::Page { candidates, .. } if candidates.is_empty())).then_some((page, rest))
}

struct Cursor<'a> {
    services: &'a AuditServices,
    prefixes: &'a [Prefix],
    place: Option<Place>,
}

/// The position in the listing of one prefix.
struct Place {
    bucket: Arc<dyn BucketService>,
    walk: Walk,
    /// Whether the prefix has had any candidate so far.
    found: bool,
    outside: u64,
    /// The first key outside of the prefix.
    example: Option<String>,
    unordered: bool,
}

impl Cursor<'_> {
    async fn next(mut self) -> Option<(Listed, Self)> {
        let (prefix, rest) = self.prefixes.split_first()?;
        let services = self.services;
        let place = self.place.get_or_insert_with(|| Place {
            bucket: services.archive.bucket(&prefix.bucket, services.context.clone()),
            walk: Walk::new(&prefix.bucket, &prefix.prefix),
            found: false,
            outside: 0,
            example: None,
            unordered: false,
        });
        let listed = match place.bucket.list(&mut place.walk).await {
            Err(error) => {
                (self.prefixes, self.place) = (rest, None);
                return Some((Listed::Problem(prefix.clone(), error), self));
            }
            Ok(page) => page,
        };
        let (candidates, others) = place.take(prefix, listed);
        let (mut empty, mut notes) = (None, Vec::new());
        if place.walk.is_over() {
            empty = (!place.found).then(|| prefix.clone());
            notes = place.notes(prefix);
            (self.prefixes, self.place) = (rest, None);
        }
        Some((Listed::Page { candidates, others, empty, notes, is_last: self.prefixes.is_empty() }, self))
    }
}

impl Place {
    /// The candidates of a page, and the number of its other objects.
    fn take(&mut self, prefix: &Prefix, page: ListedPage) -> (Vec<Candidate>, u64) {
        self.unordered |= page.unordered;
        self.outside += page.outside.len() as u64;
        if self.example.is_none() {
            self.example = page.outside.into_iter().next();
        }
        let at = |key: String| ObjectUri { bucket: prefix.bucket.clone(), key, version: None };
        let whole = page.objects.into_iter().map(|object| Candidate {
            uri: at(object.key.clone()),
            listed: Some(object),
            odd: None,
            history: None,
        });
        let odd = page.odd.into_iter().map(|odd| Candidate { odd: Some(odd.why), ..Candidate::named(at(odd.key)) });
        let (candidates, others): (Vec<Candidate>, Vec<Candidate>) =
            whole.chain(odd).partition(|candidate| Target::Object(candidate.uri.clone()).ami_id().is_some());
        self.found |= !candidates.is_empty();
        (candidates, others.len() as u64)
    }

    fn notes(&self, prefix: &Prefix) -> Vec<AuditNote> {
        let outside = self.example.as_ref().map(|example| AuditNote::OutsidePrefix {
            prefix: prefix.to_string(),
            keys: self.outside,
            example: example.clone(),
        });
        let unordered = self.unordered.then(|| AuditNote::Unordered { prefix: prefix.to_string() });
        outside.into_iter().chain(unordered).collect()
    }
}

/// A digest over all listed objects, in order. Equal digests show that the shards of an audit saw the same objects.
pub(super) struct ListingDigest(Hasher);

impl ListingDigest {
    /// A digest over no objects.
    pub(super) fn new() -> Self {
        ListingDigest(Hasher::new(Algorithm::Sha256))
    }

    /// Adds a listed object.
    pub(super) fn add(&mut self, candidate: &Candidate) {
        let listed = candidate.listed.as_ref();
        let modified = listed.and_then(|object| object.modified).map(|time| time.to_string());
        let etag = listed.and_then(|object| object.etag.as_ref()).map(ToString::to_string);
        let size = listed.and_then(|object| object.size).map(|size| size.to_string());
        for part in [Some(candidate.uri.to_string()), size, etag, modified] {
            self.0.update(part.unwrap_or_default().as_bytes());
            self.0.update(&[0]);
        }
    }

    /// The digest, as hexadecimal SHA-256.
    pub(super) fn finish(self) -> String {
        self.0.finish().hex()
    }
}
