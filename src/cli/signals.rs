//! SIGINT, SIGTERM and SIGHUP, from the first moment of a command to its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::report::Exit;

/// Signals are of the process, and so is what they set.
static ASKED: OnceLock<CancellationToken> = OnceLock::new();
static WORKING: AtomicBool = AtomicBool::new(false);

/// Resolves when the process is asked to end before a command has begun its work, and never after that.
pub(super) async fn asked_before_work() {
    heeded().cancelled().await;
    if WORKING.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

/// Cancelled by the first signal; the second one ends the process by itself. Whoever calls this ends its work itself.
pub(super) fn cancel_on_signal() -> CancellationToken {
    let asked = heeded().clone();
    WORKING.store(true, Ordering::SeqCst);
    asked
}

/// Whether the process is asked to end.
pub(super) fn asked() -> bool {
    ASKED.get().is_some_and(CancellationToken::is_cancelled)
}

fn heeded() -> &'static CancellationToken {
    ASKED.get_or_init(|| {
        let asked = CancellationToken::new();
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !hangup_is_ignored() {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().for_each(|kind| heed(kind, asked.clone()));
        asked
    })
}

fn heed(kind: SignalKind, asked: CancellationToken) {
    let Ok(mut signals) = signal(kind) else { return };
    tokio::spawn(async move {
        signals.recv().await;
        asked.cancel();
        signals.recv().await;
        #[expect(clippy::exit, reason = "asked twice to stop, the process does not wait for its work")]
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// `nohup` starts a process with SIGHUP ignored, and it stays so. Known on Linux only.
fn hangup_is_ignored() -> bool {
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP != 0)
}
