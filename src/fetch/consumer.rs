use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::in_order::QueueSlot;
use super::lanes::Md5Pool;
use crate::checksum::{Digest, Hasher, LaneStream, Room};
use crate::content::WindowCapture;
use crate::source::FRAME;

/// Where the bytes of one range go, in order.
pub(super) struct RangeConsumer<'a> {
    hashers: Vec<Hasher>,
    tap: Option<WindowCapture>,
    waiting: Waiting<'a>,
    /// Small frames, put together until they fill a buffer.
    staged: BytesMut,
}

/// Those that bytes wait for.
struct Waiting<'a> {
    lane: Option<(&'a Arc<Md5Pool>, LaneStream)>,
    ticket: Option<QueueSlot>,
    /// The lanes have no room for more bytes now.
    full: bool,
}

impl<'a> RangeConsumer<'a> {
    pub fn new(
        hashers: Vec<Hasher>,
        lane: Option<(&'a Arc<Md5Pool>, LaneStream)>,
        ticket: Option<QueueSlot>,
        tap: Option<WindowCapture>,
    ) -> Self {
        RangeConsumer { hashers, tap, waiting: Waiting { lane, ticket, full: false }, staged: BytesMut::new() }
    }

    /// Takes the next bytes, and waits until there is room for more.
    pub async fn take(&mut self, frame: Bytes) {
        self.hash(frame);
        if let Some((pool, _)) = self.waiting.lane.filter(|_| std::mem::take(&mut self.waiting.full)) {
            let pool = Arc::clone(pool);
            // A panic of the other thread loses its own range only.
            drop(tokio::task::spawn_blocking(move || pool.wait_for_room()).await);
        }
    }

    fn hash(&mut self, frame: Bytes) {
        for hasher in &mut self.hashers {
            hasher.update(&frame);
        }
        if let Some(tap) = &mut self.tap {
            tap.take(&frame);
        }
        if self.waiting.lane.is_none() && self.waiting.ticket.is_none() {
            return;
        }
        // A frame is a slice of a buffer that the connection reads into, and keeps all of it in memory. One that
        // fills it waits as it is; smaller ones are put together, so that what waits is what is counted, and streams
        // in lanes go on in long even steps.
        if frame.len() * 4 >= FRAME * 3 {
            self.pass_staged();
            self.waiting.pass(frame);
            return;
        }
        let mut rest = &frame[..];
        while !rest.is_empty() {
            if self.staged.capacity() == 0 {
                self.staged.reserve(FRAME);
            }
            let (now, later) = rest.split_at(rest.len().min(FRAME - self.staged.len()));
            self.staged.extend_from_slice(now);
            if self.staged.len() == FRAME {
                self.pass_staged();
            }
            rest = later;
        }
    }

    fn pass_staged(&mut self) {
        if !self.staged.is_empty() {
            self.waiting.pass(std::mem::take(&mut self.staged).freeze());
        }
    }

    /// The digests that the range computed by itself, and its tap.
    pub fn finish(mut self) -> (Vec<Digest>, Option<WindowCapture>) {
        self.pass_staged();
        if let Some((pool, stream)) = self.waiting.lane {
            pool.end(stream);
        }
        (self.hashers.into_iter().map(Hasher::finish).collect(), self.tap)
    }
}

impl Waiting<'_> {
    fn pass(&mut self, bytes: Bytes) {
        if let Some(ticket) = &mut self.ticket {
            ticket.pass(&bytes);
        }
        if let Some((pool, stream)) = self.lane {
            self.full |= pool.push(stream, bytes) == Room::Full;
        }
    }
}
