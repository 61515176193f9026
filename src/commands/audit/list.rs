use std::sync::Arc;

use futures_util::stream::{self, Stream};

use super::{AuditServices, Scope};
use crate::checksum::{Algorithm, Hasher};
use crate::facts::{ListedObject, ListedPage, Walk};
use crate::ident::{ObjectUri, Prefix, Target};
use crate::report::AuditNote;
use crate::source::{BucketService, SourceError};

/// An object that is to be looked at, if it is due.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub uri: ObjectUri,
    /// `None` where it was named, and not listed.
    pub listed: Option<ListedObject>,
    /// In words, what could not be read of its entry in the listing.
    pub odd: Option<String>,
}

impl Candidate {
    /// One of which only the name is known.
    pub fn named(uri: ObjectUri) -> Self {
        Candidate { uri, listed: None, odd: None }
    }
}

/// What comes of listing.
pub(super) enum Listed {
    Page {
        candidates: Vec<Candidate>,
        others: u64,
        /// A prefix that came to its end without any.
        empty: Option<Prefix>,
        /// What the listing of a prefix had besides, said at its end.
        notes: Vec<AuditNote>,
    },
    /// A prefix that could not be listed, or not to its end.
    Problem(Prefix, SourceError),
}

/// Pages of candidates, one prefix after the other; a prefix that cannot be listed does not stop the rest.
pub(super) fn candidates<'a>(services: &'a AuditServices, chosen: &'a Scope) -> impl Stream<Item = Listed> + 'a {
    let (prefixes, named) = match chosen {
        Scope::Listed(prefixes) => (prefixes.as_slice(), None),
        Scope::Named { objects, .. } => {
            let candidates = objects.iter().cloned().map(Candidate::named).collect();
            (&[][..], Some(Listed::Page { candidates, others: 0, empty: None, notes: Vec::new() }))
        }
    };
    let begin = Cursor { services, prefixes, place: None };
    let listed = stream::unfold(begin, Cursor::next);
    futures_util::StreamExt::chain(stream::iter(named), listed)
}

struct Cursor<'a> {
    services: &'a AuditServices,
    prefixes: &'a [Prefix],
    place: Option<Place>,
}

/// Where the listing of one prefix is.
struct Place {
    bucket: Arc<dyn BucketService>,
    walk: Walk,
    /// Whether this prefix held any so far.
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
        Some((Listed::Page { candidates, others, empty, notes }, self))
    }
}

impl Place {
    /// Candidates of a page, and how many other objects it has.
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
