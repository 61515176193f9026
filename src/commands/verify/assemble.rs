use std::time::Instant;

use super::parts::part_runs;
use super::stopped::why_stopped;
use super::{Verified, VerifyOptions, unknown};
use crate::checks::{Digests, RatioBasis, contradict, contradiction, demanded, wrong_size};
use crate::commands::Discovery;
use crate::content::{Decoded, End, Format, Probed};
use crate::facts::{Fact, ObjectFacts};
use crate::fetch::Stop;
use crate::manifest::{Manifest, PartDigests, StoredValue};
use crate::plan::PartLayout;
use crate::report::{
    DigestReport, Exit, FindingReport, IdentityReport, LayoutReport, ProbeReport, RatioReport, StatsReport,
    StreamReport, VerifyNote, VerifyReport,
};
use crate::source::{ErrorKind, Session};
use crate::units::{ByteRange, ByteSize};
use crate::verdict::{CheckId, CheckName, Coverage, Doubt, Evidence, Finding, Outcome, Reason, Verdict, overall};

/// Result of the reads of one verification.
pub(super) struct ReadOutcome {
    /// When the verification started.
    pub started: Instant,
    /// The archive state, if the object must be restored from an archive tier before it can be read.
    pub archived: Option<String>,
    /// Why the read stopped early; `None` if it completed.
    pub stopped: Option<Stop>,
    /// `None` if nothing was read.
    pub coverage: Option<Coverage>,
    /// Ranges read completely in the first read, in order of offset.
    pub read: Vec<ByteRange>,
    /// The digests of all reads; `None` if nothing was read.
    pub digests: Option<Digests>,
    /// The object was read once, as one range.
    pub one_range: bool,
    /// Statistics of the sampled windows, with `--probe`.
    pub probed: Option<Probed>,
    /// Result of decoding the object as a compressed stream.
    pub decoded: Option<Decoded>,
    /// The layout under which the stored ETag matched.
    pub etag_parts: Option<PartLayout>,
    /// Why the bytes are not known to be those of the object that was discovered.
    pub moved: Option<Reason>,
}

/// Adds the findings about the whole object, computes the verdict and the exit code, and builds the report.
pub(super) fn assemble(
    session: &Session,
    request: &VerifyOptions,
    mut found: Discovery,
    findings: Vec<Finding>,
    ending: ReadOutcome,
) -> Verified {
    let mut notes = std::mem::take(&mut found.notes);
    let findings = with_findings_on_the_whole(request, &found.facts, findings, &ending);
    let manifest = wanted_manifest(session, request, &found, &findings, &ending).and_then(|manifest| {
        let why_not = |note: VerifyNote| notes.push(note.into());
        manifest.map_err(why_not).ok()
    });
    let facts = &found.facts;
    let report = VerifyReport {
        target: session.target().to_string(),
        verdict: overall(&findings),
        proved_by: proving(&findings).map(|finding| finding.check).collect(),
        accepted: findings.iter().filter(|f| is_open(f) && request.accepts(f.check)).map(|f| f.check).collect(),
        identity: IdentityReport::from(facts),
        layout: facts.storage_class.is_some().then(|| layout_after(&found, &ending)),
        findings: findings.iter().map(FindingReport::from).collect(),
        parts: match mapped_layout(&found, &findings, &ending) {
            Some(layout) => part_runs(layout, &findings, &ending.read),
            None => Vec::new(),
        },
        ratio: ratio(request, facts, ending.decoded.as_ref()),
        probe: ending.probed.as_ref().map(ProbeReport::from),
        stream: ending.decoded.as_ref().map(StreamReport::from),
        digests: whole_digests(&ending),
        stats: StatsReport {
            elapsed_seconds: session.context().clock.monotonic().duration_since(ending.started).as_secs_f64(),
            covered_bytes: ending.coverage.map_or(0, |coverage| coverage.bytes),
            ..StatsReport::default()
        },
        notes,
        exit_code: exit(request, &findings, ending.stopped.as_ref()),
    };
    let doubt = Doubt::of(&findings);
    Verified {
        report,
        manifest,
        finished: ending.stopped.is_none(),
        doubt,
        etag_parts: ending.etag_parts,
        digests: ending.digests,
    }
}

/// What is known of the parts after the read.
fn layout_after(found: &Discovery, ending: &ReadOutcome) -> LayoutReport {
    let layout = found.layout.clone();
    LayoutReport::from(&match &ending.etag_parts {
        Some(matched) => layout.matched(matched),
        None => layout,
    })
}

