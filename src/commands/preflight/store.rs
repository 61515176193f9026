use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use tokio::join;

use super::survey_bucket;
use crate::checks::preflight::{
    LogicalSize, PreflightNote, ServiceLimits, StoreSurvey, StoredSurvey, Work, judge_store, store_work,
};
use crate::commands::ask::asked;
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::{Caller, Fact, ImageFacts, SnapshotFacts, StoreTask};
use crate::ident::{AmiId, BucketPath};
use crate::image::{StoreRequest, TaskFilter};
use crate::record::{Record, object_tags};
use crate::report::{InputNote, PreflightReport, SizeReport, StoredReport, TaskKind};
use crate::source::SourceError;
use crate::verdict::CheckName;

/// Parameters of the preflight of a store.
#[derive(Debug, Clone)]
pub struct StorePreflightRequest {
    /// The AMI to store.
    pub image: AmiId,
    /// The bucket, and the prefix of the key.
    pub into: BucketPath,
    /// Limits of the service.
    pub limits: ServiceLimits,
    /// Required checks that may be unknown.
    pub accept: Vec<CheckName>,
    /// Write the tags of a record on the object.
    pub tags: bool,
}

const IMAGES: (&str, &str) = ("DescribeImages", "ec2:DescribeImages");
const SNAPSHOTS: (&str, &str) = ("DescribeSnapshots", "ec2:DescribeSnapshots");
const TASKS: (&str, &str) = ("DescribeStoreImageTasks", "ec2:DescribeStoreImageTasks");

/// Looks for existing copies of the AMI. Tasks and uploads are requested before objects, so that a store that completes
/// in between is seen as an object and not missed.
pub(in crate::commands) async fn survey_stored(
    services: &ObjectServices,
    image: &AmiId,
    into: &BucketPath,
) -> StoredSurvey {
    let file = format!("{image}.bin");
    let key = into.key(image);
    let bucket = &services.bucket;
    let filter = TaskFilter::Bucket(into.bucket.clone());
    let (tasks, uploads) = join!(services.region.images.store_tasks(&filter), bucket.uploads_named(&file));
    let (exact, listed, versions) =
        join!(services.object.head(), bucket.objects_named(&file), bucket.versions_of(&key));
    StoredSurvey {
        exact: asked(exact, "HeadObject", "s3:GetObject; without s3:ListBucket a missing object looks the same"),
        listed: asked(listed, "ListObjectsV2", "s3:ListBucket"),
        versions: asked(versions, "ListObjectVersions", "s3:ListBucketVersions"),
        uploads: asked(uploads, "ListMultipartUploads", "s3:ListBucketMultipartUploads"),
        tasks: asked(tasks, TASKS.0, TASKS.1),
    }
}

/// Sends all requests and judges the answers. The record describes the AMI as it is now; `None` if AMI or account is
/// not known.
///
/// # Errors
///
/// The error of STS if it rejects the credentials or if the Region cannot be reached. Every other failed request makes
/// its check unknown.
pub async fn preflight_store(
    services: &ObjectServices,
    wish: &StorePreflightRequest,
) -> Result<(PreflightReport, Option<Record>), SourceError> {
    let survey = survey(services, wish).await?;
    let (mut report, record) = assemble(wish, &survey);
    report.requests = services.region.requests();
    Ok((report, record))
}

async fn survey(services: &ObjectServices, wish: &StorePreflightRequest) -> Result<StoreSurvey, SourceError> {
    let region = &services.region;
    let caller = region.caller().await?;
    let id = wish.image.to_string();
    let dry = StoreRequest { image: wish.image.clone(), bucket: wish.into.to_string(), tags: BTreeMap::new() };
    let described = describe(region, &id);
    let work = survey_work(region);
    let (described, (running, work), bucket, stored, dry_run) = join!(
        described,
        work,
        survey_bucket(services, true),
        survey_stored(services, &wish.image, &wish.into),
        async { region.dry_run(region.images.store(&dry, true).await).await }
    );
    let Described { image, snapshots } = described;
    let (shared, restorable, keys) = survey_sharing(region, &wish.image, &caller, &image, &snapshots).await;
    let size = match (&image, &snapshots) {
        (Fact::Known { value, .. }, found) => size_of(value, found.value().map_or(&[], Vec::as_slice)),
        (other, _) => LogicalSize::unknown(format!("the AMI: {}", other.why_not().unwrap_or_default())),
    };
    Ok(StoreSurvey {
        ami: wish.image.clone(),
        into: wish.into.clone(),
        region: region.images.region().to_owned(),
        caller,
        image,
        shared,
        snapshots,
        restorable,
        keys,
        size,
        running,
        work,
        bucket,
        stored,
        dry_run,
        limits: wish.limits,
    })
}

