//! `cost`: prices of an object, a file or an AMI, by list prices. Reads no object data and starts nothing.

use super::ask::asked;
use super::inspect::reading_ranges;
use super::preflight::{size_of, size_without_source};
use super::{Discovery, RegionServices, discover};
use crate::checks::preflight::LogicalSize;
use crate::facts::Fact;
use crate::ident::AmiId;
use crate::plan::Budget;
use crate::price::{CostLine, PriceTable, Subject, estimate};
use crate::record::Record;
use crate::report::{CostLineReport, CostNote, CostReport, Exit, InputNote, Note, SizeReport};
use crate::source::{ErrorKind, Session, SourceError};

/// Parameters of a cost estimate.
#[derive(Debug, Clone)]
pub struct CostRequest {
    /// The list prices.
    pub table: PriceTable,
    /// Region of the object; `None` if it is not known.
    pub region: Option<String>,
    /// The record of the store, with the name of its file.
    pub record: Option<(String, Record)>,
    /// Total size of the volumes in bytes, as given by the user.
    pub logical_size: Option<u64>,
    /// Limits of the verification whose cost is estimated.
    pub budget: Budget,
}

/// Requests around a read: HEAD and attributes before it, HEAD after it.
const AROUND_READING: u64 = 3;

/// Estimates the cost of an object or a local file.
///
/// # Errors
///
/// The target cannot be described.
pub async fn cost_of_target(session: &Session, wish: &CostRequest) -> Result<CostReport, SourceError> {
    let (session, counting) = session.counted();
    let mut report = price_target(&session, wish).await?;
    report.requests = counting.counts().requests;
    Ok(report)
}

async fn price_target(session: &Session, wish: &CostRequest) -> Result<CostReport, SourceError> {
    let found = discover(session).await?;
    let facts = &found.facts;
    let mut notes: Vec<Note> = Vec::new();
    let mut missing = false;
    let (size, tags) = logical_size(session, wish, &found).await;
    if let Some(why) = tags {
        notes.push(CostNote::TagsUnanswered { why }.into());
        missing = true;
    }
    if let Some((file, record)) = &wish.record
        && facts.id.target.ami_id().is_some_and(|id| id.as_str() != record.image)
    {
        let (file, image) = (file.clone(), record.image.clone());
        notes.push(InputNote::RecordOfAnother { file, image }.into());
    }
    if facts.storage_class.is_none() {
        notes.push(CostNote::LocalFile.into());
    }
    let subject = Subject {
        bytes: Some(facts.size),
        class: facts.storage_class.clone(),
        archive_status: facts.archive_status.clone(),
        volumes: size.volumes,
        written: size.written,
        no_size: size.source.clone(),
        requests: Some(reading_ranges(&found, wish.budget) + AROUND_READING),
        parts: facts.etag_parts(),
        modified: facts.last_modified,
        now: session.context().clock.now(),
    };
    if subject.class.as_deref().and_then(crate::price::StorageClass::from_name).is_some_and(|class| class.archives()) {
        notes.push(CostNote::TemporaryCopy.into());
    }
    let mut report = report(session.target().to_string(), &subject, &size, wish);
    report.notes.extend(notes);
    if missing {
        report.exit_code = Exit::Unknown;
    }
    Ok(report)
}

/// The size from the record, the user or the tags, in this order. Also returns why the tags could not be read, if only
/// they could state it.
async fn logical_size(session: &Session, wish: &CostRequest, found: &Discovery) -> (LogicalSize, Option<String>) {
    let facts = &found.facts;
    let id = facts.id.target.ami_id();
    let id = id.as_ref().map(AmiId::as_str);
    let known = |tags| size_without_source(wish.record.as_ref(), tags, wish.logical_size, id);
    let untold = || LogicalSize::unknown("no record, tag or --logical-size gives it");
    let recorded = wish.record.as_ref().is_some_and(|(_, record)| id.is_none_or(|id| id == record.image));
    if recorded || facts.storage_class.is_none() {
        return (known(None).map_or_else(untold, |known| known.size), None);
    }
    let tags = asked(session.tags(&facts.id).await, "GetObjectTagging", "s3:GetObjectTagging");
    let why_not = match &tags {
        Fact::NotPermitted { .. } | Fact::Unavailable { .. } if wish.logical_size.is_none() => tags.why_not(),
        _ => None,
    };
    (known(tags.value()).map_or_else(untold, |known| known.size), why_not)
}

/// Estimates the cost of storing an AMI, and of restoring it later.
///
/// # Errors
///
/// The account sees no such AMI, or EC2 cannot be asked.
pub async fn cost_of_image(
    services: &RegionServices,
    image: &AmiId,
    wish: &CostRequest,
) -> Result<CostReport, SourceError> {
    let images = &services.images;
    let id = image.to_string();
    let found = images.images(std::slice::from_ref(&id)).await?;
    let facts = found.into_iter().find(|found| found.id == id).ok_or_else(|| {
        let detail = "there is no such AMI in this Region, or this account may not see it";
        SourceError::new(ErrorKind::NotFound, &id, detail)
    })?;
    let ids: Vec<String> = facts.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
    let snapshots = asked(images.snapshots(&ids).await, "DescribeSnapshots", "ec2:DescribeSnapshots");
    let size = size_of(&facts, snapshots.value().map_or(&[], Vec::as_slice));
    let subject = Subject {
        bytes: None,
        class: None,
        archive_status: None,
        volumes: size.volumes,
        written: size.written,
        no_size: format!("{} do not state it", size.source),
        requests: None,
        parts: None,
        modified: None,
        now: services.context().clock.now(),
    };
    let mut report = report(id, &subject, &size, wish);
    if let Some(why) = snapshots.why_not() {
        report.notes.push(CostNote::SnapshotsUnanswered { why }.into());
        report.exit_code = Exit::Unknown;
    }
    report.notes.push(CostNote::NotStoredYet.into());
    report.requests = services.requests();
    Ok(report)
}

fn report(target: String, subject: &Subject, size: &LogicalSize, wish: &CostRequest) -> CostReport {
    let lines: Vec<CostLine> = estimate(subject, &wish.table);
    let elsewhere = wish.region.as_ref().filter(|region| **region != wish.table.region);
    let other_region = elsewhere
        .map(|region| CostNote::OtherRegion { region: region.clone(), prices_of: wish.table.region.clone() }.into());
    let unknown = elsewhere.is_some() || lines.iter().any(|line| line.amount.is_err());
    CostReport {
        target,
        price_region: wish.table.region.clone(),
        prices: wish.table.name.clone(),
        object_bytes: subject.bytes,
        storage_class: subject.class.clone(),
        size: SizeReport::from(size),
        lines: lines.iter().map(CostLineReport::from).collect(),
        notes: other_region.into_iter().collect(),
        requests: 0,
        exit_code: if unknown { Exit::Unknown } else { Exit::Passed },
    }
}