/// All findings in the order of the report: identity, size, proof, the references, and their contradiction.
fn with_findings_on_the_whole(
    request: &VerifyOptions,
    facts: &ObjectFacts,
    mut findings: Vec<Finding>,
    ending: &ReadOutcome,
) -> Vec<Finding> {
    let absent = no_such_references(request, &findings);
    findings.extend(absent);
    let contradiction = contradiction(&findings);
    let mut proof = proof(&findings, request, ending, facts);
    if let Some(open) = &contradiction {
        contradict(&mut proof, open);
    }
    findings.insert(0, Finding { check: CheckId::Identity, required: true, outcome: identity(facts, ending) });
    findings.insert(1, Finding { check: CheckId::Size, required: true, outcome: size(facts, request, ending) });
    findings.insert(2, proof);
    findings.extend(contradiction);
    require(&mut findings, request);
    findings
}

/// A finding for each reference that was asked for by name and that the object does not have.
fn no_such_references(request: &VerifyOptions, findings: &[Finding]) -> Vec<Finding> {
    let mut absent: Vec<Finding> = Vec::new();
    for name in request.require.iter().chain(&request.using) {
        let CheckName::One(check) = name else { continue };
        let on_the_whole = matches!(
            check,
            CheckId::Identity | CheckId::Size | CheckId::Proof | CheckId::Contradiction | CheckId::Stream
        );
        if !on_the_whole && !findings.iter().chain(&absent).any(|finding| name.matches(finding.check)) {
            absent.push(unknown(*check, Reason::NoSuchReference { check: *check }));
        }
    }
    absent
}

/// A required check that is not decided.
fn is_open(finding: &Finding) -> bool {
    finding.required && finding.verdict() == Verdict::Unknown
}

fn exit(request: &VerifyOptions, findings: &[Finding], stopped: Option<&Stop>) -> Exit {
    let unread = |reason: &Reason| matches!(reason, Reason::ReadFailed { .. } | Reason::RereadFailed { .. });
    let failed_to_read = findings.iter().any(|f| matches!(&f.outcome, Outcome::Unknown(reason) if unread(reason)));
    let open = findings.iter().any(|finding| is_open(finding) && !request.accepts(finding.check));
    match (stopped, overall(findings)) {
        (Some(Stop::Cancelled), _) => Exit::Interrupted,
        (_, Verdict::Fail) => Exit::Failed,
        _ if failed_to_read => Exit::CouldNot,
        (_, Verdict::Unknown) if open => Exit::Unknown,
        _ => Exit::Passed,
    }
}

/// Digests over every byte.
fn whole_digests(ending: &ReadOutcome) -> Vec<DigestReport> {
    let all = ending.digests.iter().flat_map(Digests::iter);
    let whole = all.filter(|(_, layout, _)| layout.count() == 1).filter_map(|(_, _, list)| *list.first()?);
    whole.map(|digest| DigestReport::from(&digest)).collect()
}

/// The manifest if one is wanted, or the note on why none is written.
fn wanted_manifest(
    session: &Session,
    request: &VerifyOptions,
    found: &Discovery,
    findings: &[Finding],
    ending: &ReadOutcome,
) -> Option<Result<Manifest, VerifyNote>> {
    if !request.manifest_wanted {
        return None;
    }
    let shaky = |finding: &Finding| {
        use Reason::{Changed, Protocol, ReadFailed, Unreadable};
        match &finding.outcome {
            Outcome::Unknown(Changed { .. } | Protocol { .. } | ReadFailed { .. } | Unreadable { .. }) => true,
            Outcome::Unknown(reason) => reason.leaves_mismatch(),
            _ => false,
        }
    };
    Some(match &ending.digests {
        _ if findings.iter().any(shaky) => Err(VerifyNote::NoManifestUnreliable),
        _ if overall(findings) == Verdict::Fail => Err(VerifyNote::NoManifestFailed),
        Some(all) if ending.complete() && ending.stopped.is_none() => Ok(manifest(session, found, findings, all)),
        _ => Err(VerifyNote::NoManifestIncomplete),
    })
}

/// Marks what must be known for a pass.
fn require(findings: &mut [Finding], request: &VerifyOptions) {
    let required = |finding: &Finding| {
        // An object that is not a known stream, or a stream without checksums, has nothing to require.
        let says_nothing = matches!(&finding.outcome, Outcome::Unknown(Reason::NotStated { .. }));
        request.requires(finding.check)
            || demanded(finding.check, findings)
            || (finding.check == CheckId::Contradiction && finding.required)
            || (finding.check == CheckId::Stream && !says_nothing)
    };
    let required: Vec<bool> = findings.iter().map(required).collect();
    for (finding, required) in findings.iter_mut().zip(required) {
        finding.required = required;
    }
}

