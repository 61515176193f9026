use jiff::Timestamp;

use super::examine::{AuditedObject, known_trouble, unchanged};
use super::list::Candidate;
use super::look::{Look, Looked, ObjectOutcome};
use super::{AuditRequest, judged};
use crate::audit::{Change, Entry, Gone, History, Level, Proof, Seen};
use crate::ident::ObjectUri;
use crate::report::{AuditedReport, FindingReport, TOOL};
use crate::source::{ErrorKind, Session, SourceError};
use crate::verdict::{CheckId, Evidence, Failure, Finding, Outcome, PolicyCheck, Reason, Verdict};

/// An object that could not be looked at.
pub(super) fn not_there(
    request: &AuditRequest,
    candidate: &Candidate,
    history: Option<&History>,
    error: &SourceError,
    now: Timestamp,
) -> AuditedObject {
    let known = history.is_some_and(|history| !history.is_empty());
    let gone = error.kind == ErrorKind::NotFound;
    let outcome = match error.kind {
        ErrorKind::NotFound if known => missing(),
        ErrorKind::NotFound if candidate.listed.is_some() => Outcome::Unknown(Reason::Unanswered {
            detail: format!("it was listed, and is gone since: {}", error.explain()),
        }),
        ErrorKind::Denied => Outcome::Unknown(Reason::NotPermitted { needs: "s3:GetObject".to_owned() }),
        _ => Outcome::Unknown(Reason::Unanswered { detail: error.explain() }),
    };
    let check = if gone { CheckId::PolicyCheck(PolicyCheck::Present) } else { CheckId::Identity };
    let mut findings = vec![FindingReport::from(&Finding { check, required: true, outcome })];
    let listed = candidate.listed.as_ref().map(Seen::listed).filter(|_| !gone);
    let (known_of_it, change) = known_of(history, listed.as_ref());
    findings.extend(known_of_it);
    let vanished = gone && (known || candidate.listed.is_some());
    let exit =
        if vanished { judged::exit(&findings) } else { judged::exit(&findings).and(crate::commands::exit_of(error)) };
    let entry = match &listed {
        _ if gone => history.and_then(|history| gone_entry(&candidate.uri.to_string(), history, now)),
        // What is listed and cannot be looked at is missed all the same when it is gone.
        Some(listed) => Some(listed_entry(request.level, candidate, listed, now)),
        None => None,
    };
    let report = AuditedReport {
        examined: Some(request.level.name().to_owned()),
        storage_class: candidate.listed.as_ref().and_then(|listed| listed.storage_class.clone()),
        change: change.or((gone && known).then(|| "missing".to_owned())),
        notes: vec![error.explain()],
        exit_code: exit.code(),
        ..bare(&candidate.uri.to_string(), findings)
    };
    AuditedObject { entry, ..AuditedObject::bare(report) }
}

/// Asks for an object that was seen once, and that the listing does not hold. Only an answer that there is none makes
/// it gone: a listing may lie or lag.
pub(super) async fn absence(look: &Look<'_>, uri: ObjectUri, history: &History) -> Looked {
    let Look { services, request, .. } = look;
    let clock = &services.context.clock;
    let candidate = Candidate::named(uri);
    if request.due.is_over(clock.monotonic()) {
        let examined = AuditedObject::left(&candidate, Some(history), "--max-time is over", clock.now());
        return Looked { done: ObjectOutcome::Left, examined, unlisted: false };
    }
    let session = Session::new(services.archive.object(&candidate.uri), services.context.clone());
    let unlisted = match session.head().await {
        Err(error) if error.kind == ErrorKind::NotFound => {
            let examined = missed(&candidate.uri.to_string(), history, clock.now());
            return Looked { done: ObjectOutcome::Missing, examined, unlisted: false };
        }
        answer => answer.is_ok(),
    };
    let mut looked = look.at(candidate).await;
    looked.examined.report.notes.push("the listing does not hold it; it was asked for by its name".to_owned());
    Looked { unlisted, ..looked }
}

