use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, counted};

/// A range of damaged bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamagedRun {
    /// Offset of the first byte.
    #[serde(rename = "first_byte")]
    pub first: u64,
    /// Offset of the last byte.
    #[serde(rename = "last_byte")]
    pub last: u64,
    /// Numbers of the first and the last part, from 1; absent if references over different parts locate the damage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<(u64, u64)>,
}

/// Where an object is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamagePlace {
    /// The damaged ranges in order; empty if no reference can locate the damage.
    pub runs: Vec<DamagedRun>,
    /// Number of parts of the object, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
}

impl DamagePlace {
    /// Maximum number of ranges that the text names; the rest are counted.
    pub const SHOWN: usize = 5;

    /// Number of damaged parts; `None` if the damage is not located, or by references over different parts.
    pub fn damaged_parts(&self) -> Option<u64> {
        let counts = self.runs.iter().map(|run| run.parts.map(|(first, last)| last.saturating_sub(first) + 1));
        counts.sum::<Option<u64>>().filter(|count| *count > 0)
    }

    fn run(&self, run: &DamagedRun) -> String {
        let of = self.parts.map(|parts| format!(" of {parts}")).unwrap_or_default();
        let which = match run.parts {
            None => String::new(),
            Some((first, last)) if first == last => format!(" (part {first}{of})"),
            Some((first, last)) => format!(" (parts {first}–{last}{of})"),
        };
        format!("{}–{}{which}", ByteSize(run.first).grouped(), ByteSize(run.last).grouped())
    }
}

impl fmt::Display for DamagePlace {
    /// `bytes 8,388,608–16,777,215 (part 2 of 6)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return f.write_str("somewhere in the object: no reference shows where");
        }
        if let Some(count) = self.damaged_parts().filter(|_| self.runs.len() > 1) {
            write!(f, "{}: ", counted(count, "part"))?;
        }
        let shown: Vec<String> = self.runs.iter().take(Self::SHOWN).map(|run| self.run(run)).collect();
        write!(f, "bytes {}", shown.join(", "))?;
        match self.runs.len().saturating_sub(Self::SHOWN) {
            0 => Ok(()),
            more => write!(f, ", and {}", counted(more as u64, "more range")),
        }
    }
}
