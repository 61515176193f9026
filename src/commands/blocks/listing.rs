use std::sync::Arc;

use super::reader::{Page, Place, Reader};
use crate::blocks::{BLOCK_BYTES, BlockContent, BlockIndex};
use crate::snapshot::{BlockPage, MOST_LISTED, PageFrom};
use crate::source::{ErrorKind, SourceError};

/// Blocks that are listed to find one again.
const FEW: u16 = 100;
/// Empty pages in a row before a listing counts as endless.
const MOST_EMPTY: u32 = 100;

/// The blocks of a snapshot that were written, in order.
pub(super) struct Listing {
    reader: Arc<Reader>,
    snapshot: String,
    gib: u64,
    block_bytes: Option<u64>,
    most: u16,
    page: Arc<Page>,
    at: usize,
    /// The first block that may come next.
    start: BlockIndex,
    /// Where the next page begins.
    more: Option<PageFrom>,
}

impl Listing {
    /// Begins a listing at a block.
    ///
    /// # Errors
    ///
    /// The first page cannot be listed, or states no size of the volume.
    pub(super) async fn open(reader: &Arc<Reader>, snapshot: &str, start: BlockIndex) -> Result<Self, SourceError> {
        Listing::few(reader, snapshot, start, MOST_LISTED).await
    }

    /// The same, in pages of at most `most` blocks.
    async fn few(reader: &Arc<Reader>, snapshot: &str, start: BlockIndex, most: u16) -> Result<Self, SourceError> {
        let from = PageFrom::Block(start);
        let page = reader.page(snapshot, &from, most).await?;
        let no_size = || SourceError::new(ErrorKind::Protocol, snapshot, "the listing states no size of the volume");
        let gib = page.gib.filter(|gib| *gib > 0).ok_or_else(no_size)?;
        let mut listing = Listing {
            reader: Arc::clone(reader),
            snapshot: snapshot.to_owned(),
            gib,
            block_bytes: page.block_bytes,
            most,
            page: Arc::new(Page::new(snapshot, Vec::new(), &page, reader.context())),
            at: 0,
            start,
            more: None,
        };
        listing.take(page)?;
        Ok(listing)
    }

    /// Size of the volume in GiB.
    pub(super) fn gib(&self) -> u64 {
        self.gib
    }

    /// A remark if the server states another size of blocks. The length of each block is checked when it is read.
    pub(super) fn remark(&self) -> Option<String> {
        let odd = self.block_bytes.filter(|bytes| *bytes != BLOCK_BYTES)?;
        Some(format!(
            "the server states blocks of {odd} bytes for {}; blocks of {BLOCK_BYTES} bytes are read, and each is checked \
             to be as long",
            self.snapshot
        ))
    }

    /// The next block.
    ///
    /// # Errors
    ///
    /// A page cannot be listed, or contradicts the ones before it.
    pub(super) async fn next(&mut self) -> Result<Option<Place>, SourceError> {
        let mut empty = 0;
        loop {
            if let Some(index) = self.page.blocks().get(self.at) {
                let place = Place { page: Arc::clone(&self.page), at: self.at, index: *index };
                self.at += 1;
                return Ok(Some(place));
            }
            let Some(from) = self.more.take() else { return Ok(None) };
            let page = self.reader.page(&self.snapshot, &from, self.most).await?;
            empty = if page.blocks.is_empty() { empty + 1 } else { 0 };
            if empty > MOST_EMPTY {
                return Err(self.wrong("the listing goes on without blocks"));
            }
            if page.gib.is_some_and(|gib| gib != self.gib) {
                return Err(self.wrong("the pages of the listing state different sizes of the volume"));
            }
            self.take(page)?;
        }
    }

    fn wrong(&self, detail: &str) -> SourceError {
        SourceError::new(ErrorKind::Protocol, &self.snapshot, detail)
    }

    /// Takes a page over. Blocks before the start were not asked for.
    fn take(&mut self, mut page: BlockPage) -> Result<(), SourceError> {
        let mut blocks = std::mem::take(&mut page.blocks);
        let listed = !blocks.is_empty();
        blocks.retain(|block| block.index >= self.start);
        if listed && blocks.is_empty() && page.next.is_some() {
            return Err(self.wrong("the listing goes round in circles"));
        }
        blocks.sort_by_key(|block| block.index);
        if blocks.windows(2).any(|pair| matches!(pair, [one, other] if one.index == other.index)) {
            return Err(self.wrong("the listing names a block twice"));
        }
        if let Some(last) = blocks.last() {
            self.start = last.index.next();
        }
        // Page tokens expire; the place of the last block does not.
        self.more = page.next.take().map(|token| match listed {
            true => PageFrom::Block(self.start),
            false => PageFrom::Token(token),
        });
        self.page = Arc::new(Page::new(&self.snapshot, blocks, &page, self.reader.context()));
        self.at = 0;
        Ok(())
    }
}

/// Lists and reads a block again, from the beginning.
///
/// # Errors
///
/// It cannot be listed or read.
pub(super) async fn again(
    reader: &Arc<Reader>,
    snapshot: &str,
    index: BlockIndex,
) -> Result<BlockContent, SourceError> {
    let mut listing = Listing::few(reader, snapshot, index, FEW).await?;
    match listing.next().await? {
        Some(place) if place.index == index => Ok(reader.digest(&place).await?.content()),
        _ => Ok(BlockContent::Zeros),
    }
}
