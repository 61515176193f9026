//! Help beyond the texts of options: groups of commands, examples, environment, files and exit codes.

mod batch_topics;
mod block_topics;
mod hint;
mod topic;
mod topics;

pub(super) use hint::improved;
pub(super) use topic::Topic;
pub(super) use topics::TOPICS;

use clap::{ColorChoice, CommandFactory as _};

use super::command::Cli;
use crate::render::wrap;

/// The groups of commands, in the order of the top-level help.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Read an object", &["inspect", "verify", "compare", "bench", "cost"]),
    ("Decide", &["is-stored", "preflight", "audit", "safe-to-delete", "ledger", "batch", "fingerprint", "prove"]),
    ("Act", &["store", "restore", "drill", "copy", "thaw"]),
    ("Tools", &["doctor", "policy", "lab", "demo", "completions", "man", "help"]),
];

/// The definition of the command line with all help.
pub(super) fn command() -> clap::Command {
    coloured(ColorChoice::Auto)
}

/// The same, with the colours of help and of errors.
pub(super) fn coloured(colours: ColorChoice) -> clap::Command {
    // Commands take over the choice when they are built.
    let mut command = documented(Cli::command().color(colours), "");
    command.build();
    let groups = groups(&command, width());
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{{options}}{{after-help}}"
    ))
}

/// Adds the examples and the exit codes to the help of a command and its subcommands. `above` is the name of the
/// command without that of the program, followed by a space.
fn documented(command: clap::Command, above: &str) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let path = format!("{above}{name}");
        command.mut_subcommand(&name, |sub| documented(sub, &format!("{path} ")))
    });
    match topic(above.trim_end()) {
        None => command,
        Some(topic) => command.after_help(topic.brief()).after_long_help(topic.full()),
    }
}

/// The help of a command, by its name without that of the program.
pub(super) fn topic(path: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.path == path)
}

/// Columns before the description of a command.
const NAMES: usize = 18;

/// The width at which the parser wraps the options: that of the terminal, else `COLUMNS`, and at most 100.
fn width() -> usize {
    let terminal = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(variable).unwrap_or(100).min(100)
}

/// The list of commands in groups. Commands that this build does not have are left out.
fn groups(command: &clap::Command, width: usize) -> String {
    let about = |name: &str| {
        let sub = command.get_subcommands().find(|sub| sub.get_name() == name && !sub.is_hide_set())?;
        Some(sub.get_about().map(ToString::to_string).unwrap_or_default())
    };
    let mut text = String::new();
    for (title, names) in GROUPS {
        let rows: Vec<_> = names.iter().filter_map(|name| Some((name, about(name)?))).collect();
        if rows.is_empty() {
            continue;
        }
        text += &format!("{title}:\n");
        for (name, about) in rows {
            for (index, line) in wrap(&about, width.saturating_sub(NAMES).max(24)).iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                text += &format!("  {name:<15} {line}\n");
            }
        }
        text.push('\n');
    }
    text += "Options:\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(command: &clap::Command, above: &str, found: &mut Vec<String>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
            found.push(format!("{above}{}", sub.get_name()));
            visible(sub, &format!("{above}{} ", sub.get_name()), found);
        }
    }

    #[test]
    fn every_visible_command_is_in_one_group() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let groups = GROUPS.iter().flat_map(|(_, names)| *names).filter(|name| **name == sub.get_name());
            assert_eq!(groups.count(), 1, "{}", sub.get_name());
        }
    }

    #[test]
    fn the_list_of_commands_is_wrapped_like_the_options() {
        let mut command = Cli::command();
        command.build();
        let (narrow, wide) = (groups(&command, 60), groups(&command, 100));
        assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
        assert!(narrow.lines().count() > wide.lines().count());
        assert!(narrow.split_whitespace().eq(wide.split_whitespace()));
    }

    #[test]
    fn every_visible_command_has_examples_and_exit_codes() {
        let mut found = vec![String::new()];
        visible(&command(), "", &mut found);
        for path in found {
            let topic = topic(&path).unwrap_or_else(|| panic!("no help of `{path}`"));
            assert!(!topic.examples.is_empty() && !topic.exits.is_empty(), "`{path}`");
        }
    }

    /// The command at a path without the name of the program.
    fn at(path: &str) -> clap::Command {
        path.split_whitespace().fold(command(), |command, name| command.find_subcommand(name).unwrap().clone())
    }

    #[test]
    fn short_help_fits_one_screen_and_long_help_has_every_section() {
        let mut found = vec![String::new()];
        visible(&command(), "", &mut found);
        assert!(found.len() > 10, "{found:?}");
        for path in found {
            let mut command = at(&path).term_width(100);
            let (short, long) = (command.render_help().to_string(), command.render_long_help().to_string());
            let lines = short.lines().count();
            assert!(lines <= 50, "`{path} -h` has {lines} lines:\n{short}");
            assert!(short.contains("Example: stored-ami"), "{short}");
            for section in ["\nExamples:\n", "\nEnvironment:\n", "\nExit codes:\n"] {
                assert!(long.contains(section), "`{path} --help` lacks {section}:\n{long}");
            }
        }
    }

    #[test]
    fn examples_are_accepted_by_the_parser() {
        for topic in TOPICS {
            for (_, line) in topic.examples {
                let words = line.split(" > ").next().unwrap_or_default().split_whitespace();
                let parsed = command().try_get_matches_from(words);
                // This build may lack a command.
                if let Err(error) = parsed
                    && error.kind() != clap::error::ErrorKind::InvalidSubcommand
                {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
