use std::path::PathBuf;
use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::chunked::AwsChunked;
use super::{Code, S3Error, S3Request};
use crate::checksum::{Algorithm, Hasher};
use crate::content::{BLOCK, BlockWriter, Source};

/// How a body arrives and what must be computed over it.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// Where the bytes go; memory when `None`.
    pub file: Option<PathBuf>,
    pub aws_chunked: bool,
    pub algorithms: Vec<Algorithm>,
}

type Digests = Vec<(Algorithm, Vec<u8>)>;

/// A body that has arrived whole.
#[derive(Debug)]
pub(crate) struct Ingested {
    pub source: Source,
    pub size: u64,
    pub md5: Vec<u8>,
    pub digests: Digests,
    pub trailers: Vec<(String, String)>,
}

impl Ingested {
    pub(crate) fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(known, _)| *known == algorithm).map(|(_, digest)| digest.as_slice())
    }

    /// Compares the bytes with every checksum that the client sent, before the
    /// body or after it.
    pub(crate) fn check(&self, request: &S3Request) -> Result<(), S3Error> {
        if let Some(expected) = request.header("content-md5")
            && expected != STANDARD.encode(&self.md5)
        {
            return Err(Code::BadDigest.because("The Content-MD5 you specified did not match what we received."));
        }
        if let Some(length) = request.header("x-amz-decoded-content-length")
            && length.parse() != Ok(self.size)
        {
            return Err(Code::IncompleteBody.error());
        }
        for (algorithm, digest) in &self.digests {
            let name = algorithm.header();
            let trailer = self.trailers.iter().find(|(known, _)| known == name.as_str()).map(|(_, value)| value);
            let expected = request.header(name.as_str()).or(trailer.map(String::as_str));
            if expected.is_some_and(|expected| expected != STANDARD.encode(digest)) {
                return Err(Code::BadDigest.because(format!(
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.name()
                )));
            }
        }
        Ok(())
    }
}

enum Sink {
    Memory(BlockWriter),
    File { path: PathBuf, file: File, pending: Vec<u8> },
}

/// Reads a body to its end, hashing as it goes.
pub(crate) async fn ingest<E: std::fmt::Display>(
    body: impl Stream<Item = Result<Bytes, E>>,
    arrival: Arrival,
) -> Result<Ingested, S3Error> {
    let mut body = pin!(body);
    let mut sink = match arrival.file {
        None => Sink::Memory(BlockWriter::default()),
        Some(path) => Sink::File { file: File::create(&path).await?, path, pending: Vec::with_capacity(BLOCK) },
    };
    let mut framing = arrival.aws_chunked.then(AwsChunked::default);
    let mut md5 = Hasher::new(Algorithm::Md5);
    let mut hashers: Vec<(Algorithm, Hasher)> =
        arrival.algorithms.into_iter().map(|algorithm| (algorithm, Hasher::new(algorithm))).collect();
    let mut size = 0;
    let mut payload = Vec::new();
    while let Some(frame) = body.next().await {
        let frame = frame.map_err(|error| Code::IncompleteBody.because(error.to_string()))?;
        match &mut framing {
            None => payload.push(frame),
            Some(framing) => framing.push(frame, |bytes| payload.push(bytes))?,
        }
        for bytes in payload.drain(..) {
            size += bytes.len() as u64;
            md5.update(&bytes);
            hashers.iter_mut().for_each(|(_, hasher)| hasher.update(&bytes));
            sink.write(&bytes).await?;
        }
    }
    let trailers = framing.map(AwsChunked::finish).transpose()?.unwrap_or_default();
    Ok(Ingested {
        source: sink.finish(size).await?,
        size,
        md5: md5.finish(),
        digests: hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect(),
        trailers,
    })
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Sink::Memory(writer) => writer.write(bytes),
            Sink::File { file, pending, .. } => {
                pending.extend_from_slice(bytes);
                if pending.len() >= BLOCK {
                    file.write_all(pending).await?;
                    pending.clear();
                }
            }
        }
        Ok(())
    }

    async fn finish(self, len: u64) -> std::io::Result<Source> {
        match self {
            Sink::Memory(writer) => Ok(Source::Memory(writer.finish())),
            Sink::File { path, mut file, pending } => {
                file.write_all(&pending).await?;
                file.flush().await?;
                Ok(Source::File { path, len })
            }
        }
    }
}
