use super::{DamageReport, FindingReport, VerifyReport};
use crate::audit::{DamagePlace, DamagedRun, joined};
use crate::verdict::{CheckId, Origin, Verdict};

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

    /// Where the damage is, in an object of this number of parts.
    pub fn place(&self, parts: Option<u64>) -> DamagePlace {
        DamagePlace { runs: self.runs.clone(), parts }
    }

    /// [`DamageSummary::place`]; `None` if no reference can locate the damage.
    pub fn located(&self, parts: Option<u64>) -> Option<DamagePlace> {
        Some(self.place(parts)).filter(|place| !place.runs.is_empty())
    }

    /// The damage in one sentence: `bytes 8,388,608–16,777,215 (part 2 of 6), read twice; sha256, etag agree`. `parts` is
    /// the number of parts of the object.
    pub fn sentence(&self, parts: Option<u64>) -> String {
        let all = if self.runs.len() > DamagePlace::SHOWN { " (all of them in --json)" } else { "" };
        let reads = match self.reads {
            Some(2) => ", read twice",
            Some(_) => ", read once",
            None => "",
        };
        let by = joined(&self.refuted_by, ", ");
        let by = match self.refuted_by.len() {
            1 => format!("{by} does not match"),
            _ => format!("{by} agree"),
        };
        let but = match self.matched.as_slice() {
            [] => String::new(),
            matched => format!("; but {} matches", joined(matched, ", ")),
        };
        format!("{}{all}{reads}; {by}{but}", self.place(parts))
    }
}

impl VerifyReport {
    /// The damage, if the failure is of the bytes: a reference that S3 stores does not match, or one that locates the
    /// damage. A value that the user gave may be of another object.
    pub fn damage(&self) -> Option<DamageSummary> {
        let fails =
            |finding: &FindingReport| finding.verdict == Verdict::Fail && finding.check == CheckId::Contradiction;
        if self.verdict != Verdict::Fail || self.findings.iter().any(fails) {
            return None;
        }
        let damage = DamageSummary::of(&self.findings)?;
        let is_stored = |check: &CheckId| matches!(check, CheckId::Reference(Origin::Stored, _));
        let is_damage = !damage.runs.is_empty() || damage.refuted_by.iter().any(is_stored);
        is_damage.then_some(damage)
    }

    /// How the bytes differ from references that the user gave, if they match a value that S3 stores: the object was
    /// written like this, so it is another one than the references are of.
    pub fn unlike(&self) -> Option<DamageSummary> {
        let found = DamageSummary::of(&self.findings)?;
        let is_given = |check: &CheckId| match check {
            CheckId::Reference(origin, _) => {
                matches!(origin, Origin::Expect | Origin::Sums | Origin::Manifest | Origin::Baseline | Origin::Like)
            }
            _ => false,
        };
        let is_stored = |check: &CheckId| matches!(check, CheckId::Reference(Origin::Stored, _));
        let is_unlike = self.verdict == Verdict::Fail && found.refuted_by.iter().all(is_given);
        (is_unlike && found.matched.iter().any(is_stored)).then_some(found)
    }

    /// Whether every byte was read.
    pub fn is_read(&self) -> bool {
        self.stats.covered_bytes == self.identity.object_bytes && self.identity.object_bytes > 0
    }

    /// Number of parts of the object, if the read found it.
    pub fn parts_count(&self) -> Option<u64> {
        self.layout.as_ref().and_then(|layout| layout.parts)
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
            since: None,
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
        assert_eq!(summary.place(None).damaged_parts(), Some(3));
    }

    #[test]
    fn parts_of_different_sizes_are_joined_without_numbers() {
        let findings = [
            finding("sha256", Verdict::Fail, 1, &[(1, 0, 10)]),
            finding("manifest-parts-sha256", Verdict::Fail, 1, &[(2, 5, 10)]),
        ];
        let summary = DamageSummary::of(&findings).unwrap();
        assert_eq!(summary.runs, [DamagedRun { first: 0, last: 14, parts: None }]);
        assert_eq!(summary.place(None).damaged_parts(), None);
    }

    #[test]
    fn findings_that_are_not_about_references_are_no_damage() {
        assert_eq!(DamageSummary::of(&[finding("tags", Verdict::Fail, 1, &[])]), None);
        assert_eq!(DamageSummary::of(&[finding("etag", Verdict::Pass, 1, &[])]), None);
        let whole = DamageSummary::of(&[finding("etag", Verdict::Fail, 2, &[])]).unwrap();
        assert_eq!((whole.runs.len(), whole.place(None).damaged_parts()), (0, None));
    }

    type Run = (u64, u64, Option<(u64, u64)>);

    fn damage(runs: &[Run], reads: u8, by: &[&str], matched: &[&str]) -> DamageSummary {
        let checks = |names: &[&str]| names.iter().map(|name| name.parse::<CheckId>().unwrap()).collect();
        DamageSummary {
            runs: runs
                .iter()
                .map(|(first, last, parts)| DamagedRun { first: *first, last: *last, parts: *parts })
                .collect(),
            reads: Some(reads),
            refuted_by: checks(by),
            matched: checks(matched),
        }
    }

    #[test]
    fn where_it_is_and_how_sure_that_is() {
        let one = damage(&[(8_388_608, 16_777_215, Some((2, 2)))], 2, &["sha256", "etag"], &[]);
        assert_eq!(one.sentence(Some(6)), "bytes 8,388,608–16,777,215 (part 2 of 6), read twice; sha256, etag agree");
        let odd = damage(&[(0, 9, None), (20, 29, Some((3, 4)))], 1, &["sha256"], &["crc32"]);
        assert_eq!(
            odd.sentence(None),
            "bytes 0–9, 20–29 (parts 3–4), read once; sha256 does not match; but crc32 matches"
        );
        let nowhere = damage(&[], 2, &["etag"], &[]);
        assert_eq!(
            nowhere.sentence(Some(6)),
            "somewhere in the object: no reference shows where, read twice; etag does not match"
        );
    }

    #[test]
    fn many_ranges_are_counted() {
        let runs: Vec<_> = (1..=7).map(|part| (part * 20, part * 20 + 9, Some((part * 2, part * 2)))).collect();
        let text = damage(&runs, 2, &["sha256"], &[]).sentence(Some(20));
        assert!(text.starts_with("7 parts: bytes 20–29 (part 2 of 20), "), "{text}");
        assert!(text.contains(", and 2 more ranges (all of them in --json), read twice"), "{text}");
    }
}
