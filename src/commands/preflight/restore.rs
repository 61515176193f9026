use std::collections::BTreeMap;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::join;

use super::region::{RegionAnswers, RegionSurvey};
use super::size::{KnownSize, size_without_source};
use super::store::size_of;
use super::survey_bucket;
use super::{RestorePreflightRequest, VerifiedNow};
use crate::checks::preflight::{
    BucketSurvey, DryRun, LastVerified, LogicalSize, NameSource, RESTORE_TAG, RestoreSurvey, SourceFacts, Work,
    judge_restore, restore_work, verified,
};
use crate::commands::ask::asked;
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::{
    Caller, Fact, ImageFacts, KeyFacts, ObjectFacts, Readability, SnapshotFacts, VolumeFacts, readability,
};
use crate::ident::{AmiId, ETag, ObjectIdentity};
use crate::image::RestoreRequest;
use crate::journal::RestoreIdentity;
use crate::report::{DamagedObject, Note, ObjectProofReport, ObjectProofState, PreflightReport, SizeReport, TaskKind};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::ByteRange;
use crate::verdict::{Finding, Verdict};

/// Result of the preflight of a restore, with everything needed to start it.
#[derive(Debug, Clone)]
pub struct RestorePreflight {
    /// The report.
    pub report: PreflightReport,
    /// The object; `None` if HEAD failed.
    pub object: Option<ObjectFacts>,
    /// The account's AMIs in the Region.
    pub images: Option<Vec<ImageFacts>>,
    /// `None` if name, ETag or account is not known.
    pub identity: Option<RestoreIdentity>,
    /// Size before compression.
    pub size: LogicalSize,
    /// Restores that seem to be in progress; `None` if that cannot be estimated.
    pub work: Option<Work>,
    /// Facts about the source AMI, which the restored AMI will be compared with.
    pub source: Option<SourceFacts>,
    /// Finding of a verification of the object in this run, if there was one.
    pub verified: Option<Finding>,
}

/// Sends all requests and judges the answers.
///
/// # Errors
///
/// The error of STS if it rejects the credentials or if the Region cannot be reached. Every other failed request makes
/// its check unknown.
pub async fn preflight_restore(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
) -> Result<RestorePreflight, SourceError> {
    let caller = services.region.caller().await?;
    let (object, answers) = join!(ask_object(services, wish), RegionAnswers::ask(&services.region));
    Ok(judged(services, wish, caller, Answers { object, region: answers }).await)
}

/// [`preflight_restore`] with the answers about the Region from before, as for one restore of a list.
pub async fn preflight_restore_in(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    region: &RegionSurvey,
) -> RestorePreflight {
    let object = ask_object(services, wish).await;
    judged(services, wish, region.caller.clone(), Answers { object, region: region.answers.clone() }).await
}

async fn judged(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    caller: Fact<Caller>,
    answers: Answers,
) -> RestorePreflight {
    let against = against_record(wish, answers.object.asked.object.value());
    // Nothing is known from a record of another object.
    let without = against.is_some().then(|| RestorePreflightRequest { record: None, ..wish.clone() });
    let wish = without.as_ref().unwrap_or(wish);
    let known = known(services, wish, caller, &answers).await;
    let owner = answers.object.asked.owner.clone();
    let survey = RestoreSurvey { against_record: against, ..survey(wish, answers, &known) };
    let mut surveyed = assemble(wish, survey, known);
    surveyed.report.notes.extend(owner.map(Note::Source));
    surveyed.report.requests = services.region.requests();
    surveyed
}

/// What shows that the record that was given is not of the object. A copy elsewhere may have another ETag.
fn against_record(wish: &RestorePreflightRequest, object: Option<&ObjectFacts>) -> Option<String> {
    let (file, record) = wish.record.as_ref()?;
    if let Some(id) = AmiId::from_key(&wish.target.key).filter(|id| id.as_str() != record.image) {
        return Some(format!("{file} is the record of {}, and the object is named after {id}", record.image));
    }
    let is_in_place = (&record.bucket, &record.key) == (&wish.target.bucket, &wish.target.key);
    let object = object?;
    let own =
        ObjectIdentity { etag: object.id.etag.clone().filter(|_| is_in_place), ..ObjectIdentity::of_size(object.size) };
    record.differs_from(&own).map(|why| format!("{file} is not the record of this object: {why}"))
}

/// Answers to requests that do not depend on each other.
struct Answers {
    object: ObjectAnswers,
    region: RegionAnswers,
}

/// Answers about the object.
struct ObjectAnswers {
    asked: AskedObject,
    bucket: BucketSurvey,
    dry_run: DryRun,
}

