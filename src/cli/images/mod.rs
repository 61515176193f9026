//! Commands for store and restore tasks.

pub(super) mod args;
mod open;
mod preflight;
mod restore;
mod store;

pub(super) use open::services;
pub(super) use preflight::{StoredCommand, run_policy, run_preflight, run_stored};
pub(super) use restore::run_restore;
pub(super) use store::run_store;

use std::io::{self, IsTerminal, Write};

use self::args::StartingArgs;
use super::output::log;
use super::signals::until;
use super::terminal::charset;
use super::usage::UsageError;
use crate::render::printable;
use tokio_util::sync::CancellationToken;

/// Requires `--yes` if there is no terminal to ask on. Checked before the work, so that it does not fail at its end.
pub(super) fn can_ask(starting: &StartingArgs) -> Result<(), UsageError> {
    if starting.yes || starting.dry_run || (io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(());
    }
    Err(UsageError(
        "this starts a task that costs money, and there is no terminal to ask at: give --yes, or --dry-run".to_owned(),
    ))
}

/// Asks a question on the terminal. Returns the line typed; `None` after Ctrl-C.
async fn ask(question: &str, cancel: &CancellationToken) -> Option<String> {
    write!(io::stderr(), "{} ", charset().text(&printable(question))).ok()?;
    io::stderr().flush().ok()?;
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        Some(line.trim().to_owned())
    });
    let answer = until(cancel, typed).await?.ok()?;
    log(&format!("{} {}", printable(question), printable(answer.as_deref().unwrap_or_default())));
    answer
}

/// Asks for consent to start the task. `false` after Ctrl-C.
pub(super) async fn agreed(starting: &StartingArgs, question: &str, cancel: &CancellationToken) -> bool {
    if starting.yes {
        return !cancel.is_cancelled();
    }
    let answer = ask(&format!("{question} [y/N]"), cancel).await;
    answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"))
}
