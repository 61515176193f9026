use std::io::{self, IsTerminal};

use crate::render::Style;

/// The style of standard output: colours only on a terminal, and not with `NO_COLOR`.
pub(super) fn style() -> Style {
    let terminal = io::stdout().is_terminal();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let width = if terminal { usize::from(console::Term::stdout().size().1) } else { 100 };
    Style { colour: terminal && !refused, width: width.clamp(40, 120) }
}
