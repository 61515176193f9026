//! Collects what the requests of an audit level show about one object.

use tokio_util::sync::CancellationToken;

use super::findings;
use super::split::{self, divided};
use super::subject::Subject;
use crate::audit::{ContentFingerprint, Level, SplitPlan, Word};
use crate::checksum::ChecksumKind;
use crate::commands::Discovery;
use crate::commands::verify::{Verified, VerifyError, VerifyOptions, verify_discovered};
use crate::facts::{ListedObject, ObjectFacts};
use crate::ident::{ETagForm, ObjectIdentity};
use crate::plan::{PartLayout, References};
use crate::report::{AuditedNote, Exit, FindingReport, Note, VerifyReport};
use crate::source::{ErrorKind, Session, SourceError};
use crate::verdict::{CheckId, Doubt, Finding, Outcome, Reason, ReasonCode, Verdict};

/// What the requests of an audit level show about one object.
pub(super) struct Inspection {
    /// The facts of HEAD and of the following requests.
    pub facts: ObjectFacts,
    /// The state of the object, in the precision of a listing.
    pub seen: ObjectIdentity,
    /// Values that identify the content.
    pub content: Vec<ContentFingerprint>,
    /// Findings about the object itself.
    pub findings: Vec<FindingReport>,
    pub notes: Vec<Note>,
    pub proved_by: Vec<Word<CheckId>>,
    /// Number of parts, if a read found it.
    pub parts: Option<u64>,
    /// Bytes compared with references.
    pub covered: u64,
    /// Evidence against the bytes that does not refute them.
    pub doubt: Option<Doubt>,
    /// The layout under which the ETag matched.
    pub etag_parts: Option<PartLayout>,
    /// The exit code of failed work that no finding reports.
    pub exit: Exit,
}

/// Sends the requests of the audit level and reads the bytes it needs.
pub(super) async fn inspect(subject: &Subject<'_>, cancel: &CancellationToken) -> Result<Inspection, SourceError> {
    let facts = subject.head().await.map_err(Clone::clone)?.clone();
    match subject.request.level {
        Level::Facts => {
            let mut found = Discovery::without_layout(&subject.session, facts).await;
            Ok(Inspection::of_facts(subject, &mut found))
        }
        Level::Sample | Level::Bytes => {
            let mut found = Discovery::of_many(&subject.session, facts).await;
            let inspection = Inspection::of_facts(subject, &mut found);
            if subject.request.splits(&subject.candidate)
                && let Some((plan, stored)) = divided(subject, &mut found)
            {
                return Ok(inspection.in_runs(&plan, stored));
            }
            let verified = read(subject, &inspection.seen, found, cancel).await?;
            Ok(inspection.with(verified, subject.request.level))
        }
    }
}

/// Verifies the bytes, or a sample of them, against the values that S3 stores.
async fn read(
    subject: &Subject<'_>,
    seen: &ObjectIdentity,
    found: Discovery,
    cancel: &CancellationToken,
) -> Result<Verified, SourceError> {
    let (session, request): (&Session, _) = (&subject.session, subject.request);
    let sample = (request.level == Level::Sample).then_some(request.sample);
    let etag_parts = subject.known_parts(seen);
    let using = request.using.clone();
    let wish = VerifyOptions { sample, etag_parts, using, budget: request.budget, ..VerifyOptions::default() };
    verify_discovered(session, &wish, found, cancel).await.map_err(|error| match error {
        VerifyError::Source(error) => error,
        VerifyError::Request(_) | VerifyError::OutOfTime => {
            SourceError::new(ErrorKind::Io, session.target(), error.to_string())
        }
    })
}

impl Inspection {
    /// Takes the notes of the discovery, so that the verification does not repeat them.
    fn of_facts(subject: &Subject<'_>, found: &mut Discovery) -> Self {
        let mut notes = std::mem::take(&mut found.notes);
        let facts = found.facts.clone();
        let seen = facts.listed_identity();
        notes.extend(notes_on_listing(subject, &facts, &seen));
        let removed_by = facts.expiration.iter().flatten().cloned();
        notes.extend(removed_by.map(|rule| Note::from(AuditedNote::WillBeRemoved { rule })));
        let proof = Finding { check: CheckId::Proof, required: false, outcome: Outcome::Unknown(Reason::NotRead) };
        let findings = [findings::size(&subject.candidate.uri, facts.size), proof];
        Inspection {
            seen,
            content: stated(&facts),
            findings: findings.iter().map(FindingReport::from).collect(),
            notes,
            proved_by: Vec::new(),
            parts: None,
            covered: 0,
            doubt: None,
            etag_parts: None,
            exit: Exit::Passed,
            facts,
        }
    }

