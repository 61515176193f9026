use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::blocks::{FingerprintProgress, Sidecar, SidecarError, SidecarReader, SidecarWriter};

/// The sidecar of a fingerprint while it is written, and how far it is.
pub struct DigestFile {
    pub(super) writer: SidecarWriter<BufWriter<File>>,
    pub(super) progress: FingerprintProgress,
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
    /// that belongs to other volumes.
    ///
    /// # Errors
    ///
    /// Another process writes it, it belongs to something else, or it cannot be read or written.
    pub fn open(path: &Path, key: &[u8; 32], force: bool) -> Result<Self, DigestFileError> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => DigestFileError::Locked,
            TryLockError::Error(error) => DigestFileError::Io(error),
        })?;
        let resumed = match file.metadata()?.len() {
            0 => None,
            _ => match DigestFile::resume(&mut file, key) {
                Err(DigestFileError::Other(_)) if force => None,
                other => Some(other?),
            },
        };
        match resumed {
            Some(progress) => Ok(DigestFile { writer: SidecarWriter::after(BufWriter::new(file)), progress }),
            None => {
                file.set_len(0)?;
                file.rewind()?;
                let writer = SidecarWriter::new(BufWriter::new(file), key)?;
                Ok(DigestFile { writer, progress: FingerprintProgress::default() })
            }
        }
    }

    /// Cuts the file behind its last mark, and moves there.
    fn resume(file: &mut File, key: &[u8; 32]) -> Result<FingerprintProgress, DigestFileError> {
        let resumable = SidecarReader::new(BufReader::new(&mut *file), key)?.resumable_bytes()?;
        file.set_len(resumable)?;
        file.rewind()?;
        let progress = FingerprintProgress::read(SidecarReader::new(BufReader::new(&mut *file), key)?)?;
        file.seek(SeekFrom::End(0))?;
        Ok(progress)
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
        Sidecar::of(BufReader::new(file))
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
        assert_eq!(std::fs::read(&path).unwrap(), b"something else");
        assert_eq!(DigestFile::open(&path, &KEY, true).unwrap().resumed_blocks(), 0);
    }
}
