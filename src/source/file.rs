//! A local file, read at offsets by several readers at once.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use jiff::Timestamp;
use nix::libc::O_NONBLOCK;

use super::{Advice, Body, ErrorKind, ObjectSource, SourceError};
use crate::facts::{AttributeFacts, FactsSource, LockFacts, ObjectFacts, PartFacts};
use crate::ident::{ETag, ObjectId, ObjectIdentity, Same, Target};
use crate::units::{ByteRange, KIB, PartNumber};

/// Bytes per read: enough to amortise the system call, and small enough for the processor's cache.
const FRAME: u64 = 256 * KIB;

/// A regular local file as an object. Clones share the identity of the file.
#[derive(Debug, Clone)]
pub struct FileSource {
    target: Target,
    path: PathBuf,
    /// The file as first opened, shared by all clones.
    first: Arc<OnceLock<Found>>,
}

/// Device, inode and size of a file.
#[derive(Debug, Clone, Copy)]
struct Found {
    device: u64,
    inode: u64,
    size: u64,
}

impl FileSource {
    /// A source for the file at `path`. The file is opened by the first request.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        FileSource { target: Target::File(path.clone()), path, first: Arc::new(OnceLock::new()) }
    }

    fn error(&self, error: std::io::Error) -> SourceError {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ => ErrorKind::Io,
        };
        let made = SourceError::new(kind, &self.target, error.to_string());
        match error.kind() {
            std::io::ErrorKind::NotFound => made.with_advice(Advice::CheckPath).caused_by(error),
            _ => made.caused_by(error),
        }
    }

    fn none_here(&self) -> SourceError {
        SourceError::new(ErrorKind::Unsupported, &self.target, "a local file has none")
    }

    fn open(&self) -> Result<(File, Metadata), SourceError> {
        // Checked before opening, because opening a pipe blocks until a writer appears.
        let metadata = std::fs::metadata(&self.path).map_err(|error| self.error(error))?;
        if metadata.is_dir() {
            return Err(SourceError::new(ErrorKind::Invalid, &self.target, "is a directory; name the files in it"));
        }
        if !metadata.is_file() {
            return Err(self.special());
        }
        let open = || {
            // The file may have been replaced by a pipe since; opening must not block.
            let file = File::options().read(true).custom_flags(O_NONBLOCK).open(&self.path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|error| self.error(error))?;
        if !metadata.is_file() {
            return Err(self.special());
        }
        self.holds_still(&metadata)?;
        Ok((file, metadata))
    }

    fn special(&self) -> SourceError {
        let detail = "is not a regular file: pipes and devices have no size to hold their bytes against";
        SourceError::new(ErrorKind::Invalid, &self.target, detail)
    }

    /// Refuses a file that grew or shrank since it was first opened: its bytes cannot be judged. A file that replaced
    /// it has another identity, which `read` compares.
    fn holds_still(&self, now: &Metadata) -> Result<(), SourceError> {
        let found = Found { device: now.dev(), inode: now.ino(), size: now.size() };
        let first = self.first.get_or_init(|| found);
        if (first.device, first.inode) == (found.device, found.inode) && first.size != found.size {
            return Err(self.unstable(format!("it had {} bytes, and has {} now", first.size, found.size)));
        }
        Ok(())
    }

    fn unstable(&self, detail: impl std::fmt::Display) -> SourceError {
        SourceError::new(ErrorKind::Io, &self.target, format!("is not a stable file: {detail}"))
    }

    /// Files that the kernel generates on reading state a size of 0 or of a page, so a read at the end must return
    /// nothing.
    fn ends_at_its_size(&self, file: &File, size: u64) -> Result<(), SourceError> {
        match file.read_at(&mut [0], size) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.unstable(format!("it yields more bytes than its size of {size}"))),
            Err(error) => Err(self.error(error)),
        }
    }
}

/// Identity of the current content of a file: inode, size, and time of the last status change.
fn identity(metadata: &Metadata) -> ETag {
    ETag::new(&format!(
        "inode-{}-{}-{}.{:09}",
        metadata.ino(),
        metadata.size(),
        metadata.ctime(),
        metadata.ctime_nsec()
    ))
}

#[async_trait]
impl ObjectSource for FileSource {
    fn target(&self) -> &Target {
        &self.target
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        let (file, metadata) = self.open()?;
        self.ends_at_its_size(&file, metadata.size())?;
        let id = ObjectId { target: self.target.clone(), etag: Some(identity(&metadata)) };
        Ok(ObjectFacts {
            last_modified: Timestamp::new(metadata.mtime(), i32::try_from(metadata.mtime_nsec()).unwrap_or(0)).ok(),
            ..ObjectFacts::new(id, FactsSource::FileSystem, metadata.size())
        })
    }

