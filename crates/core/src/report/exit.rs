use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// Every exit.
    pub const ALL: [Exit; 6] =
        [Exit::Passed, Exit::Failed, Exit::Usage, Exit::Unknown, Exit::CouldNot, Exit::Interrupted];

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

impl fmt::Display for Exit {
    /// The process exit code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for Exit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u8::deserialize(deserializer)?;
        let known = Exit::ALL.into_iter().find(|exit| exit.code() == code);
        known.ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(code.into()), &"0, 1, 2, 3, 4 or 130"))
    }
}

impl JsonSchema for Exit {
    fn schema_name() -> Cow<'static, str> {
        "Exit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes = Exit::ALL.map(Exit::code);
        json_schema!({
            "description": "0: every required check passed. 1: a check failed. 2: wrong arguments, configuration or credentials. 3: nothing failed, and something required is unknown. 4: the work could not be done. 130: stopped by a signal.",
            "type": "integer",
            "enum": codes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_its_number() {
        assert_eq!(serde_json::to_string(&Exit::ALL).unwrap(), "[0,1,2,3,4,130]");
        assert_eq!(serde_json::from_str::<[Exit; 6]>("[0,1,2,3,4,130]").unwrap(), Exit::ALL);
        for odd in ["5", "77", "129", "256", "-1", "\"0\""] {
            assert!(serde_json::from_str::<Exit>(odd).is_err(), "{odd}");
        }
    }

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
