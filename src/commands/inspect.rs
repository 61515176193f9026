//! `inspect`: everything known about an object without reading it, apart from optional small samples.

use tokio::join;

use super::ask::{asked, lock};
use super::discover::unreadable_checksums;
use super::probe::probe;
use super::{Discovery, LogicalSizeSource, discover};
use crate::checksum::{Algorithm, StoredChecksum};
use crate::content::{self, ProbePlan};
use crate::facts::{Fact, FactsSource, LockFacts, ObjectFacts, Readability, readability, recognise};
use crate::ident::{ETag, ETagForm, Target};
use crate::plan::{Budget, Claim, KnownLayout, PartLayout, ReadPlan, Reference, stored_references};
use crate::report::{
    ChecksumReport, ETagKind, EncryptionReport, Exit, FactReport, IdentityReport, InspectNote, InspectReport,
    LayoutReport, LockReport, MetadataReport, Note, ProbeReport, ProofReport, PublicFacts, RatioReport, ReadableState,
    ReasonReport, VerifyCostEstimate,
};
use crate::source::{Advice, ErrorKind, Session, SourceError};
use crate::verdict::{Finding, Origin, Outcome};

/// Parameters of an inspection.
#[derive(Debug, Clone, Default)]
pub struct InspectOptions {
    /// Limits of the verification whose cost is estimated.
    pub budget: Budget,
    /// The size before compression, for the ratio.
    pub logical: LogicalSizeSource,
    /// Number of small windows of the content to read and analyse.
    pub probe: Option<usize>,
}

/// Result of an inspection.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// Everything that was found.
    pub report: InspectReport,
    /// The part of it that may be published.
    pub public: Option<PublicFacts>,
}

/// Inspects one object or file. If HEAD is denied, reports what a listing shows.
///
/// # Errors
///
/// The object does not exist or cannot be described.
pub async fn inspect(session: &Session, request: &InspectOptions) -> Result<InspectReport, SourceError> {
    inspect_publicly(session, request).await.map(|inspected| inspected.report)
}

/// Like [`inspect`], with the facts that may be published.
///
/// # Errors
///
/// The object does not exist or cannot be described.
pub async fn inspect_publicly(session: &Session, request: &InspectOptions) -> Result<Inspected, SourceError> {
    let (session, counting) = session.counted();
    let mut inspected = known_without_reading(&session, request).await?;
    let counts = counting.counts();
    (inspected.report.requests, inspected.report.received_bytes) = (counts.requests, counts.received);
    Ok(inspected)
}

async fn known_without_reading(session: &Session, request: &InspectOptions) -> Result<Inspected, SourceError> {
    match discover(session).await {
        Ok(found) => {
            let public = Some(PublicFacts::of(&found.facts, &found.layout));
            Ok(Inspected { report: full(session, found, request).await, public })
        }
        Err(error) if error.kind == ErrorKind::Denied && matches!(session.target(), Target::Object(_)) => {
            listed(session, error).await
        }
        Err(error) => Err(error),
    }
}

async fn full(session: &Session, found: Discovery, request: &InspectOptions) -> InspectReport {
    let id = &found.facts.id;
    let (tags, lock) = if found.facts.storage_class.is_some() {
        let (tags, lock) = join!(session.tags(id), lock(session, &found.facts));
        (asked(tags, "GetObjectTagging", "s3:GetObjectTagging"), lock)
    } else {
        (Fact::NotApplicable, Fact::NotApplicable)
    };
    let collected = stored_references(&found.facts, &found.layout, Origin::Stored, None);
    let mut proofs: Vec<ProofReport> = collected.references.iter().map(reachable).collect();
    proofs.extend(collected.unusable.iter().map(out_of_reach));
    let cost = cost(&collected.references, &found, request.budget);
    let (id, size) = (id.clone(), found.facts.size);
    let ratios = request.logical.ratios(&found.facts, tags.value());
    let mut report = report(session, found, &tags, &lock);
    report.notes.extend(session.notes().into_iter().map(Note::Source));
    report.proofs = proofs;
    report.verify_cost = cost.filter(|_| report.readable != ReadableState::Archived);
    report.notes.extend(ratios.contradiction().map(Note::from));
    report.ratio = Some(RatioReport::from(&ratios));
    if let Some(windows) = request.probe {
        let seed = content::seed(session.context().clock.random());
        let probed = match report.readable {
            ReadableState::Archived => Err("it is archived".to_owned()),
            _ => probe(session, &id, ProbePlan::new(size, windows, seed)).await.map_err(|error| error.explain()),
        };
        match probed {
            Ok(probed) => report.probe = Some(ProbeReport::from(&probed)),
            Err(problem) => {
                report.notes.push(InspectNote::NotProbed { problem }.into());
                report.exit_code = Exit::Unknown;
            }
        }
    }
    report
}

