use crate::report::Exit;
use crate::verdict::Verdict;

/// Presentation of a result by colour, shape and word. Each of the three conveys the result on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Pass,
    Fail,
    Unknown,
    Error,
    /// Nothing was judged.
    Plain,
}

impl Tone {
    /// The tone of a verdict.
    pub(super) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Tone::Pass,
            Verdict::Fail => Tone::Fail,
            Verdict::Unknown => Tone::Unknown,
        }
    }

    /// The tone of an exit code.
    pub(super) fn of_exit(exit: Exit) -> Self {
        match exit {
            Exit::Passed => Tone::Pass,
            Exit::Failed => Tone::Fail,
            Exit::Unknown => Tone::Unknown,
            Exit::Usage | Exit::CouldNot | Exit::Interrupted => Tone::Error,
        }
    }

    /// The CSS class, which also selects the shape.
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Pass => Verdict::Pass.name(),
            Tone::Fail => Verdict::Fail.name(),
            Tone::Unknown => Verdict::Unknown.name(),
            Tone::Error => "error",
            Tone::Plain => "plain",
        }
    }

    /// The word shown for the tone.
    pub(super) fn word(self) -> &'static str {
        match self {
            Tone::Pass => "Pass",
            Tone::Fail => "Fail",
            Tone::Unknown => "Unknown",
            Tone::Error => "Error",
            Tone::Plain => "Facts",
        }
    }

    /// Explanation of an exit code for a result with this tone.
    pub(super) fn exit_meaning(self, exit: Exit) -> &'static str {
        match (exit, self) {
            (Exit::Passed, Tone::Plain) => "the work was done, and nothing was judged",
            (Exit::Passed, Tone::Unknown) => "what is unknown was accepted",
            (Exit::Passed, _) => "every required check passed",
            (Exit::Failed, _) => "at least one check failed",
            (Exit::Usage, _) => "wrong arguments, configuration or credentials; nothing was done",
            (Exit::Unknown, _) => "nothing failed, but something required is unknown",
            (Exit::CouldNot, _) => "the work could not be done",
            (Exit::Interrupted, _) => "interrupted; this is what was known by then",
        }
    }
}
