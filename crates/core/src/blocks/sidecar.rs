use std::io::{self, Read, Write};

use super::{BlockDigest, BlockHasher, BlockIndex};
use crate::checksum::{Algorithm, Hasher};

/// The first bytes of every sidecar. They end the format's version.
const MAGIC: &[u8; 20] = b"stored-ami blocks 1\n";
/// Bytes of the head of a frame.
const HEAD: usize = 16;
/// Blocks of one frame at most.
const MOST_BLOCKS: u32 = 1_024;
/// The index in the mark at the end of a volume.
const END: BlockIndex = BlockIndex(u32::MAX);

/// Identity of a complete sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sidecar {
    /// SHA-256 of all its bytes.
    pub sha256: BlockDigest,
    /// Its length.
    pub bytes: u64,
}

impl Sidecar {
    /// Reads a sidecar to its end, without looking into it.
    ///
    /// # Errors
    ///
    /// Reading fails.
    pub fn of(mut sidecar: impl Read) -> io::Result<Self> {
        let mut hasher = BlockHasher::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match sidecar.read(&mut buffer)? {
                0 => return Ok(Sidecar { bytes: hasher.bytes(), sha256: hasher.finish() }),
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            }
        }
    }
}

/// What a sidecar states, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A block that is not zeros.
    Block {
        /// Number of the volume, from 0.
        volume: u32,
        /// Place of the block.
        index: BlockIndex,
        /// Its digest.
        digest: BlockDigest,
    },
    /// All blocks before `next` were read.
    Mark {
        /// Number of the volume, from 0.
        volume: u32,
        /// The first block that was not read; `None` at the end of the volume.
        next: Option<BlockIndex>,
        /// Number of blocks that the snapshot lists before `next`.
        listed: u64,
    },
}

/// A sidecar cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// It does not begin as a sidecar does.
    #[error("is no file with digests of blocks")]
    Foreign,
    /// It belongs to other snapshots.
    #[error("holds the digests of other snapshots")]
    OtherVolumes,
    /// It is cut off, or was changed.
    #[error("is damaged or cut off after byte {0}")]
    Damaged(u64),
    /// Reading fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What identifies the volumes of a sidecar: the SHA-256 of their devices, snapshots and sizes, in order.
pub fn volumes_key<'a>(image: &str, volumes: impl IntoIterator<Item = (&'a str, &'a str)>) -> [u8; 32] {
    let mut hasher = BlockHasher::default();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(image);
    for (device, snapshot) in volumes {
        add(device);
        add(snapshot);
    }
    *hasher.finish().as_bytes()
}

fn check(head: &[u8], body: &[u8]) -> [u8; 4] {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(head);
    hasher.update(body);
    let digest = hasher.finish();
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Writes the digests of blocks in the order of the volumes: 32 bytes for each block that is not zeros, and 16 for each
/// run of such blocks. A reader finds the end of what was written completely.
pub struct SidecarWriter<W> {
    out: W,
    volume: u32,
    start: BlockIndex,
    digests: Vec<u8>,
    /// A write failed, so a later mark must not cover what was lost.
    failed: bool,
}

impl<W: Write> SidecarWriter<W> {
    /// Begins a sidecar for the volumes with this key.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub fn new(mut out: W, key: &[u8; 32]) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        out.write_all(key)?;
        Ok(SidecarWriter::after(out))
    }

    /// Goes on behind the last mark of a sidecar.
    pub fn after(out: W) -> Self {
        SidecarWriter { out, volume: 0, start: BlockIndex(0), digests: Vec::new(), failed: false }
    }

    fn count(&self) -> u32 {
        (self.digests.len() / 32) as u32
    }

    /// Adds a block behind all earlier ones.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub fn block(&mut self, volume: u32, index: BlockIndex, digest: BlockDigest) -> io::Result<()> {
        let adjacent = self.volume == volume && self.start.0.checked_add(self.count()) == Some(index.0);
        if !adjacent || self.count() >= MOST_BLOCKS {
            self.write_run()?;
            (self.volume, self.start) = (volume, index);
        }
        self.digests.extend_from_slice(digest.as_bytes());
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<()> {
        if self.digests.is_empty() {
            return Ok(());
        }
        let digests = std::mem::take(&mut self.digests);
        self.frame(self.volume, self.start, (digests.len() / 32) as u32, &digests)
    }

    fn frame(&mut self, volume: u32, start: BlockIndex, count: u32, body: &[u8]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        self.failed = true;
        let head = [volume.to_le_bytes(), start.0.to_le_bytes(), count.to_le_bytes()].concat();
        self.out.write_all(&head)?;
        self.out.write_all(&check(&head, body))?;
        self.out.write_all(body)?;
        self.failed = false;
        Ok(())
    }

    /// Marks that all blocks before `next` were read, of which the snapshot lists `listed`; `None` at the end of the
    /// volume. A later run resumes here.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub fn mark(&mut self, volume: u32, next: Option<BlockIndex>, listed: u64) -> io::Result<()> {
        self.write_run()?;
        self.frame(volume, next.unwrap_or(END), 0, &listed.to_le_bytes())?;
        self.out.flush()
    }

    /// The writer below. What is behind the last mark is lost.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Reads a sidecar from its start.
