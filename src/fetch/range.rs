use futures_util::StreamExt;

use super::sink::Sink;
use crate::ident::ObjectId;
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::{ByteRange, MIB};

/// So much progress after a failure shows that the connection was worth another full
/// set of attempts.
const PROGRESS: u64 = MIB;

/// One range to read, from its first byte to its last, over as many bodies as it takes.
pub(super) struct Range<'a> {
    pub session: &'a Session,
    pub id: &'a ObjectId,
    pub size: u64,
    pub range: ByteRange,
}

impl Range<'_> {
    /// Hashes every byte of the range once, in order. A body that breaks off is taken up
    /// again at the byte where it stopped, under the same identity.
    pub async fn read(&self, sink: &mut Sink<'_>) -> Result<(), SourceError> {
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
                    self.session.context().wait(failed, error).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn one_body(&self, at: &mut u64, sink: &mut Sink<'_>) -> Result<(), SourceError> {
        let left = self.range.tail(*at);
        if left.is_empty() && !self.range.is_empty() {
            return Ok(());
        }
        let mut body = self.session.read_once(self.id, self.size, left).await?;
        let stall = self.session.context().retry.stall;
        loop {
            let Ok(frame) = tokio::time::timeout(stall, body.next()).await else {
                return Err(self.error(ErrorKind::Transient, format!("no byte came for {} s", stall.as_secs())));
            };
            let Some(frame) = frame else { break };
            let frame = frame?;
            let end = at.saturating_add(frame.len() as u64);
            if end > self.range.end() {
                return Err(self.error(ErrorKind::Protocol, format!("more bytes came than asked for ({})", self.range)));
            }
            self.session.context().monitor.received(frame.len() as u64);
            sink.take(frame);
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
