use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, ResourceType, S3ObjectTag, Tag, TagSpecification};

use super::bounded::Allowance;
use super::parse;
use crate::facts::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask};
use crate::ident::AmiId;
use crate::image::{ImageService, RestoreRequest, StoreRequest, TaskFilter};
use crate::progress::Call;
use crate::source::s3::{Connection, Service, Traced, translate};
use crate::source::{Context, ErrorKind, SourceError};

/// Maximum page size of DescribeImages and DescribeSnapshots (EC2 API reference).
pub(super) const PAGE: i32 = 1_000;
/// Maximum page size of DescribeStoreImageTasks (EC2 API reference).
const TASK_PAGE: i32 = 200;
/// Limit of pages in a listing; no account has that many entries.
pub(super) const MOST_PAGES: usize = 1_000;

/// Limit of ids that are requested one by one. An AMI has at most some dozens of volumes.
const MOST_IDS: usize = 1_000;

/// EC2 in the Region of a connection.
pub struct Ec2 {
    pub(super) client: Client,
    region: String,
    pub(super) context: Context,
}

/// Sends a request, with retries where those may help, within an allowance.
macro_rules! ask {
    ($self:ident, $allowance:expr, $needs:expr, $subject:expr, $request:expr) => {{
        let allowance: &Allowance = $allowance;
        let send = || async {
            let answer = $request.clone().customize().interceptor(allowance.clone()).send().await;
            answer.map_err(|error| allowance.explain(translate(error, $subject, $needs)))
        };
        $self.context.retry(Call::Image, send).await
    }};
}

/// Reads all pages, and passes each to a closure. `true` if there were no more pages.
macro_rules! pages {
    ($self:ident, $needs:expr, $subject:expr, $most:expr, $request:expr, $items:expr) => {{
        let allowance = Allowance::new();
        let mut seen: std::collections::HashSet<String> = Default::default();
        let mut token: Option<String> = None;
        let mut complete = false;
        for _ in 0..$most {
            let out = ask!($self, &allowance, $needs, $subject, $request.set_next_token(token.clone()))?;
            $items(&out);
            match out.next_token().filter(|next| !next.is_empty()) {
                Some(next) if !seen.insert(next.to_owned()) => {
                    return Err($crate::image::ec2::service::circular($subject));
                }
                Some(next) => token = Some(next.to_owned()),
                None => {
                    complete = true;
                    break;
                }
            }
        }
        complete
    }};
}

pub(super) use {ask, pages};

pub(super) fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

pub(super) fn endless(subject: &str) -> SourceError {
    SourceError::new(ErrorKind::Protocol, subject, format!("the listing has more than {MOST_PAGES} pages"))
}

/// A repeated token would make the listing endless, and its entries would be counted repeatedly.
pub(super) fn circular(subject: &str) -> SourceError {
    SourceError::new(ErrorKind::Protocol, subject, "the listing repeats a page token, and would never end")
}

impl Ec2 {
    /// `context` counts and retries the requests.
    pub fn new(connection: &Connection, context: Context) -> Self {
        let config = aws_sdk_ec2::config::Builder::from(&connection.service(Service::Ec2)).interceptor(Traced);
        Ec2 { client: Client::from_conf(config.build()), region: connection.region().to_owned(), context }
    }

    pub(super) async fn images_once(
        &self,
        ids: &[String],
        allowance: &Allowance,
    ) -> Result<Vec<ImageFacts>, SourceError> {
        let request = self
            .client
            .describe_images()
            .set_image_ids(Some(ids.to_vec()))
            .include_deprecated(true)
            .include_disabled(true);
        let subject = ids.join(", ");
        let out = ask!(self, allowance, "ec2:DescribeImages", &subject, request)?;
        only_asked(out.images().iter().map(parse::image), ids, &subject, |image| &image.id)
    }

    pub(super) async fn snapshots_once(
        &self,
        ids: &[String],
        allowance: &Allowance,
    ) -> Result<Vec<SnapshotFacts>, SourceError> {
        let request = self.client.describe_snapshots().set_snapshot_ids(Some(ids.to_vec()));
        let subject = ids.join(", ");
        let out = ask!(self, allowance, "ec2:DescribeSnapshots", &subject, request)?;
        only_asked(out.snapshots().iter().map(parse::snapshot), ids, &subject, |snapshot| &snapshot.id)
    }
}

