use std::io::{self, IsTerminal};

use super::global::{Display, Verbosity};
use crate::render::{Detail, Style};

/// The style of standard output.
pub(super) fn style(display: Display) -> Style {
    let terminal = io::stdout().is_terminal();
    let width = if terminal { usize::from(console::Term::stdout().size().1).clamp(40, 120) } else { Style::UNBOUNDED };
    let detail = match display.verbosity {
        Verbosity::Quiet | Verbosity::Normal => Detail::Brief,
        Verbosity::Verbose | Verbosity::Requests => Detail::Full,
    };
    Style { colour: display.colour.on(terminal), width, detail }
}
