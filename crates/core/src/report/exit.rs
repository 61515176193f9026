use crate::verdict::Verdict;

/// Exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exit {
    /// 0: every required check passed.
    #[default]
    Passed,
    /// 1: at least one check failed.
    Failed,
    /// 2: wrong arguments, configuration or credentials, before any work.
    Usage,
    /// 3: nothing failed, but a required check is unknown.
    Unknown,
    /// 4: the work could not be done.
    CouldNot,
    /// 130: stopped by a signal.
    Interrupted,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Exit::Passed,
            Verdict::Fail => Exit::Failed,
            Verdict::Unknown => Exit::Unknown,
        }
    }
}

impl Exit {
    /// The exit status of an exit code; an unknown code counts as [`Exit::CouldNot`].
    pub fn of(code: u8) -> Self {
        let all = [Exit::Passed, Exit::Failed, Exit::Usage, Exit::Unknown, Exit::CouldNot, Exit::Interrupted];
        all.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::CouldNot)
    }

    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unknown => 3,
            Exit::CouldNot => 4,
            Exit::Interrupted => 130,
        }
    }

    /// The exit status of two pieces of work together. Precedence: 130, 1, 2, 4, 3, 0.
    pub fn and(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Passed => 0,
            Exit::Unknown => 1,
            Exit::CouldNot => 2,
            Exit::Usage => 3,
            Exit::Failed => 4,
            Exit::Interrupted => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins_whichever_comes_first() {
        let order = [Exit::Interrupted, Exit::Failed, Exit::Usage, Exit::CouldNot, Exit::Unknown, Exit::Passed];
        for (i, worse) in order.into_iter().enumerate() {
            for better in order.into_iter().skip(i) {
                assert_eq!(worse.and(better), worse);
                assert_eq!(better.and(worse), worse);
            }
        }
    }
}
