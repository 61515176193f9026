//! Damage for people: what, where, how sure, and what to do next.

use std::io::{self, Write};

use super::next_step::NextStep;
use super::{Style, command, field};
use crate::audit::joined;
use crate::ident::Target;
use crate::report::{DamageSummary, DamagedRun, EndOption};
use crate::units::{ByteSize, counted};

/// Maximum number of damaged ranges to list; the rest are counted.
const MOST_RUNS: usize = 5;

/// Damage in one sentence: `bytes 8,388,608–16,777,215 (part 2 of 6), read twice; sha256, etag agree`. `parts` is the
/// number of parts of the object.
pub(super) fn sentence(damage: &DamageSummary, parts: Option<u64>) -> String {
    let reads = match damage.reads {
        Some(2) => ", read twice",
        Some(_) => ", read once",
        None => "",
    };
    let by = joined(&damage.refuted_by, ", ");
    let by = match damage.refuted_by.len() {
        1 => format!("{by} does not match"),
        _ => format!("{by} agree"),
    };
    let but = match damage.matched.as_slice() {
        [] => String::new(),
        matched => format!("; but {} matches", joined(matched, ", ")),
    };
    format!("{}{reads}; {by}{but}", place(damage, parts))
}

fn place(damage: &DamageSummary, parts: Option<u64>) -> String {
    if damage.runs.is_empty() {
        return "somewhere in the object: no reference shows where".to_owned();
    }
    let shown: Vec<String> = damage.runs.iter().take(MOST_RUNS).map(|run| range(run, parts)).collect();
    let count = match damage.damaged_parts() {
        Some(count) if damage.runs.len() > 1 => format!("{}: ", counted(count, "part")),
        _ => String::new(),
    };
    let more = match damage.runs.len().saturating_sub(MOST_RUNS) {
        0 => String::new(),
        more => format!(", and {} (all of them in --json)", counted(more as u64, "more range")),
    };
    format!("{count}bytes {}{more}", shown.join(", "))
}

fn range(run: &DamagedRun, parts: Option<u64>) -> String {
    let of = parts.map(|parts| format!(" of {parts}")).unwrap_or_default();
    let which = match run.parts {
        None => String::new(),
        Some((first, last)) if first == last => format!(" (part {first}{of})"),
        Some((first, last)) => format!(" (parts {first}–{last}{of})"),
    };
    format!("{}–{}{which}", ByteSize(run.first).grouped(), ByteSize(run.last).grouped())
}

/// What to do about a damaged object, whose version id is `version_id`, and which `reach` reaches.
pub(super) fn next_steps(
    out: &mut impl Write,
    style: Style,
    (target, version_id): (&Target, Option<&str>),
    reach: &[EndOption],
) -> io::Result<()> {
    steps(out, style, &NextStep::after_damage(target, version_id), reach)
}

/// Writes steps, each with its command.
pub(super) fn steps(out: &mut impl Write, style: Style, steps: &[NextStep], reach: &[EndOption]) -> io::Result<()> {
    steps.iter().try_for_each(|step| match step.command(reach) {
        Some(text) => command(out, style, step.label(), &text),
        None => field(out, style.width, 2, step.label(), &step.clause()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::CheckId;

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
        assert_eq!(sentence(&one, Some(6)), "bytes 8,388,608–16,777,215 (part 2 of 6), read twice; sha256, etag agree");
        let odd = damage(&[(0, 9, None), (20, 29, Some((3, 4)))], 1, &["sha256"], &["crc32"]);
        assert_eq!(
            sentence(&odd, None),
            "bytes 0–9, 20–29 (parts 3–4), read once; sha256 does not match; but crc32 matches"
        );
        let nowhere = damage(&[], 2, &["etag"], &[]);
        assert_eq!(
            sentence(&nowhere, Some(6)),
            "somewhere in the object: no reference shows where, read twice; etag does not match"
        );
    }

    #[test]
    fn many_ranges_are_counted() {
        let runs: Vec<_> = (1..=7).map(|part| (part * 20, part * 20 + 9, Some((part * 2, part * 2)))).collect();
        let text = sentence(&damage(&runs, 2, &["sha256"], &[]), Some(20));
        assert!(text.starts_with("7 parts: bytes 20–29 (part 2 of 20), "), "{text}");
        assert!(text.contains(", and 2 more ranges (all of them in --json), read twice"), "{text}");
    }
}