async fn ask_object(services: &ObjectServices, wish: &RestorePreflightRequest) -> ObjectAnswers {
    let ObjectServices { region, object, .. } = services;
    let dry = RestoreRequest {
        bucket: wish.target.bucket.clone(),
        key: wish.target.key.clone(),
        name: wish.name.clone(),
        tags: BTreeMap::new(),
    };
    let (asked, bucket, dry_run) = join!(survey_object(object), survey_bucket(services, false), async {
        region.dry_run(region.images.restore(&dry, true).await).await
    });
    ObjectAnswers { asked, bucket, dry_run }
}

/// Facts derived from the answers, and from requests that depend on them.
struct Known {
    region: String,
    now: Timestamp,
    caller: Fact<Caller>,
    key: Fact<KeyFacts>,
    source: Option<SourceFacts>,
    size: KnownSize,
    name: Option<(String, NameSource)>,
    identity: Option<RestoreIdentity>,
}

async fn known(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    caller: Fact<Caller>,
    answers: &Answers,
) -> Known {
    let region = &services.region;
    let key = async {
        match answers.region.ebs.value().and_then(|ebs| ebs.key.as_deref()) {
            Some(key) => asked(region.account.key(key).await, "DescribeKey", "kms:DescribeKey"),
            None => Fact::NotApplicable,
        }
    };
    let ((image, snapshots), key) = join!(survey_source(region, wish, &answers.region.images), key);
    let (image, not_asked) = (image.as_ref().ok().and_then(Option::as_ref), image.as_ref().err());
    let source = wish
        .record
        .as_ref()
        .map(|(file, record)| record.facts(format!("the record {file}")))
        .or_else(|| image.map(|image| source_facts(image, &snapshots)));
    let name = wish_name(wish, image);
    let etag = answers.object.asked.object.value().and_then(|facts| facts.id.etag.as_ref()).map(ToString::to_string);
    let identity = match (&name, etag, caller.value()) {
        (Some((name, NameSource::Given | NameSource::Record)), Some(etag), Some(caller)) => Some(RestoreIdentity {
            bucket: wish.target.bucket.clone(),
            key: wish.target.key.clone(),
            etag,
            account: caller.account.clone(),
            region: region.images.region().to_owned(),
            name: name.clone(),
        }),
        _ => None,
    };
    Known {
        region: region.images.region().to_owned(),
        now: region.context().clock.now(),
        caller,
        key,
        source,
        size: known_size(wish, (image, not_asked), &snapshots, answers.object.asked.tags.value()),
        name,
        identity,
    }
}

fn survey(wish: &RestorePreflightRequest, answers: Answers, known: &Known) -> RestoreSurvey {
    let Answers { object: ObjectAnswers { asked, bucket, dry_run }, region } = answers;
    let AskedObject { object, probe, .. } = asked;
    let RegionAnswers { images, pending, snapshots, ebs, image_quota, snapshot_quota } = region;
    let work = match (&images, pending) {
        (Fact::Known { value: own, source }, Fact::Known { value: pending, .. }) => {
            Fact::Known { value: restore_work(own, &pending), source }
        }
        (Fact::Known { .. }, other) => other.map(|_| Default::default()),
        (other, _) => other.clone().map(|_| Default::default()),
    };
    RestoreSurvey {
        target: wish.target.clone(),
        region: known.region.clone(),
        now: known.now,
        caller: known.caller.clone(),
        verified: last_verified(wish, object.value()),
        object,
        against_record: None,
        probe,
        bucket,
        images,
        work,
        size: known.size.size.clone(),
        name: known.name.clone(),
        claim: known.identity.as_ref().map(|identity| identity.claim(None)),
        source_encrypted: known.size.encrypted,
        ebs,
        key: known.key.clone(),
        image_quota,
        snapshot_quota,
        snapshots,
        new_snapshots: known.size.volumes,
        pace: wish.pace,
        dry_run,
        limits: wish.limits,
    }
}

fn assemble(wish: &RestorePreflightRequest, survey: RestoreSurvey, known: Known) -> RestorePreflight {
    let Known { source, identity, .. } = known;
    let preflight = judge_restore(&survey);
    let mut report =
        PreflightReport::new(TaskKind::Restore, wish.target.to_string(), &survey.region, preflight, &wish.accept);
    report.account = survey.caller.value().map(|caller| caller.account.clone());
    report.name = survey.name.as_ref().map(|(name, _)| name.clone());
    report.size = SizeReport::from(&survey.size);
    let mut proof = ObjectProofReport::from(&survey.verified);
    if proof.state == ObjectProofState::Proved {
        proof.proved_by = wish.verified.iter().flat_map(|verified| verified.proved_by.clone()).collect();
    }
    report.object_proof = Some(proof);
    report.tags = identity.as_ref().map(restore_tags).unwrap_or_default();
    let is_damaged = wish.verified.as_ref().is_some_and(|verified| verified.is_damaged);
    let object = survey.object.value();
    report.damaged = is_damaged.then(|| DamagedObject {
        version_id: object.and_then(|object| object.version.clone()),
        etag: object.and_then(|object| object.id.etag.as_ref()).map(ToString::to_string),
    });
    RestorePreflight {
        report,
        object: survey.object.value().cloned(),
        images: survey.images.value().cloned(),
        identity,
        size: survey.size,
        work: survey.work.value().cloned(),
        source,
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

/// The tags that identify a restored AMI and its snapshots.
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
    /// Note on the expected owner of the bucket.
    owner: Option<String>,
}

/// Requests the facts of the object, one byte of it, and its tags.
async fn survey_object(session: &Session) -> AskedObject {
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
        0 => Err(SourceError::new(
            ErrorKind::ShortBody,
            session.target(),
            "the server sent no byte of the one requested",
        )),
        _ => Err(SourceError::new(
            ErrorKind::Protocol,
            session.target(),
            "the server sent more bytes than the one requested",
        )),
    }
}

