use std::collections::BTreeMap;

use super::destination::{Place, Sameness, occupied, place, to_be_replaced};
use super::end::callers;
use super::entries::KnownEnds;
use super::estimate::{estimate, time};
use super::parts::stated_parts;
use super::preflight::survey;
use super::sender::is_streamed;
use super::there::judge_there;
use super::{CopyEnds, CopyRequest, CopyStateFile, TagChoice};
use crate::checks::preflight::RESTORE_TAG;
use crate::commands::stated::by_option;
use crate::commands::{Discovery, discover};
use crate::copy::{
    ChecksumChange, ChosenChecksum, CopyCheck, CopyFinding, CopyLayout, LayoutChange, LayoutLimits, Likeness,
    PlannedObject, WriteMode, choose_checksum, copy_layout, judge_destination, server_layout,
};
use crate::facts::{ObjectFacts, Readability, Service, SystemHeaders, UNPROVED_COPY, readability};
use crate::ident::{ETag, ETagForm};
use crate::plan::{KnownLayout, PartLayout, stored_references};
use crate::report::{CopyOutcome, CopyReport, Exit, IdentityReport, Note};
use crate::source::{NewObject, SourceError};
use crate::units::{ByteSize, MIB};
use crate::verdict::Origin;

/// A copy that is described and not begun.
pub struct PreparedCopy {
    /// The report so far.
    pub report: CopyReport,
    pub(super) found: Discovery,
    pub(super) plan: CopyLayout,
    pub(super) new: NewObject,
    pub(super) checksum: ChosenChecksum,
    /// Whether the source is a copy of bytes that nothing proved.
    pub(super) is_source_unproved: bool,
    /// The state file of a copy that an earlier run completed.
    finished: Option<CopyStateFile>,
}

impl PreparedCopy {
    /// Whether the copy may be written.
    pub fn is_ready(&self) -> bool {
        self.report.outcome == CopyOutcome::Planned && self.report.exit_code == Exit::Passed
    }

    /// Whether the state file is that of a copy that an earlier run completed.
    pub(super) fn is_of_finished(&self) -> bool {
        self.finished.is_some()
    }

    /// Removes the state file of a copy that an earlier run completed.
    pub fn forget_finished(&self) {
        // A file that stays is found again by the next run.
        self.finished.iter().for_each(|file| drop(file.remove()));
    }
}

