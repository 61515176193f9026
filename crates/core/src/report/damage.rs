use super::{DamageReport, FindingReport};
use crate::verdict::{CheckId, Verdict};

/// The damage that all findings about one object show together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageSummary {
    /// The damaged ranges in order; empty if no reference can locate the damage.
    pub runs: Vec<DamagedRun>,
    /// How often the bytes were read and gave the same wrong value; `None` if no byte was read for it.
    pub reads: Option<u8>,
    /// The references that the bytes do not match.
    pub refuted_by: Vec<CheckId>,
    /// The references that the bytes match nevertheless.
    pub matched: Vec<CheckId>,
}

/// A range of damaged bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedRun {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte.
    pub last: u64,
    /// Numbers of the first and the last part, from 1; `None` if references over different parts locate the damage.
    pub parts: Option<(u64, u64)>,
}

impl DamageSummary {
    /// The damage that these findings show; `None` if no reference failed.
    pub fn of(findings: &[FindingReport]) -> Option<Self> {
        let references = |verdict| {
            findings
                .iter()
                .filter(move |finding| finding.verdict == verdict && matches!(finding.check, CheckId::Reference(..)))
        };
        let refuted_by: Vec<CheckId> = references(Verdict::Fail).map(|finding| finding.check).collect();
        if refuted_by.is_empty() {
            return None;
        }
        let mut damage: Vec<&DamageReport> = references(Verdict::Fail).flat_map(|finding| &finding.damage).collect();
        damage.sort_by_key(|damage| (damage.offset_bytes, damage.length_bytes, damage.part));
        let mut runs: Vec<DamagedRun> = Vec::new();
        for damage in damage {
            add(&mut runs, damage);
        }
        Some(DamageSummary {
            runs,
            reads: references(Verdict::Fail).filter_map(|finding| finding.reads).max(),
            refuted_by,
            matched: references(Verdict::Pass).map(|finding| finding.check).collect(),
        })
    }

    /// Number of damaged parts; `None` if the damage is not located, or by references over different parts.
    pub fn damaged_parts(&self) -> Option<u64> {
        let counts = self.runs.iter().map(|run| run.parts.map(|(first, last)| last - first + 1));
        counts.sum::<Option<u64>>().filter(|count| *count > 0)
    }
}

/// Adds a damaged part to the runs; the parts come in the order of their offsets.
fn add(runs: &mut Vec<DamagedRun>, damage: &DamageReport) {
    let (first, last) = (damage.offset_bytes, damage.offset_bytes.saturating_add(damage.length_bytes.max(1) - 1));
    match runs.last_mut() {
        Some(run) if first <= run.last.saturating_add(1) => {
            run.parts = run.parts.and_then(|(from, to)| {
                let again = damage.part == to && last == run.last;
                let next = damage.part == to + 1 && first > run.last;
                (again || next).then_some((from, damage.part))
            });
            run.last = run.last.max(last);
        }
        _ => runs.push(DamagedRun { first, last, parts: Some((damage.part, damage.part)) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: &str, verdict: Verdict, reads: u8, parts: &[(u64, u64, u64)]) -> FindingReport {
        let damage = parts.iter().map(|(part, offset_bytes, length_bytes)| DamageReport {
            part: *part,
            offset_bytes: *offset_bytes,
            length_bytes: *length_bytes,
            expected: "a".into(),
            observed: "b".into(),
            second_read: None,
        });
        FindingReport {
            check: serde_json::from_value(check.into()).unwrap(),
            verdict,
            required: true,
            source: None,
            expected: None,
            observed: None,
            covered_bytes: None,
            reads: (verdict == Verdict::Fail).then_some(reads),
            damage: damage.collect(),
            reason: None,
        }
    }

    #[test]
    fn references_that_name_the_same_part_are_one_damage() {
        let parts = [(2, 8, 8), (3, 16, 8), (6, 40, 5)];
        let findings = [
            finding("sha256", Verdict::Fail, 2, &parts),
            finding("etag", Verdict::Fail, 2, &[]),
            finding("manifest-parts-sha256", Verdict::Fail, 1, &parts),
            finding("crc32", Verdict::Pass, 0, &[]),
        ];
        let summary = DamageSummary::of(&findings).unwrap();
        let runs = [(8, 23, Some((2, 3))), (40, 44, Some((6, 6)))];
        assert_eq!(summary.runs, runs.map(|(first, last, parts)| DamagedRun { first, last, parts }));
        assert_eq!((summary.reads, summary.refuted_by.len(), summary.matched.len()), (Some(2), 3, 1));
        assert_eq!(summary.damaged_parts(), Some(3));
    }

    #[test]
    fn parts_of_different_sizes_are_joined_without_numbers() {
        let findings = [
            finding("sha256", Verdict::Fail, 1, &[(1, 0, 10)]),
            finding("manifest-parts-sha256", Verdict::Fail, 1, &[(2, 5, 10)]),
        ];
        let summary = DamageSummary::of(&findings).unwrap();
        assert_eq!(summary.runs, [DamagedRun { first: 0, last: 14, parts: None }]);
        assert_eq!(summary.damaged_parts(), None);
    }

    #[test]
    fn findings_that_are_not_about_references_are_no_damage() {
        assert_eq!(DamageSummary::of(&[finding("tags", Verdict::Fail, 1, &[])]), None);
        assert_eq!(DamageSummary::of(&[finding("etag", Verdict::Pass, 1, &[])]), None);
        let whole = DamageSummary::of(&[finding("etag", Verdict::Fail, 2, &[])]).unwrap();
        assert_eq!((whole.runs.len(), whole.damaged_parts()), (0, None));
    }
}
