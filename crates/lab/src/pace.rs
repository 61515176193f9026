use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::content::Frames;
use crate::sync::lock;

/// Makes the lab as slow as a distant server: all connections share one rate.
#[derive(Debug)]
pub(crate) struct Pace {
    pub latency: Duration,
    rate: Option<u64>,
    /// When the next byte may be sent.
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// `rate` in bytes per second.
    pub(crate) fn new(latency: Duration, rate: Option<u64>) -> Self {
        Pace { latency, rate, free_at: Mutex::new(None) }
    }

    pub(crate) fn frames(self: &Arc<Self>, frames: Frames) -> Frames {
        let Some(rate) = self.rate else { return frames };
        let pace = self.clone();
        frames
            .then(move |frame| {
                let pace = pace.clone();
                async move {
                    let frame = frame?;
                    tokio::time::sleep_until(pace.reserve(frame.len() as u64, rate)).await;
                    io::Result::Ok(frame)
                }
            })
            .boxed()
    }

    fn reserve(&self, bytes: u64, rate: u64) -> Instant {
        let mut free_at = lock(&self.free_at);
        let begin = free_at.unwrap_or_else(Instant::now).max(Instant::now());
        let end = begin + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        *free_at = Some(end);
        end
    }
}
