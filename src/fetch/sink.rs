use bytes::Bytes;

use super::lanes::Md5Pool;
use super::ordered::Ticket;
use crate::checksum::{Digest, Hasher, Stream};

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
