//! An object that is at the destination already and has the values of the source: whether it is what was asked for.

use super::after::{asked_properties, is_kms_key};
use super::entries::KnownEnds;
use super::{CopyEnds, CopyRequest, TagChoice};
use crate::audit::Trouble;
use crate::copy::{CopyCheck, CopyFinding, Likeness, compare_reference};
use crate::facts::ObjectFacts;
use crate::plan::{KnownLayout, Reference, checksum_claim};
use crate::source::NewObject;
use crate::verdict::{CheckId, Origin, Subject, Verdict};

/// Judges the object that is there by what the user asked for. Nothing is read.
pub(super) async fn judge_there(
    ends: &CopyEnds,
    request: &CopyRequest,
    (facts, new): (&ObjectFacts, &NewObject),
    known: &KnownEnds,
) -> Vec<CopyFinding> {
    let mut findings = asked_properties(new, facts);
    findings.extend(kms_key(new, facts));
    findings.extend(tags(ends, request, facts).await);
    findings.extend(in_ledger(ends, facts, known));
    findings.extend(given(request, facts));
    if request.verify_destination {
        let text = "the object that is there was not read; `stored-ami verify` with --like reads it and compares it \
                    with what is stored about the source";
        findings.push(CopyFinding::open(CopyCheck::ReadBack, text));
    }
    findings
}

/// An alias stands for the key that it names today.
fn kms_key(new: &NewObject, facts: &ObjectFacts) -> Option<CopyFinding> {
    let asked = new.kms_key.as_deref()?;
    let text = format!("whether the object that is there is encrypted with {asked} is not known");
    is_kms_key(asked, facts).is_none().then(|| CopyFinding::open(CopyCheck::Encryption, text))
}

/// Tags that were named. Others come from the source, and may have been changed since.
async fn tags(ends: &CopyEnds, request: &CopyRequest, facts: &ObjectFacts) -> Option<CopyFinding> {
    let TagChoice::With(asked) = &request.tags else { return None };
    let check = CopyCheck::Tags;
    let there = match ends.destination.tags(&facts.id).await {
        Ok(there) => there,
        Err(error) => {
            let text = format!("the tags of the object that is there: {}", error.explain());
            return Some(CopyFinding::open(check, text));
        }
    };
    let missing = asked.iter().filter(|(key, value)| there.get(*key) != Some(value));
    let missing: Vec<&str> = missing.map(|(key, _)| key.as_str()).collect();
    Some(match missing.is_empty() {
        true => CopyFinding::pass(check, "the object that is there has the tags of --tags"),
        false => CopyFinding::fail(check, format!("the object that is there lacks, of --tags: {}", missing.join(", "))),
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
    let expected = options.expect.iter().map(|expected| {
        let layout = KnownLayout::single(facts.size);
        let claim = checksum_claim(&expected.0, &layout, facts.size).ok()?;
        let subject = Subject::Checksum(expected.0.algorithm());
        Some(Reference::new(CheckId::Reference(Origin::Expect, subject), String::new(), claim))
    });
    let expected: Vec<Likeness> = expected
        .map(|reference| reference.map_or(Likeness::Unknown, |reference| compare_reference(facts, &reference)))
        .collect();
    let of_manifest = options.manifest.as_ref().map(|(_, manifest)| {
        let references = manifest.references().unwrap_or_default();
        let compared: Vec<Likeness> = references.iter().map(|it| compare_reference(facts, it)).collect();
        match () {
            () if manifest.object_bytes != facts.size || compared.contains(&Likeness::Different) => Likeness::Different,
            () if manifest.is_proved() && compared.contains(&Likeness::Same) => Likeness::Same,
            () => Likeness::Unknown,
        }
    });
    let all: Vec<Likeness> = expected.into_iter().chain(of_manifest).collect();
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
