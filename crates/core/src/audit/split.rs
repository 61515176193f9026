//! One huge object that several shards read together: its runs of parts, and what their digests show together.

use std::collections::BTreeSet;

use crate::checks::{Digests, Judgement, contradict, contradiction, judge};
use crate::checksum::{Algorithm, Digest, fold};
use crate::plan::{AlgorithmCertainty, Claim, PartLayout, Reference};
use crate::units::ByteRange;
use crate::verdict::{CheckId, Coverage, Evidence, Failure, Finding, Outcome, Reads, Reason, Verdict};

/// The most runs of one object.
const MOST_RUNS: u64 = 10_000;

/// Adjacent parts of an object, or a range of one that has no parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartsRun {
    /// Number of the run, from 1.
    pub number: u32,
    /// Number of runs of the object.
    pub of: u32,
    /// Position of its first part, from 0.
    pub first_part: usize,
    /// Number of its parts.
    pub parts: usize,
    /// Its bytes.
    pub range: ByteRange,
}

/// The digests of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunDigests {
    /// A digest for each of its parts, by algorithm.
    pub by_part: Vec<(Algorithm, Vec<Digest>)>,
    /// Digests over the run, by algorithms that combine.
    pub whole: Vec<Digest>,
}

/// How an object is divided into runs, and which references their digests can be joined for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitPlan {
    /// The parts of the object.
    layout: PartLayout,
    /// The runs, as parts.
    by_run: PartLayout,
    /// References that the digests of all runs decide together.
    pub joined: Vec<Reference>,
    /// References over the whole object that must be computed in order.
    pub serial: Vec<Reference>,
}

impl SplitPlan {
    /// Divides an object of `size` bytes into runs of whole parts of at most `run_bytes` bytes, or of one part where that
    /// is larger. `None` if the object is one run, or no reference can be decided by runs.
    pub fn new(size: u64, references: &[Reference], run_bytes: u64) -> Option<Self> {
        let parts = references.iter().find_map(|reference| only_layout(&reference.claim));
        let layout = parts.unwrap_or(PartLayout::whole(size));
        let (joined, serial): (Vec<_>, Vec<_>) =
            references.iter().cloned().partition(|reference| is_joined(&reference.claim, &layout));
        let run_bytes = run_bytes.max(size.div_ceil(MOST_RUNS));
        let by_run = match layout.count() {
            1 => PartLayout::uniform(size, run_bytes),
            _ => PartLayout::from_sizes(size, run_sizes(&layout, run_bytes)).ok()?,
        };
        (by_run.count() > 1 && !joined.is_empty()).then_some(SplitPlan { layout, by_run, joined, serial })
    }

    /// The parts of the object.
    pub fn layout(&self) -> &PartLayout {
        &self.layout
    }

    /// The runs, in order.
    pub fn runs(&self) -> Vec<PartsRun> {
        let of = u32::try_from(self.by_run.count()).unwrap_or(u32::MAX);
        let run = |(number, range): (u32, ByteRange)| {
            let (first_part, parts) = match self.layout.count() {
                1 => (0, 0),
                _ => {
                    let first = self.layout.ended_by(range.start());
                    (first, self.layout.ended_by(range.end()).saturating_sub(first))
                }
            };
            PartsRun { number, of, first_part, parts, range }
        };
        (1..).zip(self.by_run.parts()).map(run).collect()
    }

    /// The digests that a read of runs must yield.
    pub fn wanted(&self) -> Vec<(Algorithm, PartLayout)> {
        let over = |algorithms: Vec<Algorithm>, layout: &PartLayout| -> Vec<(Algorithm, PartLayout)> {
            algorithms.into_iter().map(|algorithm| (algorithm, layout.clone())).collect()
        };
        [over(self.over_runs(), &self.by_run), over(self.over_parts(), &self.layout)].concat()
    }

    /// The algorithms to compute over each run.
    fn over_runs(&self) -> Vec<Algorithm> {
        self.algorithms(|claim| matches!(claim, Claim::Whole(_) | Claim::WholeOrComposite { .. }))
    }

    /// The algorithms to compute over each part.
    fn over_parts(&self) -> Vec<Algorithm> {
        self.algorithms(|claim| only_layout(claim).is_some())
    }

    fn algorithms(&self, fits: impl Fn(&Claim) -> bool) -> Vec<Algorithm> {
        let claims = self.joined.iter().map(|reference| &reference.claim);
        let found: BTreeSet<Algorithm> = claims.filter(|claim| fits(claim)).filter_map(Claim::algorithm).collect();
        found.into_iter().collect()
    }

