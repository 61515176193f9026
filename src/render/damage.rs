//! Damage for people: what, where, how sure, and what to do next.

use std::io::{self, Write};

use super::next_step::{Damaged, NextStep};
use super::{Style, command, field};
use crate::report::EndOption;

/// What to do about a damaged object, which `reach` reaches.
pub(super) fn next_steps(
    out: &mut impl Write,
    style: Style,
    damaged: Damaged<'_>,
    reach: &[EndOption],
) -> io::Result<()> {
    steps(out, style, &NextStep::after_damage(damaged), reach)
}

/// [`next_steps`] without the advice to keep the copies, for a text that has given it.
pub(super) fn copies(out: &mut impl Write, style: Style, damaged: Damaged<'_>, reach: &[EndOption]) -> io::Result<()> {
    let mut found = NextStep::after_damage(damaged);
    found.retain(|step| *step != NextStep::KeepOtherCopies);
    steps(out, style, &found, reach)
}

/// Writes steps, each with its command.
pub(super) fn steps(out: &mut impl Write, style: Style, steps: &[NextStep], reach: &[EndOption]) -> io::Result<()> {
    steps.iter().try_for_each(|step| match step.command(reach) {
        Some(text) => command(out, style, step.label(), &text),
        None => field(out, style.width, 2, step.label(), &step.clause()),
    })
}
