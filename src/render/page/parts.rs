use askama::Template;

use super::text::{Text, grouped, parts, size};
use crate::report::{LayoutKind, LayoutReport, PartRunReport, PartState};

/// Maximum number of cells of a map; with more parts, a cell represents several.
const MOST_CELLS: u64 = 1500;
/// Maximum number of cells for which the numbers are shown.
const NUMBERED: u64 = 60;
/// Maximum number of runs of parts with problems to list.
const MOST_RUNS: usize = 100;

/// States from the worst to the best, with their CSS classes and meanings.
const STATES: [(PartState, &str, &str); 5] = [
    (PartState::Damaged, "d", "damaged"),
    (PartState::InQuestion, "q", "in question: a reference that cannot place damage did not match"),
    (PartState::Unread, "u", "not read"),
    (PartState::Read, "r", "read, and nothing proves it"),
    (PartState::Proved, "p", "proved"),
];
const UNREAD: usize = 2;

/// A map of the parts of an object, with one cell per part or group of parts.
#[derive(Template)]
#[template(path = "parts.html")]
pub(super) struct PartMap {
    /// Parts per cell.
    group: u64,
    cells: Vec<Cell>,
    says: Text,
    legend: Vec<Legend>,
    trouble: Vec<Text>,
    left_out: usize,
    /// CSS class for the size of the cells.
    scale: &'static str,
}

struct Cell {
    class: &'static str,
    says: Text,
    /// The number of the part, if there is room for it.
    label: Text,
}

struct Legend {
    class: &'static str,
    meaning: &'static str,
    count: String,
}

/// The parts of one cell.
#[derive(Clone, Default)]
struct Gathered {
    counts: [u64; STATES.len()],
    offset: Option<u64>,
}

impl PartMap {
    /// `None` if no part is known.
    /// Parts in one of the states `listed` are listed below the map.
    pub(super) fn new(runs: &[PartRunReport], layout: Option<&LayoutReport>, listed: &[PartState]) -> Option<Self> {
        let total = runs.iter().map(|run| run.last_part).max().filter(|total| *total > 0)?;
        let group = group_of(total);
        let mut cells = vec![Gathered::default(); usize::try_from(total.div_ceil(group)).ok()?];
        let mut counts = [0_u64; STATES.len()];
        for run in runs {
            let state = STATES.iter().position(|(name, ..)| *name == run.state).unwrap_or(UNREAD);
            gather(&mut cells, group, run, state);
            if let Some(count) = counts.get_mut(state) {
                *count = count.saturating_add(length(run));
            }
        }
        let part_bytes =
            layout.filter(|layout| layout.shape == LayoutKind::Uniform).and_then(|layout| layout.part_bytes);
        let shown = cells.iter().zip(0_u64..).map(|(cell, at)| {
            let first = at * group + 1;
            let last = first.saturating_add(group - 1).min(total);
            let offset = cell.offset.or(part_bytes.map(|bytes| bytes.saturating_mul(first - 1)));
            let label = if group == 1 && total <= NUMBERED { first.to_string() } else { String::new() };
            Cell { class: cell.class(), says: cell.says(first, last, offset).into(), label: label.into() }
        });
        let trouble: Vec<&PartRunReport> = runs.iter().filter(|run| listed.contains(&run.state)).collect();
        Some(PartMap {
            group,
            cells: shown.collect(),
            says: says(total, &counts).into(),
            legend: legend(&counts),
            left_out: trouble.len().saturating_sub(MOST_RUNS),
            trouble: trouble.into_iter().take(MOST_RUNS).map(told).collect(),
            scale: match total.div_ceil(group) {
                0..=NUMBERED => "large",
                61..=400 => "medium",
                _ => "small",
            },
        })
    }
}

impl Gathered {
    /// The worst state of the parts.
    fn worst(&self) -> usize {
        self.counts.iter().position(|count| *count > 0).unwrap_or(UNREAD)
    }

    fn class(&self) -> &'static str {
        STATES.get(self.worst()).map_or("u", |(_, class, _)| *class)
    }

    fn says(&self, first: u64, last: u64, offset: Option<u64>) -> String {
        let known = self.counts.iter().zip(STATES).filter(|(count, _)| **count > 0);
        let mut states: Vec<String> = known
            .map(|(count, (name, ..))| if first == last { spaced(name) } else { format!("{count} {}", spaced(name)) })
            .collect();
        if states.is_empty() {
            states.push("not read".to_owned());
        }
        let offset = offset.map(|offset| format!(", offset {}", grouped(offset))).unwrap_or_default();
        format!("{}{offset}: {}", parts(first, last), states.join(", "))
    }
}

