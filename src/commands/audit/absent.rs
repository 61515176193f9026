use super::examine::Examined;
use super::list::Candidate;
use super::{AuditRequest, judged};
use crate::fleet::History;
use crate::report::{AuditedReport, FindingReport};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::{CheckId, Evidence, Failure, Finding, Outcome, Reason, Upkeep};

/// An object that could not be looked at.
pub(super) fn not_there(
    request: &AuditRequest,
    candidate: &Candidate,
    history: Option<&History>,
    error: &SourceError,
) -> Examined {
    let known = history.is_some_and(|history| !history.is_empty());
    let gone = error.kind == ErrorKind::NotFound;
    let outcome = match error.kind {
        ErrorKind::NotFound if known => missing(),
        ErrorKind::NotFound if candidate.listed.is_some() => Outcome::Unknown(Reason::Unanswered {
            detail: format!("it was listed, and is gone since: {}", error.explain()),
        }),
        ErrorKind::Denied => Outcome::Unknown(Reason::NotPermitted { needs: error.explain() }),
        _ => Outcome::Unknown(Reason::Unanswered { detail: error.explain() }),
    };
    let check = if gone { CheckId::Upkeep(Upkeep::Present) } else { CheckId::Identity };
    let findings = [FindingReport::from(&Finding { check, required: true, outcome })];
    let vanished = gone && (known || candidate.listed.is_some());
    let exit = if vanished { judged::exit(&findings) } else { judged::exit(&findings).and(error.exit()) };
    Examined::bare(AuditedReport {
        examined: Some(request.level.name().to_owned()),
        storage_class: candidate.listed.as_ref().and_then(|listed| listed.storage_class.clone()),
        change: (gone && known).then(|| "missing".to_owned()),
        exit_code: exit.code(),
        ..bare(&candidate.uri.to_string(), findings.into())
    })
}

/// An object that was in order once, and that the listing does not hold any more.
pub(super) fn missing_report(target: &str, history: &History) -> AuditedReport {
    let finding = Finding { check: CheckId::Upkeep(Upkeep::Present), required: true, outcome: missing() };
    let last = history.last().map(|proof| format!("last seen in order {}", proof.at));
    AuditedReport {
        change: Some("missing".to_owned()),
        notes: last.into_iter().collect(),
        ..bare(target, vec![FindingReport::from(&finding)])
    }
}

fn missing() -> Outcome {
    Outcome::Fail(Failure::of_rule(Evidence::of_rule("ledger", "still there", "there is no such object any more")))
}

impl Examined {
    pub fn bare(report: AuditedReport) -> Self {
        Examined { report, entry: None, content: Vec::new(), proved: false }
    }

    /// An object that is due, and was not reached.
    pub fn left(candidate: &Candidate, why: &'static str) -> Self {
        let detail = format!("due, and left for another run: {why}");
        let outcome = Outcome::Unknown(Reason::Unanswered { detail });
        let findings = [FindingReport::from(&Finding { check: CheckId::Proof, required: true, outcome })];
        Examined::bare(AuditedReport {
            exit_code: judged::exit(&findings).code(),
            ..bare(&candidate.uri.to_string(), findings.into())
        })
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
