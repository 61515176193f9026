use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::fleet::{Level, Policy, Share, Term};
use crate::ident::{ObjectUri, Prefix};
use crate::image::ImageService;
use crate::plan::{Budget, Sample};
use crate::price::PriceTable;
use crate::source::{Archive, Context};

/// Which objects.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// All stored AMI objects under these prefixes.
    Listed(Vec<Prefix>),
    /// These, by whatever name they go.
    Named(Vec<ObjectUri>),
}

impl Chosen {
    pub fn buckets(&self) -> BTreeSet<String> {
        match self {
            Chosen::Listed(prefixes) => prefixes.iter().map(|prefix| prefix.bucket.clone()).collect(),
            Chosen::Named(uris) => uris.iter().map(|uri| uri.bucket.clone()).collect(),
        }
    }

    /// Whether an object, as it is printed, is among them.
    pub(super) fn holds(&self, target: &str) -> bool {
        match self {
            Chosen::Listed(prefixes) => target
                .parse::<ObjectUri>()
                .is_ok_and(|uri| prefixes.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key))),
            Chosen::Named(uris) => uris.iter().any(|uri| uri.to_string() == target),
        }
    }

    pub(super) fn shown(&self) -> Vec<String> {
        match self {
            Chosen::Listed(prefixes) => prefixes.iter().map(ToString::to_string).collect(),
            Chosen::Named(uris) => vec![format!("{} objects by name", uris.len())],
        }
    }
}

impl AuditRequest {
    /// When a proof must have been made to hold.
    pub(super) fn term(&self, now: Timestamp) -> Term {
        Term::back_to(self.max_age, now)
    }

    /// Whether an object, as it is printed, is in this run's share.
    pub(super) fn takes(&self, target: &str) -> bool {
        let Ok(uri) = target.parse::<ObjectUri>() else { return false };
        let holds =
            |share: Option<Share>, purpose| share.is_none_or(|share| share.holds(purpose, &uri.bucket, &uri.key));
        holds(self.slice, "slice") && holds(self.shard, "shard")
    }
}

/// When looking at objects ends although some are due.
#[derive(Debug, Clone, Default)]
pub struct Due {
    pub until: Option<Instant>,
    /// Bytes of objects that are read whole.
    pub bytes: Option<u64>,
    /// US dollars, by list prices.
    pub dollars: Option<(f64, PriceTable)>,
}

impl Due {
    /// Whether there is an end at all, so that it matters who comes first.
    pub fn ends(&self) -> bool {
        self.until.is_some() || self.bytes.is_some() || self.dollars.is_some()
    }
}

/// What to audit, and how hard.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    pub chosen: Chosen,
    pub level: Level,
    /// Of an object that is read in part.
    pub sample: Sample,
    /// How old a proof may be that still holds.
    pub max_age: Option<SignedDuration>,
    pub slice: Option<Share>,
    pub shard: Option<Share>,
    pub due: Due,
    pub policy: Policy,
    pub objects_at_once: usize,
    /// Of each of the objects at once.
    pub budget: Budget,
    /// Ask for uploads that were left over.
    pub uploads: bool,
}

/// Where it all is.
#[derive(Clone)]
pub struct AuditServices {
    pub archive: Arc<dyn Archive>,
    /// To hold the copies against the AMIs of the account, where that is wished.
    pub images: Option<Arc<dyn ImageService>>,
    pub context: Context,
}
