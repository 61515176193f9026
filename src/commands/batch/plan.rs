use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};

use super::known::{Earlier, earlier, known_values};
use crate::audit::{Level, ValidityWindow};
use crate::batch::{BatchPlan, ChecksumScope, PlannedObject, baseline_algorithm, can_be_named, choose};
use crate::checksum::{Algorithm, StoredChecksum};
use crate::commands::audit::{AuditServices, Candidate, Listed, Scope, candidates, stated};
use crate::facts::{Encryption, Fact, ObjectFacts};
use crate::ident::{ObjectIdentity, ObjectUri, lasting_version};
use crate::ledger::SharedLedger;
use crate::manifest::Manifest;
use crate::price::{PriceTable, compute_cost};
use crate::report::{
    AuditNote, BatchPlanReport, BatchStep, CostLineReport, Exit, LeftOutCode, LeftOutReport, PlannedJobReport, TOOL,
};
use crate::source::{ErrorKind, Session, SourceError};

/// Number of objects that are described at the same time.
const AT_ONCE: usize = 32;

/// What to plan.
#[derive(Debug, Clone)]
pub struct BatchPlanRequest {
    /// The objects.
    pub scope: Scope,
    /// Maximum age of a proof; objects with a younger one are not due.
    pub max_age: SignedDuration,
    /// Manifests with values of objects.
    pub manifests: Vec<Manifest>,
    /// Region of the buckets.
    pub region: String,
    /// List prices.
    pub table: PriceTable,
    /// Name of the file that the plan will be written to.
    pub file: String,
}

/// A plan, and what it covers.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan.
    pub plan: BatchPlan,
    /// Its report.
    pub report: BatchPlanReport,
}

/// What is planned of one object.
enum Described {
    StillGood,
    LeftOut(LeftOutReport),
    Due(Algorithm, ChecksumScope, Box<PlannedObject>),
}

/// Describes the objects that are due, and plans jobs for them.
///
/// # Errors
///
/// The ledger cannot be read, or the plan cannot be written as text.
pub async fn plan_batch(
    services: &AuditServices,
    request: &BatchPlanRequest,
    ledger: Option<&SharedLedger>,
) -> Result<Planned, SourceError> {
    let before = services.counts();
    let now = services.context.clock.now();
    let known = match ledger {
        Some(ledger) => {
            earlier(ledger, &request.scope).await.map_err(|error| failed(&format!("the ledger {error}")))?
        }
        None => BTreeMap::new(),
    };
    let planning = Planning { services, request, known, window: ValidityWindow::back_to(Some(request.max_age), now) };
    let (mut due, mut left_out, mut still_good, mut problems) = (Vec::new(), Vec::new(), 0, Vec::new());
    let mut exit = Exit::Passed;
    let pages = candidates(services, &request.scope).flat_map(|listed| match listed {
        Listed::Page { candidates, empty, .. } => {
            // An empty prefix may be misspelt, and must not look like one in which nothing is due.
            let nothing = empty.map(|prefix| {
                let note = AuditNote::NothingUnder { prefix: prefix.to_string() };
                Err((Exit::Unknown, note.to_string()))
            });
            stream::iter(candidates.into_iter().map(Ok).chain(nothing).collect::<Vec<_>>())
        }
        Listed::Problem(prefix, error) => {
            let problem = format!("{prefix}: {}", error.explain());
            stream::iter(vec![Err((crate::commands::exit_of(&error), problem))])
        }
    });
    let described = pages.map(|found| async {
        match found {
            Ok(candidate) => Ok(planning.describe(candidate).await),
            Err(problem) => Err(problem),
        }
    });
    let mut described = std::pin::pin!(described.buffer_unordered(AT_ONCE));
    while let Some(found) = described.next().await {
        match found {
            Ok(Described::StillGood) => still_good += 1,
            Ok(Described::Due(algorithm, scope, object)) => due.push((algorithm, scope, *object)),
            Ok(Described::LeftOut(one)) => left_out.push(one),
            Err((code, problem)) => {
                exit = exit.and(code);
                problems.push(problem);
            }
        }
    }
    left_out.sort_by(|one: &LeftOutReport, other| one.target.cmp(&other.target));
    if left_out.iter().any(|one| one.code.is_open()) {
        exit = exit.and(Exit::Unknown);
    }
    let plan = BatchPlan::new((TOOL.to_owned(), now.to_string(), request.region.clone()), due);
    let requests = services.counts().requests - before.requests;
    let about = plan_report(&plan, &request.file, &request.table)?;
    let steps = match (problems.is_empty(), plan.jobs.is_empty()) {
        (false, _) => vec![BatchStep::PlanAgain],
        (true, false) => vec![BatchStep::Submit { plan: request.file.clone() }],
        (true, true) => Vec::new(),
    };
    let report = BatchPlanReport { still_good, left_out, problems, requests, exit_code: exit, steps, ..about };
    Ok(Planned { plan, report })
}

fn failed(detail: &str) -> SourceError {
    SourceError::new(ErrorKind::Io, "the plan", detail)
}

