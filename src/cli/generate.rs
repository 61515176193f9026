use std::io::{self, Write};

use clap::CommandFactory;

use super::Cli;

pub(super) fn completions(shell: clap_complete::Shell, out: &mut impl Write) {
    let mut command = Cli::command();
    clap_complete::generate(shell, &mut command, "stored-ami", out);
}

/// Writes one manual page: the command, then each of its subcommands.
pub(super) fn man(out: &mut impl Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("stored-ami {}", sub.get_name());
        writeln!(out, ".SH {}", name.to_uppercase())?;
        let page = clap_mangen::Man::new(sub.clone());
        page.render_synopsis_section(out)?;
        page.render_description_section(out)?;
        page.render_options_section(out)?;
    }
    Ok(())
}
