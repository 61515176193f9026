use super::PlannedObject;
use crate::copy::{CopyCheck, CopyFinding, WriteMode};

/// What only a write can show. S3 has no dry run of a write.
pub(super) fn untested(planned: &PlannedObject<'_>) -> Vec<CopyFinding> {
    let first = match planned.mode {
        WriteMode::Put => "PutObject, which writes the whole copy",
        WriteMode::Multipart => "CreateMultipartUpload, after which an upload without parts is all there is to remove",
    };
    let mut permissions = vec!["s3:PutObject"];
    if !planned.tags.is_empty() {
        permissions.push("s3:PutObjectTagging");
    }
    if planned.lock.retention.is_some() {
        permissions.push("s3:PutObjectRetention");
    }
    if planned.lock.legal_hold {
        permissions.push("s3:PutObjectLegalHold");
    }
    let permissions = permissions.join(", ");
    let text = format!(
        "whether {permissions} and the bucket's policy allow the write: S3 has no dry run, and the first request that \
         shows it is {first}"
    );
    let mut findings = vec![CopyFinding::not_tested(CopyCheck::Permission, text)];
    if let Some(key) = planned.kms_key {
        let text = format!("whether the credentials may use the key {key} (kms:GenerateDataKey, kms:Decrypt)");
        findings.push(CopyFinding::not_tested(CopyCheck::KmsUse, text));
    }
    findings
}
