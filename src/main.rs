use std::io;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;

use tokio::runtime::Builder;

use stored_ami::cli::{Cli, run};

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    // tokio panics if it cannot start a thread, or queues work forever.
    let runtime = threads_can_be_made().and_then(|()| Builder::new_multi_thread().enable_all().build());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "there is no terminal to render to yet")]
            {
                eprintln!("stored-ami: no threads can be made to work in: {error}");
            }
            return ExitCode::from(4);
        }
    };
    let exit = runtime.block_on(run(cli));
    // Hashing threads may still be busy with results that are no longer needed.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}

/// Starts and ends as many threads as the runtime and the hashing may use at the same time, to check that the system
/// allows them.
fn threads_can_be_made() -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut made = Vec::new();
    for _ in 0..3 * cores + 2 {
        let (hold, held) = channel::<()>();
        let thread = thread::Builder::new().spawn(move || held.recv().is_ok())?;
        made.push((hold, thread));
    }
    for (hold, thread) in made {
        drop(hold);
        // The closure cannot panic.
        drop(thread.join());
    }
    Ok(())
}
