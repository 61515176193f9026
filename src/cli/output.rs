//! Standard output, standard error and output files of a command.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::signals::asked;
use crate::files::{OutputKind, write_output};
use crate::ident::redact_urls;
use crate::report::Exit;

pub(super) fn print(page: &[u8]) -> Exit {
    let mut out = io::stdout();
    match out.write_all(page).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::CouldNot
        }
        _ => Exit::Passed,
    }
}

/// Standard error is redirected to a file that must not be changed.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Suppresses all further messages on standard error.
pub(super) fn fall_silent() {
    SILENT.store(true, Ordering::SeqCst);
}

pub(super) fn complain(problem: &str) {
    if SILENT.load(Ordering::SeqCst) {
        return;
    }
    // If standard error is closed, there is nowhere to report that.
    drop(writeln!(io::stderr(), "stored-ami: {}", crate::render::printable(&redact_urls(problem))));
}

/// Writes an output file. Stops waiting for the reader of a pipe if a signal arrives.
pub(super) fn keep_output(path: &Path, kind: OutputKind, content: &[u8]) -> io::Result<()> {
    write_output(path, content, kind.rights(), &asked)
}
