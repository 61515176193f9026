use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::properties::asked_properties;
use super::{COPY_ID, CopyEnds, CopyRequest, PreparedCopy};
use crate::checksum::Algorithm;
use crate::commands::verify::{Forward, Verified, VerifyOptions, verify};
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject, compare_written, proof_of_server};
use crate::facts::ObjectFacts;
use crate::fetch::RangeSink;
use crate::source::{NewObject, SourceError, Written};
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
    let (mut read, mut read_verdict) = (None, None);
    if request.verify_destination {
        let comparable = comparable(request, prepared, &facts, expected);
        let (finding, verified) = read_back(ends, request, prepared, &comparable).await;
        read = verified;
        // What was read says more than what the server states, and nothing else is left to show.
        let shown = finding.verdict == Verdict::Pass;
        for stated in findings.iter_mut().filter(|stated| matches!(stated.check, CopyCheck::ETag | CopyCheck::Checksum))
        {
            stated.required &= !(shown && stated.verdict == Verdict::Unknown);
        }
        read_verdict = Some(finding.verdict);
        findings.push(finding);
    }
    if request.by_server {
        findings.push(proof_of_server(read_verdict));
    }
    After { findings, facts: Some(facts), read }
}

/// What the bytes of the copy can be compared with. An ETag that a server made of the ETags of its parts is one of MD5s
/// only where that is documented, or where it is the ETag of the source.
fn comparable(
    request: &CopyRequest,
    prepared: &PreparedCopy,
    copy: &ObjectFacts,
    expected: &ExpectedObject,
) -> ExpectedObject {
    let source = &prepared.found.facts;
    let is_of_source = expected.etag == source.id.etag && source.encryption.hides_md5().is_none();
    let is_of_bytes = !request.by_server || copy.etag_is_documented() || is_of_source;
    ExpectedObject { etag: expected.etag.clone().filter(|_| is_of_bytes), ..expected.clone() }
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
    let mut findings = asked_properties(new, facts, true);
    let stated = |name: &String| facts.metadata.get(name);
    let metadata = new.metadata.iter().filter(|(name, value)| stated(name) != Some(value));
    let is_kept = |sent: &(&'static str, &str)| facts.headers.set().any(|kept| kept == *sent);
    let headers = new.headers.set().filter(|sent| !is_kept(sent)).map(|(name, _)| name);
    let content_type = new.content_type.as_ref().filter(|sent| facts.content_type.as_ref() != Some(sent));
    let content_type = content_type.map(|_| "Content-Type");
    let lost: Vec<&str> = metadata.map(|(name, _)| name.as_str()).chain(headers).chain(content_type).collect();
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
        Err(error) => {
            CopyFinding::aside(CopyCheck::Tags, format!("whether they were kept is not known: {}", error.explain()))
        }
    })
}

/// Takes the bytes of a read that is only hashed.
struct Hashed;

#[async_trait]
impl RangeSink for Hashed {
    async fn take(&self, _: u64, _: Bytes) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Reads the copy, and compares the digests of its parts with those of the bytes that were sent, whatever the server
/// states about it. Also returns the read if it shows the object to be right or damaged.
pub(super) async fn read_back(
    ends: &CopyEnds,
    request: &CopyRequest,
    prepared: &PreparedCopy,
    expected: &ExpectedObject,
) -> (CopyFinding, Option<Verified>) {
    let (plan, checksum) = (&prepared.plan, prepared.checksum.checksum);
    let digests = vec![Algorithm::Md5, checksum.algorithm];
    let forward = Forward { layout: plan.layout.clone(), digests, sink: Arc::new(Hashed) };
    let options = VerifyOptions { forward: Some(forward), budget: request.verify.budget, ..VerifyOptions::default() };
    let verified = match verify(&ends.destination, &options, &CancellationToken::new()).await {
        Ok(verified) => verified,
        Err(error) => return (CopyFinding::open(CopyCheck::ReadBack, error.to_string()), None),
    };
    let finding = judge_read(prepared, expected, &verified);
    let is_shown = finding.verdict == Verdict::Pass || verified.report.verdict == Verdict::Fail;
    (finding, is_shown.then_some(verified))
}

fn judge_read(prepared: &PreparedCopy, expected: &ExpectedObject, verified: &Verified) -> CopyFinding {
    let check = CopyCheck::ReadBack;
    let (plan, checksum) = (&prepared.plan, prepared.checksum.checksum);
    let is_whole = verified.finished && verified.report.stats.covered_bytes == expected.size;
    let digests = verified.digests.as_ref();
    let read = digests.map(|digests| ExpectedObject::of(&plan.layout, plan.mode, checksum, digests));
    // Values of a copy by the server may be known in part.
    let of = |object: &ExpectedObject| {
        let etag = object.etag.clone().filter(|_| expected.etag.is_some());
        let checksum = object.checksum.filter(|_| expected.checksum.is_some());
        let is_complete =
            etag.is_some() == expected.etag.is_some() && checksum.is_some() == expected.checksum.is_some();
        (is_complete && (etag.is_some() || checksum.is_some())).then_some((etag, checksum))
    };
    match (read.as_ref().and_then(of), of(expected)) {
        _ if verified.report.verdict == Verdict::Fail => {
            CopyFinding::fail(check, "the bytes that were read do not match what the server states about them")
        }
        (Some(read), Some(sent)) if read != sent => {
            CopyFinding::fail(check, "the bytes that were read are not those that were sent")
        }
        (Some((etag, digest)), Some(_)) if is_whole => {
            let name = checksum.algorithm.name();
            let shown = match (etag, digest) {
                (Some(_), Some(_)) => format!("the MD5 and the {name} of each part are those of the source"),
                (Some(_), None) => "the MD5 of each part is that of the source".to_owned(),
                (None, _) => format!("the {name} of each part is that of the source"),
            };
            CopyFinding::pass(check, format!("every byte was read: {shown}"))
        }
        _ => CopyFinding::open(check, "the copy could not be read completely"),
    }
}
