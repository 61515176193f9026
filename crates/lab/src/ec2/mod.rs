//! The calls of EC2 that store and restore AMIs need.

mod advance;
mod change;
mod describe;
mod parameters;
mod recycle;
mod register;
mod restore;
mod spec;
mod store;
mod uses;
mod xml;

use std::sync::Arc;

pub use crate::cloud::ec2::{Ec2State, ImageRecord, Mapping, Recycled, SnapshotRecord, TaskRecord};
pub(crate) use advance::by_clock;
pub use spec::{ImageSpec, VolumeSpec};

use super::account;
use super::action::Action;
use super::query::{Parameters, ServiceError};
use super::shared::Shared;
use crate::sync::lock;

pub(crate) use store::store_at_once;

/// Carries out one action and returns the content of its XML answer.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    action: Action,
    region: &str,
    parameters: &Parameters,
) -> Result<String, ServiceError> {
    match action {
        Action::CreateStoreImageTask => return store::create(shared, region, parameters).await,
        Action::CreateRestoreImageTask => return restore::create(shared, region, parameters).await,
        _ => {}
    }
    if matches!(action, Action::DescribeStoreImageTasks | Action::DescribeImages | Action::DescribeSnapshots) {
        advance::step(shared, region, action);
    }
    let mut cloud = lock(&shared.cloud);
    let state = cloud.region(region);
    match action {
        Action::DescribeImages => describe::images(state, parameters),
        Action::DescribeSnapshots => describe::snapshots(state, parameters),
        Action::DescribeStoreImageTasks => describe::store_tasks(state, parameters),
        Action::DescribeTags => Ok(describe::tags(state)),
        Action::DescribeInstances => Ok(uses::instances(state, parameters)),
        Action::DescribeVolumes => Ok(uses::volumes(state, parameters)),
        Action::DescribeImageAttribute => uses::launch_permissions(state, parameters),
        Action::DescribeSnapshotAttribute => uses::volume_permissions(state, parameters),
        Action::ListImagesInRecycleBin => recycle::images(state, parameters),
        Action::ListSnapshotsInRecycleBin => recycle::snapshots(state, parameters),
        Action::DescribeRegions => Ok(describe::regions(region)),
        Action::RegisterImage => register::image(state, region, parameters),
        Action::CopyImage => register::copy(state, region, parameters),
        Action::DeregisterImage => change::deregister(state, parameters),
        Action::DeleteSnapshot => change::delete_snapshot(state, parameters),
        Action::CreateTags => change::tags(state, parameters, true),
        Action::DeleteTags => change::tags(state, parameters, false),
        Action::GetEbsEncryptionByDefault => {
            Ok(format!("<ebsEncryptionByDefault>{}</ebsEncryptionByDefault>", state.encrypt_by_default))
        }
        Action::EnableEbsEncryptionByDefault | Action::DisableEbsEncryptionByDefault => {
            state.encrypt_by_default = action == Action::EnableEbsEncryptionByDefault;
            Ok(format!("<ebsEncryptionByDefault>{}</ebsEncryptionByDefault>", state.encrypt_by_default))
        }
        Action::GetEbsDefaultKmsKeyId => {
            let key = state.default_key.clone().unwrap_or_else(|| account::default_key(region));
            Ok(format!("<kmsKeyId>{key}</kmsKeyId>"))
        }
        Action::ModifyEbsDefaultKmsKeyId => {
            let key = parameters.get("KmsKeyId").cloned().unwrap_or_default();
            state.default_key = Some(key.clone());
            Ok(format!("<kmsKeyId>{}</kmsKeyId>", quick_xml::escape::escape(&key)))
        }
        _ => Err(ServiceError::new("InvalidAction", "EC2 has no such action here.")),
    }
}
