//! Handles SIGINT, SIGTERM and SIGHUP, from the start of a command to its end.

#[cfg(feature = "s3")]
use std::future::Future;
use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::libc::SIGXFSZ;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::report::Exit;

/// Signals of one kind within this time ask once: `timeout` sends its signal to the command and to its process group.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Signals concern the whole process, so their state is global.
static ASKED: OnceLock<CancellationToken> = OnceLock::new();
static WORKING: AtomicBool = AtomicBool::new(false);

/// Completes if a signal arrives before a command has begun its work, and never after that.
pub(super) async fn asked_before_work() {
    heeded().cancelled().await;
    if WORKING.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

/// The token that the first signal cancels; a later SIGINT or SIGTERM ends the process. The caller takes over ending its work
/// after a signal.
pub(super) fn cancel_on_signal() -> CancellationToken {
    let asked = heeded().clone();
    WORKING.store(true, Ordering::SeqCst);
    asked
}

/// Whether a signal has arrived.
pub(super) fn asked() -> bool {
    ASKED.get().is_some_and(CancellationToken::is_cancelled)
}

#[cfg(any(feature = "s3", feature = "lab"))]
pub(super) async fn until<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = work => Some(done),
    }
}

fn heeded() -> &'static CancellationToken {
    ASKED.get_or_init(|| {
        let asked = CancellationToken::new();
        let ignored = ignored();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            if kind == SignalKind::terminate() || !ignored(kind) {
                heed(kind, asked.clone());
            }
        }
        // SIGXFSZ ends the process by default if a file reaches the limit of `ulimit -f`. The handler, which stays
        // installed, makes the write fail instead, so that the failure is reported and cleaned up.
        drop(signal(SignalKind::from_raw(SIGXFSZ)));
        asked
    })
}

fn heed(kind: SignalKind, asked: CancellationToken) {
    let Ok(mut signals) = signal(kind) else { return };
    tokio::spawn(async move {
        signals.recv().await;
        asked.cancel();
        let first = Instant::now();
        // If a terminal closes, the kernel and the shell both send SIGHUP. That asks once, not twice.
        if kind == SignalKind::hangup() {
            return while signals.recv().await.is_some() {};
        }
        while signals.recv().await.is_some() && first.elapsed() < AT_ONCE {}
        let left = "stored-ami: ended at once by a second signal: an unfinished upload or a temporary file may be left";
        drop(writeln!(io::stderr(), "{left}"));
        #[expect(clippy::exit, reason = "asked twice to stop, the process does not wait for its work")]
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// Which signals the process was started to ignore: `nohup` ignores SIGHUP, and shells ignore SIGINT for commands
/// started with `&`. Only known on Linux.
fn ignored() -> impl Fn(SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    move |kind| {
        let bit = u32::try_from(kind.as_raw_value() - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
        bit.is_some_and(|bit| mask & bit != 0)
    }
}
