//! Consent to requests that cost money.

use std::io::{self, IsTerminal, Write};

use clap::Args;

use super::output::log;
use super::signals::until;
use super::terminal::charset;
use super::usage::UsageError;
use crate::render::printable;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Args)]
#[command(next_help_heading = "Start")]
pub struct StartingArgs {
    /// Start without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Check everything and start nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What a command does after consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Costly {
    /// Starts a task of EC2.
    #[cfg(feature = "ec2")]
    Task,
    /// Writes an object.
    #[cfg(feature = "ec2")]
    Copy,
    /// Restores objects from an archive class.
    Thaw,
    /// Reads blocks of snapshots.
    #[cfg(feature = "ebs")]
    Blocks,
    /// Restores an AMI, reads its blocks and removes it.
    #[cfg(feature = "ebs")]
    Drill,
    /// Creates jobs of S3 Batch Operations.
    #[cfg(feature = "batch")]
    BatchJobs,
}

impl Costly {
    fn described(self) -> &'static str {
        match self {
            #[cfg(feature = "ec2")]
            Costly::Task => "this starts a task, which costs money",
            #[cfg(feature = "ec2")]
            Costly::Copy => "this writes a copy, which costs money",
            Costly::Thaw => "this restores objects from the archive, which costs money",
            #[cfg(feature = "ebs")]
            Costly::Blocks => "this reads blocks of snapshots, which costs money",
            #[cfg(feature = "ebs")]
            Costly::Drill => "this restores an AMI and reads its blocks, which costs money",
            #[cfg(feature = "batch")]
            Costly::BatchJobs => "this creates jobs of S3 Batch Operations, which costs money",
        }
    }

    /// What is said if the user declines.
    pub(super) fn declined(self) -> &'static str {
        match self {
            #[cfg(feature = "ec2")]
            Costly::Task => "nothing was started",
            #[cfg(feature = "ec2")]
            Costly::Copy => "nothing was copied",
            Costly::Thaw => "nothing was restored from the archive",
            #[cfg(feature = "ebs")]
            Costly::Blocks => "no block was read",
            #[cfg(feature = "ebs")]
            Costly::Drill => "nothing was restored, compared or removed",
            #[cfg(feature = "batch")]
            Costly::BatchJobs => "no job was created",
        }
    }
}

/// Requires `--yes` if there is no terminal to ask on. Checked before the work, so that it does not fail at its end.
pub(super) fn can_ask(starting: &StartingArgs, what: Costly) -> Result<(), UsageError> {
    if starting.yes || starting.dry_run || has_terminal() {
        return Ok(());
    }
    let what = what.described();
    Err(UsageError(format!("{what}, and there is no terminal to ask at: give --yes, or --dry-run to see the plan")))
}

/// Whether a question can be asked, and its answer be typed.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question on the terminal. Returns the line typed; `None` after Ctrl-C.
pub(super) async fn ask(question: &str, cancel: &CancellationToken) -> Option<String> {
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
    says_yes(question, cancel).await
}

/// Asks a question that only `y` or `yes` affirms. `false` after Ctrl-C.
pub(super) async fn says_yes(question: &str, cancel: &CancellationToken) -> bool {
    let answer = ask(&format!("{question} [y/N]"), cancel).await;
    answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"))
}
