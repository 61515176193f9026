use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Counts the reads of blocks, for tokens that expire and for throttling.
#[derive(Debug, Default)]
pub(crate) struct BlockReads {
    reads: u64,
    /// Tokens given out before this number of reads are expired.
    tokens_from: u64,
    recent: VecDeque<Instant>,
}

impl BlockReads {
    pub(crate) fn expire_tokens(&mut self) {
        self.reads += 1;
        self.tokens_from = self.reads;
    }

    /// Number of reads so far; tokens carry it.
    pub(crate) fn count(&self) -> u64 {
        self.reads
    }

    /// Whether a token that was given out after `issued` reads can be used.
    pub(crate) fn is_valid(&self, issued: u64, lasts: Option<u64>) -> bool {
        issued >= self.tokens_from && lasts.is_none_or(|lasts| self.reads.saturating_sub(issued) < lasts)
    }

    pub(crate) fn add(&mut self) {
        self.reads += 1;
    }

    /// Whether another read is within the limit of a second.
    pub(crate) fn admits(&mut self, most: Option<u64>, now: Instant) -> bool {
        let Some(most) = most else { return true };
        let second = Duration::from_secs(1);
        while self.recent.front().is_some_and(|read| now.duration_since(*read) >= second) {
            self.recent.pop_front();
        }
        let admitted = (self.recent.len() as u64) < most;
        if admitted {
            self.recent.push_back(now);
        }
        admitted
    }
}
