use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Lifecycles;
use crate::audit::{BatchEngine, Level, Partition, Policy, RunPlan, ValidityWindow};
use crate::checksum::{Algorithm, Hasher};
use crate::ident::{ObjectUri, Prefix};
use crate::image::ImageService;
use crate::plan::{Budget, Sample};
use crate::price::PriceTable;
use crate::progress::{Counting, Counts};
use crate::report::AuditScope;
use crate::source::{BucketResolver, Context};
use crate::verdict::CheckName;

/// The objects to audit.
#[derive(Debug, Clone)]
pub enum Scope {
    /// All stored AMI objects under these prefixes.
    Listed(Vec<Prefix>),
    /// These objects only, whatever their names.
    Named {
        /// The objects.
        objects: BTreeSet<ObjectUri>,
        /// The source of the names.
        from: String,
    },
}

impl Scope {
    /// The buckets of the objects.
    pub fn buckets(&self) -> BTreeSet<String> {
        match self {
            Scope::Listed(prefixes) => prefixes.iter().map(|prefix| prefix.bucket.clone()).collect(),
            Scope::Named { objects, .. } => objects.iter().map(|uri| uri.bucket.clone()).collect(),
        }
    }

    /// Whether the object with this URI belongs to the scope. A listing contains current objects only, so that a version
    /// that a ledger names belongs to no prefix.
    pub(in crate::commands) fn holds(&self, target: &str) -> bool {
        let Ok(uri) = target.parse::<ObjectUri>() else { return false };
        match self {
            Scope::Listed(prefixes) => {
                uri.version.is_none() && prefixes.iter().any(|prefix| prefix.holds(&uri.bucket, &uri.key))
            }
            Scope::Named { objects, .. } => objects.contains(&uri),
        }
    }

    /// SHA-256 of the names of named objects.
    fn names_digest(&self) -> Option<String> {
        let Scope::Named { objects, .. } = self else { return None };
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for uri in objects {
            hasher.update(uri.to_string().as_bytes());
            hasher.update(&[0]);
        }
        Some(hasher.finish().hex())
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
    /// The time in which a proof must have been made to be valid.
    pub(super) fn term(&self, now: Timestamp) -> ValidityWindow {
        ValidityWindow::back_to(self.max_age, now)
    }

    /// What this run has in common with the other shards; `None` if it is no shard.
    pub fn plan(&self) -> Option<RunPlan> {
        // The text of a list contains the name of its file, which may differ between machines.
        let names = self.chosen.names_digest();
        let scope = match names {
            Some(_) => Vec::new(),
            None => self.chosen.shown().iter().map(ToString::to_string).collect(),
        };
        Some(RunPlan {
            names_sha256: names,
            sample: self.sample_of_level(),
            using: self.using_names(),
            slice: self.slice,
            split_bytes: self.split_bytes,
            max_age_seconds: self.max_age.map(|age| age.as_secs()),
            policy_sha256: self.policy.digest(),
            ..RunPlan::new(scope, self.level, self.shard?.of())
        })
    }

    /// The sample, if the level reads one.
    pub(super) fn sample_of_level(&self) -> Option<String> {
        (self.level == Level::Sample).then(|| self.sample.to_string())
    }

    /// The origins of further references, in the order of their names.
    pub(super) fn using_names(&self) -> Vec<String> {
        let names: BTreeSet<String> = self.using.iter().map(ToString::to_string).collect();
        names.into_iter().collect()
    }

    /// Whether this run examines only a part of the objects.
    pub(super) fn is_share(&self) -> bool {
        [self.slice, self.shard].iter().flatten().any(|share| share.of() > 1)
    }

    /// Whether the object with this URI belongs to this run's partition and to none of the prefixes that could not be
    /// listed.
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

/// Limits after which an audit examines no more objects, even if some are due.
#[derive(Debug, Clone, Default)]
pub struct AuditLimits {
    /// The end of `--max-time`.
    pub until: Option<Instant>,
    /// Bytes to read.
    pub bytes: Option<u64>,
    /// US dollars to spend, with the list prices to use.
    pub dollars: Option<(f64, PriceTable)>,
}

impl AuditLimits {
    /// Whether any limit is set, in which case the order of the objects matters.
    pub fn ends(&self) -> bool {
        self.until.is_some() || self.bytes.is_some() || self.dollars.is_some()
    }

    /// Whether what is read is limited.
    pub(super) fn limits_reads(&self) -> bool {
        self.bytes.is_some() || self.dollars.is_some()
    }

    /// Whether the time limit is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until)
    }
}

/// Parameters of an audit.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// The objects to audit.
    pub chosen: Scope,
    /// How thoroughly to examine each object.
    pub level: Level,
    /// The sample to read of each object at level `sample`.
    pub sample: Sample,
    /// Origins of references that other programs left, to use besides those that S3 stores.
    pub using: Vec<CheckName>,
    /// Maximum age of a proof; `None` for no limit.
    pub max_age: Option<SignedDuration>,
    /// Examine only this slice of the objects, to spread them over several runs.
    pub slice: Option<Partition>,
    /// Examine only this shard of the objects, to spread them over several machines.
    pub shard: Option<Partition>,
    /// The batch engine that numbered the shard.
    pub shard_from: Option<BatchEngine>,
    /// Read objects with more bytes than this in runs of parts, which the shards share. Needs the level `bytes`.
    pub split_bytes: Option<u64>,
    /// SHA-256 of [the plan](AuditRequest::plan) as it was written beside the results of the run.
    pub plan_sha256: Option<String>,
    /// Limits of the run.
    pub due: AuditLimits,
    /// The rules to check.
    pub policy: Policy,
    /// Number of objects examined at the same time.
    pub objects_at_once: usize,
    /// Limits of memory and concurrency of each object's read.
    pub budget: Budget,
}