/// Describes the source AMI and its snapshots. `None` if it does not exist, or if this account cannot see it; an error as
/// text if EC2 does not say.
async fn survey_source(
    services: &RegionServices,
    wish: &RestorePreflightRequest,
    own: &Fact<Vec<ImageFacts>>,
) -> (Result<Option<ImageFacts>, String>, Vec<SnapshotFacts>) {
    let Some(id) = AmiId::from_key(&wish.target.key) else { return (Ok(None), Vec::new()) };
    let found = own.value().into_iter().flatten().find(|image| image.id == id.as_str()).cloned();
    let image = match found {
        Some(image) => Ok(Some(image)),
        // It may belong to another account.
        None => {
            let images = services.images.images(&[id.to_string()]).await;
            images.map(|images| images.into_iter().next()).map_err(|error| error.explain())
        }
    };
    let ids: Vec<String> =
        image.iter().flatten().flat_map(|image| &image.volumes).filter_map(|volume| volume.snapshot.clone()).collect();
    let snapshots = services.images.snapshots(&ids).await.unwrap_or_default();
    (image, snapshots)
}

/// The size from the best available source.
fn known_size(
    wish: &RestorePreflightRequest,
    (image, not_asked): (Option<&ImageFacts>, Option<&String>),
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
        let hidden = match not_asked {
            Some(why) => format!("the source AMI could not be described ({why})"),
            None => "the source AMI is not visible here".to_owned(),
        };
        let because = format!("{hidden}, and no record, tag or --logical-size gives it");
        KnownSize { size: LogicalSize::unknown(because), volumes: None, encrypted: None }
    })
}

fn wish_name(wish: &RestorePreflightRequest, image: Option<&ImageFacts>) -> Option<(String, NameSource)> {
    let given = wish.name.clone().map(|name| (name, NameSource::Given));
    let id = AmiId::from_key(&wish.target.key);
    let recorded = || {
        let (_, record) = wish.record.as_ref()?;
        let is_of_it = id.as_ref().is_none_or(|id| id.as_str() == record.image);
        Some((record.name.clone().filter(|_| is_of_it)?, NameSource::Record))
    };
    let source = || Some((image?.name.clone()?, NameSource::SourceImage));
    given.or_else(recorded).or_else(source)
}

/// The last verification of the object. A manifest applies if it has the same strong ETag and size.
fn last_verified(wish: &RestorePreflightRequest, object: Option<&ObjectFacts>) -> LastVerified {
    let current = object.map(|object| object.identity().content());
    let is_of_it = |then: &ObjectIdentity| {
        let now = current.as_ref().filter(|now| now.has_strong_etag());
        now.is_some_and(|now| then.same_as(&now.restricted_to(then)).is_yes())
    };
    if let Some(VerifiedNow { verdict, detail, etag, .. }) = &wish.verified {
        let verified = ObjectIdentity::of_etag(etag.as_deref().map(ETag::kept));
        if *verdict == Verdict::Pass && !is_of_it(&verified) {
            let detail = "the object is not, or cannot be shown to be, the one that was verified".to_owned();
            return LastVerified::Now { verdict: Verdict::Unknown, detail };
        }
        return LastVerified::Now { verdict: *verdict, detail: detail.clone() };
    }
    let Some((file, manifest)) = &wish.manifest else { return LastVerified::NotKnown };
    let useless = |detail: String| LastVerified::Useless { file: file.clone(), detail };
    if object.is_none() {
        return useless("the object cannot be seen".to_owned());
    }
    if !manifest.is_proved() {
        return useless("a baseline: no stored or given value proved the bytes when it was written".to_owned());
    }
    if !is_of_it(&manifest.content()) {
        return useless(
            "it describes an object with another ETag or size than this one has now; --verify compares the bytes with it".to_owned(),
        );
    }
    LastVerified::Manifest {
        file: file.clone(),
        written_at: manifest.written_at.clone(),
        proved_by: manifest.proved_by.clone(),
    }
}
