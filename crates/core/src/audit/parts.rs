use super::Proof;
use crate::ident::ETag;
use crate::manifest::PartRun;
use crate::plan::PartLayout;
use crate::units::PartNumber;

/// The most runs of equal part sizes that an entry keeps. Uploads usually have one or two; for others, the
/// parts are requested again.
const MOST_RUNS: usize = 64;

/// A layout as runs of equal part sizes; empty if there are too many runs.
pub fn part_runs(layout: &PartLayout) -> Vec<PartRun> {
    let mut runs: Vec<PartRun> = Vec::new();
    for part in layout.parts() {
        match runs.last_mut() {
            Some(run) if run.part_bytes == part.len() => run.parts += 1,
            _ => runs.push(PartRun { part_bytes: part.len(), parts: 1 }),
        }
        if runs.len() > MOST_RUNS {
            return Vec::new();
        }
    }
    runs
}

impl Proof {
    /// The ETag of the object and the parts under which it matched, if the entry keeps them.
    pub fn matched_parts(&self) -> Option<(ETag, PartLayout)> {
        let etag = self.object.etag.as_ref()?;
        let parts = self.etag_parts.iter().fold(0_u64, |sum, run| sum.saturating_add(run.parts));
        // The numbers come from a file, and the memory of a layout grows with its parts.
        if parts > u64::from(PartNumber::MAX) {
            return None;
        }
        let sizes = self.etag_parts.iter().flat_map(|run| (0..run.parts).map(|_| run.part_bytes));
        Some((etag.clone(), PartLayout::from_sizes(self.object.object_bytes?, sizes).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_kept_as_runs_unless_it_takes_too_many() {
        let uniform = PartLayout::uniform(20, 8);
        let runs = [PartRun { part_bytes: 8, parts: 2 }, PartRun { part_bytes: 4, parts: 1 }];
        assert_eq!(part_runs(&uniform), runs);
        let uneven = PartLayout::from_sizes(65 * 66 / 2, 1..=65).unwrap();
        assert_eq!(part_runs(&uneven), []);
    }
}
