use futures_util::StreamExt;

use super::consumer::RangeConsumer;
use super::reader_pool::ReaderPool;
use crate::ident::ObjectId;
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::{ByteRange, ByteSize, KIB, MIB};

/// Progress in bytes after a failure that allows the full number of attempts again.
const PROGRESS: u64 = MIB;
/// A connection that delivers fewer bytes within the stall time counts as stalled.
const SLOWEST: u64 = 16 * KIB;

/// One range to read completely, with as many requests as necessary.
pub(super) struct Range<'a> {
    /// Sends the requests.
    pub session: &'a Session,
    /// The readers, whose number depends on throughput and throttling.
    pub crowd: &'a ReaderPool,
    /// The identity that every response must have.
    pub id: &'a ObjectId,
    /// Size of the object in bytes.
    pub size: u64,
    /// The range to read.
    pub range: ByteRange,
}

impl Range<'_> {
    /// Passes every byte of the range to `sink` once, in order. After an incomplete body, reading resumes at the byte
    /// where it stopped, under the same identity.
    pub(super) async fn read(&self, sink: &mut RangeConsumer) -> Result<(), SourceError> {
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

    async fn one_body(&self, at: &mut u64, sink: &mut RangeConsumer) -> Result<(), SourceError> {
        let left = self.range.tail(*at);
        // No request can ask for zero bytes. An empty object is requested as a whole, to see that it exists.
        if left.is_empty() && self.size > 0 {
            return Ok(());
        }
        let mut body = self.session.read_once(self.id, self.size, left).await?;
        let context = self.session.context();
        let stall = context.retry.stall;
        let (mut over, mut since) = (context.clock.limit(stall), *at);
        loop {
            // At the time limit, the number of bytes since the last limit decides.
            let frame = tokio::select! {
                biased;
                frame = body.next() => Some(frame),
                () = &mut over => None,
            };
            let frame = match frame {
                Some(Some(frame)) => frame?,
                Some(None) => break,
                // At least one byte is necessary: the body of an empty range may also never end.
                None if *at - since >= SLOWEST.min(left.len()).max(1) => {
                    (over, since) = (context.clock.limit(stall), *at);
                    continue;
                }
                None => {
                    let came = ByteSize(*at - since);
                    let detail = format!("the connection stalled: {came} arrived in {} s", stall.as_secs());
                    return Err(self.error(ErrorKind::Transient, detail));
                }
            };
            let end = at.saturating_add(frame.len() as u64);
            if end > self.range.end() {
                return Err(
                    self.error(ErrorKind::Protocol, format!("more bytes arrived than requested ({})", self.range))
                );
            }
            context.monitor.received(frame.len() as u64);
            self.crowd.received(frame.len() as u64, context.clock.as_ref());
            sink.take(frame).await?;
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