/// Describes both ends and what the copy would be, without the state of an earlier run.
///
/// # Errors
///
/// The source or the destination cannot be described.
pub(super) async fn describe(ends: &CopyEnds, request: &CopyRequest) -> Result<PreparedCopy, SourceError> {
    let mut found = discover(&ends.source).await.map_err(|error| by_option(error, "--from-region"))?;
    let there = place(ends, &found).await.map_err(|error| by_option(error, "--to-region"))?;
    let (place, is_finished) = complete_already(request, there, &found.facts);
    let known = match of_manifest(request, &found) {
        Some(known) => known,
        None => stated_parts(&ends.source, &found).await,
    };
    let limits = limits(ends.service, request.part_room);
    let plan = match request.by_server {
        true => server_layout(&found.facts, &known, limits),
        false => copy_layout(&found.facts, &known, limits),
    };
    let stored = found.facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    let checksum = choose_checksum(stored, plan.mode);
    let mut notes = std::mem::take(&mut found.notes);
    notes.extend(changes(&found.facts, &plan, checksum, ends.service).into_iter().map(Note::Source));
    notes.extend(streamed(request, &plan, ends.service).filter(|_| !request.by_server));
    let headers = if request.metadata { headers(&found.facts, &mut notes) } else { SystemHeaders::default() };
    let (tags, tag_finding) = tags(ends, request, &found.facts).await;
    let known_ends = KnownEnds::of(request.ledger.as_ref(), &[&ends.source, &ends.destination]).await;
    let is_source_unproved = known_ends.is_unproved(&ends.source, &found.facts);
    let new = NewObject {
        content_type: found.facts.content_type.clone().filter(|_| request.metadata),
        headers,
        metadata: metadata(&found, request, is_source_unproved),
        tags,
        storage_class: request.storage_class.clone(),
        kms_key: request.kms_key.clone(),
        lock: request.lock.clone(),
        checksum: Some(checksum.checksum),
    };
    let mut report = planned(ends, &found, &plan, &new);
    report.by_server = request.by_server;
    report.has_state_file = request.resume.is_some();
    report.notes = notes;
    let mut findings = callers(ends);
    findings.extend(tag_finding);
    match place {
        Place::Holds(facts, same) => {
            report.destination_identity = Some(IdentityReport::from(&*facts));
            let is_replaced = request.replace_if.is_some() && request.replace_if == facts.id.etag;
            match same.likeness {
                // Also where it states the same values: its bytes may be damaged.
                _ if is_replaced => {
                    findings.push(to_be_replaced(&facts));
                    findings.extend(before_writing(ends, request, &found, (&plan, &new)).await);
                }
                Likeness::Same => {
                    report.outcome = CopyOutcome::AlreadyThere;
                    if facts.is_unproved_copy() {
                        let note = "the object that is there is marked as a copy of unproved bytes; --replace-if ETAG \
                                    writes it again, proved";
                        report.notes.push(Note::Source(note.to_owned()));
                    }
                    if request.ledger.is_some() {
                        let note = "nothing is recorded in the ledger, because nothing was read or written";
                        report.notes.push(Note::Source(note.to_owned()));
                    }
                    findings.extend(judge_there(ends, request, (&facts, &new), &known_ends).await);
                }
                Likeness::Different | Likeness::Unknown => report.outcome = CopyOutcome::Occupied,
            }
            if report.outcome != CopyOutcome::Planned {
                findings.push(occupied(&same, &facts, request.replace_if.as_ref()));
            }
        }
        Place::NotKnown(why) => {
            findings
                .push(CopyFinding::open(CopyCheck::Absent, format!("whether there is an object is not known: {why}")));
            findings.extend(before_writing(ends, request, &found, (&plan, &new)).await);
        }
        Place::Free if request.replace_if.is_some() => {
            let text = "there is no object at the destination that could be replaced (--replace-if)";
            findings.push(CopyFinding::fail(CopyCheck::Absent, text).by("HeadObject"));
        }
        Place::Free => {
            findings
                .push(CopyFinding::pass(CopyCheck::Absent, "there is no object at the destination").by("HeadObject"));
            findings.extend(before_writing(ends, request, &found, (&plan, &new)).await);
        }
    }
    if report.outcome == CopyOutcome::Planned {
        report.estimate = Some(estimate(ends, request, &found, (&plan, &new)));
    }
    let is_unproved_by_server = request.by_server && is_source_unproved && report.outcome == CopyOutcome::Planned;
    findings.extend(is_unproved_by_server.then(|| {
        CopyFinding::open(CopyCheck::Source, "the source is not proved: it is itself a copy of unproved bytes")
    }));
    let unproved = (request.by_server && request.unproved).then_some(CopyCheck::Source);
    let accept: Vec<CopyCheck> = request.accept.iter().copied().chain(unproved).collect();
    let archived = archived(&found.facts, request.by_server);
    report.is_source_archived = archived.is_some();
    // Where an object is in the way, the source is not read.
    let archived = archived.filter(|_| request.by_server || report.outcome == CopyOutcome::Planned);
    let ends_early = archived.is_some();
    findings.extend(archived);
    report.add(&findings, &accept);
    if ends_early {
        // No acceptance makes an archived object readable.
        report.exit_code = if request.by_server { Exit::Usage } else { report.exit_code.and(Exit::Unknown) };
    }
    if report.outcome == CopyOutcome::Planned && report.exit_code != Exit::Passed {
        report.outcome = CopyOutcome::Refused;
    }
    let finished = request.resume.clone().filter(|_| is_finished);
    Ok(PreparedCopy { report: report.ended(), found, plan, new, checksum, is_source_unproved, finished })
}

/// Judges the bucket of the destination for this copy.
async fn before_writing(
    ends: &CopyEnds,
    request: &CopyRequest,
    found: &Discovery,
    (plan, new): (&CopyLayout, &NewObject),
) -> Vec<CopyFinding> {
    let key = &ends.upload.uri().key;
    let survey = survey(&*ends.bucket, key).await;
    let planned = PlannedObject {
        key,
        size: found.facts.size,
        mode: plan.mode,
        storage_class: new.storage_class.as_deref(),
        kms_key: new.kms_key.as_deref(),
        tags: &new.tags,
        lock: &new.lock,
        time: time(ends, request, found.facts.size),
        own_uploads: own_uploads(ends, request),
        now: ends.destination.context().clock.now(),
    };
    judge_destination(&survey, &planned)
}