/// An object that was seen once, and is not there any more.
fn missed(target: &str, history: &History, now: Timestamp) -> AuditedObject {
    let finding = Finding { check: CheckId::PolicyCheck(PolicyCheck::Present), required: true, outcome: missing() };
    let last =
        history.last().map(|look| format!("last seen{} {}", if look.settled { " in order" } else { "" }, look.at));
    let report = AuditedReport {
        change: Some("missing".to_owned()),
        notes: last.into_iter().collect(),
        ..bare(target, vec![FindingReport::from(&finding)])
    };
    AuditedObject { entry: gone_entry(target, history, now), ..AuditedObject::bare(report) }
}

/// What the ledger knows of an object that was listed, and not looked at.
fn known_of(history: Option<&History>, listed: Option<&Seen>) -> (Vec<FindingReport>, Option<String>) {
    let Some((history, listed)) = history.zip(listed) else { return (Vec::new(), None) };
    let mut findings: Vec<FindingReport> = known_trouble(history, listed).into_iter().collect();
    let change = history.change(listed, None, history.content_of(listed));
    let replaced = matches!(change, Change::Replaced { .. });
    findings.extend(unchanged(&change).filter(|_| replaced).iter().map(FindingReport::from));
    (findings, replaced.then(|| change.name().to_owned()))
}

/// A state of an object that a listing shows.
fn listed_entry(level: Level, candidate: &Candidate, listed: &Seen, now: Timestamp) -> Entry {
    Entry::Proof(Box::new(Proof {
        at: now.to_string(),
        tool: TOOL.to_owned(),
        target: candidate.uri.to_string(),
        level: level.name().to_owned(),
        verdict: Verdict::Unknown.name().to_owned(),
        settled: false,
        object: listed.clone(),
        listed: None,
        version_id: None,
        storage_class: candidate.listed.as_ref().and_then(|listed| listed.storage_class.clone()),
        covered_bytes: 0,
        doubt: None,
        failed: Vec::new(),
        proved_by: Vec::new(),
        etag_parts: Vec::new(),
        content: Vec::new(),
    }))
}

/// That what was known is gone; once is enough.
fn gone_entry(target: &str, history: &History, now: Timestamp) -> Option<Entry> {
    let gone = Gone { at: now.to_string(), tool: TOOL.to_owned(), target: target.to_owned() };
    (!history.is_empty() && !history.is_gone()).then_some(Entry::Gone(gone))
}

fn missing() -> Outcome {
    Outcome::Fail(Failure::of_rule(Evidence::of_rule("ledger", "still there", "there is no such object any more")))
}

impl AuditedObject {
    pub fn bare(report: AuditedReport) -> Self {
        AuditedObject { report, entry: None, content: Vec::new(), proved: false }
    }

    /// An object that is due, and was not reached; what a listing and the ledger tell of it is told all the same.
    pub fn left(candidate: &Candidate, history: Option<&History>, why: &'static str, now: Timestamp) -> Self {
        let detail = format!("due, and left for another run: {why}");
        let outcome = Outcome::Unknown(Reason::Unanswered { detail });
        let mut findings = vec![FindingReport::from(&Finding { check: CheckId::Proof, required: true, outcome })];
        let listed = candidate.listed.as_ref().map(Seen::listed);
        let (known, change) = known_of(history, listed.as_ref());
        findings.extend(known);
        // A person may accept what was told, so that state must be known; and it must not lose its turn by that.
        let new =
            listed.filter(|listed| change.is_some() && history.is_some_and(|known| known.state() != Some(listed)));
        let entry = new.map(|listed| listed_entry(Level::Facts, candidate, &listed, now));
        let report = AuditedReport {
            change,
            exit_code: judged::exit(&findings).code(),
            ..bare(&candidate.uri.to_string(), findings)
        };
        AuditedObject { entry, ..AuditedObject::bare(report) }
    }
}

/// A report of an object of which nothing but findings is known.
fn bare(target: &str, findings: Vec<FindingReport>) -> AuditedReport {
    AuditedReport {
        target: target.to_owned(),
        verdict: judged::verdict(&findings, false).name().to_owned(),
        examined: None,
        identity: None,
        storage_class: None,
        change: None,
        proof: None,
        content: Vec::new(),
        exit_code: judged::exit(&findings).code(),
        findings,
        notes: Vec::new(),
        requests: 0,
        received_bytes: 0,
        elapsed_seconds: 0.0,
    }
}
