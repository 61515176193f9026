//! Sources of an object's bytes: memory, a file, or a generator.

mod blocks;
mod synthetic;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};

pub(crate) use blocks::{BLOCK, BlockWriter, Blocks};
pub(crate) use synthetic::Synthetic;
pub use synthetic::{ChecksumChoice, PartSizes, SyntheticError, SyntheticSpec};

use stored_ami_core::units::{ByteRange, KIB};

/// Bytes per frame of a body.
pub(crate) const FRAME: u64 = 256 * KIB;

/// A body as it goes out, frame by frame.
pub(crate) type Frames = BoxStream<'static, io::Result<Bytes>>;

#[derive(Debug, Clone)]
pub(crate) enum Source {
    Memory(Blocks),
    File { path: PathBuf, len: u64 },
    Synthetic(Arc<Synthetic>),
}

impl Source {
    /// Frees the disk space of a part that is no longer needed.
    pub(crate) fn delete_file(&self) -> io::Result<()> {
        match self {
            Source::File { path, .. } => std::fs::remove_file(path),
            Source::Memory(_) | Source::Synthetic(_) => Ok(()),
        }
    }
}

/// The stored bytes of an object version.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub source: Source,
    /// Damage laid over bytes that are not in a file: offset → XOR mask.
    pub patches: Arc<BTreeMap<u64, u8>>,
}

impl Content {
    pub(crate) fn new(source: Source) -> Self {
        Content { source, patches: Arc::default() }
    }

    /// Bytes that are all there: in a new file at `path`, or else in memory.
    pub(crate) fn of(bytes: Bytes, path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Content::new(Source::Memory(bytes.into()))) };
        std::fs::write(&path, &bytes)?;
        Ok(Content::new(Source::File { path, len: bytes.len() as u64 }))
    }

    pub(crate) fn len(&self) -> u64 {
        match &self.source {
            Source::Memory(blocks) => blocks.len(),
            Source::File { len, .. } => *len,
            Source::Synthetic(synthetic) => synthetic.len(),
        }
    }

    /// Opens the bytes for reading: what is replaced afterwards does not
    /// change what an open reader sees.
    pub(crate) fn open(&self) -> io::Result<Reader> {
        let origin = match &self.source {
            Source::Memory(blocks) => Origin::Memory(blocks.clone()),
            Source::File { path, .. } => Origin::File(Arc::new(File::open(path)?)),
            Source::Synthetic(synthetic) => Origin::Synthetic(synthetic.clone()),
        };
        Ok(Reader { origin, patches: self.patches.clone() })
    }

    /// Flips the bits of `mask` in the byte at `offset`.
    pub(crate) fn damage(&mut self, offset: u64, mask: u8) -> io::Result<()> {
        if offset >= self.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the offset lies behind the last byte"));
        }
        if let Source::File { path, .. } = &self.source {
            let file = File::options().read(true).write(true).open(path)?;
            let mut byte = [0];
            file.read_exact_at(&mut byte, offset)?;
            return file.write_all_at(&byte.map(|byte| byte ^ mask), offset);
        }
        *Arc::make_mut(&mut self.patches).entry(offset).or_default() ^= mask;
        Ok(())
    }
}

enum Origin {
    Memory(Blocks),
    File(Arc<File>),
    Synthetic(Arc<Synthetic>),
}

pub(crate) struct Reader {
    origin: Origin,
    patches: Arc<BTreeMap<u64, u8>>,
}

impl Reader {
    pub(crate) fn frames(self, range: ByteRange) -> Frames {
        stream::try_unfold((self, range.start()), move |(reader, at)| async move {
            if at >= range.end() {
                return Ok(None);
            }
            let frame = reader.frame(at, (range.end() - at).min(FRAME)).await?;
            let next = at + frame.len() as u64;
            Ok(Some((frame, (reader, next))))
        })
        .boxed()
    }

    /// At least one and at most `max` bytes from `at` on.
    async fn frame(&self, at: u64, max: u64) -> io::Result<Bytes> {
        let frame = match &self.origin {
            Origin::Memory(blocks) => blocks.slice(at, max),
            Origin::Synthetic(synthetic) => synthetic.slice(at, max),
            Origin::File(file) => {
                let file = file.clone();
                tokio::task::spawn_blocking(move || {
                    let mut buffer = vec![0; max as usize];
                    file.read_exact_at(&mut buffer, at)?;
                    io::Result::Ok(Bytes::from(buffer))
                })
                .await
                .map_err(io::Error::other)??
            }
        };
        if frame.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut damaged = self.patches.range(at..at + frame.len() as u64).peekable();
        if damaged.peek().is_none() {
            return Ok(frame);
        }
        let mut copy = frame.to_vec();
        for (offset, mask) in damaged {
            if let Some(byte) = copy.get_mut((offset - at) as usize) {
                *byte ^= mask;
            }
        }
        Ok(copy.into())
    }
}
