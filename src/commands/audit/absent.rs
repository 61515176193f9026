//! Objects that could not be examined, were not reached, or no longer exist.

use jiff::Timestamp;

use super::findings::{known_trouble, missing, unchanged};
use super::judged;
use super::object::AuditedObject;
use super::subject::Subject;
use crate::audit::{Change, ChangeKind, Entry, Gone, History, Level, Proof};
use crate::ident::{ObjectIdentity, ObjectUri};
use crate::report::{AuditedNote, FindingReport, Note, TOOL};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::{CheckId, Finding, Outcome, PolicyCheck, Reason};

/// The result for an object whose examination failed.
pub(super) fn not_there(subject: &Subject<'_>, error: &SourceError) -> AuditedObject {
    let (candidate, history) = (&subject.candidate, subject.history);
    let (known, gone) = (history.is_some_and(|history| !history.is_empty()), error.kind == ErrorKind::NotFound);
    let mut findings = vec![FindingReport::from(&why_not(error, known, candidate.listed.is_some()))];
    let listed = subject.listed().filter(|_| !gone);
    let (known_of_it, change) = known_of(history, listed.as_ref());
    findings.extend(known_of_it);
    let vanished = gone && (known || candidate.listed.is_some());
    let exit =
        if vanished { judged::exit(&findings) } else { judged::exit(&findings).and(crate::commands::exit_of(error)) };
    let entry = match &listed {
        _ if gone => history.and_then(|history| gone_entry(&candidate.uri, history, subject.now())),
        // Record the object as listed, so that a later deletion is detected although it was never examined.
        Some(listed) => Some(listed_entry(subject, subject.request.level, listed)),
        None => None,
    };
    let mut object = AuditedObject { entry, ..AuditedObject::of_findings(&candidate.uri, findings) };
    let report = &mut object.report;
    report.examined = Some(subject.request.level);
    report.storage_class = subject.listed_class();
    report.change = change.or((gone && known).then_some(ChangeKind::Missing));
    report.notes = vec![AuditedNote::Unanswered { error: error.explain() }.into()];
    report.exit_code = exit;
    object
}

/// The finding for an object that HEAD or a read failed on.
fn why_not(error: &SourceError, known: bool, listed: bool) -> Finding {
    let outcome = match error.kind {
        ErrorKind::NotFound if known => return missing(),
        ErrorKind::NotFound if listed => Outcome::Unknown(Reason::Unanswered {
            detail: format!("it was listed, and has been deleted since: {}", error.explain()),
        }),
        ErrorKind::Denied => Outcome::Unknown(Reason::NotPermitted { needs: "s3:GetObject".to_owned() }),
        _ => Outcome::Unknown(Reason::Unanswered { detail: error.explain() }),
    };
    let gone = error.kind == ErrorKind::NotFound;
    let check = if gone { CheckId::PolicyCheck(PolicyCheck::Present) } else { CheckId::Identity };
    Finding { check, required: true, outcome }
}

/// The result for an object of the ledger that no longer exists.
pub(super) fn missed(target: &ObjectUri, history: &History, now: Timestamp) -> AuditedObject {
    let mut object = AuditedObject::of_findings(target, vec![FindingReport::from(&missing())]);
    let last = history.last().map(|look| {
        let at = look.at.clone();
        if look.settled { AuditedNote::LastSeenInOrder { at } } else { AuditedNote::LastSeen { at } }
    });
    object.report.change = Some(ChangeKind::Missing);
    object.report.notes = last.into_iter().map(Note::from).collect();
    object.entry = gone_entry(target, history, now);
    object
}

/// The result for an object that is due and was not reached. It still contains what the listing and the ledger show.
pub(super) fn left(subject: &Subject<'_>, why: &'static str) -> AuditedObject {
    let detail = format!("due, and left for another run: {why}");
    let outcome = Outcome::Unknown(Reason::Unanswered { detail });
    let mut findings = vec![FindingReport::from(&Finding { check: CheckId::Proof, required: true, outcome })];
    let (history, listed) = (subject.history, subject.listed());
    let (known, change) = known_of(history, listed.as_ref());
    findings.extend(known);
    // The ledger must hold a new state, so that the user can accept it. An entry at level `facts` does not count as a
    // read, so that the object keeps its place in the order of reads.
    let new = listed.filter(|listed| {
        change.is_some()
            && history.is_some_and(|known| !known.state().is_some_and(|state| state.same_as(listed).agrees()))
    });
    let mut object = AuditedObject::of_findings(&subject.candidate.uri, findings);
    object.entry = new.map(|listed| listed_entry(subject, Level::Facts, &listed));
    object.report.change = change;
    object
}

/// The findings and the change that the ledger and the listing show without an examination.
fn known_of(history: Option<&History>, listed: Option<&ObjectIdentity>) -> (Vec<FindingReport>, Option<ChangeKind>) {
    let Some((history, listed)) = history.zip(listed) else { return (Vec::new(), None) };
    let mut findings: Vec<FindingReport> = known_trouble(history, listed).into_iter().collect();
    let change = history.change(listed, None, history.content_of(listed));
    let replaced = matches!(change, Change::Replaced { .. });
    findings.extend(unchanged(&change).filter(|_| replaced).iter().map(FindingReport::from));
    (findings, replaced.then(|| change.kind()))
}

/// A ledger entry for the state that the listing shows.
fn listed_entry(subject: &Subject<'_>, level: Level, listed: &ObjectIdentity) -> Entry {
    Entry::Proof(Box::new(Proof {
        storage_class: subject.listed_class(),
        ..Proof::new(subject.now(), TOOL, subject.candidate.uri.to_string(), level, listed.clone())
    }))
}

/// A ledger entry for an object that no longer exists; `None` if the ledger already has one or never had the object.
fn gone_entry(target: &ObjectUri, history: &History, now: Timestamp) -> Option<Entry> {
    let gone = Gone { at: now.to_string(), tool: TOOL.to_owned(), target: target.to_string() };
    (!history.is_empty() && !history.is_gone()).then_some(Entry::Gone(gone))
}
