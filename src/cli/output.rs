//! Standard output, standard error and output files of a command.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use super::signals::asked;
use super::terminal::charset;
use super::written::WrittenFiles;
use crate::clock::{Clock as _, SystemClock};
use crate::files::{LOG_MARKER, OutputKind, write_output, write_output_from};
use crate::ident::redact_urls;
use crate::report::Exit;
use crate::sync::lock;

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
    print_error_line(&format!("stored-ami: {}", clean(problem)));
}

/// Prints a clean line on standard error, in the characters of the locale, and in the log file.
pub(super) fn print_error_line(line: &str) {
    log(line);
    if !SILENT.load(Ordering::SeqCst) {
        // If standard error is closed, there is nowhere to report that.
        drop(writeln!(io::stderr(), "{}", charset().text(line)));
    }
}

/// Prints a clean line about the progress, with the time, for whoever reads it later.
pub(super) fn print_timed_line(line: &str) {
    log(line);
    if !SILENT.load(Ordering::SeqCst) {
        drop(writeln!(io::stderr(), "{} {}", SystemClock.now(), charset().text(line)));
    }
}

/// Prints an event into the log file, or on standard error if there is none.
pub(super) fn print_trace(event: &str) {
    let line = clean(event);
    match LOG.get() {
        Some(_) => log(&line),
        None => print_error_line(&line),
    }
}

/// A text as it may be printed: without control characters, and without the secrets of URLs.
fn clean(text: &str) -> String {
    crate::render::printable(&redact_urls(text))
}

/// The file of `--log-file`; `None` after it could not be written.
static LOG: OnceLock<Mutex<Option<File>>> = OnceLock::new();

/// Whether messages reach a log file.
pub(super) fn is_log_open() -> bool {
    LOG.get().is_some()
}

/// Opens the log file, and appends a line to it for each run.
///
/// # Errors
///
/// The file cannot be opened or written.
pub(super) fn open_log(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.len() == 0 {
        writeln!(file, "{LOG_MARKER}")?;
    }
    drop(LOG.set(Mutex::new(Some(file))));
    log(&format!("stored-ami {} begins, process {}", env!("CARGO_PKG_VERSION"), std::process::id()));
    Ok(())
}

/// Appends a clean line to the log file, if there is one. The first failure is reported on standard error.
pub(super) fn log(line: &str) {
    let Some(log) = LOG.get() else { return };
    let mut log = lock(log);
    let Some(file) = log.as_mut() else { return };
    // One write per line, so that the lines of processes that share a file stay whole.
    let line = format!("{} {line}\n", SystemClock.now());
    if let Err(error) = file.write_all(line.as_bytes()) {
        *log = None;
        drop(writeln!(io::stderr(), "stored-ami: --log-file: {error}; nothing more is written to it"));
    }
}

/// [`keep_output`] of everything that `content` has left.
pub(super) fn keep_output_from(
    written: &WrittenFiles,
    path: &Path,
    kind: OutputKind,
    content: &mut dyn io::Read,
) -> io::Result<()> {
    write_output_from(path, content, kind.rights(), &asked)?;
    written.add(path, kind.in_reports());
    Ok(())
}

/// Writes an output file, and adds it to `written`. Stops waiting for the reader of a pipe if a signal arrives.
pub(super) fn keep_output(written: &WrittenFiles, path: &Path, kind: OutputKind, content: &[u8]) -> io::Result<()> {
    write_output(path, content, kind.rights(), &asked)?;
    written.add(path, kind.in_reports());
    Ok(())
}
