//! Response headers that describe an object.

use crate::record::{Encryption, ObjectRecord, RestoreState};
use crate::shared::Shared;
use crate::wire::{Reply, dates};

/// All headers of HEAD and GET that describe an object.
pub(super) fn object(reply: &mut Reply, record: &ObjectRecord, shared: &Shared) {
    reply.set("etag", format!("\"{}\"", record.etag));
    reply.set("last-modified", dates::http(record.last_modified));
    reply.set("accept-ranges", "bytes");
    record.headers.iter().for_each(|(name, value)| reply.set(name, value));
    record.metadata.iter().for_each(|(name, value)| reply.set(&format!("x-amz-meta-{name}"), value));
    if record.missing_meta > 0 {
        reply.set("x-amz-missing-meta", record.missing_meta.to_string());
    }
    version(reply, record);
    encryption(reply, &record.encryption);
    if record.storage_class != "STANDARD" {
        reply.set("x-amz-storage-class", &record.storage_class);
    }
    if let Some(status) = &record.archive_status {
        reply.set("x-amz-archive-status", status);
    }
    match &record.restore {
        None => {}
        Some(RestoreState::Ongoing | RestoreState::Requested { .. }) => {
            reply.set("x-amz-restore", "ongoing-request=\"true\"");
        }
        Some(RestoreState::Done { expires }) => {
            let date = dates::http(*expires);
            reply.set("x-amz-restore", format!("ongoing-request=\"false\", expiry-date=\"{date}\""));
        }
    }
    if let Some(status) = &record.replication_status {
        reply.set("x-amz-replication-status", status);
    }
    permitted(reply, record, shared);
}

/// Headers that need a permission of their own, and are left out without it.
fn permitted(reply: &mut Reply, record: &ObjectRecord, shared: &Shared) {
    let may = |action| !shared.denies(action, &record.key);
    if !record.tags.is_empty() && may("s3:GetObjectTagging") {
        reply.set("x-amz-tagging-count", record.tags.len().to_string());
    }
    if let Some(retention) = &record.retention
        && may("s3:GetObjectRetention")
    {
        reply.set("x-amz-object-lock-mode", &retention.mode);
        reply.set("x-amz-object-lock-retain-until-date", dates::iso(retention.retain_until));
    }
    if let Some(hold) = &record.legal_hold
        && may("s3:GetObjectLegalHold")
    {
        reply.set("x-amz-object-lock-legal-hold", hold);
    }
}

/// Only buckets that are, or once were, versioned have version ids to show.
pub(super) fn version(reply: &mut Reply, record: &ObjectRecord) {
    if record.version_id != "null" {
        reply.set("x-amz-version-id", &record.version_id);
    }
}

pub(super) fn encryption(reply: &mut Reply, encryption: &Encryption) {
    const PREFIX: &str = "x-amz-server-side-encryption";
    if let Some(kind) = encryption.header_value() {
        reply.set(PREFIX, kind);
    }
    match encryption {
        Encryption::Kms { key_id, bucket_key } => {
            reply.set(&format!("{PREFIX}-aws-kms-key-id"), key_id);
            if *bucket_key {
                reply.set(&format!("{PREFIX}-bucket-key-enabled"), "true");
            }
        }
        Encryption::Dsse { key_id } => reply.set(&format!("{PREFIX}-aws-kms-key-id"), key_id),
        Encryption::Customer { key_md5 } => {
            reply.set(&format!("{PREFIX}-customer-algorithm"), "AES256");
            reply.set(&format!("{PREFIX}-customer-key-md5"), key_md5);
        }
        Encryption::S3 | Encryption::None => {}
    }
}
