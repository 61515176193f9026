/// How something is shown: a colour, a shape and a word, each of which tells it alone.
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
    pub fn of_verdict(verdict: &str) -> Self {
        match verdict {
            "pass" => Tone::Pass,
            "fail" => Tone::Fail,
            _ => Tone::Unknown,
        }
    }

    pub fn of_exit(code: u8) -> Self {
        match code {
            0 => Tone::Pass,
            1 => Tone::Fail,
            3 => Tone::Unknown,
            _ => Tone::Error,
        }
    }

    /// Names the class of the style sheet and the shape.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Pass => "pass",
            Tone::Fail => "fail",
            Tone::Unknown => "unknown",
            Tone::Error => "error",
            Tone::Plain => "plain",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Tone::Pass => "Pass",
            Tone::Fail => "Fail",
            Tone::Unknown => "Unknown",
            Tone::Error => "Error",
            Tone::Plain => "Facts",
        }
    }

    /// What an exit code means of something that is shown so.
    pub fn exit_meaning(self, code: u8) -> &'static str {
        match (code, self) {
            (0, Tone::Plain) => "the work was done, and nothing was judged",
            (0, Tone::Unknown) => "what is unknown was accepted",
            (0, _) => "every required check passed",
            (1, _) => "at least one check failed",
            (2, _) => "wrong arguments, configuration or credentials; nothing was done",
            (3, _) => "nothing failed, but something required is unknown",
            (4, _) => "the work could not be done",
            (130, _) => "interrupted; this is what was known by then",
            _ => "of another program",
        }
    }
}
