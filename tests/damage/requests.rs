//! The expected reads of a case.

use crate::claim::{Claim, FOLDING};
use crate::expect::Outcome;
use crate::harm::{Case, Harm};
use crate::holding::{Holding, Reading};
use crate::shape::ranges;

/// Reads of object bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    Exactly {
        gets: usize,
        bytes: usize,
    },
    /// If the number depends on timing.
    AtMost {
        bytes: usize,
    },
}

/// Maximum range size of an ordered read, in bytes.
pub const SMALL: usize = 4096;

/// Each byte is read once. Mismatching bytes are read a second time: the named parts, otherwise everything. The flag
/// states that only parts were read again.
pub fn requests(holding: &Holding, case: &Case, judged: &[(&Claim, Outcome)]) -> (Requests, bool) {
    let size = case.stated_size;
    let in_order = holding.reading == Reading::InOrder;
    if judged.is_empty() && !in_order {
        return (Requests::Exactly { gets: 0, bytes: 0 }, false);
    }
    let by_part = judged.iter().any(|(claim, _)| claim.by_part);
    let misled = holding.misled(case).filter(|_| by_part && !holding.knows_parts(case));
    let failed: Vec<_> = judged
        .iter()
        .filter_map(|(claim, outcome)| match outcome {
            Outcome::Fail(parts) => Some((claim, parts)),
            _ => None,
        })
        .collect();
    let most = if in_order { SMALL } else { usize::MAX };
    let first = match &misled {
        Some(suggested) => pieces(suggested, most),
        None if by_part => pieces(&case.told, most),
        None => pieces(&[size], most),
    };
    let named: Vec<usize> = failed.iter().flat_map(|(_, parts)| parts.iter().copied()).collect();
    // The proved layout differs from that of the first read.
    let anew = misled.is_some() && failed.iter().any(|(claim, _)| claim.unlisted && claim.by_part);
    let partial = !named.is_empty() && !anew;
    match case.harm {
        Harm::Short | Harm::Long => return (Requests::AtMost { bytes: case.held.len() }, false),
        Harm::Wire => return (Requests::AtMost { bytes: 3 * size }, false),
        _ if by_part && case.told.len() < case.written.len() => {
            let times = if failed.is_empty() { 1 } else { 2 };
            return (Requests::AtMost { bytes: times * size }, partial);
        }
        _ => {}
    }
    let mut read: Vec<(usize, usize)> = match holding.reading {
        Reading::Sample => first.iter().copied().skip(1).step_by(2).collect(),
        Reading::Usual | Reading::InOrder => first.clone(),
    };
    let proved = pieces(&case.told, usize::MAX);
    if misled.is_some() && judged.iter().any(|(claim, _)| claim.unlisted && (claim.parts || claim.sees(case))) {
        // The digest in order is computed again, so that both reads can be compared.
        read.extend(pieces(&case.told, most));
    }
    if anew {
        read.extend(&proved);
    } else if partial {
        // A part whose digest cannot be combined is one range, unless another digest is computed in order.
        let mut placing = failed.iter().filter(|(_, parts)| !parts.is_empty());
        let folds = placing.all(|(claim, _)| FOLDING.contains(&claim.algorithm));
        let again = if in_order && !folds { &proved } else { &first };
        let all: Vec<(usize, usize)> = ranges(&case.told).collect();
        let touches = |(start, length): &(usize, usize)| {
            named.iter().any(|part| *start < all[*part].0 + all[*part].1 && all[*part].0 < start + length)
        };
        read.extend(again.iter().filter(|range| touches(range)));
    } else if !failed.is_empty() {
        read.extend(&first);
    }
    (Requests::Exactly { gets: read.len(), bytes: read.iter().map(|(_, length)| length).sum() }, partial)
}

/// The parts of a layout, in pieces of at most `most` bytes; empty ranges are not requested.
fn pieces(cut: &[usize], most: usize) -> Vec<(usize, usize)> {
    let of_part = |(start, size): (usize, usize)| {
        let step = most.min(size).max(1);
        (start..start + size).step_by(step).map(move |at| (at, step.min(start + size - at)))
    };
    ranges(cut).flat_map(of_part).collect()
}
