//! An object that is at the destination already and has the values of the source: whether it is what was asked for.

use super::entries::KnownEnds;
use super::properties::asked_properties;
use super::{COPY_ID, CopyEnds, CopyRequest, TagChoice};
use crate::audit::Trouble;
use crate::copy::{CopyCheck, CopyFinding, Likeness, compare_expected, compare_reference};
use crate::facts::{ObjectFacts, UNPROVED_COPY};
use crate::source::NewObject;
use crate::verdict::Verdict;

/// Judges the object that is there by what the user asked for. Nothing is read.
pub(super) async fn judge_there(
    ends: &CopyEnds,
    request: &CopyRequest,
    (facts, new): (&ObjectFacts, &NewObject),
    known: &KnownEnds,
) -> Vec<CopyFinding> {
    let mut findings = asked_properties(new, facts, false);
    findings.extend(tags(ends, request, facts).await);
    findings.extend(metadata(request, facts));
    findings.extend(in_ledger(ends, facts, known));
    findings.extend(given(request, facts));
    if request.verify_destination {
        let text = "the object that is there was not read; `stored-ami verify` with --like reads it and compares it \
                    with what is stored about the source";
        findings.push(CopyFinding::open(CopyCheck::ReadBack, text));
    }
    findings
}

/// Tags that were named, or that there are none. Those of the source may have been changed since.
async fn tags(ends: &CopyEnds, request: &CopyRequest, facts: &ObjectFacts) -> Option<CopyFinding> {
    let check = CopyCheck::Tags;
    let asked = match &request.tags {
        TagChoice::Copy => return None,
        TagChoice::None => None,
        TagChoice::With(asked) => Some(asked),
    };
    let there = match ends.destination.tags(&facts.id).await {
        Ok(there) => there,
        Err(error) => {
            let text = format!("the tags of the object that is there: {}", error.explain());
            return Some(CopyFinding::open(check, text));
        }
    };
    let Some(asked) = asked else {
        return Some(match there.is_empty() {
            true => CopyFinding::pass(check, "the object that is there has no tags"),
            false => CopyFinding::fail(check, "the object that is there has tags, and --tags none was given"),
        });
    };
    let missing = asked.iter().filter(|(key, value)| there.get(*key) != Some(value));
    let missing: Vec<&str> = missing.map(|(key, _)| key.as_str()).collect();
    Some(match missing.is_empty() {
        true => CopyFinding::pass(check, "the object that is there has the tags of --tags"),
        false => CopyFinding::fail(check, format!("the object that is there lacks, of --tags: {}", missing.join(", "))),
    })
}

/// That there is no metadata. That of the source may have been changed since.
fn metadata(request: &CopyRequest, facts: &ObjectFacts) -> Option<CopyFinding> {
    if request.metadata {
        return None;
    }
    let is_own = |name: &str| name == COPY_ID || name == UNPROVED_COPY.0;
    let is_empty = facts.metadata.keys().all(|name| is_own(name)) && facts.headers.set().next().is_none();
    Some(match is_empty {
        true => CopyFinding::pass(CopyCheck::Metadata, "the object that is there has no metadata of its source"),
        false => CopyFinding::fail(
            CopyCheck::Metadata,
            "the object that is there has metadata, and --metadata none was given",
        ),
    })
}

/// What the ledger knows against the object that is there.
fn in_ledger(ends: &CopyEnds, facts: &ObjectFacts, known: &KnownEnds) -> Option<CopyFinding> {
    let check = CopyCheck::Proof;
    let history = match known.history_of(&ends.destination) {
        Ok(history) => history?,
        Err(problem) => return Some(CopyFinding::open(check, format!("the ledger cannot be read: {problem}"))),
    };
    Some(match history.trouble_of(&facts.identity())? {
        Trouble::Damage(look) => {
            let text = format!("the object that is there is damaged, as the ledger recorded {}", look.at);
            CopyFinding::fail(check, text)
        }
        Trouble::Doubt(look, _) => {
            let text =
                format!("the ledger recorded {} that the bytes of the object that is there are in doubt", look.at);
            CopyFinding::open(check, text)
        }
    })
}

/// Whether the values that are stated about the object are those that the user gave for the source.
fn given(request: &CopyRequest, facts: &ObjectFacts) -> Option<CopyFinding> {
    let (check, options) = (CopyCheck::Source, &request.verify);
    if options.expect.is_empty() && options.manifest.is_none() && options.using.is_empty() {
        return None;
    }
    let expected = options.expect.iter().map(|expected| compare_expected(facts, &expected.0));
    let of_manifest = options.manifest.as_ref().map(|(_, manifest)| {
        let references = manifest.references().unwrap_or_default();
        let compared: Vec<Likeness> = references.iter().map(|it| compare_reference(facts, it)).collect();
        match () {
            () if manifest.object_bytes != facts.size || compared.contains(&Likeness::Different) => Likeness::Different,
            () if manifest.is_proved() && compared.contains(&Likeness::Same) => Likeness::Same,
            () => Likeness::Unknown,
        }
    });
    let all: Vec<Likeness> = expected.chain(of_manifest).collect();
    let verdict = match () {
        () if all.contains(&Likeness::Different) => Verdict::Fail,
        // What --using names is in part known only to a read.
        () if options.using.is_empty() && !all.contains(&Likeness::Unknown) => Verdict::Pass,
        () => Verdict::Unknown,
    };
    Some(match verdict {
        Verdict::Pass => {
            CopyFinding::pass(check, "S3 states the values of --expect and --manifest for the object there")
        }
        Verdict::Fail => {
            CopyFinding::fail(check, "S3 states other values for the object there than --expect or --manifest give")
        }
        Verdict::Unknown => CopyFinding::open(
            check,
            "nothing was read, and what S3 states does not show whether --expect, --manifest and --using match; \
             `stored-ami verify` of the object that is there reads and compares it",
        ),
    })
}