    /// The digests of a run among those of a read; `None` if it was not read completely.
    pub fn digests_of(&self, run: &PartsRun, read: &Digests) -> Option<RunDigests> {
        let at = usize::try_from(run.number).ok()?.checked_sub(1)?;
        let of_run = |algorithm: Algorithm| *read.parts(algorithm, &self.by_run)?.get(at)?;
        let of_parts = |algorithm: Algorithm| {
            let all = read.parts(algorithm, &self.layout)?;
            let own = all.get(run.first_part..run.first_part.checked_add(run.parts)?)?;
            Some((algorithm, own.iter().copied().collect::<Option<Vec<Digest>>>()?))
        };
        Some(RunDigests {
            by_part: self.over_parts().into_iter().map(of_parts).collect::<Option<_>>()?,
            whole: self.over_runs().into_iter().map(of_run).collect::<Option<_>>()?,
        })
    }

    /// The layout that no range of a read may cross: the parts, or the runs where there are none.
    pub fn finest(&self) -> &PartLayout {
        if self.layout.count() > 1 { &self.layout } else { &self.by_run }
    }

    /// The share of `shards` that reads a run, from 1. The first run is read by the share that the object belongs to.
    pub fn shard_of(number: u32, owner: u32, shards: u32) -> u32 {
        let at = u64::from(owner.saturating_sub(1)) + u64::from(number.saturating_sub(1));
        u32::try_from(at % u64::from(shards.max(1))).unwrap_or_default() + 1
    }
}

/// The layout of a value over several parts, if only one fits.
fn only_layout(claim: &Claim) -> Option<PartLayout> {
    let (Claim::Composite { candidates, .. } | Claim::WholeOrComposite { candidates, .. }) = claim else { return None };
    match candidates.as_slice() {
        [only] if only.layout.count() > 1 => Some(only.layout.clone()),
        _ => None,
    }
}

/// Whether digests of runs of whole parts of `layout` decide a claim.
fn is_joined(claim: &Claim, layout: &PartLayout) -> bool {
    match claim {
        Claim::Whole(digest) => digest.algorithm().folds(),
        Claim::Composite { .. } => only_layout(claim).as_ref() == Some(layout),
        Claim::WholeOrComposite { digest, candidates, .. } => {
            digest.algorithm().folds() && (candidates.is_empty() || only_layout(claim).as_ref() == Some(layout))
        }
        Claim::Parts { .. } => false,
    }
}

/// The sizes of runs of whole parts, each of at most `most` bytes unless it is a single part.
fn run_sizes(layout: &PartLayout, most: u64) -> Vec<u64> {
    let mut runs: Vec<u64> = Vec::new();
    for part in layout.parts() {
        match runs.last_mut() {
            Some(run) if run.saturating_add(part.len()) <= most => *run += part.len(),
            _ => runs.push(part.len()),
        }
    }
    runs
}

/// Combines the digests of runs, which must be in order and cover the object of `size` bytes, into those of the object
/// and of its parts.
pub fn joined_digests(size: u64, layout: &PartLayout, runs: &[(ByteRange, RunDigests)]) -> Digests {
    let mut digests = Digests::default();
    let Some((_, first)) = runs.first() else { return digests };
    for (algorithm, _) in &first.by_part {
        let of_run =
            |run: &RunDigests| run.by_part.iter().find(|(own, _)| own == algorithm).map(|(_, list)| list.clone());
        let all: Option<Vec<Vec<Digest>>> = runs.iter().map(|(_, run)| of_run(run)).collect();
        if let Some(all) = all.map(|all| all.concat()).filter(|all| all.len() == layout.count()) {
            digests.insert(*algorithm, layout.clone(), all.into_iter().map(Some).collect());
        }
    }
    for algorithm in first.whole.iter().map(Digest::algorithm) {
        let of_run = |(range, run): &(ByteRange, RunDigests)| {
            Some((*range, *run.whole.iter().find(|digest| digest.algorithm() == algorithm)?))
        };
        let pieces: Option<Vec<(ByteRange, Digest)>> = runs.iter().map(of_run).collect();
        let whole = pieces.and_then(|pieces| fold(algorithm, ByteRange::whole(size), &pieces));
        digests.insert(algorithm, PartLayout::whole(size), vec![whole]);
    }
    digests
}