/// Parts per cell: 1, or a round number that keeps the map below `MOST_CELLS`.
fn group_of(total: u64) -> u64 {
    let least = total.div_ceil(MOST_CELLS).max(1);
    let mut decade = 1_u64;
    loop {
        for step in [1, 2, 5] {
            match decade.checked_mul(step) {
                Some(group) if group >= least => return group,
                Some(_) => {}
                None => return least,
            }
        }
        decade = decade.saturating_mul(10);
    }
}

fn length(run: &PartRunReport) -> u64 {
    (run.last_part.saturating_add(1)).saturating_sub(run.first_part.max(1))
}

/// Counts the parts of a run in the cells they belong to.
fn gather(cells: &mut [Gathered], group: u64, run: &PartRunReport, state: usize) {
    let first = run.first_part.max(1);
    if run.last_part < first {
        return;
    }
    let (from, to) = ((first - 1) / group, (run.last_part - 1) / group);
    for (cell, at) in cells.iter_mut().zip(0_u64..).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        if at > to {
            break;
        }
        let (low, high) = (at * group + 1, (at + 1).saturating_mul(group));
        let touched = run.last_part.min(high) - first.max(low) + 1;
        if let Some(count) = cell.counts.get_mut(state) {
            *count = count.saturating_add(touched);
        }
        if first == low {
            cell.offset = Some(run.offset);
        }
    }
}

fn spaced(state: PartState) -> String {
    state.name().replace('_', " ")
}

fn told(run: &PartRunReport) -> Text {
    let named = parts(run.first_part, run.last_part);
    format!("{}: {named}, offset {}, {}", spaced(run.state), grouped(run.offset), size(run.bytes)).into()
}

fn says(total: u64, counts: &[u64; STATES.len()]) -> String {
    let known = counts.iter().zip(STATES).filter(|(count, _)| **count > 0);
    let states: Vec<String> =
        known.map(|(count, (name, ..))| format!("{} {}", grouped(*count), spaced(name))).collect();
    format!("Map of {} parts: {}", grouped(total), states.join(", "))
}

fn legend(counts: &[u64; STATES.len()]) -> Vec<Legend> {
    let known = counts.iter().zip(STATES).filter(|(count, _)| **count > 0);
    known.map(|(count, (_, class, meaning))| Legend { class, meaning, count: grouped(*count) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first_part: u64, last_part: u64, state: PartState) -> PartRunReport {
        let (offset, bytes) = ((first_part.max(1) - 1) * 10, 10 * (last_part + 1 - first_part.min(last_part)));
        PartRunReport { first_part, last_part, offset, bytes, state }
    }

    #[test]
    fn groups_are_round_and_few() {
        for (total, group) in [(1, 1), (1500, 1), (1501, 2), (3001, 5), (10_000, 10), (1_000_000, 1000)] {
            assert_eq!(group_of(total), group, "{total}");
        }
        assert!(u64::MAX / group_of(u64::MAX) <= MOST_CELLS);
    }

    #[test]
    fn a_group_takes_the_worst_of_its_parts() {
        let runs = [
            run(1, 14, PartState::Proved),
            run(15, 15, PartState::Damaged),
            run(16, 30, PartState::Proved),
            run(31, 39, PartState::Read),
            run(40, 40, PartState::InQuestion),
            run(41, 50, PartState::Read),
            run(51, 9_990, PartState::Proved),
            run(9_991, 10_000, PartState::Unread),
        ];
        let map = PartMap::new(&runs, None, &[PartState::Damaged, PartState::InQuestion]).unwrap();
        assert_eq!((map.group, map.cells.len()), (10, 1000));
        let classes: String = map.cells.iter().take(6).map(|cell| cell.class).collect();
        assert_eq!(classes, "pdpqrp");
        assert_eq!(map.cells[999].class, "u");
        assert_eq!(map.cells[1].says.to_string(), "parts 11–20: 1 damaged, 9 proved");
        assert_eq!(map.trouble.len(), 2);
        assert_eq!(
            map.says.to_string(),
            "Map of 10,000 parts: 1 damaged, 1 in question, 10 unread, 19 read, 9,969 proved"
        );
    }

    #[test]
    fn nonsense_harms_nothing() {
        assert!(PartMap::new(&[], None, &[]).is_none());
        assert!(PartMap::new(&[PartRunReport { last_part: 0, ..run(0, 1, PartState::Read) }], None, &[]).is_none());
        let odd = [
            PartRunReport { first_part: 0, last_part: u64::MAX, offset: 0, bytes: 0, state: PartState::Unread },
            PartRunReport { first_part: 9, last_part: 3, offset: 0, bytes: 0, state: PartState::Damaged },
        ];
        let map = PartMap::new(&odd, None, &[]).unwrap();
        assert!(map.cells.len() as u64 <= MOST_CELLS && map.cells.iter().all(|cell| cell.class == "u"));
    }
}