    async fn attributes(&self, _: &ObjectId) -> Result<AttributeFacts, SourceError> {
        Err(self.none_here())
    }

    async fn part(&self, _: &ObjectId, _: PartNumber) -> Result<PartFacts, SourceError> {
        Err(self.none_here())
    }

    async fn tags(&self, _: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        Err(self.none_here())
    }

    async fn lock(&self, _: &ObjectId) -> Result<LockFacts, SourceError> {
        Err(self.none_here())
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        Err(self.none_here())
    }

    async fn read(&self, id: &ObjectId, _: u64, range: ByteRange) -> Result<Body, SourceError> {
        let (file, metadata) = self.open()?;
        let now = identity(&metadata);
        let is_now = ObjectIdentity::of_etag(Some(now.clone()));
        if matches!(ObjectIdentity::of_etag(id.etag.clone()).same_as(&is_now), Same::No(_)) {
            let detail = format!("the file was changed or replaced (was {:?}, is {now})", id.etag);
            return Err(SourceError::new(ErrorKind::Changed, &self.target, detail));
        }
        let state = (self.clone(), Arc::new(file), range);
        Ok(Box::pin(stream::try_unfold(state, |(source, file, left)| async move {
            if left.is_empty() {
                return Ok(None);
            }
            let take = left.len().min(FRAME);
            let frame = source.frame(&file, left.start(), take).await?;
            let left = left.tail(left.start().saturating_add(frame.len() as u64));
            Ok(Some((frame, (source, file, left))))
        })))
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(self.clone())
    }
}

impl FileSource {
    async fn frame(&self, file: &Arc<File>, offset: u64, length: u64) -> Result<Bytes, SourceError> {
        let file = Arc::clone(file);
        // Allocated here: there are many threads for blocking work, and the allocator keeps freed memory for each of
        // them.
        let mut buffer = BytesMut::zeroed(length as usize);
        let read = move || {
            let got = file.read_at(&mut buffer, offset)?;
            buffer.truncate(got);
            Ok::<_, std::io::Error>(buffer.freeze())
        };
        let frame = match tokio::task::spawn_blocking(read).await {
            Ok(frame) => frame.map_err(|error| self.error(error))?,
            Err(error) => {
                let panicked = SourceError::new(ErrorKind::Internal, &self.target, error.to_string());
                return Err(panicked.caused_by(error));
            }
        };
        if frame.is_empty() {
            return Err(self.unstable("it yields fewer bytes than its size"));
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn reads_ranges_and_notices_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.bin");
        let data: Vec<u8> = (0..600_001u32).map(|i| (i * 31 / 7) as u8).collect();
        std::fs::write(&path, &data).unwrap();
        let source = FileSource::new(&path);
        let facts = source.head().await.unwrap();
        assert_eq!(facts.size, 600_001);
        let range = ByteRange::new(5, 600_000).unwrap();
        let frames: Vec<Bytes> = source.read(&facts.id, facts.size, range).await.unwrap().try_collect().await.unwrap();
        assert_eq!(frames.concat(), data[5..600_000]);

        let replaced = dir.path().join("y.bin");
        std::fs::write(&replaced, &data[1..]).unwrap();
        std::fs::rename(&replaced, &path).unwrap();
        let error = source.read(&facts.id, facts.size, range).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Changed);
    }

    #[tokio::test]
    async fn a_file_that_grows_or_shrinks_is_not_stable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for size in [900_000, 1_100_000, 0] {
            std::fs::write(&path, vec![7; 1_000_000]).unwrap();
            let source = FileSource::new(&path);
            let facts = source.head().await.unwrap();
            let range = ByteRange::new(0, facts.size).unwrap();
            let started = source.read(&facts.id, facts.size, range).await.unwrap();
            File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
            let fresh = source.fresh();
            let head = fresh.head().await.err().unwrap();
            let read = fresh.read(&facts.id, facts.size, range).await.err().unwrap();
            for error in [head, read] {
                assert_eq!(error.kind, ErrorKind::Io);
                assert!(error.detail.contains("not a stable file"), "{error}");
            }
            let rest: Result<Vec<Bytes>, SourceError> = started.try_collect().await;
            if size < facts.size {
                assert!(rest.err().unwrap().detail.contains("fewer bytes than its size"));
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_yields_more_than_its_size_is_not_stable() {
        let error = FileSource::new("/proc/version").head().await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Io);
        assert!(error.detail.contains("more bytes than its size of 0"), "{error}");
        let error = FileSource::new("/dev/zero").head().await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn a_directory_is_said_to_be_one() {
        let dir = tempfile::tempdir().unwrap();
        let error = FileSource::new(dir.path()).head().await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.to_string().contains("is a directory"));
        let missing = FileSource::new(dir.path().join("none")).head().await.err().unwrap();
        assert_eq!(missing.kind, ErrorKind::NotFound);
    }
}