/// Judges references by joined digests: a finding for each, one for the proof, and one if they contradict each other.
/// Every byte was read once, so that a mismatch is a failure in one read.
pub fn judge_joined(references: &[Reference], digests: &Digests, size: u64) -> Vec<Finding> {
    let judged: Vec<(&Reference, Judgement)> =
        references.iter().map(|reference| (reference, judge(reference, digests, size))).collect();
    let is_matched = judged.iter().any(|(_, judgement)| matches!(judgement, Judgement::Match(_)));
    let mut findings: Vec<Finding> = judged
        .into_iter()
        .map(|(reference, judgement)| Finding {
            check: reference.check,
            required: false,
            outcome: outcome(reference.standing, judgement, is_matched),
        })
        .collect();
    let mut proof = proof(&findings, size);
    let open = contradiction(&findings);
    if let Some(open) = &open {
        contradict(&mut proof, open);
    }
    findings.insert(0, proof);
    findings.extend(open);
    findings
}

fn outcome(standing: AlgorithmCertainty, judgement: Judgement, is_matched: bool) -> Outcome {
    let because = || "its parts are assumed, and the value fits none of them".to_owned();
    match judgement {
        Judgement::Match(evidence) => Outcome::Pass(evidence),
        Judgement::Mismatch { evidence, .. } if is_matched && standing == AlgorithmCertainty::UndocumentedETag => {
            let Evidence { expected, observed, .. } = evidence;
            Outcome::Unknown(Reason::ETagUndocumented { expected, observed })
        }
        Judgement::Mismatch { evidence, damage } => {
            Outcome::Fail(Failure { evidence, reads: Some(Reads::One), damage })
        }
        Judgement::NoLayoutMatches { .. } => Outcome::Unknown(Reason::LayoutNotProved { because: because() }),
        Judgement::NoLayout => Outcome::Unknown(Reason::LayoutUnknown { because: because() }),
        Judgement::Incomplete => Outcome::Unknown(Reason::NotRead),
    }
}

