use std::io::BufReader;
use std::path::Path;

use tokio::sync::mpsc;

use super::listing::Listing;
use super::reader::Place;
use crate::blocks::{
    BlockContent, BlockDigest, BlockIndex, BlockRecord, Entry, Sidecar, SidecarError, SidecarReader, Unproved,
    UnprovedCode, volumes_key,
};
use crate::files::{InputError, InputKind, open_input};

/// Blocks that are read from a sidecar at once.
const CHUNK: usize = 1_024;
/// Chunks that wait for the comparison.
const CHUNKS: usize = 4;

/// Reads a sidecar to its end, to identify it. This may take a while, and blocks.
///
/// # Errors
///
/// It cannot be read.
pub fn identify(sidecar: &Path) -> Result<Sidecar, InputError> {
    Ok(Sidecar::of(BufReader::new(open_input(sidecar, InputKind::BlockDigests)?))?)
}

/// What a block should contain.
pub(super) enum ExpectedBlock {
    Known(BlockContent),
    Listed(Place),
}

type Chunk = Vec<(BlockIndex, BlockDigest)>;

/// The expected blocks of a volume that are not zeros, in order.
pub(super) enum Expected {
    Record { chunks: mpsc::Receiver<Result<Chunk, Unproved>>, chunk: std::vec::IntoIter<(BlockIndex, BlockDigest)> },
    Image(Box<Listing>),
}

impl Expected {
    /// The blocks of a volume of a record, which are read in a separate thread.
    pub(super) fn of_record(record: &BlockRecord, volume: u32, sidecar: &Path) -> Self {
        let volumes = record.volumes.iter().map(|volume| (volume.device.as_str(), volume.snapshot.as_str()));
        let key = volumes_key(&record.image, volumes);
        let path = sidecar.to_owned();
        let (sender, chunks) = mpsc::channel(CHUNKS);
        tokio::task::spawn_blocking(move || {
            if let Err(doubt) = send(&path, &key, volume, &sender) {
                // Without a receiver, the comparison has ended.
                drop(sender.blocking_send(Err(doubt)));
            }
        });
        Expected::Record { chunks, chunk: Vec::new().into_iter() }
    }

    /// The next block.
    pub(super) async fn next(&mut self) -> Result<Option<(BlockIndex, ExpectedBlock)>, Unproved> {
        match self {
            Expected::Image(listing) => {
                let place = listing.next().await.map_err(|error| super::doubt::doubt(&error))?;
                Ok(place.map(|place| (place.index, ExpectedBlock::Listed(place))))
            }
            Expected::Record { chunks, chunk } => loop {
                if let Some((index, digest)) = chunk.next() {
                    return Ok(Some((index, ExpectedBlock::Known(digest.content()))));
                }
                match chunks.recv().await {
                    Some(more) if more.as_ref().is_ok_and(Vec::is_empty) => return Ok(None),
                    Some(more) => *chunk = more?.into_iter(),
                    None => return Err(odd("the reading of the sidecar ended early")),
                }
            },
        }
    }
}

fn odd(detail: impl std::fmt::Display) -> Unproved {
    Unproved::new(UnprovedCode::Protocol, format!("the record's digests of blocks: {detail}"))
}

/// Sends the blocks of a volume, and an empty chunk at its end.
fn send(
    path: &Path,
    key: &[u8; 32],
    volume: u32,
    sender: &mpsc::Sender<Result<Chunk, Unproved>>,
) -> Result<(), Unproved> {
    let input = open_input(path, InputKind::BlockDigests).map_err(odd)?;
    let mut sidecar = SidecarReader::new(BufReader::new(input), key).map_err(odd)?;
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        match sidecar.entry().map_err(odd)? {
            Some(Entry::Block { volume: of, index, digest }) if of == volume => chunk.push((index, digest)),
            Some(Entry::Mark { volume: of, next: None, .. }) if of == volume => break,
            Some(_) => {}
            None => return Err(odd(SidecarError::Damaged(sidecar.valid_bytes()))),
        }
        if chunk.len() >= CHUNK && sender.blocking_send(Ok(std::mem::take(&mut chunk))).is_err() {
            return Ok(());
        }
    }
    for last in [chunk, Vec::new()] {
        let is_end = last.is_empty();
        if sender.blocking_send(Ok(last)).is_err() || is_end {
            break;
        }
    }
    Ok(())
}
