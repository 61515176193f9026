//! Events of requests, retries and plans: off by default, on with `-vv` or `RUST_LOG`.

use std::io::{self, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::global::Verbosity;
use super::output::{complain, print_trace};

/// Begin of the targets of this program. Events of libraries are never shown, whatever `RUST_LOG` says: those of the
/// AWS SDK contain headers, signatures and credentials.
const OWN: &str = "stored_ami";

/// Starts to print events, if they are wanted.
pub(super) fn start(verbosity: Verbosity) {
    let Some(wanted) = wanted(verbosity, std::env::var("RUST_LOG").ok().as_deref()) else { return };
    let own = filter_fn(|event: &Metadata<'_>| is_own(event.target()));
    let layer = tracing_subscriber::fmt::layer().with_writer(|| TraceLine(Vec::new())).with_ansi(false);
    let started = tracing_subscriber::registry().with(layer.with_filter(wanted.and(own))).try_init();
    if let Err(error) = started {
        complain(&format!("events cannot be shown: {error}"));
    }
}

fn is_own(target: &str) -> bool {
    target.strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn wanted(verbosity: Verbosity, rust_log: Option<&str>) -> Option<Targets> {
    if verbosity >= Verbosity::Requests {
        return Some(Targets::new().with_target(OWN, Level::DEBUG));
    }
    let filter = rust_log.filter(|filter| !filter.is_empty())?;
    match filter.parse() {
        Ok(targets) => Some(targets),
        Err(error) => {
            complain(&format!("RUST_LOG={filter} has no effect: {error}"));
            None
        }
    }
}

/// Collects one event, and prints it at its end.
struct TraceLine(Vec<u8>);

impl Write for TraceLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TraceLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.0);
        text.lines().for_each(print_trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_of_this_program() {
        assert!(is_own("stored_ami") && is_own("stored_ami::request"));
        assert!(!is_own("aws_smithy_runtime") && !is_own("stored_amis") && !is_own("hyper"));
        assert!(wanted(Verbosity::Verbose, None).is_none());
        assert!(wanted(Verbosity::Normal, Some("")).is_none());
        assert!(wanted(Verbosity::Normal, Some("debug")).is_some());
        assert!(wanted(Verbosity::Requests, Some("off")).is_some());
    }
}
