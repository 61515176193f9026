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
}

pub(super) fn exit_meaning(code: u8) -> &'static str {
    match code {
        0 => "every required check passed, or its unknown was accepted",
        1 => "at least one check failed",
        2 => "wrong arguments, configuration or credentials; nothing was done",
        3 => "nothing failed, but something required is unknown",
        4 => "the work could not be done",
        130 => "interrupted; this is what was known by then",
        _ => "of another program",
    }
}