/// The layout of the report's part map: one whose parts contain all damaged ranges. The layout of the object comes
/// first; for local files, which have none, the computed layout with the most parts comes first.
fn mapped_layout<'a>(found: &'a Discovery, findings: &[Finding], ending: &'a ReadOutcome) -> Option<&'a PartLayout> {
    ending.coverage?;
    let own = found.layout.candidates.first().map(|known| &known.layout);
    let mut computed: Vec<_> = ending.digests.iter().flat_map(Digests::iter).map(|(_, layout, _)| layout).collect();
    computed.sort_by_key(|layout| std::cmp::Reverse(layout.count()));
    let own_first = found.facts.storage_class.is_some();
    let layouts = own.filter(|_| own_first).into_iter().chain(computed).chain(own.filter(|_| !own_first));
    let damage = || {
        findings.iter().flat_map(|finding| match &finding.outcome {
            Outcome::Fail(failure) => failure.damage.as_slice(),
            _ => &[],
        })
    };
    let names = |layout: &PartLayout| {
        damage().all(|damage| {
            let index = usize::try_from(damage.part.saturating_sub(1)).unwrap_or(usize::MAX);
            layout.part(index) == Some(damage.range)
        })
    };
    layouts.into_iter().find(|layout| names(layout))
}

fn is_stream(decoded: &Decoded) -> bool {
    matches!(decoded.format, Some(Format::Zstd | Format::Gzip | Format::Zlib))
}

/// The compression ratio; `None` if no size before compression is known.
fn ratio(request: &VerifyOptions, facts: &ObjectFacts, decoded: Option<&Decoded>) -> Option<RatioReport> {
    let decoded = decoded.filter(|decoded| is_stream(decoded) && decoded.end == End::Whole);
    if decoded.is_none() && !request.logical.is_given() {
        return None;
    }
    let mut ratios = request.logical.ratios(facts, None);
    if let Some(decoded) = decoded {
        let source = decoded.format.map_or("", Format::name);
        ratios.add(RatioBasis::Decoded, decoded.decoded_bytes, source.to_owned());
    }
    Some(RatioReport::from(&ratios))
}

impl ReadOutcome {
    /// The outcome before anything is read.
    pub(super) fn at(started: Instant) -> Self {
        ReadOutcome {
            started,
            archived: None,
            stopped: None,
            coverage: None,
            read: Vec::new(),
            digests: None,
            one_range: false,
            probed: None,
            decoded: None,
            etag_parts: None,
            moved: None,
        }
    }

    fn complete(&self) -> bool {
        self.coverage.is_some_and(Coverage::complete)
    }
}

/// References that prove the bytes and matched. A reference only matches if every byte was read.
fn proving(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.check.proves() && finding.verdict() == Verdict::Pass)
}

fn evidence(source: &str, expected: String, observed: String, facts: &ObjectFacts) -> Evidence {
    let coverage = Coverage { bytes: facts.size, of: facts.size };
    Evidence { source: source.to_owned(), expected, observed, coverage: Some(coverage) }
}

fn identity(facts: &ObjectFacts, ending: &ReadOutcome) -> Outcome {
    if let Some(reason) = &ending.moved {
        return Outcome::Unknown(reason.clone());
    }
    let coverage = ending.coverage.unwrap_or(Coverage { bytes: 0, of: facts.size });
    match ending.stopped.as_ref().map(|stop| why_stopped(stop, coverage)) {
        Some(changed @ Reason::Changed { .. }) => return Outcome::Unknown(changed),
        _ if ending.coverage.is_none() => {
            let reason = ending.archived.clone().map_or(Reason::NotRead, |state| Reason::Archived { state });
            return Outcome::Unknown(reason);
        }
        _ => {}
    }
    let shown = facts.id.etag.as_ref().map_or("no ETag".to_owned(), |etag| format!("ETag {etag}"));
    Outcome::Pass(evidence("every read under the identity found first", shown.clone(), shown, facts))
}

/// Whether an error means that a response contradicts the facts found at discovery.
fn denies_size(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Changed | ErrorKind::Protocol | ErrorKind::ShortBody)
}

fn size(facts: &ObjectFacts, request: &VerifyOptions, ending: &ReadOutcome) -> Outcome {
    if let Some(failure) = wrong_size(&facts.id.target, facts.size) {
        return match &ending.stopped {
            // The response to the read states a different size than the invalid one of HEAD.
            Some(stop @ Stop::Failed(error)) if denies_size(&error.kind) => {
                Outcome::Unknown(why_stopped(stop, ending.coverage.unwrap_or(Coverage { bytes: 0, of: facts.size })))
            }
            _ => Outcome::Fail(failure),
        };
    }
    let Some(coverage) = ending.coverage else {
        let reason = ending.archived.clone().map_or(Reason::NotRead, |state| Reason::Archived { state });
        return Outcome::Unknown(reason);
    };
    let bytes = |count: u64| format!("{} bytes", ByteSize(count).grouped());
    match &ending.stopped {
        _ if coverage.complete() => {
            Outcome::Pass(evidence(facts.source.name(), bytes(facts.size), bytes(coverage.bytes), facts))
        }
        Some(stop) => Outcome::Unknown(why_stopped(stop, coverage)),
        None if request.sample.is_some() => Outcome::Unknown(Reason::Sampled { coverage }),
        None => Outcome::Unknown(Reason::NotRead),
    }
}

