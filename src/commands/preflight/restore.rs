use std::collections::BTreeMap;

use futures_util::StreamExt;
use tokio::join;

use super::store::size_of;
use super::survey_bucket;
use crate::account::{IMAGES, SNAPSHOTS};
use crate::checks::preflight::{
    LastVerified, LogicalSize, NameSource, RESTORE_TAG, RestorePace, RestoreSurvey, ServiceLimits, SnapshotCount,
    SourceFacts, judge_restore, restore_work, verified,
};
use crate::commands::Services;
use crate::commands::ask::asked;
use crate::facts::{Fact, ImageFacts, ObjectFacts, Readability, SnapshotFacts, VolumeFacts, readability};
use crate::ident::{AmiId, ObjectUri};
use crate::image::RestoreRequest;
use crate::journal::RestoreIdentity;
use crate::manifest::Manifest;
use crate::record::{Record, size_from_tags};
use crate::report::{PreflightReport, SizeReport, TaskKind};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::ByteRange;
use crate::verdict::{CheckName, Finding, Verdict};

/// Pages of 1,000 snapshots that are counted against the quota.
const SNAPSHOT_PAGES: usize = 3;

/// A restore that someone thinks of.
#[derive(Debug, Clone)]
pub struct RestorePreflightRequest {
    pub target: ObjectUri,
    pub name: Option<String>,
    /// Of the store, and the name of its file.
    pub record: Option<(String, Record)>,
    /// Of an earlier verification, and the name of its file.
    pub manifest: Option<(String, Manifest)>,
    /// Bytes of the volumes, as the caller states them.
    pub logical_size: Option<u64>,
    /// What a verification in this run said.
    pub verified: Option<VerifiedNow>,
    /// Of the caller's own earlier restores.
    pub pace: Option<RestorePace>,
    pub limits: ServiceLimits,
    /// Required checks that may be unknown.
    pub accept: Vec<CheckName>,
}

/// What a verification in this run said, and of which object.
#[derive(Debug, Clone)]
pub struct VerifiedNow {
    pub verdict: Verdict,
    pub detail: String,
    pub etag: Option<String>,
}

/// What a restore is started from.
#[derive(Debug, Clone)]
pub struct RestorePreflight {
    pub report: PreflightReport,
    pub object: Option<ObjectFacts>,
    /// The account's AMIs in the Region.
    pub images: Option<Vec<ImageFacts>>,
    /// `None` where name, ETag or account are not known.
    pub identity: Option<RestoreIdentity>,
    pub size: LogicalSize,
    /// What the restored AMI will be held against.
    pub source: Option<SourceFacts>,
    /// What a verification in this run says of the object, where it was asked for.
    pub verified: Option<Finding>,
}