/// What a plan asks for, and its price.
///
/// # Errors
///
/// The plan cannot be written as text.
pub fn plan_report(plan: &BatchPlan, file: &str, table: &PriceTable) -> Result<BatchPlanReport, SourceError> {
    let costs = compute_cost(plan.jobs.len() as u64, plan.objects(), plan.bytes(), table);
    Ok(BatchPlanReport {
        plan: file.to_owned(),
        plan_id: plan.id().map_err(|error| failed(&error.to_string()))?,
        region: plan.region.clone(),
        objects: plan.objects(),
        object_bytes: plan.bytes(),
        jobs: PlannedJobReport::all(plan),
        still_good: 0,
        left_out: Vec::new(),
        problems: Vec::new(),
        costs: costs.iter().map(CostLineReport::from).collect(),
        price_region: table.region.clone(),
        requests: 0,
        exit_code: Exit::Passed,
        steps: Vec::new(),
    })
}

struct Planning<'a> {
    services: &'a AuditServices,
    request: &'a BatchPlanRequest,
    known: BTreeMap<String, Earlier>,
    window: ValidityWindow,
}

impl Planning<'_> {
    /// Whether a proof of this state is young enough. One that S3 stated counts, because it is what is asked for.
    fn is_good(&self, earlier: &Earlier, seen: &ObjectIdentity) -> bool {
        let history = &earlier.history;
        let unread = history.unread_proof_of(seen).filter(|proof| proof.is_in(self.window) && !history.is_gone());
        unread.is_some() || history.still_good(seen, Level::Bytes, self.window).is_some()
    }

    async fn describe(&self, candidate: Candidate) -> Described {
        let uri = candidate.uri;
        let earlier = self.known.get(&uri.to_string());
        let is_good = |seen: &ObjectIdentity| earlier.is_some_and(|earlier| self.is_good(earlier, seen));
        if candidate.listed.as_ref().is_some_and(|listed| is_good(&listed.identity())) {
            return Described::StillGood;
        }
        let session = Session::new(self.services.archive.object(&uri), self.services.context.clone());
        let facts = match session.head().await {
            Ok(facts) => facts,
            Err(error) => return left_out(uri, LeftOutCode::NotDescribed, error.explain()),
        };
        if candidate.listed.is_none() && is_good(&facts.listed_identity()) {
            return Described::StillGood;
        }
        self.plan(uri, &facts, earlier)
    }

    fn plan(&self, uri: ObjectUri, facts: &ObjectFacts, earlier: Option<&Earlier>) -> Described {
        let version = lasting_version(uri.version.as_deref().or(facts.version.as_deref())).map(str::to_owned);
        if facts.encryption == Encryption::CustomerKey {
            let detail = "S3 computes no checksum of objects that are encrypted with a customer key (SSE-C)";
            return left_out(uri, LeftOutCode::CustomerKey, detail.to_owned());
        }
        // Without them it is not known which algorithm a baseline can have: a value of one that S3 stores, too, would later
        // contradict that.
        if !matches!(facts.checksums, Fact::Known { .. } | Fact::Absent { .. }) {
            let why = facts.checksums.why_not().unwrap_or_default();
            let detail = format!("the checksums that S3 stores with it are not known: {why}");
            return left_out(uri, LeftOutCode::ChecksumsNotKnown, detail);
        }
        if !can_be_named(&uri.bucket, version.as_deref()) {
            let detail = "its bucket or its version cannot be written into a manifest";
            return left_out(uri, LeftOutCode::NotNameable, detail.to_owned());
        }
        if version.is_none() && !facts.identity().has_strong_etag() {
            let detail = "it has neither a version nor a strong ETag, so no answer could be held against it";
            return left_out(uri, LeftOutCode::NotIdentified, detail.to_owned());
        }
        let known = known_values(facts, earlier, &self.request.manifests);
        let chosen = choose(&known);
        let stated_by = facts.checksums.value().into_iter().flatten().map(StoredChecksum::algorithm);
        let computed = match chosen {
            Some(value) => Some((value.digest.algorithm(), value.scope)),
            None => baseline_algorithm(&stated_by.collect::<Vec<_>>()).map(|found| (found, ChecksumScope::FullObject)),
        };
        let Some((algorithm, scope)) = computed else {
            let detail = "S3 states a value of each algorithm that a baseline could have";
            return left_out(uri, LeftOutCode::NoAlgorithm, detail.to_owned());
        };
        let object = PlannedObject {
            is_named_version: uri.version.is_some(),
            target: uri.at_version(version),
            object_bytes: facts.size,
            etag: facts.id.etag.clone(),
            last_modified: facts.last_modified.map(whole_second),
            storage_class: facts.storage_class.clone(),
            reference: chosen.map(crate::batch::KnownValue::planned),
            content: stated(facts),
        };
        Described::Due(algorithm, scope, Box::new(object))
    }
}

/// As a listing states times.
fn whole_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn left_out(target: ObjectUri, code: LeftOutCode, detail: String) -> Described {
    Described::LeftOut(LeftOutReport { target, code, detail })
}
