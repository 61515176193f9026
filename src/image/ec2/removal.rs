use async_trait::async_trait;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesOutput;
use aws_sdk_ec2::operation::list_images_in_recycle_bin::ListImagesInRecycleBinOutput;
use aws_sdk_ec2::operation::list_snapshots_in_recycle_bin::ListSnapshotsInRecycleBinOutput;
use aws_sdk_ec2::types::{ImageAttributeName, Instance, InstanceStateName, SnapshotAttributeName};

use super::bounded::Allowance;
use super::parse;
use super::service::{Ec2, MOST_PAGES, PAGE, ask, endless, filter, pages};
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::image::{NO_IMAGE, NO_SNAPSHOT, Recycled, RemovalService};
use crate::progress::Call;
use crate::source::s3::translate;
use crate::source::{ErrorKind, SourceError};

/// Sends a request that removes something, once.
macro_rules! once {
    ($self:ident, $needs:expr, $subject:expr, $request:expr) => {{
        $self.context.monitor.request(Call::Image);
        let allowance = Allowance::new();
        let answer = $request.customize().interceptor(allowance.clone()).send().await;
        answer.map(drop).map_err(|error| allowance.explain(translate(error, $subject, $needs)))
    }};
}

/// Name of the Recycle Bin in messages.
const BIN: &str = "the Recycle Bin";

fn is_there(instance: &Instance) -> bool {
    instance.state().and_then(|state| state.name()) != Some(&InstanceStateName::Terminated)
}

/// The one item of an answer. Only these codes state that it does not exist: any other server may answer with status 404.
fn there<T>(answer: Result<Vec<T>, SourceError>, codes: &[&str]) -> Result<Option<T>, SourceError> {
    match answer {
        Ok(found) => Ok(found.into_iter().next()),
        Err(error) if error.code.as_deref().is_some_and(|code| codes.contains(&code)) => Ok(None),
        Err(error) if error.kind == ErrorKind::NotFound => {
            let stated = error.code.as_deref().unwrap_or("no code");
            let codes = codes.join(" or ");
            let detail = format!("the answer has {stated}, and only {codes} states that it does not exist");
            Err(SourceError { kind: ErrorKind::Protocol, detail, ..error })
        }
        Err(error) => Err(error),
    }
}

#[async_trait]
impl RemovalService for Ec2 {
    async fn image(&self, id: &str) -> Result<Option<ImageFacts>, SourceError> {
        there(self.images_once(&[id.to_owned()], &Allowance::new()).await, &NO_IMAGE)
    }

    async fn snapshot(&self, id: &str) -> Result<Option<SnapshotFacts>, SourceError> {
        there(self.snapshots_once(&[id.to_owned()], &Allowance::new()).await, &NO_SNAPSHOT)
    }

    async fn instances_of(&self, image: &str) -> Result<Vec<String>, SourceError> {
        let mut found = Vec::new();
        let request =
            self.client.describe_instances().filters(filter("image-id", [image.to_owned()])).max_results(PAGE);
        let mut add = |out: &DescribeInstancesOutput| {
            let instances = out.reservations().iter().flat_map(|reservation| reservation.instances());
            let there = instances.filter(|instance| is_there(instance));
            found
                .extend(there.map(|instance| instance.instance_id().unwrap_or("an instance without an id").to_owned()));
        };
        match pages!(self, "ec2:DescribeInstances", image, MOST_PAGES, request.clone(), add) {
            true => Ok(found),
            false => Err(endless(image)),
        }
    }

    async fn volumes_of(&self, snapshot: &str) -> Result<Vec<String>, SourceError> {
        let mut found = Vec::new();
        let request =
            self.client.describe_volumes().filters(filter("snapshot-id", [snapshot.to_owned()])).max_results(PAGE);
        let mut add = |out: &DescribeVolumesOutput| {
            let ids = out.volumes().iter().map(|volume| volume.volume_id().unwrap_or("a volume without an id"));
            found.extend(ids.map(str::to_owned));
        };
        match pages!(self, "ec2:DescribeVolumes", snapshot, MOST_PAGES, request.clone(), add) {
            true => Ok(found),
            false => Err(endless(snapshot)),
        }
    }

