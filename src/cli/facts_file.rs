//! `inspect --facts-file`: facts about objects that their owner may publish.

use std::path::Path;

use super::args::FactsArgs;
use super::output::{keep_output, print_error_line};
use super::runner::Runner;
use super::signals::cancel_on_signal;
use super::starting::{has_terminal, says_yes};
use super::usage::UsageError;
use crate::files::OutputKind;
use crate::ident::Target;
use crate::render::printable;
use crate::report::{FactsFile, PublicFacts};

/// Checks before the work that the facts can be shown and written.
///
/// # Errors
///
/// There is no terminal to ask at, or a target is not in S3.
pub(super) fn can_publish(args: &FactsArgs, targets: &[Target]) -> Result<(), UsageError> {
    if args.facts_file.is_none() {
        return Ok(());
    }
    if let Some(file) = targets.iter().find(|target| matches!(target, Target::File(_))) {
        return Err(UsageError(format!("{file}: --facts-file describes objects in S3, and this is a local file")));
    }
    if args.yes || has_terminal() {
        return Ok(());
    }
    Err(UsageError(
        "--facts-file shows the facts before it writes them, and there is no terminal to ask at: give --yes".to_owned(),
    ))
}

/// Shows the facts, asks, and writes them.
pub(super) async fn publish(runner: &mut Runner, args: &FactsArgs, facts: Vec<PublicFacts>) {
    let Some(path) = &args.facts_file else { return };
    if facts.is_empty() {
        runner.remark(&format!(
            "{}: not written: no object could be inspected by HeadObject (it needs s3:GetObject)",
            path.display()
        ));
        return;
    }
    let text = match FactsFile::new(facts).to_json() {
        Ok(text) => text,
        Err(error) => return runner.could_not_write(&problem(path, &error)),
    };
    print_error_line(&format!("these facts go to {}:", printable(&path.display().to_string())));
    text.lines().for_each(print_error_line);
    let question = format!("Write them to {}?", path.display());
    if !args.yes && !says_yes(&question, &cancel_on_signal()).await {
        return runner.not_agreed(&format!("{}: not written", path.display()));
    }
    if let Err(error) = keep_output(&runner.settings().written, path, OutputKind::Facts, text.as_bytes()) {
        runner.could_not_write(&problem(path, &error));
    }
}

fn problem(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: the facts could not be written: {error}", path.display())
}
