use crate::plan::PartLayout;
use crate::report::{PartRunReport, PartState};
use crate::units::ByteRange;
use crate::verdict::{CheckId, Finding, Outcome, Verdict};

/// The state of each part; adjacent parts of the same state form one run.
pub(super) fn part_runs(layout: &PartLayout, findings: &[Finding], read: &[ByteRange]) -> Vec<PartRunReport> {
    let failures = || {
        findings.iter().filter_map(|finding| match (finding.check, &finding.outcome) {
            (CheckId::Reference(..), Outcome::Fail(failure)) => Some(failure),
            _ => None,
        })
    };
    let mut damaged: Vec<ByteRange> = failures().flat_map(|failure| failure.damage.iter().map(|d| d.range)).collect();
    damaged.sort_unstable_by_key(|range| (range.start(), range.end()));
    let matched = findings.iter().any(|finding| finding.check.proves() && finding.verdict() == Verdict::Pass);
    let open = findings.iter().any(|finding| {
        let seen = matches!(&finding.outcome, Outcome::Unknown(reason) if reason.leaves_mismatch());
        seen && matches!(finding.check, CheckId::Reference(..))
    });
    // A reference that locates damage matched all other parts.
    let others = match (damaged.is_empty(), failures().next().is_some() || open && matched, matched) {
        (false, _, _) => PartState::Proved,
        (true, true, _) => PartState::InQuestion,
        (true, false, true) => PartState::Proved,
        (true, false, false) => PartState::Read,
    };
    // If references contradict each other, a mismatch is not evidence of damage.
    let contradicted =
        findings.iter().any(|finding| finding.check == CheckId::Contradiction && finding.verdict() == Verdict::Fail);
    let named = if contradicted { PartState::InQuestion } else { PartState::Damaged };
    let read = joined(read);
    let mut runs: Vec<PartRunReport> = Vec::new();
    for (number, part) in (1..).zip(layout.parts()) {
        let state = if touches(&damaged, part) {
            named
        } else if covers(&read, part) {
            others
        } else {
            PartState::Unread
        };
        match runs.last_mut().filter(|run| run.state == state) {
            Some(run) => (run.last_part, run.bytes) = (number, run.bytes + part.len()),
            None => runs.push(PartRunReport {
                first_part: number,
                last_part: number,
                offset: part.start(),
                bytes: part.len(),
                state,
            }),
        }
    }
    runs
}

/// Merges adjacent ranges. The input is sorted.
fn joined(ranges: &[ByteRange]) -> Vec<ByteRange> {
    let mut joined: Vec<ByteRange> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.end() == range.start()) {
            Some(last) => *last = ByteRange::new(last.start(), range.end()).unwrap_or(*last),
            None => joined.push(*range),
        }
    }
    joined
}

fn covers(joined: &[ByteRange], part: ByteRange) -> bool {
    let before = joined.partition_point(|range| range.start() <= part.start());
    before.checked_sub(1).and_then(|index| joined.get(index)).is_some_and(|range| range.end() >= part.end())
}

/// Whether any range overlaps the part. Expects ranges in order of start, each at most a few parts long.
fn touches(ranges: &[ByteRange], part: ByteRange) -> bool {
    let first = ranges.partition_point(|range| range.start() < part.end());
    ranges.iter().take(first).rev().any(|range| range.end() > part.start() || (range.is_empty() && *range == part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;
    use crate::verdict::{Damage, Evidence, Failure, Origin, Reason, Subject};

    fn range(start: u64, end: u64) -> ByteRange {
        ByteRange::new(start, end).unwrap()
    }

    fn finding(outcome: Outcome) -> Finding {
        let check = CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Sha256));
        Finding { check, required: false, outcome }
    }

    fn fail(damage: &[(u64, ByteRange)]) -> Outcome {
        let damage = damage.iter().map(|(part, range)| Damage {
            part: *part,
            range: *range,
            expected: String::new(),
            observed: String::new(),
            second_read: None,
        });
        Outcome::Fail(Failure { evidence: Evidence::of_rule("", "", ""), reads: None, damage: damage.collect() })
    }

    fn states(outcomes: Vec<Outcome>, read: &[ByteRange]) -> Vec<(u64, u64, PartState)> {
        let layout = PartLayout::uniform(100, 10);
        let findings: Vec<Finding> = outcomes.into_iter().map(finding).collect();
        let runs = part_runs(&layout, &findings, read);
        assert_eq!(runs.iter().map(|run| run.bytes).sum::<u64>(), 100);
        runs.into_iter().map(|run| (run.first_part, run.last_part, run.state)).collect()
    }

    #[test]
    fn states_of_parts() {
        let all = [range(0, 50), range(50, 100)];
        let pass = || Outcome::Pass(Evidence::of_rule("", "", ""));
        let of = |first, last, state: PartState| (first, last, state);
        assert_eq!(states(vec![pass()], &all), [of(1, 10, PartState::Proved)]);
        assert_eq!(states(vec![fail(&[])], &all), [of(1, 10, PartState::InQuestion)]);
        assert_eq!(states(vec![Outcome::Unknown(Reason::NoReference)], &all), [of(1, 10, PartState::Read)]);
        let open = Outcome::Unknown(Reason::Unconfirmed { detail: String::new() });
        assert_eq!(states(vec![pass(), open.clone()], &all), [of(1, 10, PartState::InQuestion)]);
        assert_eq!(states(vec![open], &all), [of(1, 10, PartState::Read)]);
        let named = fail(&[(3, range(20, 30))]);
        assert_eq!(
            states(vec![fail(&[]), named.clone()], &all),
            [of(1, 2, PartState::Proved), of(3, 3, PartState::Damaged), of(4, 10, PartState::Proved)]
        );
        assert_eq!(
            states(vec![named], &[range(15, 45)]),
            [
                of(1, 2, PartState::Unread),
                of(3, 3, PartState::Damaged),
                of(4, 4, PartState::Proved),
                of(5, 10, PartState::Unread)
            ]
        );
        assert_eq!(states(vec![], &[]), [of(1, 10, PartState::Unread)]);
    }

    #[test]
    fn an_empty_object_is_one_part() {
        let findings = [finding(Outcome::Pass(Evidence::of_rule("", "", "")))];
        let runs = part_runs(&PartLayout::whole(0), &findings, &[range(0, 0)]);
        assert_eq!((runs.len(), runs[0].state), (1, PartState::Proved));
    }
}
