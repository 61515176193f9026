use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::blocks::{FingerprintProgress, Sidecar, SidecarError, SidecarReader, SidecarWriter};
use crate::files::{Locking, try_lock};

/// The sidecar of a fingerprint while it is written, and how far it is.
///
/// A sidecar of other volumes stays as it is until the new one is complete: the new one grows in a file beside it, with
/// `.new` at the end of its name, which then takes its place.
pub struct DigestFile {
    pub(super) writer: SidecarWriter<BufWriter<File>>,
    pub(super) progress: FingerprintProgress,
    /// The file that grows.
    path: PathBuf,
    /// What it replaces when it is complete.
    replaces: Option<Replaced>,
    /// When an earlier run wrote the last digest.
    written: Option<Timestamp>,
    locking: Locking,
}

/// A sidecar of other volumes. It is open, so that its lock is held.
struct Replaced {
    path: PathBuf,
    _locked: File,
}

/// Why a sidecar cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DigestFileError {
    /// The file there is no sidecar, or belongs to other snapshots.
    #[error("{0}; --force starts anew")]
    Other(SidecarError),
    /// Another process writes it.
    #[error("another process writes it")]
    Locked,
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<SidecarError> for DigestFileError {
    fn from(error: SidecarError) -> Self {
        match error {
            SidecarError::Io(error) => DigestFileError::Io(error),
            other => DigestFileError::Other(other),
        }
    }
}

impl DigestFile {
    /// Opens a sidecar for the volumes with this key, and finds out where an earlier run ended. `force` replaces one
    /// that belongs to other volumes, as soon as the new one is complete.
    ///
    /// # Errors
    ///
    /// Another process writes it, it belongs to something else, or it cannot be read or written.
    pub fn open(path: &Path, key: &[u8; 32], force: bool) -> Result<Self, DigestFileError> {
        let mut opened = Opened::open(path)?;
        match opened.resume(key) {
            Err(DigestFileError::Other(_)) if force => {}
            resumed => return opened.with(resumed?, key, None),
        }
        let replaced = Replaced { path: path.to_owned(), _locked: opened.file };
        let mut beside = Opened::open(&beside(path))?;
        let resumed = match beside.resume(key) {
            // Left by a run about other volumes. Nothing refers to it.
            Err(DigestFileError::Other(SidecarError::OtherVolumes)) => None,
            resumed => resumed?,
        };
        beside.with(resumed, key, Some(replaced))
    }

    /// The file that grows while blocks are read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether other processes are kept from writing it.
    pub fn locking(&self) -> Locking {
        self.locking
    }

    /// When the last digest was written by an earlier run; `None` without one.
    pub(super) fn written(&self) -> Option<Timestamp> {
        self.written
    }

    /// Number of blocks that an earlier run had read.
    pub fn resumed_blocks(&self) -> u64 {
        self.progress.listed()
    }

    /// Ends the sidecar, when all of it is on the disk.
    pub(super) fn finish(self) -> io::Result<Sidecar> {
        let mut file = self.writer.into_inner().into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        file.rewind()?;
        let sidecar = Sidecar::of(BufReader::new(file))?;
        if let Some(replaced) = &self.replaces {
            std::fs::rename(&self.path, &replaced.path)?;
        }
        Ok(sidecar)
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// An open file that is or becomes a sidecar.
struct Opened {
    path: PathBuf,
    file: File,
    locking: Locking,
    written: Option<Timestamp>,
}

impl Opened {
    fn open(path: &Path) -> Result<Self, DigestFileError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let locking = try_lock(&file)?;
        if locking == Locking::Elsewhere {
            return Err(DigestFileError::Locked);
        }
        let modified = file.metadata()?.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Opened { path: path.to_owned(), file, locking, written: Timestamp::try_from(modified).ok() })
    }