/// An object with the mark of the copy that the state file names was completed by a run that ended before it removed the
/// file, which is no longer needed then. The mark shows that the object is the copy only if the source is still the one
/// that was copied, and shows a proved source only if that run demanded one.
fn complete_already(request: &CopyRequest, place: Place, source: &ObjectFacts) -> (Place, bool) {
    let (Some(file), Place::Holds(facts, _)) = (&request.resume, &place) else { return (place, false) };
    let state = file.read().ok().flatten();
    let Some(state) = state.filter(|state| facts.metadata.get(super::COPY_ID) == Some(&state.copy_id)) else {
        return (place, false);
    };
    let is_enough = state.check_source(&source.identity()).is_ok() && (request.unproved || !state.unproved);
    let place = match place {
        Place::Holds(facts, same) if is_enough && same.likeness == Likeness::Unknown && !same.differs => {
            let text = "it has the mark of the copy that the state file names".to_owned();
            Place::Holds(facts, Sameness { likeness: Likeness::Same, text, ..same })
        }
        place => place,
    };
    (place, true)
}

/// The parts that the manifest states for a file, so that a copy from a disk has the parts of the object that the file
/// was copied from; or for an object of the same ETag, whose parts a presigned URL does not state.
fn of_manifest(request: &CopyRequest, found: &Discovery) -> Option<KnownLayout> {
    let is_file = found.facts.storage_class.is_none();
    let (_, manifest) = request.verify.manifest.as_ref()?;
    let is_same = manifest.etag.as_deref().map(ETag::kept).is_some_and(|etag| Some(etag) == found.facts.id.etag);
    if !is_file && !is_same {
        return None;
    }
    let references = manifest.references().ok()?;
    let size = found.facts.size;
    let layouts = references.iter().flat_map(|reference| reference.claim.layouts(size));
    let layout = layouts.filter(|layout| layout.size() == size).max_by_key(PartLayout::count)?;
    let was_multipart = matches!(
        manifest.etag.as_deref().map(|etag| ETag::kept(etag).form()),
        Some(ETagForm::Multipart { parts, .. }) if parts as usize == layout.count()
    );
    was_multipart
        .then(|| KnownLayout::assumed(u32::try_from(layout.count()).unwrap_or(u32::MAX), [layout], "the manifest"))
}

/// Number of uploads of the key that this copy goes on with.
fn own_uploads(ends: &CopyEnds, request: &CopyRequest) -> usize {
    // A file that cannot be read is reported when the copy begins.
    let state = request.resume.as_ref().and_then(|file| file.read().ok().flatten());
    usize::from(state.is_some_and(|state| state.destination == *ends.upload.uri()))
}

fn limits(service: Service, part_room: u64) -> LayoutLimits {
    let smallest_part = match service {
        Service::Aws => 5 * MIB,
        // Other servers have limits of their own, or none.
        Service::Other => 0,
    };
    LayoutLimits { most_in_one_request: part_room.min(5 << 30), smallest_part }
}

fn planned(ends: &CopyEnds, found: &Discovery, plan: &CopyLayout, new: &NewObject) -> CopyReport {
    let (source, destination) = (ends.source.target().to_string(), ends.upload.uri().to_string());
    CopyReport {
        source_identity: Some(IdentityReport::from(&found.facts)),
        parts: (plan.mode == WriteMode::Multipart).then(|| plan.layout.count() as u64),
        checksum: new.checksum.map(|checksum| checksum.to_string()),
        storage_class: new.storage_class.clone(),
        headers: headers_sent(new),
        metadata: new.metadata.clone(),
        tags: new.tags.clone(),
        object_lock: (!new.lock.is_empty()).then(|| new.lock.to_string()),
        ..CopyReport::planned(source, destination, ends.from.clone(), ends.to.clone())
    }
}

/// Headers of the source. S3 takes `Expires` as a time only.
fn headers(facts: &ObjectFacts, notes: &mut Vec<Note>) -> SystemHeaders {
    let mut headers = facts.headers.clone();
    if let Some(text) = headers.expires.take_if(|text| jiff::fmt::rfc2822::parse(text).is_err()) {
        notes.push(Note::Source(format!("Expires `{text}` of the source is not a date and is not copied")));
    }
    headers
}

/// The finding for a source that nobody can read before it is restored from the archive; `None` if it can be read.
pub(super) fn archived(facts: &ObjectFacts, by_server: bool) -> Option<CopyFinding> {
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    match readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore) {
        Readability::Archived(how) => {
            let what = if by_server { "no server copies it" } else { "its bytes cannot be read" };
            let text = format!("the source is archived ({how}), and {what} before it is restored from the archive");
            Some(CopyFinding::open(CopyCheck::Source, text))
        }
        _ => None,
    }
}

