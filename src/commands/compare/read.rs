//! Reads both objects at the same time, and compares digests of equal pieces.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::first_byte::{FirstByte, first_byte};
use super::{CompareError, CompareRun};
use crate::checksum::{Algorithm, Digest};
use crate::commands::stated::StatedEnd;
use crate::commands::verify;
use crate::copy::Likeness;
use crate::fetch::{Job, Reading, Stop, fetch};
use crate::plan::{Budget, PartLayout, ReadPlan};
use crate::progress::{Purpose, Work};
use crate::source::ErrorKind;
use crate::units::{ByteRange, ByteSize, MIB};
use crate::verdict::Reason;

/// The digest of pieces. It also tells apart bytes that were made to match.
const ALGORITHM: Algorithm = Algorithm::Sha256;
/// Smallest piece in bytes.
const PIECE: u64 = 8 * MIB;
/// Most pieces.
const PIECES: u64 = 10_000;

/// Where the bytes begin to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    /// Offset of the first byte that differs.
    pub offset: u64,
    /// Number of pieces that differ.
    pub differing: usize,
    /// Number of pieces.
    pub pieces: usize,
    /// Bytes of a piece.
    pub piece: u64,
}

/// What reading both shows.
#[derive(Debug)]
pub(super) struct Read {
    /// Whether the bytes are the same.
    pub likeness: Likeness,
    /// What was found, for the user.
    pub text: String,
    /// Every byte of both was read.
    pub is_whole: bool,
    /// A signal ended it.
    pub is_interrupted: bool,
    /// Where the bytes begin to differ.
    pub difference: Option<Difference>,
}

impl Default for Read {
    /// Nothing was read.
    fn default() -> Self {
        Read::open(String::new())
    }
}

impl Read {
    /// The bytes could not be compared, for this reason.
    pub(super) fn open(text: String) -> Self {
        Read { likeness: Likeness::Unknown, text, is_whole: false, is_interrupted: false, difference: None }
    }

    fn interrupted() -> Self {
        Read { is_interrupted: true, ..Read::open("interrupted".to_owned()) }
    }
}

/// Pieces of equal size.
fn pieces(size: u64) -> PartLayout {
    PartLayout::uniform(size, size.div_ceil(PIECES).next_multiple_of(MIB).max(PIECE))
}

/// Reads both, and a second time what differs first.
///
/// # Errors
///
/// The digests do not fit into the memory.
pub(super) async fn read(run: &mut CompareRun, cancel: &CancellationToken) -> Result<Read, CompareError> {
    let (size, budget) = (run.a.found.facts.size, run.request.budget);
    let layout = pieces(size);
    let plan = Arc::new(ReadPlan::new(size, &[(ALGORITHM, layout.clone())], budget));
    plan.fits(budget)?;
    run.a.session.context().monitor.begin(Work::Read { purpose: Purpose::Compare, bytes: size.saturating_mul(2) });
    // If one of them cannot be read, the other need not be.
    let both = cancel.child_token();
    let (of_a, of_b) = tokio::join!(one(&run.a, &plan, budget, &both), one(&run.b, &plan, budget, &both));
    if cancel.is_cancelled() {
        return Ok(Read::interrupted());
    }
    let after = [("A", after(&mut run.a, &of_a).await), ("B", after(&mut run.b, &of_b).await)];
    if let Some((name, reason)) = after.into_iter().find_map(|(name, reason)| Some((name, reason?))) {
        return Ok(Read::open(format!("{name}: {reason}")));
    }
    let of = |reading: &Reading| reading.digests().all_parts(ALGORITHM, &layout);
    let (Some(of_a), Some(of_b)) = (of(&of_a), of(&of_b)) else {
        return Ok(Read::open("not every byte was read".to_owned()));
    };
    let differs = |index: &usize| of_a.get(*index) != of_b.get(*index);
    let differing: Vec<usize> = (0..layout.count()).filter(differs).collect();
    let Some(first) = differing.first().copied() else {
        let text = format!(
            "every byte of both was read: the SHA-256 of each piece of {} is the same",
            ByteSize(layout.part(0).map_or(size, ByteRange::len))
        );
        return Ok(Read { likeness: Likeness::Same, text, is_whole: true, ..Read::default() });
    };
    let (Some(piece), Some(a), Some(b)) = (layout.part(first), of_a.get(first), of_b.get(first)) else {
        return Ok(Read::open("the pieces do not fit the object".to_owned()));
    };
    let second = tokio::select! {
        biased;
        () = cancel.cancelled() => return Ok(Read::interrupted()),
        second = second_read(run, piece, (*a, *b)) => second,
    };
    Ok(match second {
        Ok(offset) => different(offset, differing.len(), &layout),
        Err(why) => Read { is_whole: true, ..Read::open(why) },
    })
}

fn different(offset: u64, differing: usize, layout: &PartLayout) -> Read {
    let (pieces, piece) = (layout.count(), layout.part(0).map_or(0, ByteRange::len));
    let text = format!(
        "the first difference is at byte {}, read twice; {differing} of {pieces} pieces of {} differ",
        ByteSize(offset).grouped(),
        ByteSize(piece)
    );
    let difference = Some(Difference { offset, differing, pieces, piece });
    Read { likeness: Likeness::Different, text, is_whole: true, difference, ..Read::default() }
}

async fn one(end: &StatedEnd, plan: &Arc<ReadPlan>, budget: Budget, both: &CancellationToken) -> Reading {
    let job = Job::new(end.found.facts.id.clone(), Arc::clone(plan), budget, both.clone());
    let reading = fetch(&end.session, job).await;
    if reading.stopped.is_some() {
        both.cancel();
    }
    reading
}

/// Why a read shows nothing: it failed, or the object was replaced meanwhile. `None` if it was ended because the other
/// one failed.
async fn after(end: &mut StatedEnd, reading: &Reading) -> Option<Reason> {
    match &reading.stopped {
        Some(Stop::Cancelled) => return None,
        Some(Stop::Failed(error)) if error.kind != ErrorKind::Changed => {
            return Some(Reason::ReadFailed { detail: error.explain() });
        }
        _ => {}
    }
    verify::changed_meanwhile(&end.session, &mut end.found, reading.stopped.as_ref()).await
}

/// Reads the first piece that differs once more, over new connections, and compares it byte by byte. Returns the offset of
/// the first byte that differs.
///
/// # Errors
///
/// Why it shows nothing; for the user.
async fn second_read(run: &CompareRun, piece: ByteRange, (a, b): (Digest, Digest)) -> Result<u64, String> {
    let place = ByteSize(piece.start()).grouped();
    run.a
        .session
        .context()
        .monitor
        .begin(Work::Read { purpose: Purpose::SecondRead, bytes: piece.len().saturating_mul(2) });
    let fresh = |end: &StatedEnd| (end.session.fresh(), end.found.facts.id.clone());
    let again = first_byte(fresh(&run.a), fresh(&run.b), run.a.found.facts.size, piece, ALGORITHM).await;
    match again {
        Err((name, error)) => {
            Err(format!("the piece at byte {place} differs, and {name} could not be read again: {}", error.explain()))
        }
        Ok(FirstByte { offset: Some(offset), a: again_a, b: again_b }) if again_a == a && again_b == b => Ok(offset),
        Ok(FirstByte { a: again_a, b: again_b, .. }) => {
            let unstable: Vec<&str> =
                [(again_a != a).then_some("A"), (again_b != b).then_some("B")].into_iter().flatten().collect();
            Err(format!(
                "unstable: the piece at byte {place} differs, and a second read of {} gave other bytes",
                unstable.join(" and of ")
            ))
        }
    }
}
