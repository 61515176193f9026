use super::CompareRun;
use super::read::{Difference, Read};
use crate::commands::stated::StatedEnd;
use crate::commands::verify::archived;
use crate::copy::{CompareCheck, CompareFinding, Likeness};
use crate::plan::{Basis, KnownLayout};
use crate::report::{
    CompareBasis, CompareReport, CompareStep, ComparedReport, Exit, FirstDifferenceReport, IdentityReport, LayoutBasis,
    LayoutReport, Note, PartPlaceReport, StatsReport,
};
use crate::source::Session;

/// The complete report.
pub(super) fn report(run: &CompareRun, findings: &[CompareFinding], basis: CompareBasis, read: Read) -> CompareReport {
    let mut report = CompareReport {
        a: compared(&run.a),
        b: compared(&run.b),
        outcome: Likeness::Unknown,
        basis,
        findings: Vec::new(),
        first_difference: read.difference.map(|difference| place(run, difference)),
        next_steps: Vec::new(),
        stats: stats(run, &read),
        notes: notes(run, findings, &read),
        exit_code: Exit::Unknown,
    };
    report.conclude(findings);
    report.next_steps = next_steps(run, &report);
    if read.is_interrupted {
        report.exit_code = Exit::Interrupted;
    }
    report
}

fn compared(end: &StatedEnd) -> ComparedReport {
    let facts = &end.found.facts;
    ComparedReport {
        target: end.session.target().to_string(),
        profile: None,
        region: None,
        identity: IdentityReport::from(facts),
        storage_class: facts.storage_class.clone(),
        layout: (end.is_cut && facts.storage_class.is_some()).then(|| LayoutReport::from(&end.found.layout)),
        options: Vec::new(),
    }
}

fn place(run: &CompareRun, difference: Difference) -> FirstDifferenceReport {
    let part = |end: &StatedEnd| part_of(&end.found.layout, difference.offset).filter(|_| end.is_cut);
    FirstDifferenceReport {
        offset_bytes: difference.offset,
        a_part: part(&run.a),
        b_part: part(&run.b),
        differing_pieces: difference.differing as u64,
        pieces: difference.pieces as u64,
        piece_bytes: difference.piece,
    }
}

/// The part that contains an offset, by the most likely layout.
fn part_of(layout: &KnownLayout, offset: u64) -> Option<PartPlaceReport> {
    let candidate = layout.candidates.first()?;
    let (of, index) = (candidate.layout.count(), candidate.layout.ended_by(offset));
    let part = candidate.layout.part(index)?;
    Some(PartPlaceReport {
        part: index as u64 + 1,
        of: of as u64,
        offset_bytes: offset - part.start(),
        basis: match candidate.basis {
            Basis::Proved { .. } => LayoutBasis::Proved,
            Basis::Assumed { .. } => LayoutBasis::Assumed,
        },
    })
}

fn stats(run: &CompareRun, read: &Read) -> StatsReport {
    let [a, b] = run.counting.each_ref().map(|counting| counting.counts());
    let size = run.a.found.facts.size;
    StatsReport {
        requests: a.requests + b.requests,
        reads: a.reads + b.reads,
        retries: a.retries + b.retries,
        received_bytes: a.received + b.received,
        covered_bytes: if read.is_whole { size.saturating_mul(2) } else { 0 },
        elapsed_seconds: elapsed(&run.a.session, run),
        periods: Vec::new(),
        period_seconds: None,
    }
}

fn elapsed(session: &Session, run: &CompareRun) -> f64 {
    session.context().clock.monotonic().duration_since(run.started).as_secs_f64()
}

fn notes(run: &CompareRun, findings: &[CompareFinding], read: &Read) -> Vec<Note> {
    let mut notes = Vec::new();
    for end in [&run.a, &run.b] {
        let target = end.session.target();
        let late = end.session.notes().into_iter().map(Note::Source);
        notes.extend(end.found.notes.iter().cloned().chain(late).map(|note| note.of(target)));
    }
    let size = run.a.found.facts.size;
    if run.request.read && (size == 0 || size != run.b.found.facts.size) {
        notes.push(Note::Source("nothing was read, because the sizes decide".to_owned()));
    }
    let stated =
        |likeness| findings.iter().any(|finding| finding.check != CompareCheck::Bytes && finding.likeness == likeness);
    if (read.likeness == Likeness::Same && stated(Likeness::Different))
        || (read.likeness == Likeness::Different && stated(Likeness::Same))
    {
        let text = "what is stated about the objects contradicts their bytes; verify both";
        notes.push(Note::Source(text.to_owned()));
    }
    notes
}

fn next_steps(run: &CompareRun, report: &CompareReport) -> Vec<CompareStep> {
    let thaw = |end: &StatedEnd, step| archived(&end.found.facts).map(|_| step);
    match report.outcome {
        Likeness::Same => Vec::new(),
        Likeness::Different => vec![CompareStep::VerifyBoth],
        Likeness::Unknown => {
            let thaws = [thaw(&run.a, CompareStep::ThawA), thaw(&run.b, CompareStep::ThawB)];
            let read = (report.basis == CompareBasis::Stated).then_some(CompareStep::Read);
            thaws.into_iter().flatten().chain(read).collect()
        }
    }
}
