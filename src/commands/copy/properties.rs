//! Properties of the object at the destination, compared with what was asked for.

use crate::copy::{CopyCheck, CopyFinding};
use crate::facts::{Encryption, LockFacts, ObjectFacts};
use crate::source::NewObject;

/// Whether the object is encrypted with the key that was asked for; `None` if its name does not show it.
fn is_kms_key(asked: &str, facts: &ObjectFacts) -> Option<bool> {
    let Encryption::Kms { key, .. } = &facts.encryption else { return Some(false) };
    let stated = key.as_deref().filter(|_| !asked.contains("alias/"))?;
    let is_arn = |key: &str| key.starts_with("arn:");
    // The name alone is the end of the ARN, behind a colon on some servers.
    let name = |key: &str| key.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    Some(match is_arn(asked) == is_arn(stated) {
        true => asked == stated,
        false => name(asked) == name(stated),
    })
}

/// Storage class, encryption and lock: what the object has, compared with what was asked for. `is_written` is whether this
/// copy wrote it, so that its key is the one that an alias names.
pub(super) fn asked_properties(new: &NewObject, facts: &ObjectFacts, is_written: bool) -> Vec<CopyFinding> {
    let mut findings = Vec::new();
    let class = facts.storage_class.as_deref().unwrap_or("not stated");
    findings.push(match &new.storage_class {
        Some(wanted) if wanted != class => {
            CopyFinding::fail(CopyCheck::StorageClass, format!("{class}, and {wanted} was requested"))
        }
        _ => CopyFinding::pass(CopyCheck::StorageClass, class),
    });
    let encryption = match &facts.encryption {
        Encryption::None => "none stated".to_owned(),
        Encryption::S3Managed => "AES256".to_owned(),
        Encryption::Kms { kind, key } => format!("{kind}, key {}", key.as_deref().unwrap_or("not stated")),
        Encryption::CustomerKey => "a customer key (SSE-C)".to_owned(),
        Encryption::Other(kind) => kind.clone(),
    };
    let asked = new.kms_key.as_deref().map(|key| (key, is_kms_key(key, facts)));
    let asked = asked.map(|(key, is_it)| (format!("{encryption}, and key {key} was requested"), is_it));
    findings.push(match asked {
        Some((text, Some(false))) => CopyFinding::fail(CopyCheck::Encryption, text),
        Some((text, None)) if !is_written => {
            CopyFinding::open(CopyCheck::Encryption, format!("{text}; whether both are one key is not known"))
        }
        _ => CopyFinding::pass(CopyCheck::Encryption, encryption),
    });
    if !new.lock.is_empty() {
        findings.push(lock(new, facts));
    }
    findings
}

/// HEAD shows a lock only to callers who may read it.
fn lock(new: &NewObject, facts: &ObjectFacts) -> CopyFinding {
    let (check, asked) = (CopyCheck::ObjectLock, &new.lock);
    if asked.is_met_by(&facts.lock) {
        return CopyFinding::pass(check, asked.to_string());
    }
    if facts.lock == LockFacts::default() {
        let needs = "s3:GetObjectRetention and s3:GetObjectLegalHold";
        return CopyFinding::open(
            check,
            format!("HEAD shows no lock, and {asked} was requested; to see a lock, allow {needs}"),
        );
    }
    let mode = facts.lock.mode.as_ref().map_or("no mode", |mode| mode.as_str());
    let until = facts.lock.retain_until.as_ref().map_or_else(|| "no end".to_owned(), ToString::to_string);
    let hold = facts.lock.legal_hold.as_ref().map_or("not stated", |hold| hold.as_str());
    CopyFinding::fail(check, format!("{mode}, {until}, legal hold {hold}; requested was {asked}"))
}
