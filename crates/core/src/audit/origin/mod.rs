//! Determines whether an object is a copy of an AMI made by a store.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::checks::preflight::LogicalSize;
use crate::facts::{Fact, ImageFacts, ImageState, RootDevice, StoreTask, TaskState, Virtualization};
use crate::ident::{ETag, ETagForm, ObjectIdentity};
use crate::record::{Record, TaggedSource, source_from_tags};
use crate::units::ByteSize;

/// The highest plausible compression ratio: zstd stores a run of 128 KiB in four bytes. The compression of
/// EC2 is not published, so a higher ratio cannot be excluded; an object beyond this one is not accepted as a
/// copy without the user.
const DENSEST: u64 = 32_768;
/// Minimum bytes of a copy of an AMI without written blocks: its ids, name and device names.
const LEAST: u64 = 64;
/// Maximum clock skew.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Maximum delay between the start of a store task and its upload. `Last-Modified` of a multipart upload is
/// the time when the upload was started, however long it took. EC2 starts it when the task starts; the delay
/// is not published. A later object may have been written by anyone.
const BEGUN_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// What is known about an object and the AMI that it may be a copy of.
#[derive(Debug, Clone)]
pub struct OriginSurvey<'a> {
    /// The AMI.
    pub image: &'a ImageFacts,
    /// Account of the caller, if known. A store records the account of its caller, which need not own the
    /// AMI.
    pub account: Option<&'a str>,
    /// Size of the AMI before compression.
    pub size: &'a LogicalSize,
    /// Region of the AMI.
    pub region: &'a str,
    /// Bucket of the object.
    pub bucket: &'a str,
    /// Key of the object.
    pub key: &'a str,
    /// Size of the object in bytes.
    pub object_bytes: u64,
    /// ETag of the object.
    pub etag: Option<&'a str>,
    /// Time of last modification.
    pub modified: Option<Timestamp>,
    /// Tags of the object.
    pub tags: &'a Fact<BTreeMap<String, String>>,
    /// Store tasks into the bucket.
    pub tasks: &'a Fact<Vec<StoreTask>>,
    /// The record of `store --record`, with the name of its file.
    pub record: Option<&'a (String, Record)>,
}

/// Objections to an object as a copy of an AMI. If both lists are empty, it is a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Why it is a copy of something else.
    pub refuted: Vec<String>,
    /// Why it may not be a copy.
    pub open: Vec<String>,
}

/// Compares an object with an AMI. A copy is recognised by the traces of its store: the task, the tags, the
/// record.
pub fn judge_origin(survey: &OriginSurvey<'_>) -> Origin {
    let mut origin = Origin::default();
    origin.open.extend(unfit(survey.image));
    origin.open.extend(impossible(survey.size, survey.object_bytes));
    let tagged = match survey.tags {
        Fact::Known { value, .. } => source_from_tags(value),
        Fact::Absent { .. } | Fact::NotApplicable => None,
        other => Some(Err(other.why_not().unwrap_or_default())),
    };
    let by_tags = match &tagged {
        None => false,
        Some(Ok(tagged)) => origin.tags(survey, tagged),
        Some(Err(why)) => {
            origin.open.push(format!("whether its tags name another AMI is not known: {why}"));
            false
        }
    };
    if origin.refuted.is_empty() && !(by_tags || by_task(survey) || by_record(survey)) {
        let asked = match survey.tasks.why_not() {
            Some(why) => format!(" (store tasks: {why})"),
            None => String::new(),
        };
        origin
            .open
            .push(format!("no store task, store tags or record shows that {} was stored here{asked}", survey.image.id));
    }
    origin.open.extend(against_record(survey));
    origin
}

impl Origin {
    /// Whether the tags show that a store of this AMI wrote the object.
    fn tags(&mut self, survey: &OriginSurvey<'_>, tagged: &TaggedSource) -> bool {
        let before = (self.refuted.len(), self.open.len());
        if tagged.image != survey.image.id {
            self.refuted.push(format!("its tags name another AMI: {}", tagged.image));
        }
        match &tagged.account {
            Some(account) if survey.may_have_stored(account) => {}
            Some(account) if survey.account.is_none() => {
                self.open.push(format!("its tags name the account {account}, and this account is not known"));
            }
            Some(account) => self.refuted.push(format!("its tags name another account: {account}")),
            None => self.open.push("its tags name no account".to_owned()),
        }
        if let Some(region) = tagged.region.as_ref().filter(|region| *region != survey.region) {
            self.open.push(format!("its tags name an AMI in {region}, and this one is in {}", survey.region));
        }
        if let Some((tagged, volumes)) = tagged.volume_bytes.zip(survey.size.volumes).filter(|(one, two)| one != two) {
            self.open.push(format!("its tags state {tagged} bytes of volumes, and the AMI has {volumes}"));
        }
        before == (self.refuted.len(), self.open.len())
    }
}

