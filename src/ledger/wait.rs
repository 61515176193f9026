//! Waiting for another run that holds a ledger.

use std::sync::OnceLock;
use std::time::Duration;

/// How long another run may hold the file.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to lock the file.
const PAUSE: Duration = Duration::from_millis(20);
/// How long another run may hold the file when this process is asked to end.
const GRACE: Duration = Duration::from_secs(1);

/// Signals are of the process, and so is what they ask for.
static ASKED_TO_END: OnceLock<fn() -> bool> = OnceLock::new();

/// Ledgers wait a second at most for another run when this holds. The first call in a process counts.
pub fn hurry_when(asked_to_end: fn() -> bool) {
    ASKED_TO_END.get_or_init(|| asked_to_end);
}

/// Whether to wait once more for another run.
pub(super) fn wait_once_more(before: i32) -> bool {
    let waited = PAUSE.saturating_mul(u32::try_from(before).unwrap_or_default());
    let hurried = ASKED_TO_END.get().is_some_and(|asked| asked());
    if waited >= if hurried { GRACE } else { PATIENCE } {
        return false;
    }
    std::thread::sleep(PAUSE);
    true
}
