use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Lifecycles;
use crate::audit::{Level, Partition, Policy, ValidityWindow};
use crate::ident::{ObjectUri, Prefix};
use crate::image::ImageService;
use crate::plan::{Budget, Sample};
use crate::price::PriceTable;
use crate::report::AuditScope;
use crate::source::{BucketResolver, Context};

/// Which objects.
#[derive(Debug, Clone)]
pub enum Scope {
    /// All stored AMI objects under these prefixes.
    Listed(Vec<Prefix>),
    /// These, by whatever name they go; nothing else is looked for.
    Named {
        objects: BTreeSet<ObjectUri>,
        /// Where the names are from.
        from: String,
    },
}

impl Scope {
    pub fn buckets(&self) -> BTreeSet<String> {
        match self {
            Scope::Listed(prefixes) => prefixes.iter().map(|prefix| prefix.bucket.clone()).collect(),
            Scope::Named { objects, .. } => objects.iter().map(|uri| uri.bucket.clone()).collect(),
        }
    }

    /// Whether an object, as it is printed, is among them.
    pub(super) fn holds(&self, target: &str) -> bool {
        let Ok(uri) = target.parse::<ObjectUri>() else { return false };
        match self {
            Scope::Listed(prefixes) => prefixes.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key)),
            Scope::Named { objects, .. } => objects.contains(&uri),
        }
    }

    pub(super) fn shown(&self) -> Vec<AuditScope> {
        match self {
            Scope::Listed(prefixes) => prefixes.iter().cloned().map(AuditScope::Prefix).collect(),
            Scope::Named { objects, from } => {
                vec![AuditScope::Named(format!("{} objects named by {from}", objects.len()))]
            }
        }
    }
}

impl AuditRequest {
    /// When a proof must have been made to hold.
    pub(super) fn term(&self, now: Timestamp) -> ValidityWindow {
        ValidityWindow::back_to(self.max_age, now)
    }

    /// Whether this run takes some of the objects only.
    pub(super) fn is_share(&self) -> bool {
        [self.slice, self.shard].iter().flatten().any(|share| share.of() > 1)
    }

    /// Whether an object, as it is printed, is in this run's share, and under none of the prefixes that failed.
    pub(super) fn takes(&self, target: &str, failed: &[Prefix]) -> bool {
        let Ok(uri) = target.parse::<ObjectUri>() else { return false };
        if failed.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key)) {
            return false;
        }
        let holds =
            |share: Option<Partition>, purpose| share.is_none_or(|share| share.holds(purpose, &uri.bucket, &uri.key));
        holds(self.slice, "slice") && holds(self.shard, "shard")
    }
}

/// When looking at objects ends although some are due.
#[derive(Debug, Clone, Default)]
pub struct AuditLimits {
    pub until: Option<Instant>,
    /// Bytes of objects that are read whole.
    pub bytes: Option<u64>,
    /// US dollars, by list prices.
    pub dollars: Option<(f64, PriceTable)>,
}

impl AuditLimits {
    /// Whether there is an end at all, so that it matters who comes first.
    pub fn ends(&self) -> bool {
        self.until.is_some() || self.bytes.is_some() || self.dollars.is_some()
    }

    /// Whether the time by which looking must end has come.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until)
    }
}

/// What to audit, and how hard.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    pub chosen: Scope,
    pub level: Level,
    /// Of an object that is read in part.
    pub sample: Sample,
    /// How old a proof may be that still holds.
    pub max_age: Option<SignedDuration>,
    pub slice: Option<Partition>,
    pub shard: Option<Partition>,
    pub due: AuditLimits,
    pub policy: Policy,
    pub objects_at_once: usize,
    /// Of each of the objects at once.
    pub budget: Budget,
}

/// Where it all is.
#[derive(Clone)]
pub struct AuditServices {
    pub archive: Arc<dyn BucketResolver>,
    /// To hold the copies against the AMIs of the account, where that is wished.
    pub images: Option<Arc<dyn ImageService>>,
    /// Rules that were asked so far.
    pub lifecycles: Lifecycles,
    pub context: Context,
}