impl OriginSurvey<'_> {
    /// Whether the account is that of the caller or of the AMI's owner.
    fn may_have_stored(&self, account: &str) -> bool {
        self.account == Some(account) || (!self.image.owner.is_empty() && self.image.owner == account)
    }

    /// Whether the object can be the output of a store that was started at this time. A store uses a
    /// multipart upload, which the ETag shows. If a time is not known, it cannot.
    fn begun_by(&self, started: Option<Timestamp>) -> bool {
        may_be_output(self.etag.map(ETag::new).as_ref(), self.modified, started)
    }
}

/// Whether an object with this ETag, last modified at this time, can be the output of a store task that was started at
/// `started`. A store uses a multipart upload, which the ETag shows, and whose start is the time of last modification. If
/// a time is not known, it cannot.
pub fn may_be_output(etag: Option<&ETag>, modified: Option<Timestamp>, started: Option<Timestamp>) -> bool {
    let Some((started, modified)) = started.zip(modified) else { return false };
    let multipart = etag.is_some_and(|etag| matches!(etag.form(), ETagForm::Multipart { .. }));
    let since = modified.duration_since(started);
    multipart && since >= -SKEW && since <= BEGUN_WITHIN
}

/// Whether a store task of this AMI wrote this object.
fn by_task(survey: &OriginSurvey<'_>) -> bool {
    let tasks = survey.tasks.value().map_or(&[][..], Vec::as_slice);
    tasks.iter().any(|task| {
        TaskState::of(&task.state) == TaskState::Completed
            && task.failure.is_none()
            && task.image == survey.image.id
            && task.is_into(survey.bucket)
            && task.key == survey.key
            && survey.begun_by(task.started)
    })
}

/// Whether a record of this AMI names this object: by its ETag, or, without one, by location, size and time.
fn by_record(survey: &OriginSurvey<'_>) -> bool {
    let Some((_, record)) = survey.record else { return false };
    let source = record.image == survey.image.id
        && !survey.image.owner.is_empty()
        && record.owner == survey.image.owner
        && survey.may_have_stored(&record.account);
    let own = ObjectIdentity { etag: survey.etag.map(ETag::kept), ..ObjectIdentity::of_size(survey.object_bytes) };
    let kept = record.content();
    let content = match &kept.etag {
        Some(_) => kept.has_strong_etag() && kept.same_as(&own.restricted_to(&kept)).is_yes(),
        None => {
            record.bucket == survey.bucket
                && record.key == survey.key
                && kept.same_as(&ObjectIdentity::of_size(survey.object_bytes)).agrees()
                && survey.begun_by(record.written_at.parse().ok())
        }
    };
    source && content
}

/// Why the object is not the one that the record is of, although it is in its place.
fn against_record(survey: &OriginSurvey<'_>) -> Option<String> {
    let (file, record) = survey.record.filter(|(_, record)| {
        (record.image.as_str(), record.bucket.as_str(), record.key.as_str())
            == (survey.image.id.as_str(), survey.bucket, survey.key)
    })?;
    let own = ObjectIdentity { etag: survey.etag.map(ETag::kept), ..ObjectIdentity::of_size(survey.object_bytes) };
    let why = record.differs_from(&own)?;
    Some(format!("the record {file} is of another object in its place: {why}"))
}

/// Why an AMI in this state or of this kind cannot have been stored; `None` if it can.
fn unfit(image: &ImageFacts) -> Option<String> {
    let id = &image.id;
    match ImageState::of(&image.state) {
        ImageState::Available | ImageState::Disabled => {}
        state => return Some(format!("the state of {id} is `{state}`")),
    }
    match image.root_device_type.as_deref().map(RootDevice::of) {
        None | Some(RootDevice::Ebs) => {}
        Some(device) => return Some(format!("the root device of {id} is `{device}`, and only EBS is stored")),
    }
    match image.virtualization.as_deref().map(Virtualization::of) {
        None | Some(Virtualization::Hvm) => None,
        Some(kind) => Some(format!("{id} is `{kind}`, which is not stored")),
    }
}

/// Why an object of this size cannot contain the AMI.
fn impossible(size: &LogicalSize, bytes: u64) -> Option<String> {
    let (logical, what) = match (size.written, size.volumes) {
        (Some(written), _) => (written, "of written blocks"),
        (None, Some(volumes)) => (volumes, "of volumes, of which it is not known how much is written"),
        (None, None) => return Some(format!("whether it can hold the AMI is not known: {}", size.source)),
    };
    let least = logical.div_ceil(DENSEST).max(LEAST);
    (bytes < least).then(|| {
        format!(
            "{bytes} bytes cannot hold the {} {what} of the AMI: at the densest packing they take {least} bytes",
            ByteSize(logical)
        )
    })
}

#[cfg(test)]
mod tests;
