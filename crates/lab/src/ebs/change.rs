use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::{BlockError, invalid, no_snapshot};
use crate::account;
use crate::checksum::{Algorithm, Hasher};
use crate::cloud::blocks::{BLOCK, Content};
use crate::cloud::ec2::SnapshotRecord;
use crate::shared::{ACCOUNT, Shared};
use crate::sync::lock;
use crate::wire::{Reply, S3Request};
use stored_ami_core::units::GIB;

fn document(status: StatusCode, body: &Value) -> Reply {
    Reply::bytes(status, Bytes::from(body.to_string())).header("content-type", "application/json")
}

pub(super) fn start(shared: &Arc<Shared>, region: &str, body: &[u8]) -> Result<Reply, BlockError> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let size = body.get("VolumeSize").and_then(Value::as_u64).filter(|size| (1..=65_536).contains(size));
    let size = size.ok_or_else(|| invalid("INVALID_VOLUME_SIZE", "VolumeSize must be from 1 to 65536."))?;
    let id = shared.resource_id("snap");
    let mut cloud = lock(&shared.cloud);
    let state = cloud.region(region);
    let parent = text("ParentSnapshotId");
    let content = match parent.as_ref().map(|parent| state.snapshots.get(parent).ok_or_else(|| no_snapshot(parent))) {
        None => BTreeMap::new(),
        Some(parent) => {
            let parent = parent?;
            let blocks = parent.written(0, usize::MAX).into_iter();
            blocks.filter_map(|index| Some((index, Bytes::from(parent.block(index)?)))).collect()
        }
    };
    let encrypted = body.get("Encrypted").and_then(Value::as_bool).unwrap_or(state.encrypt_by_default);
    let default_key = || state.default_key.clone().unwrap_or_else(|| account::default_key(region));
    let key = encrypted.then(|| text("KmsKeyArn").unwrap_or_else(default_key));
    let tags = body.get("Tags").and_then(Value::as_array).cloned().unwrap_or_default();
    let tag = |tag: &Value| {
        let field = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((field("Key")?, field("Value")?))
    };
    let record = SnapshotRecord {
        id: id.clone(),
        state: "pending".to_owned(),
        owner: ACCOUNT.to_owned(),
        size: Some(size),
        full_bytes: None,
        encrypted,
        key,
        progress: 0,
        tier: "standard".to_owned(),
        description: text("Description").unwrap_or_default(),
        started: Timestamp::now(),
        shared: false,
        usable_by: Vec::new(),
        tags: tags.iter().filter_map(tag).collect(),
        content: Content::Blocks(content),
        flips: BTreeMap::new(),
        parent,
    };
    let mut answer = json!({
        "SnapshotId": id,
        "OwnerId": ACCOUNT,
        "Status": "pending",
        "StartTime": record.started.as_second(),
        "VolumeSize": size,
        "BlockSize": BLOCK,
        "Description": record.description,
        "Tags": tags,
    });
    if let Some(fields) = answer.as_object_mut() {
        fields.extend(record.parent.clone().map(|parent| ("ParentSnapshotId".to_owned(), parent.into())));
        fields.extend(record.key.clone().map(|key| ("KmsKeyArn".to_owned(), key.into())));
    }
    state.snapshots.insert(id, record);
    Ok(document(StatusCode::CREATED, &answer))
}

/// The blocks of a snapshot that is being written.
fn open<'a>(
    snapshots: &'a mut BTreeMap<String, SnapshotRecord>,
    id: &str,
) -> Result<&'a mut SnapshotRecord, BlockError> {
    let found = snapshots.get_mut(id).ok_or_else(|| no_snapshot(id))?;
    match found.state == "pending" && matches!(found.content, Content::Blocks(_)) {
        true => Ok(found),
        false => Err(invalid("INVALID_SNAPSHOT_ID", format!("The snapshot '{id}' is not being written."))),
    }
}

pub(super) fn put(
    shared: &Arc<Shared>,
    region: &str,
    request: &S3Request,
    (id, index, body): (&str, Option<u32>, &[u8]),
) -> Result<Reply, BlockError> {
    let index = index.ok_or_else(|| invalid("INVALID_BLOCK", "The index of the block must be a number."))?;
    let stated = request.header("x-amz-data-length").and_then(|text| text.parse::<usize>().ok());
    if stated != Some(BLOCK) || body.len() != BLOCK {
        return Err(invalid("INVALID_PARAMETER_VALUE", format!("A block has {BLOCK} bytes.")));
    }
    let checksum = STANDARD.encode(Hasher::of(Algorithm::Sha256, body));
    let algorithm = request.header("x-amz-checksum-algorithm");
    if algorithm != Some("SHA256") || request.header("x-amz-checksum") != Some(&checksum) {
        return Err(invalid("INVALID_PARAMETER_VALUE", "The checksum is not that of the block."));
    }
    let mut cloud = lock(&shared.cloud);
    let snapshot = open(&mut cloud.region(region).snapshots, id)?;
    if u64::from(index) >= snapshot.size.unwrap_or(0) * (GIB / BLOCK as u64) {
        return Err(invalid("INVALID_BLOCK", "The block is behind the end of the volume."));
    }
    if let Content::Blocks(blocks) = &mut snapshot.content {
        blocks.insert(index, Bytes::copy_from_slice(body));
    }
    let reply = document(StatusCode::CREATED, &json!({}));
    Ok(reply.header("x-amz-checksum", checksum).header("x-amz-checksum-algorithm", "SHA256"))
}

/// The count is that of the blocks that were put; the lab keeps those of a parent among them, and takes a smaller one.
pub(super) fn complete(shared: &Arc<Shared>, region: &str, request: &S3Request, id: &str) -> Result<Reply, BlockError> {
    let count = request.header("x-amz-changedblockscount").and_then(|text| text.parse::<usize>().ok());
    let mut cloud = lock(&shared.cloud);
    let snapshot = open(&mut cloud.region(region).snapshots, id)?;
    let Content::Blocks(blocks) = &snapshot.content else { return Err(no_snapshot(id)) };
    let fits = match snapshot.parent {
        Some(_) => count.is_some_and(|count| count <= blocks.len()),
        None => count == Some(blocks.len()),
    };
    if !fits {
        return Err(invalid("INVALID_PARAMETER_VALUE", "ChangedBlocksCount is not the number of blocks."));
    }
    if let (Some(stated), None) = (request.header("x-amz-checksum"), &snapshot.parent) {
        // LINEAR: the digest over the digests of the blocks, in their order.
        let digests: Vec<Vec<u8>> = blocks.values().map(|block| Hasher::of(Algorithm::Sha256, block)).collect();
        if STANDARD.encode(Hasher::of(Algorithm::Sha256, &digests.concat())) != stated {
            return Err(invalid("INVALID_PARAMETER_VALUE", "The checksum is not that of the blocks."));
        }
    }
    snapshot.full_bytes = Some(blocks.len() as u64 * BLOCK as u64);
    (snapshot.state, snapshot.progress) = ("completed".to_owned(), 100);
    Ok(document(StatusCode::ACCEPTED, &json!({ "Status": "completed" })))
}