/// Asks everything, and judges it.
pub async fn survey_restore(
    services: &Services,
    wish: &RestorePreflightRequest,
) -> Result<RestorePreflight, SourceError> {
    let caller = services.caller().await?;
    let images = &services.images;
    let dry = RestoreRequest {
        bucket: wish.target.bucket.clone(),
        key: wish.target.key.clone(),
        name: wish.name.clone(),
        tags: BTreeMap::new(),
    };
    let (object, bucket, own, pending, counted, ebs, image_quota, snapshot_quota, dry_run) = join!(
        survey_object(services),
        survey_bucket(services, false),
        images.own_images(),
        images.pending_snapshots(),
        images.count_snapshots(SNAPSHOT_PAGES),
        images.ebs_default(),
        services.account.quota(IMAGES),
        services.account.quota(SNAPSHOTS),
        async { services.dry_run(images.restore(&dry, true).await).await }
    );
    let AskedObject { object, probe, tags, owner } = object;
    let own = asked(own, "DescribeImages", "ec2:DescribeImages");
    let pending = asked(pending, "DescribeSnapshots", "ec2:DescribeSnapshots");
    let ebs = asked(ebs, "GetEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault and ec2:GetEbsDefaultKmsKeyId");
    let key = async {
        match ebs.value().and_then(|ebs| ebs.key.as_deref()) {
            Some(key) => asked(services.account.key(key).await, "DescribeKey", "kms:DescribeKey"),
            None => Fact::NotApplicable,
        }
    };
    let (source, key) = join!(survey_source(services, wish, &own), key);
    let (image, snapshots) = source;
    let id = AmiId::from_key(&wish.target.key);
    let source = wish
        .record
        .as_ref()
        .filter(|(_, record)| id.as_ref().is_none_or(|id| id.as_str() == record.image))
        .map(|(file, record)| record.facts(format!("the record {file}")))
        .or_else(|| image.as_ref().map(|image| source_facts(image, &snapshots)));
    let known = known_size(wish, image.as_ref(), &snapshots, tags.value());
    let name = wish_name(wish, image.as_ref());
    let etag = object.value().and_then(|facts| facts.id.etag.as_ref()).map(ToString::to_string);
    let identity = match (&name, etag, caller.value()) {
        (Some((name, NameSource::Given | NameSource::Record)), Some(etag), Some(caller)) => Some(RestoreIdentity {
            bucket: wish.target.bucket.clone(),
            key: wish.target.key.clone(),
            etag,
            account: caller.account.clone(),
            region: images.region().to_owned(),
            name: name.clone(),
        }),
        _ => None,
    };
    let claim = identity.as_ref().map(|identity| identity.claim(None));
    let work = match (&own, pending) {
        (Fact::Known { value: own, source }, Fact::Known { value: pending, .. }) => {
            Fact::Known { value: restore_work(own, &pending), source }
        }
        (Fact::Known { .. }, other) => other.map(|_| Default::default()),
        (other, _) => other.clone().map(|_| Default::default()),
    };
    let survey = RestoreSurvey {
        target: wish.target.clone(),
        region: images.region().to_owned(),
        now: services.object.context().clock.now(),
        caller,
        verified: last_verified(wish, object.value()),
        object,
        probe,
        bucket,
        images: own,
        work,
        size: known.size,
        name,
        claim,
        source_encrypted: known.encrypted,
        ebs,
        key,
        image_quota: asked(image_quota, "Service Quotas", "servicequotas:GetServiceQuota"),
        snapshot_quota: asked(snapshot_quota, "Service Quotas", "servicequotas:GetServiceQuota"),
        snapshots: asked(counted, "DescribeSnapshots", "ec2:DescribeSnapshots")
            .map(|(counted, complete)| SnapshotCount { counted, complete }),
        new_snapshots: known.volumes,
        pace: wish.pace,
        dry_run,
        limits: wish.limits,
    };
    let mut surveyed = assemble(wish, survey, identity);
    surveyed.report.notes.extend(owner);
    surveyed.source = source;
    Ok(surveyed)
}

fn assemble(
    wish: &RestorePreflightRequest,
    survey: RestoreSurvey,
    identity: Option<RestoreIdentity>,
) -> RestorePreflight {
    let preflight = judge_restore(&survey);
    let mut report =
        PreflightReport::new(TaskKind::Restore, wish.target.to_string(), &survey.region, preflight, &wish.accept);
    report.account = survey.caller.value().map(|caller| caller.account.clone());
    report.name = survey.name.as_ref().map(|(name, _)| name.clone());
    report.size = SizeReport::from(&survey.size);
    if let Some((file, record)) = &wish.record
        && AmiId::from_key(&wish.target.key).is_some_and(|id| id.as_str() != record.image)
    {
        report
            .notes
            .push(format!("{file} is the record of {}, not of this object, and its sizes are left out", record.image));
    }
    report.tags = identity.as_ref().map(restore_tags).unwrap_or_default();
    RestorePreflight {
        report,
        object: survey.object.value().cloned(),
        images: survey.images.value().cloned(),
        identity,
        size: survey.size,
        source: None,
        verified: wish.verified.as_ref().map(|_| verified(&survey.verified)),
    }
}

fn source_facts(image: &ImageFacts, snapshots: &[SnapshotFacts]) -> SourceFacts {
    let snapshot = |volume: &VolumeFacts| snapshots.iter().find(|s| Some(&s.id) == volume.snapshot.as_ref());
    let volume = |volume: &VolumeFacts| {
        let snapshot = snapshot(volume);
        let encrypted = snapshot.and_then(|snapshot| snapshot.encrypted).or(volume.encrypted);
        (volume.device.clone(), volume.gib.max(snapshot.and_then(|snapshot| snapshot.gib)), encrypted)
    };
    SourceFacts {
        image: Some(image.id.clone()),
        from: format!("the source {}", image.id),
        volumes: image.volumes.iter().map(volume).collect(),
        architecture: image.architecture.clone(),
        boot_mode: image.boot_mode.clone(),
        virtualization: image.virtualization.clone(),
    }
}

