use std::io::{self, IsTerminal};

use super::global::Display;
use crate::render::Style;

/// The style of standard output.
pub(super) fn style(display: Display) -> Style {
    let terminal = io::stdout().is_terminal();
    let width = if terminal { usize::from(console::Term::stdout().size().1) } else { 100 };
    Style { colour: display.colour.on(terminal), width: width.clamp(40, 120) }
}