pub struct SidecarReader<R> {
    input: R,
    /// Bytes of the complete frames so far.
    valid: u64,
    volume: u32,
    /// The first block that may come next in this volume.
    next: BlockIndex,
    run: Vec<u8>,
    start: BlockIndex,
    given: u32,
}

impl<R: Read> SidecarReader<R> {
    /// Checks that the sidecar belongs to the volumes with this key.
    ///
    /// # Errors
    ///
    /// It is no sidecar, belongs to other volumes, or cannot be read.
    pub fn new(mut input: R, key: &[u8; 32]) -> Result<Self, SidecarError> {
        let mut head = [0; MAGIC.len() + 32];
        fill(&mut input, &mut head)?.ok_or(SidecarError::Foreign)?;
        let (magic, found) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(SidecarError::Foreign);
        }
        if found != key {
            return Err(SidecarError::OtherVolumes);
        }
        let valid = head.len() as u64;
        Ok(SidecarReader {
            input,
            valid,
            volume: 0,
            next: BlockIndex(0),
            run: Vec::new(),
            start: BlockIndex(0),
            given: 0,
        })
    }

    /// Bytes up to the end of the last complete frame.
    pub fn valid_bytes(&self) -> u64 {
        self.valid
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    ///
    /// The sidecar is cut off, damaged or out of order, or cannot be read.
    pub fn entry(&mut self) -> Result<Option<Entry>, SidecarError> {
        if let Some(digest) = self.run.get(self.given as usize * 32..).and_then(<[u8]>::first_chunk) {
            let index = BlockIndex(self.start.0 + self.given);
            self.given += 1;
            return Ok(Some(Entry::Block { volume: self.volume, index, digest: BlockDigest::new(*digest) }));
        }
        let mut head = [0; HEAD];
        match self.input.read(head.get_mut(..1).unwrap_or_default())? {
            0 => return Ok(None),
            _ => fill(&mut self.input, head.get_mut(1..).unwrap_or_default())?.ok_or(self.damaged())?,
        }
        let word =
            |at: usize| head.get(at * 4..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (volume, start, count) = (word(0), BlockIndex(word(1)), word(2));
        if count > MOST_BLOCKS || !self.is_behind(volume, start, count) {
            return Err(self.damaged());
        }
        let mut body = vec![0; if count == 0 { 8 } else { count as usize * 32 }];
        fill(&mut self.input, &mut body)?.ok_or(self.damaged())?;
        let (fields, stated) = head.split_at(12);
        if check(fields, &body) != stated {
            return Err(self.damaged());
        }
        self.valid += (HEAD + body.len()) as u64;
        if count == 0 {
            let listed = body.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let next = (start != END).then_some(start);
            (self.volume, self.next) = if next.is_some() { (volume, start) } else { (volume + 1, BlockIndex(0)) };
            return Ok(Some(Entry::Mark { volume, next, listed }));
        }
        (self.volume, self.start, self.next) = (volume, start, BlockIndex(start.0 + count));
        (self.run, self.given) = (body, 0);
        self.entry()
    }

    /// Whether a frame is behind all earlier ones. The volumes follow each other, each to its end.
    fn is_behind(&self, volume: u32, start: BlockIndex, count: u32) -> bool {
        volume == self.volume && volume < u32::MAX && start >= self.next && start.0.checked_add(count).is_some()
    }

    fn damaged(&self) -> SidecarError {
        SidecarError::Damaged(self.valid)
    }

    /// Length of the sidecar up to its last mark, from which a run can resume. Damage ends the search.
    ///
    /// # Errors
    ///
    /// Reading fails.
    pub fn resumable_bytes(mut self) -> Result<u64, SidecarError> {
        let mut resumable = self.valid;
        loop {
            match self.entry() {
                Ok(Some(Entry::Mark { .. })) => resumable = self.valid,
                Ok(Some(Entry::Block { .. })) => {}
                Ok(None) | Err(SidecarError::Damaged(_)) => return Ok(resumable),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Fills the buffer; `None` if the input ends before.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<Option<()>> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn block(volume: u32, index: u32) -> Entry {
        Entry::Block { volume, index: BlockIndex(index), digest: BlockDigest::new([index as u8; 32]) }
    }

    fn mark(volume: u32, next: Option<u32>, listed: u64) -> Entry {
        Entry::Mark { volume, next: next.map(BlockIndex), listed }
    }

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut writer = SidecarWriter::new(Vec::new(), &KEY).unwrap();
        for entry in entries {
            match *entry {
                Entry::Block { volume, index, digest } => writer.block(volume, index, digest).unwrap(),
                Entry::Mark { volume, next, listed } => writer.mark(volume, next, listed).unwrap(),
            }
        }
        writer.into_inner()
    }

    /// A disk that is full for one write.
    struct Hiccup {
        left: usize,
    }

    impl Write for Hiccup {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.left = self.left.wrapping_sub(1);
            if self.left == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_mark_follows_a_failed_write() {
        let writes = |left| SidecarWriter::new(Hiccup { left }, &KEY);
        let header = (1..).find(|left| writes(*left).is_ok()).unwrap();
        for left in header..header + 3 {
            let mut writer = writes(left).unwrap();
            writer.block(0, BlockIndex(0), BlockDigest::new([1; 32])).unwrap();
            assert!(writer.mark(0, Some(BlockIndex(1)), 1).is_err(), "{left}");
            assert!(writer.mark(0, Some(BlockIndex(1)), 1).is_err(), "{left}: the block is lost");
        }
    }

    fn read(bytes: &[u8]) -> Result<Vec<Entry>, SidecarError> {
        let mut reader = SidecarReader::new(bytes, &KEY)?;
        let mut found = Vec::new();
        while let Some(entry) = reader.entry()? {
            found.push(entry);
        }
        Ok(found)
    }

    fn entries() -> Vec<Entry> {
        let mut entries: Vec<Entry> = (0..1_030).map(|index| block(0, index)).collect();
        entries.extend([mark(0, Some(1_030), 1_040), block(0, 2_000), block(0, 2_002), mark(0, None, 1_050)]);
        entries.extend([mark(1, None, 0), block(2, 5), mark(2, None, 1)]);
        entries
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written(&entries());
        assert_eq!(read(&bytes).unwrap(), entries());
        let runs = 5;
        assert_eq!(bytes.len(), 52 + 1_033 * 32 + runs * 16 + 4 * 24);
        let whole = Sidecar::of(&bytes[..]).unwrap();
        assert_eq!(whole.bytes, bytes.len() as u64);
        assert_ne!(whole, Sidecar::of(&bytes[1..]).unwrap());
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_found_or_ends_at_a_frame() {
        let bytes = written(&[block(0, 1), block(0, 2), mark(0, None, 2), block(1, 9), mark(1, None, 1)]);
        let whole = read(&bytes).unwrap();
        for cut in 0..bytes.len() {
            match read(&bytes[..cut]) {
                Ok(some) => assert!(whole.starts_with(&some) && some.len() < whole.len(), "{cut}"),
                Err(SidecarError::Foreign) => assert!(cut < 52, "{cut}"),
                Err(SidecarError::Damaged(_)) => {}
                Err(error) => panic!("{cut}: {error}"),
            }
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(read(&changed).is_err(), "{at}");
        }
    }

    #[test]
    fn a_run_resumes_at_the_last_mark() {
        let whole = written(&entries());
        let first = written(&entries()[..1_031]);
        for cut in first.len()..first.len() + 90 {
            let resumable = SidecarReader::new(&whole[..cut], &KEY).unwrap().resumable_bytes().unwrap();
            assert_eq!(resumable, first.len() as u64, "{cut}");
        }
        let nothing = SidecarReader::new(&whole[..60], &KEY).unwrap().resumable_bytes().unwrap();
        assert_eq!(nothing, 52);
    }

    #[test]
    fn order_and_owner_are_checked() {
        for odd in [
            vec![block(0, 3), block(0, 1)],
            vec![block(1, 1)],
            vec![mark(0, Some(5), 1), block(0, 2), mark(0, None, 1)],
            vec![mark(0, None, 1), block(0, 7), mark(0, None, 1)],
        ] {
            let mut odd = odd;
            odd.push(mark(9, None, 1));
            assert!(matches!(read(&written(&odd)), Err(SidecarError::Damaged(_))), "{odd:?}");
        }
        assert!(matches!(SidecarReader::new(&written(&[])[..], &[8; 32]), Err(SidecarError::OtherVolumes)));
        assert_ne!(volumes_key("a", [("b", "c")]), volumes_key("a", [("bc", "")]));
    }
}
