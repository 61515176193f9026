use bytes::Bytes;

use super::lanes::Md5Pool;
use super::ordered::Ticket;
use crate::checksum::{Digest, Hasher, Stream};
use crate::source::FRAME;

/// A frame that waits. It is a slice of a buffer that the connection reads into; one that fills little of it is
/// copied, so that what waits is what is counted.
fn of_its_size(frame: Bytes) -> Bytes {
    if frame.len() * 4 < FRAME * 3 { Bytes::copy_from_slice(&frame) } else { frame }
}

/// Where the bytes of one range go, in order.
pub(super) struct Sink<'a> {
    pub hashers: Vec<Hasher>,
    pub lane: Option<(&'a Md5Pool, Stream)>,
    pub ticket: Option<Ticket>,
}

impl Sink<'_> {
    pub fn take(&mut self, frame: Bytes) {
        for hasher in &mut self.hashers {
            hasher.update(&frame);
        }
        if self.ticket.is_none() && self.lane.is_none() {
            return;
        }
        let frame = of_its_size(frame);
        if let Some(ticket) = &mut self.ticket {
            ticket.pass(&frame);
        }
        if let Some((pool, stream)) = self.lane {
            pool.push(stream, frame);
        }
    }

    /// The digests that the range computed by itself.
    pub fn finish(self) -> Vec<Digest> {
        if let Some((pool, stream)) = self.lane {
            pool.end(stream);
        }
        self.hashers.into_iter().map(Hasher::finish).collect()
    }
}