    async fn who_may_launch(&self, image: &str) -> Result<Vec<String>, SourceError> {
        let request =
            self.client.describe_image_attribute().image_id(image).attribute(ImageAttributeName::LaunchPermission);
        let out = ask!(self, &Allowance::new(), "ec2:DescribeImageAttribute", image, request)?;
        let named = out.launch_permissions().iter().map(|permission| {
            let group = permission.group().map(|group| group.as_str());
            let organization = permission.organization_arn().or(permission.organizational_unit_arn());
            permission.user_id().or(group).or(organization).unwrap_or("somebody who is not named").to_owned()
        });
        Ok(named.collect())
    }

    async fn who_may_use(&self, snapshot: &str) -> Result<Vec<String>, SourceError> {
        let kind = SnapshotAttributeName::CreateVolumePermission;
        let request = self.client.describe_snapshot_attribute().snapshot_id(snapshot).attribute(kind);
        let out = ask!(self, &Allowance::new(), "ec2:DescribeSnapshotAttribute", snapshot, request)?;
        let named = out.create_volume_permissions().iter().map(|permission| {
            let group = permission.group().map(|group| group.as_str());
            permission.user_id().or(group).unwrap_or("somebody who is not named").to_owned()
        });
        Ok(named.collect())
    }

    async fn tagged_snapshots(&self, tag: &str, value: &str) -> Result<Vec<SnapshotFacts>, SourceError> {
        let mut found = Vec::new();
        let tagged = filter(&format!("tag:{tag}"), [value.to_owned()]);
        let request = self.client.describe_snapshots().owner_ids("self").filters(tagged).max_results(PAGE);
        let mut add = |out: &DescribeSnapshotsOutput| found.extend(out.snapshots().iter().map(parse::snapshot));
        let subject = "snapshots of the drill";
        match pages!(self, "ec2:DescribeSnapshots", subject, MOST_PAGES, request.clone(), add) {
            true => Ok(found),
            false => Err(endless(subject)),
        }
    }

    // What EC2 answers for the id of something that is not in the Recycle Bin is not documented. So all is listed.
    async fn recycled_images(&self, ids: &[String]) -> Result<Vec<Recycled>, SourceError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let request = self.client.list_images_in_recycle_bin().max_results(PAGE);
        let mut add = |out: &ListImagesInRecycleBinOutput| {
            let kept =
                out.images().iter().filter_map(|kept| parse::recycled(kept.image_id(), kept.recycle_bin_exit_time()));
            found.extend(kept.filter(|kept| ids.contains(&kept.id)));
        };
        match pages!(self, "ec2:ListImagesInRecycleBin", BIN, MOST_PAGES, request.clone(), add) {
            true => Ok(found),
            false => Err(endless(BIN)),
        }
    }

    async fn recycled_snapshots(&self, ids: &[String]) -> Result<Vec<Recycled>, SourceError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let request = self.client.list_snapshots_in_recycle_bin().max_results(PAGE);
        let mut add = |out: &ListSnapshotsInRecycleBinOutput| {
            let kept = out.snapshots().iter();
            let kept = kept.filter_map(|kept| parse::recycled(kept.snapshot_id(), kept.recycle_bin_exit_time()));
            found.extend(kept.filter(|kept| ids.contains(&kept.id)));
        };
        match pages!(self, "ec2:ListSnapshotsInRecycleBin", BIN, MOST_PAGES, request.clone(), add) {
            true => Ok(found),
            false => Err(endless(BIN)),
        }
    }

    async fn deregister(&self, image: &str) -> Result<(), SourceError> {
        once!(self, "ec2:DeregisterImage", image, self.client.deregister_image().image_id(image))
    }

    async fn delete_snapshot(&self, snapshot: &str) -> Result<(), SourceError> {
        once!(self, "ec2:DeleteSnapshot", snapshot, self.client.delete_snapshot().snapshot_id(snapshot))
    }
}
