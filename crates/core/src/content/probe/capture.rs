use std::sync::Arc;

use super::{Gauge, Measure, ProbePlan, Probed};
use crate::units::ByteRange;

/// Copies the bytes of the sampled windows out of one range while that range is read in order.
///
/// Drop it if the read of the range fails. Pass it to [`Probe::add`] when the range is complete or was read
/// in part.
#[derive(Debug)]
pub struct WindowCapture {
    plan: Arc<ProbePlan>,
    at: u64,
    /// Index of the next window, and the offset where it starts; `u64::MAX` after the last window.
    next: usize,
    wanted_from: u64,
    pieces: Vec<Piece>,
}

/// The bytes of one window that lie in this range.
#[derive(Debug)]
struct Piece {
    window: usize,
    offset: u64,
    bytes: Vec<u8>,
}

impl WindowCapture {
    /// A capture for bytes that start at offset `start` of the object.
    pub fn new(plan: &Arc<ProbePlan>, start: u64) -> Self {
        let next = plan.windows().partition_point(|window| window.end() <= start);
        let mut tap = WindowCapture { plan: Arc::clone(plan), at: start, next, wanted_from: 0, pieces: Vec::new() };
        tap.wanted_from = tap.window().map_or(u64::MAX, ByteRange::start);
        tap
    }

    fn window(&self) -> Option<ByteRange> {
        self.plan.windows().get(self.next).copied()
    }

    /// Takes the next bytes of the range. Outside windows the cost is one comparison.
    pub fn take(&mut self, frame: &[u8]) {
        let end = self.at.saturating_add(frame.len() as u64);
        if end > self.wanted_from {
            self.keep(frame, end);
        }
        self.at = end;
    }

    fn keep(&mut self, frame: &[u8], end: u64) {
        while let Some(window) = self.window() {
            let (from, to) = (window.start().max(self.at), window.end().min(end));
            let within = |at: u64| at.checked_sub(self.at).and_then(|at| usize::try_from(at).ok());
            let bytes = within(from).zip(within(to)).and_then(|(from, to)| frame.get(from..to)).unwrap_or_default();
            match self.pieces.last_mut() {
                Some(last) if last.window == self.next => last.bytes.extend_from_slice(bytes),
                _ if bytes.is_empty() => {}
                _ => {
                    let offset = from - window.start();
                    self.pieces.push(Piece { window: self.next, offset, bytes: bytes.to_vec() });
                }
            }
            if window.end() > end {
                break;
            }
            self.next += 1;
        }
        self.wanted_from = self.window().map_or(u64::MAX, ByteRange::start);
    }
}

/// Assembles the windows from the captures of all ranges. A window is measured as soon as it is complete, so
/// few bytes are held and little work remains at the end.
pub struct Probe {
    plan: Arc<ProbePlan>,
    gauge: Option<Gauge>,
    windows: Vec<Window>,
}

enum Window {
    Nothing,
    /// Some bytes are present: the window spans several ranges.
    Partly {
        bytes: Vec<u8>,
        filled: Vec<bool>,
    },
    Measured(Box<Measure>),
    /// The compressor could not allocate memory.
    Failed,
}

impl Probe {
    /// A probe without any bytes yet.
    pub fn new(plan: Arc<ProbePlan>) -> Self {
        let windows = plan.windows().iter().map(|_| Window::Nothing).collect();
        Probe { plan, gauge: None, windows }
    }

    /// Adds the bytes of a capture made for the same plan. Bytes that are already present are not replaced.
    pub fn add(&mut self, tap: WindowCapture) {
        for piece in tap.pieces {
            let length = self.plan.windows().get(piece.window).map_or(0, |window| window.len() as usize);
            let Some(slot) = self.windows.get_mut(piece.window) else { continue };
            let mut measure = |bytes: &[u8]| {
                if self.gauge.is_none() {
                    self.gauge = Gauge::new();
                }
                let measure = self.gauge.as_mut().and_then(|gauge| gauge.measure(bytes));
                measure.map_or(Window::Failed, |measure| Window::Measured(Box::new(measure)))
            };
            match slot {
                Window::Nothing if piece.offset == 0 && piece.bytes.len() == length => *slot = measure(&piece.bytes),
                Window::Nothing => {
                    let (mut bytes, mut filled) = (vec![0; length], vec![false; length]);
                    copy_piece(&mut bytes, &mut filled, &piece);
                    *slot = Window::Partly { bytes, filled };
                }
                Window::Partly { bytes, filled } => {
                    copy_piece(bytes, filled, &piece);
                    if filled.iter().all(|filled| *filled) {
                        *slot = measure(bytes);
                    }
                }
                Window::Measured(_) | Window::Failed => {}
            }
        }
    }

    /// The result. A window that lacks bytes counts as not read and widens the intervals.
    pub fn finish(self) -> Probed {
        let measures: Vec<Option<Measure>> = self
            .windows
            .into_iter()
            .map(|window| match window {
                Window::Measured(measure) => Some(*measure),
                Window::Nothing | Window::Partly { .. } | Window::Failed => None,
            })
            .collect();
        Probed::new(&self.plan, &measures)
    }
}

fn copy_piece(bytes: &mut [u8], filled: &mut [bool], piece: &Piece) {
    let places = bytes.iter_mut().zip(filled).skip(piece.offset as usize);
    for ((place, filled), byte) in places.zip(&piece.bytes) {
        if !std::mem::replace(filled, true) {
            *place = *byte;
        }
    }
}
