//! Verifies a copy that `split` cut into pieces, without joining them: a source of bytes of one's own.
//!
//! `cargo run --example custom_source -- sha256:9f86d0… copy.aa copy.ab copy.ac`

#![allow(clippy::print_stdout, reason = "an example")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use stored_ami::facts::{AttributeFacts, FactsSource, LockFacts, ObjectFacts, PartFacts};
use stored_ami::ident::{ObjectId, Target};
use stored_ami::source::{Body, ErrorKind, FRAME, SourceError};
use stored_ami::units::{ByteRange, PartNumber};
use stored_ami::{CancellationToken, Context, ObjectSource, Session, VerifyOptions, verify};

/// Files that are one object, in order.
#[derive(Clone)]
struct Pieces {
    target: Target,
    files: Vec<(PathBuf, u64)>,
}

impl Pieces {
    fn open(paths: Vec<PathBuf>) -> io::Result<Self> {
        let target = Target::File(paths.first().cloned().unwrap_or_default());
        let sized = |path: PathBuf| Ok((path.clone(), path.metadata()?.len()));
        Ok(Pieces { target, files: paths.into_iter().map(sized).collect::<io::Result<_>>()? })
    }

    /// At most a frame of bytes from this offset, of one file.
    fn frame(&self, offset: u64, most: u64) -> io::Result<Bytes> {
        let mut start = 0;
        for (path, size) in &self.files {
            if offset < start + size {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(offset - start))?;
                let length = most.min(start + size - offset).min(FRAME as u64);
                let mut frame = vec![0; length as usize];
                file.read_exact(&mut frame)?;
                return Ok(frame.into());
            }
            start += size;
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn unsupported<T>(&self) -> Result<T, SourceError> {
        Err(SourceError::new(ErrorKind::Unsupported, &self.target, "files have no such thing"))
    }
}

#[async_trait]
impl ObjectSource for Pieces {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        let size = self.files.iter().map(|(_, size)| size).sum();
        let modified = self.files.iter().filter_map(|(path, _)| path.metadata().ok()?.modified().ok()).max();
        let id = ObjectId { target: self.target.clone(), etag: None };
        let last_modified = modified.and_then(|time| time.try_into().ok());
        Ok(ObjectFacts { last_modified, ..ObjectFacts::new(id, FactsSource::FileSystem, size) })
    }

    async fn read(&self, _: &ObjectId, _: u64, range: ByteRange) -> Result<Body, SourceError> {
        Ok(Box::pin(stream::try_unfold((self.clone(), range), |(pieces, left)| async move {
            if left.is_empty() {
                return Ok(None);
            }
            let frame = pieces.frame(left.start(), left.len());
            let frame = frame.map_err(|error| SourceError::new(ErrorKind::Io, &pieces.target, error.to_string()))?;
            let left = left.tail(left.start() + frame.len() as u64);
            Ok(Some((frame, (pieces, left))))
        })))
    }

    async fn attributes(&self, _: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.unsupported()
    }

    async fn part(&self, _: &ObjectId, _: PartNumber) -> Result<PartFacts, SourceError> {
        self.unsupported()
    }

    async fn tags(&self, _: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.unsupported()
    }

    async fn lock(&self, _: &ObjectId) -> Result<LockFacts, SourceError> {
        self.unsupported()
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.unsupported()
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(self.clone())
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let expected = args.next().ok_or("usage: custom_source ALGORITHM:VALUE FILE…")?.parse()?;
    let pieces = Pieces::open(args.map(PathBuf::from).collect())?;
    let session = Session::new(Arc::new(pieces), Context::default());
    let options = VerifyOptions { expect: vec![expected], ..VerifyOptions::default() };
    let report = verify(&session, &options, &CancellationToken::new()).await?.report;
    println!("{} ({} bytes read)", report.verdict, report.stats.received_bytes);
    Ok(report.exit_code.code().into())
}
