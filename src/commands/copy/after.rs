use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::{COPY_ID, CopyEnds, CopyRequest, PreparedCopy};
use crate::commands::verify::{Verified, VerifyOptions, verify};
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject, compare_written};
use crate::facts::{Encryption, ObjectFacts};
use crate::source::{NewObject, Written};
use crate::verdict::Verdict;

/// What the destination shows of the copy.
pub(super) struct After {
    /// Comparison with what was sent.
    pub findings: Vec<CopyFinding>,
    /// The state of the object; `None` if it could not be described.
    pub facts: Option<ObjectFacts>,
    /// The read of the copy, if there was one.
    pub read: Option<Verified>,
}

/// Compares the copy at the destination with what was sent.
pub(super) async fn after(
    ends: &CopyEnds,
    request: &CopyRequest,
    prepared: &PreparedCopy,
    expected: &ExpectedObject,
    written: &Written,
) -> After {
    let facts = match ends.destination.head().await {
        Ok(facts) => facts,
        Err(error) => {
            let text = format!("the copy was written, and cannot be described: {}", error.explain());
            return After { findings: vec![CopyFinding::open(CopyCheck::Size, text)], facts: None, read: None };
        }
    };
    if let Some(finding) = replaced(&facts, written, prepared) {
        return After { findings: vec![finding], facts: Some(facts), read: None };
    }
    let attributes = ends.destination.attributes(&facts.id).await.ok();
    let mut findings = compare_written(expected, &facts, attributes.as_ref());
    if let (Some(sent), Some(stated)) =
        (expected.parts, attributes.as_ref().and_then(|attributes| attributes.parts_count))
        && sent != stated
    {
        findings
            .push(CopyFinding::fail(CopyCheck::Parts, format!("the server states {stated} parts, {sent} were sent")));
    }
    findings.extend(properties(&prepared.new, &facts));
    findings.extend(tags(ends, &prepared.new, &facts).await);
    let mut read = None;
    if request.verify_destination {
        let (finding, verified) = read_back(ends, request, expected).await;
        findings.push(finding);
        read = verified;
    }
    After { findings, facts: Some(facts), read }
}

/// Whether the object at the destination is not the one that was written.
fn replaced(facts: &ObjectFacts, written: &Written, prepared: &PreparedCopy) -> Option<CopyFinding> {
    let ours = prepared.new.metadata.get(COPY_ID);
    let same_version = match (&written.version, &facts.version) {
        (Some(written), Some(now)) => written == now,
        _ => true,
    };
    if facts.metadata.get(COPY_ID) == ours && same_version {
        return None;
    }
    // A server without user metadata keeps the ETag that it answered with.
    if facts.metadata.is_empty() && written.etag.is_some() && written.etag == facts.id.etag && same_version {
        return None;
    }
    let text = "the object at the destination is another one than this run wrote: another writer replaced it";
    Some(CopyFinding::fail(CopyCheck::Absent, text))
}

fn properties(new: &NewObject, facts: &ObjectFacts) -> Vec<CopyFinding> {
    let mut findings = Vec::new();
    let class = facts.storage_class.as_deref().unwrap_or("not stated");
    findings.push(match &new.storage_class {
        Some(wanted) if wanted != class => {
            CopyFinding::fail(CopyCheck::StorageClass, format!("{class}, asked for was {wanted}"))
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
    findings.push(match (&new.kms_key, &facts.encryption) {
        (Some(_), Encryption::Kms { .. }) | (None, _) => CopyFinding::pass(CopyCheck::Encryption, encryption),
        (Some(key), _) => CopyFinding::fail(CopyCheck::Encryption, format!("{encryption}, asked for was key {key}")),
    });
    let stated = |name: &String| facts.metadata.get(name);
    let lost: Vec<&str> = new
        .metadata
        .iter()
        .filter(|(name, value)| stated(name) != Some(value))
        .map(|(name, _)| name.as_str())
        .collect();
    findings.push(match lost.is_empty() {
        true => CopyFinding::pass(CopyCheck::Metadata, format!("as sent, with {COPY_ID}: {}", new.metadata.len())),
        false => CopyFinding::open(CopyCheck::Metadata, format!("not kept, or changed: {}", lost.join(", "))),
    });
    findings
}

async fn tags(ends: &CopyEnds, new: &NewObject, facts: &ObjectFacts) -> Option<CopyFinding> {
    if new.tags.is_empty() {
        return None;
    }
    Some(match ends.destination.tags(&facts.id).await {
        Ok(tags) if tags == new.tags => CopyFinding::pass(CopyCheck::Tags, format!("as sent: {}", tags.len())),
        Ok(tags) => {
            let missing: BTreeMap<_, _> =
                new.tags.iter().filter(|(key, value)| tags.get(*key) != Some(value)).collect();
            let names: Vec<&str> = missing.keys().map(|key| key.as_str()).collect();
            CopyFinding::open(CopyCheck::Tags, format!("not kept, or changed: {}", names.join(", ")))
        }
        Err(error) => CopyFinding::aside(CopyCheck::Tags, error.explain()),
    })
}

/// Reads the copy, and holds it against what was sent.
async fn read_back(
    ends: &CopyEnds,
    request: &CopyRequest,
    expected: &ExpectedObject,
) -> (CopyFinding, Option<Verified>) {
    let options =
        VerifyOptions { etag: expected.etag.clone(), budget: request.verify.budget, ..VerifyOptions::default() };
    match verify(&ends.destination, &options, &CancellationToken::new()).await {
        Ok(verified) => {
            let by: Vec<String> = verified.report.proved_by.iter().map(ToString::to_string).collect();
            let finding = match verified.report.verdict {
                Verdict::Pass => CopyFinding::pass(CopyCheck::ReadBack, format!("proved by {}", by.join(", "))),
                Verdict::Fail => CopyFinding::fail(CopyCheck::ReadBack, "the bytes that were read do not match"),
                Verdict::Unknown => CopyFinding::open(CopyCheck::ReadBack, "the bytes that were read are not proved"),
            };
            (finding, Some(verified))
        }
        Err(error) => (CopyFinding::open(CopyCheck::ReadBack, error.to_string()), None),
    }
}
