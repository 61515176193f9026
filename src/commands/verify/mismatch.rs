use crate::checks::Digests;
use crate::plan::Reference;
use crate::units::ByteRange;
use crate::verdict::{Damage, Evidence, Failure, Finding, Outcome, Reads};

/// Judgements of references by the digests of a reading.
#[derive(Default)]
pub(super) struct Judged {
    /// Final findings.
    pub findings: Vec<Finding>,
    /// References that do not match. A second read turns them into findings.
    pub mismatches: Vec<Mismatch>,
    /// Composite references that match under none of the assumed layouts.
    pub unproved: Vec<Reference>,
}

/// A reference that does not match the bytes of the first read.
pub(super) struct Mismatch {
    /// The reference.
    pub reference: Reference,
    /// The expected and the observed value.
    pub evidence: Evidence,
    /// The damaged parts, if the reference locates them.
    pub damage: Vec<Damage>,
}

impl Mismatch {
    /// The failed finding, with the number of reads that support it.
    pub(super) fn fail(mut self, reads: Reads) -> Finding {
        if reads == Reads::Reproduced {
            for damage in &mut self.damage {
                damage.second_read = Some(damage.observed.clone());
            }
        }
        let failure = Failure { evidence: self.evidence, reads: Some(reads), damage: self.damage };
        Finding { check: self.reference.check, required: false, outcome: Outcome::Fail(failure) }
    }
}

pub(super) fn same_damage(one: &[Damage], other: &[Damage]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.range == b.range && a.observed == b.observed)
}

/// Replaces the digests of parts that were read again. Returns all digests, and the ranges whose digests differ between
/// the reads.
pub(super) fn lay_over(first: &Digests, again: Digests) -> (Digests, Vec<ByteRange>) {
    let mut differing = Vec::new();
    for (algorithm, layout, list) in again.iter() {
        let held = first.parts(algorithm, layout).unwrap_or_default();
        let pairs = layout.parts().zip(held.iter().zip(list));
        differing.extend(pairs.filter(|(_, (held, new))| new.is_some() && held != new).map(|(range, _)| range));
    }
    differing.sort_unstable();
    differing.dedup();
    let mut both = again;
    for (algorithm, layout, list) in first.iter() {
        both.insert(algorithm, layout.clone(), list.to_vec());
    }
    (both, differing)
}

pub(super) fn describe(mismatch: &Mismatch, differing: &[ByteRange]) -> String {
    match differing.first() {
        Some(range) if differing.len() == 1 => format!("bytes {range}"),
        Some(range) => format!("bytes {range} and {} more ranges", differing.len() - 1),
        None => format!("{} the first time, something else the second", mismatch.evidence.observed),
    }
}
