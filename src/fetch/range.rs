use futures_util::StreamExt;

use super::consumer::RangeConsumer;
use super::reader_pool::ReaderPool;
use crate::ident::ObjectId;
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::{ByteRange, ByteSize, KIB, MIB};

/// So much progress after a failure shows that the connection was worth another full
/// set of attempts.
const PROGRESS: u64 = MIB;
/// A connection that brings less in the time after which it counts as stalled is given up too.
const SLOWEST: u64 = 16 * KIB;

/// One range to read, from its first byte to its last, over as many bodies as it takes.
pub(super) struct Range<'a> {
    pub session: &'a Session,
    pub crowd: &'a ReaderPool,
    pub id: &'a ObjectId,
    pub size: u64,
    pub range: ByteRange,
}

impl Range<'_> {
    /// Hashes every byte of the range once, in order. A body that breaks off is taken up
    /// again at the byte where it stopped, under the same identity.
    pub async fn read(&self, sink: &mut RangeConsumer<'_>) -> Result<(), SourceError> {
        let mut at = self.range.start();
        let mut failed = 0;
        let mut last_failure = at;
        loop {
            match self.one_body(&mut at, sink).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_transient() => {
                    if at - last_failure >= PROGRESS {
                        failed = 0;
                    }
                    last_failure = at;
                    failed += 1;
                    if error.kind == ErrorKind::Throttled {
                        self.crowd.throttled(self.session.context().clock.as_ref());
                    }
                    self.session.context().wait(failed, error).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn one_body(&self, at: &mut u64, sink: &mut RangeConsumer<'_>) -> Result<(), SourceError> {
        let left = self.range.tail(*at);
        // No request can ask for no bytes. That an empty object is there is asked for with all of it.
        if left.is_empty() && self.size > 0 {
            return Ok(());
        }
        let mut body = self.session.read_once(self.id, self.size, left).await?;
        let context = self.session.context();
        let stall = context.retry.stall;
        let (mut over, mut since) = (context.clock.limit(stall), *at);
        loop {
            // Whoever waits when the time is over looks back at what came in it.
            let frame = tokio::select! {
                biased;
                frame = body.next() => Some(frame),
                () = &mut over => None,
            };
            let frame = match frame {
                Some(Some(frame)) => frame?,
                Some(None) => break,
                // Nothing is never enough: the body of an empty range may come to no end either.
                None if *at - since >= SLOWEST.min(left.len()).max(1) => {
                    (over, since) = (context.clock.limit(stall), *at);
                    continue;
                }
                None => {
                    let came = ByteSize(*at - since);
                    let detail = format!("the connection stalled: {came} came in {} s", stall.as_secs());
                    return Err(self.error(ErrorKind::Transient, detail));
                }
            };
            let end = at.saturating_add(frame.len() as u64);
            if end > self.range.end() {
                return Err(self.error(ErrorKind::Protocol, format!("more bytes came than asked for ({})", self.range)));
            }
            context.monitor.received(frame.len() as u64);
            self.crowd.received(frame.len() as u64, context.clock.as_ref());
            sink.take(frame).await;
            *at = end;
        }
        if *at < self.range.end() {
            let detail = format!("the body ended at byte {at} of {}", self.range);
            return Err(self.error(ErrorKind::ShortBody, detail));
        }
        Ok(())
    }

    fn error(&self, kind: ErrorKind, detail: String) -> SourceError {
        SourceError::new(kind, self.session.target(), detail)
    }
}
