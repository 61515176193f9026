use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::error::{BlockError, invalid, key_denied, no_snapshot, throttled};
use crate::checksum::{Algorithm, Hasher};
use crate::cloud::blocks::BLOCK;
use crate::cloud::ec2::SnapshotRecord;
use crate::shared::Shared;
use crate::sync::lock;
use crate::wire::{Reply, S3Request};

/// Blocks in one answer.
const MOST: usize = 10_000;
const LEAST: usize = 100;
/// How long AWS lets tokens last.
const TOKENS_LAST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A snapshot that can be read.
fn find(shared: &Shared, region: &str, id: &str) -> Result<SnapshotRecord, BlockError> {
    let found = lock(&shared.cloud).region(region).snapshots.get(id).cloned().ok_or_else(|| no_snapshot(id))?;
    if found.state != "completed" || found.tier == "archive" {
        return Err(invalid("INVALID_SNAPSHOT_ID", format!("The snapshot '{id}' is not complete, or it is archived.")));
    }
    if found.encrypted && shared.denies("kms:Decrypt", id) {
        return Err(key_denied(id));
    }
    Ok(found)
}

fn token(snapshot: &str, index: u32, issued: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{snapshot} {index} {issued}"))
}

/// The number of reads before the token was given out; `None` for a token of something else.
fn issued(token: &str, snapshot: &str, index: u32) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix(&format!("{snapshot} {index} "))?.parse().ok()
}

/// The first block of a page, and the size of the page.
fn page(request: &S3Request) -> Result<(u32, usize), BlockError> {
    let number = |name: &str| {
        let text = request.query(name).filter(|text| !text.is_empty());
        let odd = || invalid("INVALID_PARAMETER_VALUE", format!("{name} must be a number."));
        text.map(|text| text.parse::<u32>().map_err(|_| odd())).transpose()
    };
    let most = number("maxResults")?.map_or(MOST, |most| most as usize);
    if !(LEAST..=MOST).contains(&most) {
        return Err(invalid("INVALID_PARAMETER_VALUE", "maxResults must be from 100 to 10000."));
    }
    let start = match request.query("pageToken").filter(|token| !token.is_empty()) {
        Some(token) => {
            let text = token.strip_prefix("from-").and_then(|index| index.parse().ok());
            text.ok_or_else(|| invalid("INVALID_PAGE_TOKEN", "The page token is not valid."))?
        }
        None => number("startingBlockIndex")?.unwrap_or(0),
    };
    Ok((start, most))
}

fn listing(name: &str, blocks: Vec<Value>, next: Option<u32>, gib: Option<u64>) -> Reply {
    let expires = Timestamp::now().saturating_add(TOKENS_LAST).map_or(0, Timestamp::as_second);
    let mut body = json!({ "BlockSize": BLOCK, "VolumeSize": gib.unwrap_or(0), "ExpiryTime": expires });
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), blocks.into());
        fields.extend(next.map(|next| ("NextToken".to_owned(), format!("from-{next}").into())));
    }
    Reply::bytes(StatusCode::OK, Bytes::from(body.to_string())).header("content-type", "application/json")
}

pub(super) fn list(shared: &Arc<Shared>, region: &str, request: &S3Request, id: &str) -> Result<Reply, BlockError> {
    let snapshot = find(shared, region, id)?;
    let (start, most) = page(request)?;
    let mut found = snapshot.written(start, most + 1);
    let next = (found.len() > most).then(|| found.pop()).flatten();
    let issued = lock(&shared.block_reads).count();
    let block = |index: u32| json!({ "BlockIndex": index, "BlockToken": token(id, index, issued) });
    Ok(listing("Blocks", found.into_iter().map(block).collect(), next, snapshot.size))
}

/// The first snapshot of a lineage.
fn origin(shared: &Shared, region: &str, id: &str) -> String {
    let mut cloud = lock(&shared.cloud);
    let snapshots = &cloud.region(region).snapshots;
    let mut id = id;
    while let Some(parent) = snapshots.get(id).and_then(|snapshot| snapshot.parent.as_ref()) {
        id = parent;
    }
    id.to_owned()
}

pub(super) fn changed(shared: &Arc<Shared>, region: &str, request: &S3Request, id: &str) -> Result<Reply, BlockError> {
    let second = find(shared, region, id)?;
    let first = request.query("firstSnapshotId").filter(|first| !first.is_empty());
    let first = first.map(|first| find(shared, region, first)).transpose()?;
    if let Some(first) = &first
        && origin(shared, region, &first.id) != origin(shared, region, id)
    {
        return Err(invalid("UNRELATED_SNAPSHOTS", "The snapshots are not of the same volume."));
    }
    let (start, most) = page(request)?;
    let of_first = |index: u32| first.as_ref().and_then(|first| first.block(index));
    let mut indexes = second.written(start, usize::MAX);
    indexes.extend(first.as_ref().map(|first| first.written(start, usize::MAX)).unwrap_or_default());
    indexes.sort_unstable();
    indexes.dedup();
    let mut found: Vec<u32> =
        indexes.into_iter().filter(|index| of_first(*index) != second.block(*index)).take(most + 1).collect();
    let next = (found.len() > most).then(|| found.pop()).flatten();
    let issued = lock(&shared.block_reads).count();
    let block = |index: u32| {
        let mut block = json!({ "BlockIndex": index });
        if let Some(fields) = block.as_object_mut() {
            if let Some(first) = first.as_ref().filter(|first| first.block(index).is_some()) {
                fields.insert("FirstBlockToken".to_owned(), token(&first.id, index, issued).into());
            }
            if second.block(index).is_some() {
                fields.insert("SecondBlockToken".to_owned(), token(id, index, issued).into());
            }
        }
        block
    };
    Ok(listing("ChangedBlocks", found.into_iter().map(block).collect(), next, second.size))
}

pub(super) fn get(
    shared: &Arc<Shared>,
    region: &str,
    request: &S3Request,
    (id, index): (&str, Option<u32>),
) -> Result<Reply, BlockError> {
    let index = index.ok_or_else(|| invalid("INVALID_BLOCK", "The index of the block must be a number."))?;
    {
        let mut reads = lock(&shared.block_reads);
        if !reads.admits(shared.options.block_reads_per_second, Instant::now()) {
            return Err(throttled());
        }
        let issued = issued(request.query("blockToken").unwrap_or_default(), id, index);
        if !issued.is_some_and(|issued| reads.is_valid(issued, shared.options.block_token_reads)) {
            return Err(invalid("INVALID_BLOCK_TOKEN", "The block token is not valid, or it has expired."));
        }
        reads.add();
    }
    let block = find(shared, region, id)?.block(index);
    let block = block.ok_or_else(|| invalid("INVALID_BLOCK", "The block was not written."))?;
    let checksum = STANDARD.encode(Hasher::of(Algorithm::Sha256, &block));
    let reply = Reply::bytes(StatusCode::OK, Bytes::from(block)).header("content-type", "application/octet-stream");
    Ok(reply
        .header("x-amz-data-length", BLOCK.to_string())
        .header("x-amz-checksum", checksum)
        .header("x-amz-checksum-algorithm", "SHA256"))
}
