use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::blocks::{BLOCK_BYTES, BlockDigest, BlockIndex};
use crate::progress::Call;
use crate::snapshot::{
    BlockPace, BlockPage, CHECKSUM_DIFFERS, INVALID_BLOCK_TOKEN, ListedBlock, MOST_LISTED, PageFrom, SnapshotService,
};
use crate::source::{Context, ErrorKind, SourceError};
use crate::sync::lock;

/// How often the tokens of a block are renewed before its error counts.
const MOST_RENEWALS: u32 = 3;
/// How often a block is read that does not have the checksum of its header.
const CHECKSUM_ATTEMPTS: u32 = 3;
/// Tokens are renewed this long before they expire.
const MARGIN: Duration = Duration::from_secs(60);
/// Throttling ends a run only after no request was answered for this long: others share the limit of the account, and
/// what was read was paid for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Reads blocks at the rate of a run, with retries.
pub(super) struct Reader {
    service: Arc<dyn SnapshotService>,
    context: Context,
    pace: BlockPace,
    /// Time of the last answer, or of the first request.
    answered: Mutex<Option<Instant>>,
}

/// A page of a listing, whose tokens can be renewed.
pub(super) struct Page {
    snapshot: String,
    blocks: Vec<BlockIndex>,
    tokens: Mutex<Tokens>,
    /// Held while the tokens are renewed.
    renewing: tokio::sync::Mutex<()>,
}

struct Tokens {
    generation: u64,
    of_blocks: Vec<String>,
    /// When they expire; `None` if that is not known.
    until: Option<Instant>,
}

/// A block of a page.
#[derive(Clone)]
pub(super) struct Place {
    pub page: Arc<Page>,
    pub at: usize,
    pub index: BlockIndex,
}