/// The report if only ListObjectsV2 is permitted.
async fn listed(session: &Session, denied: SourceError) -> Result<Inspected, SourceError> {
    let found = match session.find().await {
        Ok(found) => found,
        // The advice says what that may mean.
        Err(error) if error.kind == ErrorKind::Denied => return Err(denied),
        Err(error) => {
            let detail = format!("a listing does not show whether it is there: {}", error.explain());
            return Err(SourceError { detail: format!("{}; {detail}", denied.detail), ..denied });
        }
    };
    let Some(facts) = found else {
        let error = SourceError { kind: ErrorKind::NotFound, detail: "there is no such object".to_owned(), ..denied };
        return Err(match session.target() {
            Target::Object(uri) => error.with_advice(Advice::CheckKey { bucket: uri.bucket.clone() }),
            _ => error,
        });
    };
    let notes = vec![InspectNote::ListedOnly { denied: denied.explain() }.into()];
    let found = Discovery { layout: KnownLayout::unknown(facts.etag_parts(), "HEAD is not permitted"), facts, notes };
    // A listing states too little to publish.
    let public = None;
    let mut report = report(
        session,
        found,
        &Fact::NotPermitted { needs: "s3:GetObjectTagging" },
        &Fact::NotPermitted { needs: "s3:GetObjectRetention" },
    );
    report.readable = ReadableState::No;
    report.readable_detail = Some("not permitted (needs s3:GetObject)".to_owned());
    report.exit_code = Exit::Unknown;
    Ok(Inspected { report, public })
}

/// What is odd about an object whose facts are known.
fn remarks(facts: &ObjectFacts) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    if facts.id.target.ami_id().is_none() {
        notes.push(InspectNote::ForeignName.into());
    }
    if facts.missing_metadata > 0 {
        notes.push(InspectNote::MissingMetadata { entries: facts.missing_metadata }.into());
    }
    if facts.storage_class.is_some() && facts.metadata.is_empty() && facts.source == FactsSource::HeadObject {
        notes.push(InspectNote::NoMetadata.into());
    }
    notes.extend(unreadable_checksums(facts));
    if let Some(Err(text)) = &facts.restore {
        notes.push(InspectNote::UnreadableRestore { text: text.clone() }.into());
    }
    let ami = facts.id.target.ami_id();
    for entry in facts.metadata.values().filter_map(|value| value.parse::<crate::ident::AmiId>().ok()) {
        if ami.as_ref().is_some_and(|ami| *ami != entry) {
            notes.push(InspectNote::OtherAmi { ami: entry }.into());
        }
    }
    notes
}

