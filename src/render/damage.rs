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
    NextStep::after_damage(damaged).iter().try_for_each(|step| write(out, style, step, reach))
}

/// [`next_steps`] without the advice to keep the copies, for a text that has given it.
pub(super) fn copies(out: &mut impl Write, style: Style, damaged: Damaged<'_>, reach: &[EndOption]) -> io::Result<()> {
    let steps = NextStep::after_damage(damaged);
    let mut steps = steps.iter().filter(|step| **step != NextStep::KeepOtherCopies);
    steps.try_for_each(|step| write(out, style, step, reach))
}

fn write(out: &mut impl Write, style: Style, step: &NextStep, reach: &[EndOption]) -> io::Result<()> {
    match step.command(reach) {
        Some(text) => command(out, style, step.label(), &text),
        None => field(out, style.width, 2, step.label(), &step.clause()),
    }
}
