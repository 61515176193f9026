//! Compares two objects byte by byte.

use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::checksum::{Algorithm, Digest, Hasher};
use crate::clock::within;
use crate::ident::ObjectId;
use crate::source::{Body, ErrorKind, Session, SourceError};
use crate::units::{ByteRange, MIB};

/// Result of a comparison byte by byte.
pub(super) struct FirstByte {
    /// Offset of the first byte that differs; `None` if none does.
    pub offset: Option<u64>,
    /// Digest of the bytes of A.
    pub a: Digest,
    /// Digest of the bytes of B.
    pub b: Digest,
}

/// The bytes of a range, in order. A body that breaks is resumed from the byte where it stopped.
struct Bytewise {
    session: Session,
    id: ObjectId,
    size: u64,
    range: ByteRange,
    at: u64,
    body: Option<Body>,
    failed: u32,
    last_failure: u64,
    hasher: Hasher,
    /// Bytes that were received and not compared yet.
    frame: Bytes,
}

/// Progress in bytes after a failure that allows the full number of attempts again.
const PROGRESS: u64 = MIB;

impl Bytewise {
    fn new((session, id): (Session, ObjectId), size: u64, range: ByteRange, algorithm: Algorithm) -> Self {
        Bytewise {
            session,
            id,
            size,
            range,
            at: range.start(),
            body: None,
            failed: 0,
            last_failure: range.start(),
            hasher: Hasher::new(algorithm),
            frame: Bytes::new(),
        }
    }

    /// Receives bytes until there are some to compare; `false` at the end of the range.
    async fn fill(&mut self) -> Result<bool, SourceError> {
        while self.frame.is_empty() {
            if self.at == self.range.end() {
                return Ok(false);
            }
            match self.receive().await {
                Ok(frame) => {
                    self.session.context().monitor.received(frame.len() as u64);
                    self.at += frame.len() as u64;
                    self.hasher.update(&frame);
                    self.frame = frame;
                }
                Err(error) if error.is_transient() => {
                    self.body = None;
                    if self.at - self.last_failure >= PROGRESS {
                        self.failed = 0;
                    }
                    self.last_failure = self.at;
                    self.failed += 1;
                    self.session.context().wait(self.failed, error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The next frame.
    async fn receive(&mut self) -> Result<Bytes, SourceError> {
        let left = self.range.tail(self.at);
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.session.read_once(&self.id, self.size, left).await?,
        };
        let error = |kind, detail: &str| SourceError::new(kind, self.session.target(), detail);
        let context = self.session.context();
        let frame = within(context.clock.as_ref(), context.retry.stall, body.next()).await;
        match frame.map_err(|_| error(ErrorKind::Transient, "the connection stalled"))? {
            Some(Ok(frame)) if frame.len() as u64 > left.len() => {
                Err(error(ErrorKind::Protocol, "more bytes arrived than requested"))
            }
            Some(Ok(frame)) => {
                self.body = Some(body);
                Ok(frame)
            }
            Some(Err(error)) => Err(error),
            None => Err(error(ErrorKind::ShortBody, "the body ended early")),
        }
    }
}

/// Reads a range of both objects at the same time.
///
/// # Errors
///
/// The name of the object that cannot be read, and why.
pub(super) async fn first_byte(
    a: (Session, ObjectId),
    b: (Session, ObjectId),
    size: u64,
    range: ByteRange,
    algorithm: Algorithm,
) -> Result<FirstByte, (&'static str, SourceError)> {
    let (mut a, mut b) = (Bytewise::new(a, size, range, algorithm), Bytewise::new(b, size, range, algorithm));
    let (mut at, mut offset) = (range.start(), None);
    loop {
        let (more_a, more_b) = tokio::join!(a.fill(), b.fill());
        if !(more_a.map_err(|error| ("A", error))? && more_b.map_err(|error| ("B", error))?) {
            return Ok(FirstByte { offset, a: a.hasher.finish(), b: b.hasher.finish() });
        }
        let length = a.frame.len().min(b.frame.len());
        let (of_a, of_b) = (a.frame.split_to(length), b.frame.split_to(length));
        if offset.is_none() && of_a != of_b {
            let same = of_a.iter().zip(of_b.iter()).take_while(|(one, other)| one == other).count();
            offset = Some(at + same as u64);
        }
        at += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::Context;
    use crate::source::file::FileSource;

    #[tokio::test]
    async fn frames_of_any_size_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes: Vec<u8> = (0..1_000_000u32).map(|at| (at % 251) as u8).collect();
        let of = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Session::new(Arc::new(FileSource::new(path)), Context::default())
        };
        let a = of("a", &bytes);
        bytes[700_001] ^= 1;
        bytes[700_009] ^= 1;
        let b = of("b", &bytes);
        let id = async |session: &Session| session.head().await.unwrap().id;
        for (start, end, expected) in
            [(0, 1_000_000, Some(700_001)), (0, 700_001, None), (700_002, 1_000_000, Some(700_009)), (5, 5, None)]
        {
            let range = ByteRange::new(start, end).unwrap();
            let ends = ((a.clone(), id(&a).await), (b.clone(), id(&b).await));
            let found = first_byte(ends.0, ends.1, 1_000_000, range, Algorithm::Sha256).await;
            let found = found.map_err(|(name, error)| format!("{name}: {error}")).unwrap();
            assert_eq!((found.offset, found.a == found.b), (expected, expected.is_none()), "{range}");
        }
    }
}