fn assemble(wish: &StorePreflightRequest, survey: &StoreSurvey) -> (PreflightReport, Option<Record>) {
    let id = wish.image.to_string();
    let caller = survey.caller.value();
    let (preflight, answer) = judge_store(survey);
    let mut report = PreflightReport::new(TaskKind::Store, id.clone(), &survey.region, preflight, &wish.accept);
    if wish.into.as_uri {
        report.notes.insert(0, InputNote::BucketAsUri { taken_as: wish.into.clone() }.into());
    }
    let key = wish.into.key(&wish.image);
    report.destination = Some(format!("s3://{}/{key}", wish.into.bucket));
    report.account = caller.map(|caller| caller.account.clone());
    report.size = SizeReport::from(&survey.size);
    report.stored = Some(StoredReport::new(&id, &wish.into.bucket, key.clone(), &answer));
    let record = survey.image.value().zip(caller).map(|(image, caller)| {
        let found = survey.snapshots.value().map_or(&[][..], Vec::as_slice);
        let record = Record::of(image, found, &survey.size, caller, &survey.region);
        Record { bucket: wish.into.bucket.clone(), key, ..record }
    });
    if let Some(record) = record.as_ref().filter(|_| wish.tags) {
        let (tags, left_out) = object_tags(record);
        report.tags = tags;
        if !left_out.is_empty() {
            report.notes.push(PreflightNote::TooLongForTags { tags: left_out }.into());
        }
    }
    (report, record)
}

struct Described {
    image: Fact<ImageFacts>,
    snapshots: Fact<Vec<SnapshotFacts>>,
}

/// Describes the AMI, then its snapshots.
async fn describe(services: &RegionServices, id: &str) -> Described {
    let ids = [id.to_owned()];
    let image = match asked(services.images.images(&ids).await, IMAGES.0, IMAGES.1) {
        Fact::Known { value, source } => match value.into_iter().find(|image| image.id == id) {
            Some(value) => Fact::Known { value, source },
            None => Fact::Absent { source },
        },
        other => other.map(|_| ImageFacts::default()),
    };
    let snapshots = match &image {
        Fact::Known { value, .. } => {
            let ids: Vec<String> = value.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
            asked(services.images.snapshots(&ids).await, SNAPSHOTS.0, SNAPSHOTS.1)
        }
        other => Fact::Unavailable { because: format!("the AMI: {}", other.why_not().unwrap_or_default()) },
    };
    Described { image, snapshots }
}

type Keys = BTreeMap<String, Fact<crate::facts::KeyFacts>>;

/// Requests that depend on the owner and the encryption of the AMI and its snapshots.
async fn survey_sharing(
    services: &RegionServices,
    id: &AmiId,
    caller: &Fact<Caller>,
    image: &Fact<ImageFacts>,
    snapshots: &Fact<Vec<SnapshotFacts>>,
) -> (Fact<bool>, Fact<Vec<String>>, Keys) {
    let found = snapshots.value().map_or(&[][..], Vec::as_slice);
    // Without the account, foreign snapshots cannot be recognised; their checks are judged as unknown.
    let account = caller.value().map(|caller| caller.account.as_str());
    let shared = async {
        match image.value() {
            Some(image) if account.is_some_and(|account| image.owner != account) => {
                asked(services.images.shared_with_us(id).await, IMAGES.0, IMAGES.1)
            }
            _ => Fact::NotApplicable,
        }
    };
    let restorable = async {
        let foreign: Vec<String> =
            found.iter().filter(|s| account.is_some_and(|account| s.owner != account)).map(|s| s.id.clone()).collect();
        if foreign.is_empty() {
            return Fact::NotApplicable;
        }
        asked(services.images.restorable(&foreign).await, SNAPSHOTS.0, SNAPSHOTS.1)
    };
    let names: BTreeSet<&str> = found.iter().filter_map(|snapshot| snapshot.kms_key.as_deref()).collect();
    let keys = join_all(names.into_iter().map(|name| async move {
        (name.to_owned(), asked(services.account.key(name).await, "DescribeKey", "kms:DescribeKey"))
    }));
    let (shared, restorable, keys) = join!(shared, restorable, keys);
    (shared, restorable, keys.into_iter().collect())
}

pub(in crate::commands) fn size_of(image: &ImageFacts, snapshots: &[SnapshotFacts]) -> LogicalSize {
    let by_id = snapshots.iter().map(|snapshot| (snapshot.id.as_str(), snapshot)).collect();
    LogicalSize::of_image(image, &by_id)
}

/// The stores in progress.
async fn survey_work(services: &RegionServices) -> (Fact<Vec<StoreTask>>, Fact<Work>) {
    match stores_in_progress(services).await {
        Ok((running, sizes)) => {
            let work = store_work(&running, &sizes);
            (Fact::Known { value: running, source: TASKS.0 }, Fact::Known { value: work, source: TASKS.0 })
        }
        Err(error) => {
            let fact = asked(Err(error), TASKS.0, TASKS.1);
            (fact.clone(), fact.map(|_: Vec<StoreTask>| Work::default()))
        }
    }
}

/// The stores in progress, and the sizes of their AMIs. An AMI that cannot be described has none.
pub(in crate::commands) async fn stores_in_progress(
    services: &RegionServices,
) -> Result<(Vec<StoreTask>, BTreeMap<String, LogicalSize>), SourceError> {
    let running = services.images.store_tasks(&TaskFilter::Running).await?;
    let ids: BTreeSet<String> = running.iter().map(|task| task.image.clone()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let mut sizes = BTreeMap::new();
    if let Ok(images) = services.images.images(&ids).await {
        let wanted: Vec<String> =
            images.iter().flat_map(|image| &image.volumes).filter_map(|volume| volume.snapshot.clone()).collect();
        let snapshots = services.images.snapshots(&wanted).await.unwrap_or_default();
        sizes.extend(images.iter().map(|image| (image.id.clone(), size_of(image, &snapshots))));
    }
    Ok((running, sizes))
}