/// Metadata of the source without the marks of an earlier copy. The object is begun before its source is read, so that it
/// bears the mark of unproved bytes wherever this copy may be made of such.
fn metadata(found: &Discovery, request: &CopyRequest, is_source_unproved: bool) -> BTreeMap<String, String> {
    let (name, value) = UNPROVED_COPY;
    let facts = &found.facts;
    let mut metadata = if request.metadata { facts.metadata.clone() } else { BTreeMap::new() };
    metadata.remove(super::COPY_ID);
    metadata.remove(name);
    let asks = |origin| request.verify.asks_for(origin);
    // Where S3 stores a value, it must match, too.
    let by_others_alone = (asks(Origin::Tags) || asks(Origin::Metadata))
        && stored_references(facts, &found.layout, Origin::Stored, None).references.is_empty();
    if request.unproved || by_others_alone || (request.by_server && is_source_unproved) {
        metadata.insert(name.to_owned(), value.to_owned());
    }
    metadata
}

fn headers_sent(new: &NewObject) -> BTreeMap<String, String> {
    let content_type = new.content_type.as_deref().map(|kind| ("Content-Type", kind));
    content_type.into_iter().chain(new.headers.set()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn tags(
    ends: &CopyEnds,
    request: &CopyRequest,
    facts: &ObjectFacts,
) -> (BTreeMap<String, String>, Option<CopyFinding>) {
    let added = match &request.tags {
        TagChoice::None => return (BTreeMap::new(), None),
        TagChoice::Copy => BTreeMap::new(),
        TagChoice::With(added) => added.clone(),
    };
    // HEAD states the number of tags only if there are any, and only to callers who may read them.
    let is_file = facts.storage_class.is_none();
    let mut tags = match is_file {
        true => BTreeMap::new(),
        false => match ends.source.tags(&facts.id).await {
            Ok(tags) => tags,
            Err(error) => {
                let text = format!("the tags of the source: {}; --tags none copies none", error.explain());
                return (added, Some(CopyFinding::open(CopyCheck::Tags, text)));
            }
        },
    };
    // It marks a restore that this program started, and would make another one look like it.
    tags.remove(RESTORE_TAG);
    tags.extend(added);
    (tags, None)
}

/// How parts that do not fit into the memory are sent.
fn streamed(request: &CopyRequest, plan: &CopyLayout, service: Service) -> Option<Note> {
    let largest = plan.layout.parts().map(|part| part.len()).max().unwrap_or_default();
    (plan.mode == WriteMode::Multipart && is_streamed(largest, request.part_room)).then(|| {
        Note::Source(format!(
            "parts of {} do not fit into the {} that --max-memory leaves for parts: they are sent as they arrive, with \
             their checksum behind the bytes{}",
            ByteSize(largest),
            ByteSize(request.part_room),
            match service {
                Service::Aws => "",
                Service::Other =>
                    "; for a server that does not accept that, they are sent without, and their ETags are compared",
            }
        ))
    })
}

/// What of the source cannot be kept, and what the server does not protect against.
fn changes(facts: &ObjectFacts, plan: &CopyLayout, checksum: ChosenChecksum, service: Service) -> Vec<String> {
    let mut changes = Vec::new();
    if let Some(change) = &plan.change {
        let why = match change {
            LayoutChange::TooLargeForOneRequest => {
                "the source was written in one request, and is too large to be held in memory until it is proved".into()
            }
            LayoutChange::NotKnown(why) => format!("the parts of the source are not known: {why}"),
            LayoutChange::TooMany(count) => format!("the source has {count} parts, and S3 takes 10,000"),
            LayoutChange::TooSmall(size) => format!("the source has a part of {}, below 5 MiB", ByteSize(*size)),
            LayoutChange::TooLarge(size) => format!("the source has a part of {}, above 5 GiB", ByteSize(*size)),
            LayoutChange::File => "a file has no parts".into(),
            LayoutChange::ByServer => "the source was written in one request, and the server copies in parts".into(),
        };
        changes.push(format!("the copy has other parts, and thus another ETag: {why}"));
    }
    match checksum.change {
        Some(ChecksumChange::NotComputed(algorithm)) => changes.push(format!(
            "S3 computes no {} of this type for this copy; the copy gets {}",
            algorithm.name(),
            checksum.checksum
        )),
        Some(ChecksumChange::NoneStored) => {
            changes.push(format!("no checksum of the source is known; the copy gets {}", checksum.checksum));
        }
        None => {}
    }
    if facts.missing_metadata > 0 {
        changes.push(format!("{} entries of metadata cannot be read and are not copied", facts.missing_metadata));
    }
    if service == Service::Other {
        changes.push(
            "the destination is not AWS, and may ignore If-None-Match: whether an object is there is checked again \
             right before the copy is completed, and another writer in that second is not excluded"
                .into(),
        );
    }
    changes
}