impl AuditRequest {
    /// An audit of all objects of the scope, one at a time, without a policy and without limits. For several objects at
    /// a time, share the memory: [`Limits::shared_among`](crate::plan::Limits::shared_among).
    pub fn new(scope: Scope, level: Level) -> Self {
        AuditRequest {
            chosen: scope,
            level,
            sample: Sample::default(),
            using: Vec::new(),
            max_age: None,
            slice: None,
            shard: None,
            shard_from: None,
            split_bytes: None,
            plan_sha256: None,
            due: AuditLimits::default(),
            policy: Policy::default(),
            objects_at_once: 1,
            budget: Budget::default(),
        }
    }
}

/// The services that an audit uses, and the count of their requests.
#[derive(Clone)]
pub struct AuditServices {
    /// Opens buckets and objects.
    pub archive: Arc<dyn BucketResolver>,
    /// To compare the copies with the AMIs of the account; `None` if that was not requested.
    pub images: Option<Arc<dyn ImageService>>,
    /// Lifecycle rules requested so far.
    pub lifecycles: Lifecycles,
    /// Clock, monitor and settings of the requests.
    pub context: Context,
    counting: Arc<Counting>,
}

impl AuditServices {
    /// Services without EC2. `counted` is what [`Context::counted`] returns: requests of other clients over its context
    /// count as requests of the audit.
    pub fn new(archive: Arc<dyn BucketResolver>, counted: (Context, Arc<Counting>)) -> Self {
        let (context, counting) = counted;
        AuditServices { archive, images: None, lifecycles: Lifecycles::default(), context, counting }
    }

    /// The same with EC2, whose client must use the counted context.
    pub fn with_images(self, images: Option<Arc<dyn ImageService>>) -> Self {
        AuditServices { images, ..self }
    }

    /// What was requested and received over the counted context so far.
    pub(in crate::commands) fn counts(&self) -> Counts {
        self.counting.counts()
    }
}