impl Reader {
    /// Reads at most `rate` blocks per second.
    pub(super) fn new(service: Arc<dyn SnapshotService>, context: Context, rate: u32) -> Self {
        let pace = BlockPace::new(rate, Arc::clone(&context.clock));
        Reader { service, context, pace, answered: Mutex::default() }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// A page of a listing.
    pub(super) async fn page(&self, snapshot: &str, from: &PageFrom, most: u16) -> Result<BlockPage, SourceError> {
        self.patiently(Call::ListBlocks, || self.service.list(snapshot, from, most)).await
    }

    /// Sends a request with retries. Throttled attempts are not counted as long as other requests are answered.
    async fn patiently<T, F>(&self, call: Call, request: impl Fn() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let clock = &self.context.clock;
        lock(&self.answered).get_or_insert(clock.monotonic());
        let (mut failed, mut throttled) = (0, 0_u32);
        loop {
            self.context.monitor.request(call);
            let error = match request().await {
                Err(error) if error.is_transient() => error,
                done => {
                    *lock(&self.answered) = Some(clock.monotonic());
                    return done;
                }
            };
            let is_patient = lock(&self.answered)
                .is_some_and(|answered| clock.monotonic().saturating_duration_since(answered) < PATIENCE);
            let attempt = match error.kind {
                ErrorKind::Throttled if is_patient => {
                    throttled += 1;
                    // The wait grows, and the attempts are not used up.
                    throttled.min(self.context.retry.attempts.saturating_sub(1))
                }
                _ => {
                    failed += 1;
                    failed
                }
            };
            self.context.wait(attempt, error).await?;
        }
    }

    /// The digest of a block. Tokens that expired are renewed.
    pub(super) async fn digest(&self, place: &Place) -> Result<BlockDigest, SourceError> {
        let (mut renewals, mut attempts) = (0, 1);
        loop {
            let (generation, block) = place.page.block(place);
            if place.page.is_expiring(self.context.clock.monotonic()) {
                place.page.renew(self, generation).await?;
                continue;
            }
            match self.patiently(Call::Read, || self.once(&place.page.snapshot, &block)).await {
                Ok(digest) => {
                    self.context.monitor.received(BLOCK_BYTES);
                    return Ok(digest);
                }
                Err(error) if error.code.as_deref() == Some(INVALID_BLOCK_TOKEN) && renewals < MOST_RENEWALS => {
                    renewals += 1;
                    place.page.renew(self, generation).await?;
                }
                Err(error) if error.code.as_deref() == Some(CHECKSUM_DIFFERS) && attempts < CHECKSUM_ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn once(&self, snapshot: &str, block: &ListedBlock) -> Result<BlockDigest, SourceError> {
        self.pace.turn().await;
        let answer = self.service.digest(snapshot, block).await;
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled) {
            self.pace.slow_down();
        }
        answer
    }
}

/// Until when the tokens of a page can be used. `None` if the server states no time that lies ahead of this clock.
fn usable_until(page: &BlockPage, context: &Context) -> Option<Instant> {
    let seconds = page.expires?.duration_since(context.clock.now()).as_secs();
    let lasts = Duration::from_secs(u64::try_from(seconds).ok()?).checked_sub(2 * MARGIN)?;
    context.clock.monotonic().checked_add(lasts + MARGIN)
}

impl Page {
    /// `blocks` are those of the page, in order.
    pub(super) fn new(snapshot: &str, blocks: Vec<ListedBlock>, page: &BlockPage, context: &Context) -> Self {
        let (indexes, of_blocks) = blocks.into_iter().map(|block| (block.index, block.token)).unzip();
        let tokens = Tokens { generation: 0, of_blocks, until: usable_until(page, context) };
        Page {
            snapshot: snapshot.to_owned(),
            blocks: indexes,
            tokens: Mutex::new(tokens),
            renewing: tokio::sync::Mutex::default(),
        }
    }

    /// The blocks of the page.
    pub(super) fn blocks(&self) -> &[BlockIndex] {
        &self.blocks
    }

    fn block(&self, place: &Place) -> (u64, ListedBlock) {
        let tokens = lock(&self.tokens);
        let token = tokens.of_blocks.get(place.at).cloned().unwrap_or_default();
        (tokens.generation, ListedBlock { index: place.index, token })
    }

    fn is_expiring(&self, now: Instant) -> bool {
        lock(&self.tokens).until.is_some_and(|until| until <= now)
    }

    /// Lists the blocks of the page again, unless that was done since `generation`.
    async fn renew(&self, reader: &Reader, generation: u64) -> Result<(), SourceError> {
        let _one = self.renewing.lock().await;
        if lock(&self.tokens).generation != generation {
            return Ok(());
        }
        let (Some(first), Some(last)) = (self.blocks.first(), self.blocks.last()) else { return Ok(()) };
        let other = |detail: &str| SourceError::new(ErrorKind::Protocol, &self.snapshot, detail);
        let mut found: HashMap<BlockIndex, String> = HashMap::new();
        let mut from = *first;
        let mut until = None;
        loop {
            let page = reader.page(&self.snapshot, &PageFrom::Block(from), MOST_LISTED).await?;
            until = until.or(usable_until(&page, &reader.context));
            let highest = page.blocks.iter().map(|block| block.index).max();
            let wanted = page.blocks.into_iter().filter(|block| (first..=last).contains(&&block.index));
            found.extend(wanted.map(|block| (block.index, block.token)));
            match highest {
                Some(highest) if highest < *last && highest >= from && page.next.is_some() => from = highest.next(),
                _ => break,
            }
        }
        let renewed: Option<Vec<String>> = self.blocks.iter().map(|index| found.remove(index)).collect();
        let renewed = renewed.ok_or_else(|| other("the snapshot lists other blocks than before"))?;
        *lock(&self.tokens) = Tokens { generation: generation + 1, of_blocks: renewed, until };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::clock::TestClock;

    /// Refuses this number of requests with an error of this kind; between two of them, this time passes.
    struct Refusing {
        left: Mutex<u32>,
        kind: ErrorKind,
        pause: Duration,
        clock: Arc<TestClock>,
    }

    impl Refusing {
        fn answer<T>(&self, answer: T) -> Result<T, SourceError> {
            let mut left = lock(&self.left);
            self.clock.advance(self.pause);
            match left.checked_sub(1) {
                None => Ok(answer),
                Some(fewer) => {
                    *left = fewer;
                    Err(SourceError::new(self.kind.clone(), "snap-1", "as scripted"))
                }
            }
        }
    }

    #[async_trait]
    impl SnapshotService for Refusing {
        async fn list(&self, _: &str, _: &PageFrom, _: u16) -> Result<BlockPage, SourceError> {
            self.answer(BlockPage::default())
        }

        async fn digest(&self, _: &str, _: &ListedBlock) -> Result<BlockDigest, SourceError> {
            self.answer(BlockDigest::ZEROS)
        }
    }

    /// Lists, and reads a block; after that number of refusals of each.
    async fn read(kind: ErrorKind, refusals: u32, pause: u64) -> Result<(), SourceError> {
        let clock = Arc::new(TestClock::new(1.0));
        let (left, pause) = (Mutex::new(refusals), Duration::from_secs(pause));
        let service = Arc::new(Refusing { left, kind, pause, clock: Arc::clone(&clock) });
        let reader = Reader::new(Arc::clone(&service) as _, Context { clock, ..Context::default() }, 1_000);
        let page = reader.page("snap-1", &PageFrom::Block(BlockIndex(0)), 1).await?;
        *lock(&service.left) = refusals;
        let block = ListedBlock { index: BlockIndex(0), token: "t".to_owned() };
        let page = Arc::new(Page::new("snap-1", vec![block], &page, reader.context()));
        reader.digest(&Place { page, at: 0, index: BlockIndex(0) }).await.map(drop)
    }

    #[tokio::test]
    async fn throttling_ends_a_read_only_after_a_time_without_any_answer() {
        read(ErrorKind::Throttled, 40, 20).await.unwrap();
        let error = read(ErrorKind::Throttled, 60, 20).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled);
        let error = read(ErrorKind::Transient, 8, 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Transient, "other errors use up the attempts");
    }

    #[tokio::test]
    async fn the_waits_of_a_throttled_read_grow() {
        let clock = Arc::new(TestClock::new(1.0));
        let (left, pause) = (Mutex::new(12), Duration::ZERO);
        let service = Refusing { left, kind: ErrorKind::Throttled, pause, clock: Arc::clone(&clock) };
        let context = Context { clock: Arc::clone(&clock) as _, ..Context::default() };
        let reader = Reader::new(Arc::new(service), context, 1_000);
        reader.page("snap-1", &PageFrom::Block(BlockIndex(0)), 1).await.unwrap();
        let waits: Vec<u128> = clock.slept().iter().map(Duration::as_millis).collect();
        assert_eq!(waits[..7], [200, 400, 800, 1_600, 3_200, 6_400, 12_800][..]);
        assert_eq!((waits.len(), waits[11]), (12, 12_800));
    }
}
