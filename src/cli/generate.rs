use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::ManArgs;
use super::help::{self, Topic};
use super::output::keep_output;
use super::usage::UsageError;
use super::written::WrittenFiles;
use crate::files::OutputKind;

/// The page that `man` prints.
///
/// # Errors
///
/// There is no such command.
pub(super) fn page(args: &ManArgs) -> Result<Vec<u8>, UsageError> {
    let name = args.command.join(" ");
    let unknown = || UsageError(format!("man {name}: no such command; `stored-ami --help` lists the commands"));
    let page = pages().into_iter().find(|page| page.path == name).ok_or_else(unknown)?;
    page.render().map_err(|error| UsageError(error.to_string()))
}

/// The files that `man --out` may replace: none if the folder does not exist yet.
pub(super) fn page_files(args: &ManArgs) -> Vec<PathBuf> {
    let Some(folder) = args.out.as_ref().filter(|folder| folder.is_dir()) else { return Vec::new() };
    pages().iter().map(|page| folder.join(page.file())).collect()
}

/// Writes the manual pages of all commands into a folder, which is created if it does not exist.
pub(super) fn write_pages(folder: &Path, written: &WrittenFiles) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for page in pages() {
        keep_output(written, &folder.join(page.file()), OutputKind::Manual, &page.render()?)?;
    }
    Ok(())
}

/// One manual page.
struct Page {
    /// Name of the command without that of the program; empty for the main page.
    path: String,
    command: clap::Command,
}

/// The pages of all visible commands, the main page first.
fn pages() -> Vec<Page> {
    fn collect(command: &clap::Command, path: &str, found: &mut Vec<Page>) {
        // The generator leaves out the texts of options that are hidden in the short help.
        let command_in_full = command.clone().mut_args(|arg| arg.hide_short_help(false));
        found.push(Page { path: path.to_owned(), command: command_in_full });
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
            collect(sub, format!("{path} {}", sub.get_name()).trim(), found);
        }
    }
    let mut found = Vec::new();
    collect(&help::command(), "", &mut found);
    found
}

impl Page {
    /// Name of the page, such as `stored-ami-verify`.
    fn name(&self) -> String {
        ["stored-ami"].into_iter().chain(self.path.split_whitespace()).collect::<Vec<_>>().join("-")
    }

    fn file(&self) -> String {
        format!("{}.1", self.name())
    }

    fn render(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let page = clap_mangen::Man::new(self.command.clone());
        // Without a date, the generator would shift the other fields of the title.
        writeln!(out, ".TH {} 1 \"\" \"{}\" \"User Commands\"", self.name().to_uppercase(), crate::report::TOOL)?;
        page.render_name_section(&mut out)?;
        self.synopsis(&mut out)?;
        page.render_description_section(&mut out)?;
        page.render_options_section(&mut out)?;
        self.commands(&mut out)?;
        if let Some(topic) = help::topic(&self.path) {
            sections(topic, &mut out)?;
        }
        self.see_also(&mut out)?;
        Ok(out)
    }

    /// The command with its own options and their values; those of all commands are named together.
    fn synopsis(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let name = ["stored-ami"].into_iter().chain(self.path.split_whitespace()).collect::<Vec<_>>().join(" ");
        writeln!(out, ".SH SYNOPSIS\n.nh\n\\fB{}\\fR", text(&name))?;
        let shown = || self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        let is_general = |arg: &&clap::Arg| arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version");
        let own = shown().filter(|arg| !arg.is_positional() && !is_general(arg));
        let (required, optional): (Vec<_>, Vec<_>) = own.partition(|arg| arg.is_required_set());
        required.into_iter().chain(optional).try_for_each(|arg| writeln!(out, "{}", synopsis_of(arg)))?;
        writeln!(out, "[\\fIGLOBAL OPTIONS\\fR]")?;
        shown().filter(|arg| arg.is_positional()).try_for_each(|arg| writeln!(out, "{}", synopsis_of(arg)))?;
        if self.subcommands().next().is_some() {
            writeln!(out, "\\fICOMMAND\\fR ...")?;
        }
        writeln!(out, ".hy")
    }

    fn subcommands(&self) -> impl Iterator<Item = &clap::Command> {
        self.command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    }

    fn commands(&self, out: &mut Vec<u8>) -> io::Result<()> {
        if self.subcommands().next().is_none() {
            return Ok(());
        }
        writeln!(out, ".SH COMMANDS")?;
        for sub in self.subcommands() {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            entry(out, &format!("{}-{}(1)", self.name(), sub.get_name()), &about)?;
        }
        Ok(())
    }

    fn see_also(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let above = self.path.rsplit_once(' ').map(|(above, _)| format!("stored-ami-{above}"));
        let mut pages: Vec<String> = match (self.path.is_empty(), above) {
            (true, _) => self.subcommands().map(|sub| format!("stored-ami-{}", sub.get_name())).collect(),
            (false, above) => ["stored-ami".to_owned()].into_iter().chain(above).collect(),
        };
        pages.iter_mut().for_each(|page| *page += "(1)");
        writeln!(out, ".SH \"SEE ALSO\"\n{}", text(&pages.join(", ")))
    }
}

/// An option or an argument, with its value, as a synopsis shows it.
fn synopsis_of(arg: &clap::Arg) -> String {
    let values = arg.get_value_names().unwrap_or_default().join(" ");
    let range = arg.get_num_args().unwrap_or_default();
    let value = (range.takes_values() && !values.is_empty()).then(|| {
        let value = format!("\\fI{}\\fR", text(&values));
        if range.min_values() == 0 && !arg.is_positional() { format!("[{value}]") } else { value }
    });
    let flag = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => Some(format!("\\fB{}\\fR", text(&format!("--{long}")))),
        (None, short) => short.map(|short| format!("\\fB{}\\fR", text(&format!("-{short}")))),
    };
    let whole = flag.into_iter().chain(value).collect::<Vec<_>>().join("\\ ");
    let whole = if arg.is_required_set() { whole } else { format!("[{whole}]") };
    if range.max_values() > 1 || matches!(arg.get_action(), clap::ArgAction::Append) { whole + "..." } else { whole }
}

/// The sections that only the topic of a command has.
fn sections(topic: &Topic, out: &mut Vec<u8>) -> io::Result<()> {
    writeln!(out, ".SH EXAMPLES")?;
    for (at, (what, line)) in topic.examples.iter().enumerate() {
        let gap = if at == 0 { "" } else { ".PP\n" };
        writeln!(out, "{gap}{}\n.RS 4\n.nf\n{}\n.fi\n.RE", text(what), text(line))?;
    }
    writeln!(out, ".SH ENVIRONMENT")?;
    for (names, what) in topic.environment() {
        entry(out, names, what)?;
    }
    if !topic.files.is_empty() {
        writeln!(out, ".SH FILES")?;
        for (path, what) in topic.files {
            entry(out, path, what)?;
        }
    }
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in topic.exits {
        entry(out, code, meaning)?;
    }
    Ok(())
}

/// An entry of a list with a bold term.
fn entry(out: &mut Vec<u8>, term: &str, about: &str) -> io::Result<()> {
    writeln!(out, ".TP\n\\fB{}\\fR\n{}", text(term), text(about))
}

/// Text on a line of its own, as roff writes it.
fn text(plain: &str) -> String {
    let escaped = plain.replace('\\', "\\e").replace('-', "\\-").replace('…', "...");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}