/// Tag that names the object a restore read.
pub(in crate::commands) const SOURCE_TAG: &str = "stored-ami:source";

/// The tags by which a restored AMI and its snapshots are recognised.
pub(in crate::commands) fn restore_tags(identity: &RestoreIdentity) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([(RESTORE_TAG.to_owned(), identity.token())]);
    let source = format!("s3://{}/{}", identity.bucket, identity.key);
    // EC2 User Guide, *Tag your Amazon EC2 resources*: at most 256 characters.
    if source.chars().count() <= 256 {
        tags.insert(SOURCE_TAG.to_owned(), source);
    }
    tags
}

struct AskedObject {
    object: Fact<ObjectFacts>,
    probe: Fact<()>,
    tags: Fact<BTreeMap<String, String>>,
    /// What must be said of the expected owner of the bucket.
    owner: Option<String>,
}

/// The object as it is now, one byte of it, and its tags.
async fn survey_object(services: &Services) -> AskedObject {
    let session = &services.object;
    let object = asked(session.head().await, "HeadObject", "s3:GetObject");
    let Some(facts) = object.value() else {
        return AskedObject { object, probe: Fact::NotApplicable, tags: Fact::NotApplicable, owner: None };
    };
    let restore = facts.restore.as_ref().and_then(|state| state.as_ref().ok());
    let archived = matches!(
        readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore),
        Readability::Archived(_)
    );
    let probe = async {
        if archived || facts.size == 0 {
            return Fact::NotApplicable;
        }
        asked(read_one_byte(session, facts).await, "GetObject", "s3:GetObject and, under SSE-KMS, kms:Decrypt")
    };
    let (probe, tags, owner) = join!(probe, session.tags(&facts.id), session.owner_note());
    let tags = asked(tags, "GetObjectTagging", "s3:GetObjectTagging");
    AskedObject { object, probe, tags, owner }
}

async fn read_one_byte(session: &Session, facts: &ObjectFacts) -> Result<(), SourceError> {
    let mut body = session.read_once(&facts.id, facts.size, ByteRange::whole(1)).await?;
    let mut came = 0;
    while let Some(frame) = body.next().await {
        came += frame?.len();
        if came > 1 {
            break;
        }
    }
    match came {
        1 => Ok(()),
        0 => {
            Err(SourceError::new(ErrorKind::ShortBody, session.target(), "no byte came of the one that was asked for"))
        }
        _ => Err(SourceError::new(ErrorKind::Protocol, session.target(), "more bytes came than the one asked for")),
    }
}

/// The source AMI, if it is still there, and its snapshots.
async fn survey_source(
    services: &Services,
    wish: &RestorePreflightRequest,
    own: &Fact<Vec<ImageFacts>>,
) -> (Option<ImageFacts>, Vec<SnapshotFacts>) {
    let Some(id) = AmiId::from_key(&wish.target.key) else { return (None, Vec::new()) };
    let found = own.value().into_iter().flatten().find(|image| image.id == id.as_str()).cloned();
    let image = match found {
        Some(image) => Some(image),
        // It may be another account's. What cannot be seen is not there, for this purpose.
        None => services.images.images(&[id.to_string()]).await.unwrap_or_default().into_iter().next(),
    };
    let ids: Vec<String> =
        image.iter().flat_map(|image| &image.volumes).filter_map(|volume| volume.snapshot.clone()).collect();
    let snapshots = services.images.snapshots(&ids).await.unwrap_or_default();
    (image, snapshots)
}

pub(in crate::commands) struct KnownSize {
    pub size: LogicalSize,
    pub volumes: Option<u64>,
    pub encrypted: Option<bool>,
}

