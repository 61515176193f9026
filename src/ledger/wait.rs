//! Waiting for another run that has locked a ledger.

use std::sync::OnceLock;
use std::time::Duration;

/// Time that another run may hold the file.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two attempts to lock the file.
const PAUSE: Duration = Duration::from_millis(20);
/// Time that another run may hold the file after this process was asked to end.
const GRACE: Duration = Duration::from_secs(1);

/// Global, because a signal concerns the whole process.
static ASKED_TO_END: OnceLock<fn() -> bool> = OnceLock::new();

/// Sets how ledgers learn that the process was asked to end. They then wait at most a second for another run. Only the
/// first call in a process has an effect.
pub fn hurry_when(asked_to_end: fn() -> bool) {
    ASKED_TO_END.get_or_init(|| asked_to_end);
}

/// Whether to wait again for another run, after `before` pauses. Pauses if so.
pub(super) fn wait_once_more(before: i32) -> bool {
    let waited = PAUSE.saturating_mul(u32::try_from(before).unwrap_or_default());
    let hurried = ASKED_TO_END.get().is_some_and(|asked| asked());
    if waited >= if hurried { GRACE } else { PATIENCE } {
        return false;
    }
    std::thread::sleep(PAUSE);
    true
}
