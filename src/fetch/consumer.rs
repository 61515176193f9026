use bytes::{Bytes, BytesMut};

use super::forward::Forwarding;
use super::in_order::QueueSlot;
use super::lanes::RangeLane;
use crate::checksum::{Digest, Hasher};
use crate::content::WindowCapture;
use crate::source::{FRAME, SourceError};

/// Length in bytes to which small frames are combined.
const STAGED: usize = 64 << 10;

/// Receives the bytes of one range in order, and hashes them.
pub(super) struct RangeConsumer {
    hashers: Vec<Hasher>,
    /// Digests of hashers that have ended.
    digests: Vec<Digest>,
    tap: Option<WindowCapture>,
    waiting: Waiting,
    /// Passes the bytes on to a sink.
    pub forward: Option<Forwarding>,
    /// Small frames, combined until they fill a buffer.
    staged: BytesMut,
}

/// Consumers that keep bytes until they have processed them.
struct Waiting {
    lanes: Vec<RangeLane>,
    ticket: Option<QueueSlot>,
}

impl RangeConsumer {
    /// `hashers` run here, `lanes` compute digests together with other ranges, `ticket` serves the digests in order, and `tap` captures sampled
    /// windows.
    pub(super) fn new(
        hashers: Vec<Hasher>,
        lanes: Vec<RangeLane>,
        ticket: Option<QueueSlot>,
        tap: Option<WindowCapture>,
    ) -> Self {
        RangeConsumer {
            hashers,
            digests: Vec::new(),
            tap,
            waiting: Waiting { lanes, ticket },
            forward: None,
            staged: BytesMut::new(),
        }
    }

    /// Consumes the next bytes, and waits until there is room for more.
    ///
    /// # Errors
    ///
    /// The sink that the bytes are passed on to has failed.
    pub(super) async fn take(&mut self, frame: Bytes) -> Result<(), SourceError> {
        self.hash(frame);
        if let Some(forward) = &mut self.forward {
            forward.pass().await?;
        }
        for lane in &mut self.waiting.lanes {
            lane.wait_for_room().await;
        }
        Ok(())
    }

    /// Passes on what is left of the range, and ends it at the sink.
    ///
    /// # Errors
    ///
    /// The sink has failed.
    pub(super) async fn forward_rest(&mut self) -> Result<(), SourceError> {
        self.pass_staged();
        let Some(forward) = &mut self.forward else { return Ok(()) };
        self.digests.extend(self.hashers.drain(..).map(Hasher::finish));
        forward.end(&self.digests).await
    }

    fn hash(&mut self, frame: Bytes) {
        for hasher in &mut self.hashers {
            hasher.update(&frame);
        }
        if let Some(tap) = &mut self.tap {
            tap.take(&frame);
        }
        if self.waiting.lanes.is_empty() && self.waiting.ticket.is_none() && self.forward.is_none() {
            return;
        }
        // A frame is a slice of the connection's read buffer, and keeps the whole buffer in memory. A frame that fills
        // most of it is passed on as it is. Smaller frames are combined, so that the memory in use is what is counted,
        // and streams in lanes advance in long, even steps.
        if frame.len() * 4 >= FRAME * 3 {
            self.pass_staged();
            self.pass(frame);
            return;
        }
        let mut rest = &frame[..];
        while !rest.is_empty() {
            if self.staged.capacity() == 0 {
                self.staged.reserve(STAGED);
            }
            let (now, later) = rest.split_at(rest.len().min(STAGED - self.staged.len()));
            self.staged.extend_from_slice(now);
            if self.staged.len() == STAGED {
                self.pass_staged();
            }
            rest = later;
        }
    }

    fn pass_staged(&mut self) {
        if !self.staged.is_empty() {
            let staged = std::mem::take(&mut self.staged).freeze();
            self.pass(staged);
        }
    }

    fn pass(&mut self, bytes: Bytes) {
        if let Some(forward) = &mut self.forward {
            forward.push(bytes.clone());
        }
        self.waiting.pass(bytes);
    }

    /// Ends the range. Returns the digests that it computed itself, and its captured window.
    pub(super) fn finish(mut self) -> (Vec<Digest>, Option<WindowCapture>) {
        self.pass_staged();
        self.waiting.lanes.into_iter().for_each(RangeLane::end);
        self.digests.extend(self.hashers.into_iter().map(Hasher::finish));
        (self.digests, self.tap)
    }
}

impl Waiting {
    fn pass(&mut self, bytes: Bytes) {
        if let Some(ticket) = &mut self.ticket {
            ticket.pass(&bytes);
        }
        for lane in &mut self.lanes {
            lane.push(bytes.clone());
        }
    }
}