fn report(
    session: &Session,
    found: Discovery,
    tags: &Fact<std::collections::BTreeMap<String, String>>,
    lock: &Fact<LockFacts>,
) -> InspectReport {
    let facts = &found.facts;
    let mut notes = found.notes;
    notes.extend(remarks(facts));
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    let (readable, readable_detail) =
        match readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore) {
            Readability::Now => (ReadableState::Now, None),
            Readability::Until(end) => {
                (ReadableState::Until, Some(end.map_or("a time not stated".to_owned(), |end| end.to_string())))
            }
            Readability::Archived(state) => (ReadableState::Archived, Some(state)),
        };
    let metadata = facts.metadata.iter().map(|(name, value)| MetadataReport {
        name: name.clone(),
        value: value.clone(),
        recognised: recognise(name, value),
    });
    InspectReport {
        target: session.target().to_string(),
        source: facts.source.to_string(),
        identity: IdentityReport::from(facts),
        etag_form: match (facts.storage_class.is_some(), facts.id.etag.as_ref().map(ETag::form)) {
            (false, _) | (_, None) => ETagKind::None,
            (_, Some(ETagForm::Md5 { .. })) => ETagKind::Md5,
            (_, Some(ETagForm::Multipart { .. })) => ETagKind::Multipart,
            (_, Some(ETagForm::Opaque)) => ETagKind::Opaque,
        },
        layout: LayoutReport::from(&found.layout),
        checksums: facts.checksums.value().into_iter().flatten().map(show_checksum).collect(),
        checksums_source: match &facts.checksums {
            Fact::Known { source, .. } => (*source).to_owned(),
            other => other.why_not().unwrap_or_default(),
        },
        storage_class: facts.storage_class.clone(),
        readable,
        readable_detail,
        encryption: EncryptionReport::from(&facts.encryption),
        lock: FactReport::from_fact(lock, |lock| LockReport::from(lock)),
        replication: facts.replication.clone(),
        expiration: facts.expiration.clone().unwrap_or_default(),
        content_type: facts.content_type.clone(),
        tags: FactReport::from_fact(tags, Clone::clone),
        metadata: metadata.collect(),
        ratio: None,
        probe: None,
        proofs: Vec::new(),
        verify_cost: None,
        notes,
        requests: 0,
        received_bytes: 0,
        exit_code: Exit::Passed,
    }
}

fn show_checksum(checksum: &StoredChecksum) -> ChecksumReport {
    ChecksumReport { algorithm: checksum.algorithm(), kind: checksum.kind.into(), value: checksum.to_string() }
}

fn reachable(reference: &Reference) -> ProofReport {
    let places =
        if reference.claim.places_damage() { "; names a damaged part" } else { "; cannot tell where damage is" };
    let detail = match &reference.claim {
        Claim::Whole(_) => format!("{}, over all bytes{places}", reference.source),
        Claim::Composite { candidates, .. } => match candidates.as_slice() {
            [one] if one.layout.count() == 1 => format!("{}, over one part{places}", reference.source),
            [one] => format!("{}, over {} parts{places}", reference.source, one.layout.count()),
            many => format!("{}, over one of {} part sizes that fit{places}", reference.source, many.len()),
        },
        Claim::WholeOrComposite { .. } => format!("{}, tried over all bytes and by part", reference.source),
        Claim::Parts { .. } => reference.source.clone(),
    };
    ProofReport { check: reference.check, reachable: true, detail, reason: None }
}

fn out_of_reach(finding: &Finding) -> ProofReport {
    let reason = match &finding.outcome {
        Outcome::Unknown(reason) => Some(ReasonReport::from(reason)),
        _ => None,
    };
    ProofReport { check: finding.check, reachable: false, detail: String::new(), reason }
}

/// The requests of a verification: each range once, and HEAD again at the end.
fn cost(references: &[Reference], found: &Discovery, budget: Budget) -> Option<VerifyCostEstimate> {
    let size = found.facts.size;
    let wanted = wanted(references, size);
    if wanted.is_empty() {
        return None;
    }
    let plan = ReadPlan::new(size, &wanted, budget);
    Some(VerifyCostEstimate { requests: plan.ranges().len() as u64 + 1, read_bytes: size })
}

fn wanted(references: &[Reference], size: u64) -> Vec<(Algorithm, PartLayout)> {
    references
        .iter()
        .filter_map(|reference| Some((reference.claim.algorithm()?, reference.claim.layouts(size))))
        .flat_map(|(algorithm, layouts)| layouts.into_iter().map(move |layout| (algorithm, layout)))
        .collect()
}

/// Number of GETs needed to read every byte, whether or not a reference can prove the object.
pub(super) fn reading_ranges(found: &Discovery, budget: Budget) -> u64 {
    let size = found.facts.size;
    let collected = stored_references(&found.facts, &found.layout, Origin::Stored, None);
    ReadPlan::new(size, &wanted(&collected.references, size), budget).ranges().len() as u64
}