    /// The same for an object that the shards read together.
    fn in_runs(mut self, plan: &SplitPlan, stored: References) -> Self {
        self.findings.retain(|finding| finding.check != CheckId::Proof);
        self.findings.extend(split::findings(plan, stored).iter().map(FindingReport::from));
        self.parts = (plan.layout().count() > 1).then(|| plan.layout().count() as u64);
        self
    }

    /// Adds the result of a verification.
    fn with(self, verified: Verified, level: Level) -> Self {
        let Verified { report, doubt, etag_parts, .. } = verified;
        let VerifyReport { mut findings, proved_by, stats, exit_code, layout, notes: more, .. } = report;
        if level == Level::Sample {
            // A sample cannot prove the object, and the user asked for no more.
            let sampled = |finding: &&mut FindingReport| {
                finding.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::Sampled)
            };
            findings.iter_mut().filter(sampled).for_each(|finding| finding.required = false);
        }
        let proved_by: Vec<Word<CheckId>> = proved_by.into_iter().map(Word::Known).collect();
        // Keep only the proved values, or all if none was proved. With damage or doubt keep all: the ledger must record
        // the values that did not match.
        let mut content = self.content;
        let fails = findings.iter().any(|finding| finding.verdict == Verdict::Fail);
        if level == Level::Bytes && !proved_by.is_empty() && doubt.is_none() && !fails {
            content = proved_of(content, &proved_by);
        }
        let exit = match exit_code {
            exit @ (Exit::Interrupted | Exit::CouldNot) => exit,
            _ => Exit::Passed,
        };
        let covered = stats.covered_bytes;
        let parts = layout.and_then(|layout| layout.parts);
        let notes = self.notes.into_iter().chain(more).collect();
        Inspection { content, findings, notes, proved_by, parts, covered, doubt, etag_parts, exit, ..self }
    }

    /// Values that matched over every byte. While the bytes are damaged or in doubt, only these can show that the
    /// content is the same as before.
    pub(super) fn matched(&self) -> Vec<ContentFingerprint> {
        self.content.iter().filter(|content| self.proved_by.contains(&content.check())).cloned().collect()
    }
}

/// Notes on differences between listing and HEAD.
fn notes_on_listing(subject: &Subject<'_>, facts: &ObjectFacts, seen: &ObjectIdentity) -> Vec<Note> {
    let candidate = &subject.candidate;
    let moved = |listed: &&ListedObject| !listed.identity().same_bytes_as(seen).agrees();
    let moved =
        candidate.listed.as_ref().filter(moved).map(|listed| match listed.size.filter(|size| *size != facts.size) {
            Some(listed_bytes) => AuditedNote::OtherSizeListed { listed_bytes, bytes: facts.size },
            None => AuditedNote::ReplacedSinceListed,
        });
    let odd = candidate.odd.clone().map(|odd| AuditedNote::OddlyListed { odd, bytes: facts.size });
    moved.into_iter().chain(odd).map(Note::from).collect()
}

/// Of the values that S3 states, those that were proved; all of them if other values proved the bytes.
pub(in crate::commands) fn proved_of(
    content: Vec<ContentFingerprint>,
    proved_by: &[Word<CheckId>],
) -> Vec<ContentFingerprint> {
    let proved: Vec<_> = content.iter().filter(|content| proved_by.contains(&content.check())).cloned().collect();
    if proved.is_empty() { content } else { proved }
}

/// The values that S3 states for the content.
pub(in crate::commands) fn stated(facts: &ObjectFacts) -> Vec<ContentFingerprint> {
    let checksums = facts.checksums.value().into_iter().flatten();
    let mut content: Vec<ContentFingerprint> = checksums
        .map(|checksum| {
            let value = checksum.to_string();
            // A value that may be composite must not be compared as a value of the whole object.
            let open = !matches!(checksum.kind, ChecksumKind::FullObject) && !value.contains('-');
            let value = if open { format!("{value}-?") } else { value };
            ContentFingerprint::new(&checksum.algorithm().to_string(), &value)
        })
        .collect();
    if let Some(etag) = &facts.id.etag
        && facts.encryption.hides_md5().is_none()
        && !matches!(etag.form(), ETagForm::Opaque)
    {
        content.push(ContentFingerprint::new("etag", &etag.to_string()));
    }
    content.sort();
    content
}