/// The check `proof`: at least one reference matched over all bytes, and none failed.
fn proof(findings: &[Finding], size: u64) -> Finding {
    let failed = findings.iter().find_map(|finding| match &finding.outcome {
        Outcome::Fail(failure) => Some(failure.clone()),
        _ => None,
    });
    let matched = findings.iter().filter(|finding| finding.verdict() == Verdict::Pass);
    let names: Vec<String> = matched.map(|finding| finding.check.to_string()).collect();
    let open = findings.iter().find_map(|finding| match &finding.outcome {
        Outcome::Unknown(reason) => Some(reason.clone()),
        _ => None,
    });
    let outcome = match (failed, names.is_empty()) {
        (Some(failure), _) => Outcome::Fail(failure),
        (None, false) => {
            let (all, coverage) = ("every byte".to_owned(), Some(Coverage { bytes: size, of: size }));
            Outcome::Pass(Evidence { source: names.join(", "), expected: all.clone(), observed: all, coverage })
        }
        (None, true) => Outcome::Unknown(open.unwrap_or(Reason::NoReference)),
    };
    Finding { check: CheckId::Proof, required: true, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Hasher, composite, multipart_etag};
    use crate::plan::{Basis, Candidate};
    use crate::verdict::{Origin, Subject};

    const DATA: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

    fn slice(range: ByteRange) -> &'static [u8] {
        &DATA[range.start() as usize..range.end() as usize]
    }

    fn whole(algorithm: Algorithm) -> Reference {
        let check = CheckId::Reference(Origin::Stored, Subject::Checksum(algorithm));
        Reference::new(check, "stored", Claim::Whole(Hasher::digest(algorithm, DATA)))
    }

    fn etag(layout: &PartLayout) -> Reference {
        let md5: Vec<Digest> = layout.parts().map(|part| Hasher::digest(Algorithm::Md5, slice(part))).collect();
        let candidates = vec![Candidate { layout: layout.clone(), basis: Basis::Proved { by: "test" } }];
        let claim = Claim::Composite {
            digest: composite(Algorithm::Md5, &md5),
            shown: multipart_etag(&md5).to_string(),
            candidates,
            parts: None,
        };
        Reference::new(CheckId::Reference(Origin::Stored, Subject::ETag), "ETag", claim)
    }

    /// What a share computes of one run of these bytes.
    fn read(plan: &SplitPlan, run: &PartsRun, data: &[u8]) -> RunDigests {
        let mut digests = Digests::default();
        for (algorithm, layout) in plan.wanted() {
            let inside = |part: ByteRange| part.start() >= run.range.start() && part.end() <= run.range.end();
            let of = |part: ByteRange| {
                inside(part).then(|| Hasher::digest(algorithm, &data[part.start() as usize..part.end() as usize]))
            };
            digests.insert(algorithm, layout.clone(), layout.parts().map(of).collect());
        }
        plan.digests_of(run, &digests).unwrap()
    }

    fn verdicts(plan: &SplitPlan, data: &[u8]) -> Vec<(String, Verdict)> {
        let runs: Vec<_> = plan.runs().iter().map(|run| (run.range, read(plan, run, data))).collect();
        let digests = joined_digests(36, plan.layout(), &runs);
        let findings = judge_joined(&plan.joined, &digests, 36);
        findings.iter().map(|finding| (finding.check.to_string(), finding.verdict())).collect()
    }

    fn expected(list: &[(&str, Verdict)]) -> Vec<(String, Verdict)> {
        list.iter().map(|(check, verdict)| ((*check).to_owned(), *verdict)).collect()
    }

    #[test]
    fn runs_of_any_size_prove_what_can_be_joined_and_leave_the_rest() {
        let parts = PartLayout::from_sizes(36, [5, 5, 7, 5, 5, 9]).unwrap();
        let references = [whole(Algorithm::Crc64Nvme), etag(&parts), whole(Algorithm::Sha256)];
        for (run_bytes, sizes) in
            [(1, &[5, 5, 7, 5, 5, 9][..]), (6, &[5, 5, 7, 5, 5, 9]), (12, &[10, 12, 5, 9]), (27, &[27, 9])]
        {
            let plan = SplitPlan::new(36, &references, run_bytes).unwrap();
            let found: Vec<u64> = plan.runs().iter().map(|run| run.range.len()).collect();
            assert_eq!(found, sizes, "{run_bytes}");
            assert_eq!(plan.serial, [whole(Algorithm::Sha256)]);
            let pass = [("proof", Verdict::Pass), ("crc64nvme", Verdict::Pass), ("etag", Verdict::Pass)];
            assert_eq!(verdicts(&plan, DATA), expected(&pass));
            let mut wrong = DATA.to_vec();
            wrong[17] ^= 1;
            let fail = [("proof", Verdict::Fail), ("crc64nvme", Verdict::Fail), ("etag", Verdict::Fail)];
            assert_eq!(verdicts(&plan, &wrong), expected(&fail));
        }
        assert_eq!(SplitPlan::new(36, &references, 36), None, "one run");
        assert_eq!(SplitPlan::new(36, &[whole(Algorithm::Sha256)], 6), None, "nothing that runs could show");
    }

    #[test]
    fn an_object_without_parts_is_cut_anywhere() {
        let plan = SplitPlan::new(36, &[whole(Algorithm::Crc32), whole(Algorithm::Md5)], 10).unwrap();
        assert_eq!(plan.runs().iter().map(|run| run.range.len()).collect::<Vec<_>>(), [10, 10, 10, 6]);
        assert_eq!(verdicts(&plan, DATA), expected(&[("proof", Verdict::Pass), ("crc32", Verdict::Pass)]));
    }

    #[test]
    fn a_missing_run_proves_nothing() {
        let parts = PartLayout::uniform(36, 6);
        let plan = SplitPlan::new(36, &[whole(Algorithm::Crc64Nvme), etag(&parts)], 12).unwrap();
        let runs: Vec<_> = plan.runs().iter().skip(1).map(|run| (run.range, read(&plan, run, DATA))).collect();
        let findings = judge_joined(&plan.joined, &joined_digests(36, plan.layout(), &runs), 36);
        assert!(findings.iter().all(|finding| finding.verdict() == Verdict::Unknown), "{findings:?}");
    }

    #[test]
    fn the_shares_take_turns_from_the_one_that_owns_the_object() {
        let of = |owner| (1..=6).map(|run| SplitPlan::shard_of(run, owner, 4)).collect::<Vec<_>>();
        assert_eq!(of(1), [1, 2, 3, 4, 1, 2]);
        assert_eq!(of(3), [3, 4, 1, 2, 3, 4]);
        assert_eq!(SplitPlan::shard_of(5, 1, 1), 1);
    }
}