/// The requested items of a response; a server may send others. An item that occurs twice with differences is an error.
fn only_asked<T: PartialEq>(
    answer: impl Iterator<Item = T>,
    ids: &[String],
    subject: &str,
    id: impl Fn(&T) -> &String,
) -> Result<Vec<T>, SourceError> {
    let mut kept: Vec<T> = Vec::new();
    for found in answer.filter(|found| ids.contains(id(found))) {
        match kept.iter().find(|before| id(before) == id(&found)) {
            None => kept.push(found),
            Some(before) if *before == found => {}
            Some(_) => {
                let detail = format!("the answer describes {} twice, and differently", id(&found));
                return Err(SourceError::new(ErrorKind::Protocol, subject, detail));
            }
        }
    }
    Ok(kept)
}

/// Requests all ids at once. If one of them does not exist, EC2 refuses the request, and each id is requested alone.
macro_rules! each_if_needed {
    ($ids:expr, $ask:expr) => {{
        if $ids.is_empty() {
            return Ok(Vec::new());
        }
        let allowance = Allowance::new();
        match $ask($ids, &allowance).await {
            Err(error) if error.kind == ErrorKind::NotFound && $ids.len() > MOST_IDS => {
                let detail = format!("one of {} is not there; they are too many to ask for one by one", $ids.len());
                Err(SourceError { kind: ErrorKind::Protocol, detail, ..error })
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                let mut found = Vec::new();
                if $ids.len() > 1 {
                    for id in $ids {
                        match $ask(std::slice::from_ref(id), &allowance).await {
                            Ok(one) => found.extend(one),
                            Err(error) if error.kind == ErrorKind::NotFound => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                Ok(found)
            }
            answer => answer,
        }
    }};
}

#[async_trait]
impl ImageService for Ec2 {
    fn region(&self) -> &str {
        &self.region
    }

    async fn images(&self, ids: &[String]) -> Result<Vec<ImageFacts>, SourceError> {
        each_if_needed!(ids, |ids, allowance| self.images_once(ids, allowance))
    }

    async fn own_images(&self) -> Result<Vec<ImageFacts>, SourceError> {
        let mut found = Vec::new();
        let request = self
            .client
            .describe_images()
            .owners("self")
            .include_deprecated(true)
            .include_disabled(true)
            .max_results(PAGE);
        let mut add = |out: &aws_sdk_ec2::operation::describe_images::DescribeImagesOutput| {
            found.extend(out.images().iter().map(parse::image));
        };
        let subject = "the account's AMIs";
        if pages!(self, "ec2:DescribeImages", subject, MOST_PAGES, request.clone(), add) {
            Ok(found)
        } else {
            Err(endless(subject))
        }
    }

    async fn shared_with_us(&self, id: &AmiId) -> Result<bool, SourceError> {
        let request = self
            .client
            .describe_images()
            .executable_users("self")
            .include_deprecated(true)
            .include_disabled(true)
            .filters(filter("image-id", [id.to_string()]));
        let subject = id.to_string();
        let out = ask!(self, &Allowance::new(), "ec2:DescribeImages", &subject, request)?;
        Ok(out.images().iter().any(|image| image.image_id() == Some(id.as_str())))
    }

    async fn snapshots(&self, ids: &[String]) -> Result<Vec<SnapshotFacts>, SourceError> {
        each_if_needed!(ids, |ids, allowance| self.snapshots_once(ids, allowance))
    }

    async fn restorable(&self, ids: &[String]) -> Result<Vec<String>, SourceError> {
        let mut found = Vec::new();
        let request = self
            .client
            .describe_snapshots()
            .restorable_by_user_ids("self")
            .filters(filter("snapshot-id", ids.to_vec()))
            .max_results(PAGE);
        let mut add = |out: &aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput| {
            let shared = out.snapshots().iter().filter_map(|snapshot| snapshot.snapshot_id().map(str::to_owned));
            found.extend(shared.filter(|id| ids.contains(id)));
        };
        let subject = "shared snapshots";
        if pages!(self, "ec2:DescribeSnapshots", subject, MOST_PAGES, request.clone(), add) {
            Ok(found)
        } else {
            Err(endless(subject))
        }
    }

    async fn pending_snapshots(&self) -> Result<Vec<SnapshotFacts>, SourceError> {
        let mut found = Vec::new();
        let request = self
            .client
            .describe_snapshots()
            .owner_ids("self")
            .filters(filter("status", ["pending".to_owned()]))
            .max_results(PAGE);
        let mut add = |out: &aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput| {
            found.extend(out.snapshots().iter().map(parse::snapshot));
        };
        let subject = "pending snapshots";
        if pages!(self, "ec2:DescribeSnapshots", subject, MOST_PAGES, request.clone(), add) {
            Ok(found)
        } else {
            Err(endless(subject))
        }
    }

    async fn count_snapshots(&self, pages: usize) -> Result<(u64, bool), SourceError> {
        let mut count = 0;
        let request = self.client.describe_snapshots().owner_ids("self").max_results(PAGE);
        let mut add = |out: &aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput| {
            count += out.snapshots().len() as u64;
        };
        let complete = pages!(self, "ec2:DescribeSnapshots", "the account's snapshots", pages, request.clone(), add);
        Ok((count, complete))
    }

    async fn store_tasks(&self, which: &TaskFilter) -> Result<Vec<StoreTask>, SourceError> {
        let mut found = Vec::new();
        let request = self.client.describe_store_image_tasks();
        let request = match which {
            TaskFilter::Bucket(bucket) => request.filters(filter("bucket", [bucket.clone()])).max_results(TASK_PAGE),
            TaskFilter::Running => {
                request.filters(filter("task-state", ["InProgress".to_owned()])).max_results(TASK_PAGE)
            }
            // With ids, EC2 ignores filters and refuses MaxResults.
            TaskFilter::Image(id) => request.image_ids(id.as_str()),
        };
        let mut add = |out: &aws_sdk_ec2::operation::describe_store_image_tasks::DescribeStoreImageTasksOutput| {
            found.extend(out.store_image_task_results().iter().map(parse::store_task));
        };
        let subject = "store tasks";
        if pages!(self, "ec2:DescribeStoreImageTasks", subject, MOST_PAGES, request.clone(), add) {
            Ok(found)
        } else {
            Err(endless(subject))
        }
    }

    async fn ebs_default(&self) -> Result<EbsDefault, SourceError> {
        let subject = "EBS encryption by default";
        let allowance = Allowance::new();
        let request = self.client.get_ebs_encryption_by_default();
        let default = ask!(self, &allowance, "ec2:GetEbsEncryptionByDefault", subject, request)?;
        let encrypted = default.ebs_encryption_by_default() == Some(true);
        if !encrypted {
            return Ok(EbsDefault { encrypted, key: None });
        }
        let request = self.client.get_ebs_default_kms_key_id();
        let key = ask!(self, &allowance, "ec2:GetEbsDefaultKmsKeyId", subject, request)?;
        Ok(EbsDefault { encrypted, key: key.kms_key_id().map(str::to_owned) })
    }

    async fn store(&self, request: &StoreRequest, dry_run: bool) -> Result<String, SourceError> {
        let tag = |(key, value): (&String, &String)| S3ObjectTag::builder().key(key).value(value).build();
        let tags: Vec<S3ObjectTag> = request.tags.iter().map(tag).collect();
        let call = self
            .client
            .create_store_image_task()
            .image_id(request.image.as_str())
            .bucket(&request.bucket)
            .set_s3_object_tags((!tags.is_empty()).then_some(tags))
            .dry_run(dry_run);
        self.context.monitor.request(Call::Image);
        let subject = format!("{} to {}", request.image, request.bucket);
        let allowance = Allowance::new();
        let answer = call.customize().interceptor(allowance.clone()).send().await;
        let failed = |error| allowance.explain(translate(error, &subject, "ec2:CreateStoreImageTask"));
        let out = answer.map_err(failed)?;
        let no_key = || SourceError::new(ErrorKind::Protocol, &subject, "the answer names no object key");
        out.object_key().map(str::to_owned).ok_or_else(no_key)
    }

    async fn restore(&self, request: &RestoreRequest, dry_run: bool) -> Result<String, SourceError> {
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags: Vec<Tag> = request.tags.iter().map(tag).collect();
        let on = |resource: ResourceType| {
            TagSpecification::builder().resource_type(resource).set_tags(Some(tags.clone())).build()
        };
        let specifications = (!tags.is_empty()).then(|| vec![on(ResourceType::Image), on(ResourceType::Snapshot)]);
        let call = self
            .client
            .create_restore_image_task()
            .bucket(&request.bucket)
            .object_key(&request.key)
            .set_name(request.name.clone())
            .set_tag_specifications(specifications)
            .dry_run(dry_run);
        self.context.monitor.request(Call::Image);
        let subject = format!("s3://{}/{}", request.bucket, request.key);
        let allowance = Allowance::new();
        let answer = call.customize().interceptor(allowance.clone()).send().await;
        let failed = |error| allowance.explain(translate(error, &subject, "ec2:CreateRestoreImageTask"));
        let out = answer.map_err(failed)?;
        let id = out.image_id().unwrap_or_default();
        // The restore may have started; the caller looks for its AMI.
        let no_id = |_| SourceError::new(ErrorKind::Protocol, &subject, format!("the answer names no AMI: `{id}`"));
        id.parse::<AmiId>().map(|id| id.to_string()).map_err(no_id)
    }
}