/// The check `proof`: at least one reference matched over all bytes.
fn proof(findings: &[Finding], request: &VerifyOptions, ending: &ReadOutcome, facts: &ObjectFacts) -> Finding {
    let names: Vec<String> = proving(findings).map(|finding| finding.check.to_string()).collect();
    let failed = |f: &&Finding| matches!(f.check, CheckId::Reference(..)) && f.verdict() == Verdict::Fail;
    let failed: Vec<&Finding> = findings.iter().filter(failed).collect();
    let outcome = if let Some(Outcome::Fail(failure)) = failed.first().map(|finding| &finding.outcome) {
        Outcome::Fail(failure.clone())
    } else if let (Some(_), None, Some(coverage)) = (request.sample, &ending.stopped, ending.coverage)
        && (!names.is_empty() || findings.iter().any(is_sampled))
    {
        // A sample never passes, even if it happens to cover every byte.
        Outcome::Unknown(Reason::Sampled { coverage })
    } else if !names.is_empty() && ending.complete() {
        let all = "every byte".to_owned();
        Outcome::Pass(evidence(&names.join(", "), all.clone(), all, facts))
    } else {
        let references = findings.iter().filter(|finding| finding.check != CheckId::Stream);
        let open = references.into_iter().find_map(|finding| match &finding.outcome {
            Outcome::Unknown(Reason::NotUsed | Reason::NoSuchReference { .. }) => None,
            Outcome::Unknown(reason) => Some(reason.clone()),
            _ => None,
        });
        let archived = ending.archived.clone().map(|state| Reason::Archived { state });
        let is_baseline = |f: &Finding| matches!(f.check, CheckId::Reference(..)) && f.verdict() == Verdict::Pass;
        let baseline = findings.iter().any(is_baseline).then_some(Reason::Baseline);
        let hidden = match &facts.checksums {
            Fact::NotPermitted { needs } => Some(Reason::NotPermitted { needs: (*needs).to_owned() }),
            _ => None,
        };
        Outcome::Unknown(baseline.or(archived).or(hidden).or(open).unwrap_or(Reason::NoReference))
    };
    Finding { check: CheckId::Proof, required: true, outcome }
}

/// Whether a part of the sample was compared with this reference.
fn is_sampled(finding: &Finding) -> bool {
    matches!(finding.check, CheckId::Reference(..))
        && matches!(finding.outcome, Outcome::Unknown(Reason::Sampled { .. }))
}

fn manifest(session: &Session, found: &Discovery, findings: &[Finding], digests: &Digests) -> Manifest {
    let facts = &found.facts;
    let wanted = found.layout.for_manifest(facts.size);
    let mut whole = std::collections::BTreeMap::new();
    let mut parts = Vec::new();
    for (algorithm, layout, list) in digests.iter() {
        let Some(list) = list.iter().copied().collect::<Option<Vec<_>>>() else { continue };
        match list.first() {
            Some(digest) if layout.count() == 1 => {
                whole.insert(algorithm.to_string(), digest.base64());
            }
            // Candidate layouts that did not match locate no damage.
            Some(_) if *layout == wanted => parts.push(PartDigests::new(algorithm, layout, &list)),
            _ => {}
        }
    }
    Manifest {
        tool: concat!("stored-ami ", env!("CARGO_PKG_VERSION")).to_owned(),
        written_at: session.context().clock.now().to_string(),
        target: session.target().to_string(),
        version_id: facts.version.clone(),
        etag: facts.id.etag.as_ref().map(ToString::to_string),
        last_modified: facts.last_modified.map(|time| time.to_string()),
        object_bytes: facts.size,
        verdict: overall(findings),
        proved_by: proving(findings).map(|finding| finding.check.to_string()).collect(),
        unproved_copy: facts.is_unproved_copy() && proving(findings).all(|finding| finding.check.is_since_written()),
        stored_checksums: facts
            .checksums
            .value()
            .into_iter()
            .flatten()
            .map(|checksum| StoredValue {
                algorithm: checksum.algorithm().to_string(),
                kind: checksum.kind.name().to_owned(),
                value: checksum.to_string(),
            })
            .collect(),
        whole,
        parts,
    }
}