/// From the best source that is left.
fn known_size(
    wish: &RestorePreflightRequest,
    image: Option<&ImageFacts>,
    snapshots: &[SnapshotFacts],
    tags: Option<&BTreeMap<String, String>>,
) -> KnownSize {
    let id = AmiId::from_key(&wish.target.key);
    let id = id.as_ref().map(AmiId::as_str);
    if let Some(image) = image {
        let size = size_of(image, snapshots);
        if size.volumes.is_some() {
            let encrypted = source_facts(image, snapshots).encrypted();
            return KnownSize { size, volumes: Some(image.volumes.len() as u64), encrypted };
        }
    }
    size_without_source(wish.record.as_ref(), tags, wish.logical_size, id).unwrap_or_else(|| {
        let because = "the source AMI is not visible here, and no record, tag or --logical-size tells it";
        KnownSize { size: LogicalSize::unknown(because), volumes: None, encrypted: None }
    })
}

/// From the record of this AMI, from the caller, from tags of the object: the first that tells a size that volumes can
/// have. What the others before it state is said beside it. `None` where nothing states anything.
pub(in crate::commands) fn size_without_source(
    record: Option<&(String, Record)>,
    tags: Option<&BTreeMap<String, String>>,
    logical_size: Option<u64>,
    id: Option<&str>,
) -> Option<KnownSize> {
    let recorded = record.filter(|(_, record)| id.is_none_or(|id| id == record.image)).map(|(file, record)| {
        KnownSize { size: record.size(file), volumes: Some(record.volumes.len() as u64), encrypted: record.encrypted() }
    });
    let stated = logical_size.map(|bytes| KnownSize {
        size: LogicalSize::stated(bytes, "--logical-size"),
        volumes: None,
        encrypted: None,
    });
    let tagged = tags.and_then(|tags| size_from_tags(tags, id)).map(|found| KnownSize {
        size: found.size,
        volumes: found.volumes,
        encrypted: found.encrypted,
    });
    let mut refused: Vec<String> = Vec::new();
    let mut by_tags = false;
    for mut known in [recorded, stated, tagged].into_iter().flatten() {
        if known.size.smallest().is_some() {
            if !refused.is_empty() {
                known.size.source = format!("{}; not from {}", known.size.source, refused.join("; "));
            }
            return Some(known);
        }
        by_tags |= known.size.tagged;
        refused.push(known.size.source);
    }
    let nothing = |size| KnownSize { size, volumes: None, encrypted: None };
    (!refused.is_empty()).then(|| nothing(LogicalSize { tagged: by_tags, ..LogicalSize::unknown(refused.join("; ")) }))
}

fn wish_name(wish: &RestorePreflightRequest, image: Option<&ImageFacts>) -> Option<(String, NameSource)> {
    let given = wish.name.clone().map(|name| (name, NameSource::Given));
    let recorded = || {
        let name = wish.record.as_ref().and_then(|(_, record)| record.name.clone())?;
        Some((name, NameSource::Record))
    };
    let source = || Some((image?.name.clone()?, NameSource::SourceImage));
    given.or_else(recorded).or_else(source)
}

/// A manifest speaks of the object if a strong ETag and the size are the same.
fn last_verified(wish: &RestorePreflightRequest, object: Option<&ObjectFacts>) -> LastVerified {
    let etag = object.and_then(|object| object.id.etag.as_ref());
    let current = etag.filter(|etag| etag.is_strong()).map(ToString::to_string);
    if let Some(VerifiedNow { verdict, detail, etag }) = &wish.verified {
        if *verdict == Verdict::Pass && (current.is_none() || *etag != current) {
            let detail = "the object is not, or cannot be shown to be, the one that was verified".to_owned();
            return LastVerified::Now { verdict: Verdict::Unknown, detail };
        }
        return LastVerified::Now { verdict: *verdict, detail: detail.clone() };
    }
    let Some((file, manifest)) = &wish.manifest else { return LastVerified::NotKnown };
    let useless = |detail: String| LastVerified::Useless { file: file.clone(), detail };
    let Some(object) = object else { return useless("the object cannot be seen".to_owned()) };
    if manifest.verdict != "pass" {
        return useless("a baseline: nothing proved the bytes when it was written".to_owned());
    }
    if manifest.etag.is_none() || manifest.etag != current || manifest.object_bytes != object.size {
        return useless(
            "it speaks of another ETag or size than the object has now; --verify holds the bytes against it".to_owned(),
        );
    }
    LastVerified::Manifest {
        file: file.clone(),
        written_at: manifest.written_at.clone(),
        proved_by: manifest.proved_by.clone(),
    }
}
