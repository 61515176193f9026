use std::future::pending;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::machine::cores;

/// The threads that read, one for each processor. They last as long as the process, because their connections serve
/// later reads too.
static THREADS: OnceLock<Vec<Handle>> = OnceLock::new();
/// Number of readers so far.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// The runtime of a new reader: a thread that runs all tasks of its connection, from the socket to the digest, so that
/// bytes stay in the cache of one processor. The runtime of the caller if no thread can be started.
pub(super) fn next_runtime() -> Handle {
    let threads = THREADS.get_or_init(|| (0..cores()).map_while(|_| start().ok()).collect());
    let turn = READERS.fetch_add(1, Ordering::Relaxed);
    let thread = turn.checked_rem(threads.len()).and_then(|at| threads.get(at));
    thread.cloned().unwrap_or_else(Handle::current)
}

/// Starts a thread with a runtime.
fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("read".to_owned()).spawn(move || runtime.block_on(pending::<()>()))?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[tokio::test]
    async fn readers_take_turns_on_one_thread_for_each_processor() {
        let threads: HashSet<_> = (0..4 * cores()).map(|_| next_runtime().id()).collect();
        assert_eq!(threads.len(), cores());
        assert!(!threads.contains(&Handle::current().id()));
    }
}