    /// Cuts the file behind its last mark, and moves there. `None` if it is empty.
    fn resume(&mut self, key: &[u8; 32]) -> Result<Option<FingerprintProgress>, DigestFileError> {
        let file = &mut self.file;
        let bytes = file.metadata()?.len();
        if bytes == 0 {
            return Ok(None);
        }
        let resumable = SidecarReader::new(BufReader::new(&mut *file), key)?.resumable_bytes()?;
        if resumable != bytes {
            file.set_len(resumable)?;
        }
        file.rewind()?;
        let progress = FingerprintProgress::read(SidecarReader::new(BufReader::new(&mut *file), key)?)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Some(progress))
    }

    /// The sidecar that goes on behind what was resumed, or that begins.
    fn with(
        self,
        resumed: Option<FingerprintProgress>,
        key: &[u8; 32],
        replaces: Option<Replaced>,
    ) -> Result<DigestFile, DigestFileError> {
        let Opened { path, mut file, locking, written } = self;
        let written = written.filter(|_| resumed.is_some());
        let (writer, progress) = match resumed {
            Some(progress) => (SidecarWriter::after(BufWriter::new(file)), progress),
            None => {
                file.set_len(0)?;
                file.rewind()?;
                (SidecarWriter::new(BufWriter::new(file), key)?, FingerprintProgress::default())
            }
        };
        Ok(DigestFile { writer, progress, path, replaces, written, locking })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::{BlockContent, BlockDigest, BlockIndex};

    const KEY: [u8; 32] = [3; 32];

    #[test]
    fn it_goes_on_behind_the_last_mark_and_refuses_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.blocks");
        let digest = BlockDigest::new([5; 32]);
        let mut first = DigestFile::open(&path, &KEY, false).unwrap();
        first.writer.block(0, BlockIndex(4), digest).unwrap();
        first.writer.mark(0, Some(BlockIndex(9)), 7).unwrap();
        first.writer.block(0, BlockIndex(11), digest).unwrap();
        assert!(matches!(DigestFile::open(&path, &KEY, true), Err(DigestFileError::Locked)));
        drop(first);
        let mut second = DigestFile::open(&path, &KEY, false).unwrap();
        assert_eq!((second.resumed_blocks(), second.progress.next()), (7, BlockIndex(9)));
        second.progress.add(BlockIndex(12), BlockContent::Written(digest));
        second.writer.block(0, BlockIndex(12), digest).unwrap();
        second.writer.mark(0, None, 8).unwrap();
        let whole = second.finish().unwrap();
        assert_eq!(whole.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(DigestFile::open(&path, &KEY, false).unwrap().progress.finished[0].listed, 8);

        for other in [KEY.map(|byte| byte + 1), [0; 32]] {
            let refused = DigestFile::open(&path, &other, false).err().unwrap().to_string();
            assert_eq!(refused, "holds the digests of other snapshots; --force starts anew");
        }
        std::fs::write(&path, "something else").unwrap();
        assert!(matches!(DigestFile::open(&path, &KEY, false), Err(DigestFileError::Other(_))));
        // It stays until the new one is complete, which an interrupted run continues.
        let mut new = DigestFile::open(&path, &KEY, true).unwrap();
        assert!(matches!(DigestFile::open(&path, &KEY, true), Err(DigestFileError::Locked)));
        assert_eq!((new.resumed_blocks(), new.path()), (0, &*folder.path().join("x.blocks.new")));
        new.writer.block(0, BlockIndex(4), digest).unwrap();
        new.writer.mark(0, Some(BlockIndex(9)), 7).unwrap();
        drop(new);
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
        let mut new = DigestFile::open(&path, &KEY, true).unwrap();
        assert_eq!((new.resumed_blocks(), new.written().is_some()), (7, true));
        new.writer.mark(0, None, 8).unwrap();
        let whole = new.finish().unwrap();
        assert_eq!((whole.bytes, whole), (std::fs::metadata(&path).unwrap().len(), identify(&path)));
        assert!(!folder.path().join("x.blocks.new").exists());
        // A file that is no sidecar is never replaced without being named.
        std::fs::write(&path, "something else").unwrap();
        std::fs::write(folder.path().join("x.blocks.new"), "of a user").unwrap();
        assert!(matches!(DigestFile::open(&path, &KEY, true), Err(DigestFileError::Other(SidecarError::Foreign))));
    }

    fn identify(path: &Path) -> Sidecar {
        Sidecar::of(BufReader::new(File::open(path).unwrap())).unwrap()
    }
}
