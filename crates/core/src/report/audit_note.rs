use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::counted;

/// A note on a whole audit. In JSON it is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditNote {
    /// The ledger is new: there are no earlier results.
    NewLedger,
    /// The objects were named, and nothing was listed.
    NamedOnly,
    /// A listing held keys that are not under its prefix.
    OutsidePrefix {
        /// The prefix that was listed.
        prefix: String,
        /// Number of such keys.
        keys: u64,
        /// One of them.
        example: String,
    },
    /// A listing was not in the order of its keys.
    Unordered {
        /// The prefix that was listed.
        prefix: String,
    },
    /// There is no object under a prefix.
    NothingUnder {
        /// The prefix that was listed.
        prefix: String,
    },
    /// Objects that the run was cut off before.
    NotReached {
        /// Objects that are left.
        left: u64,
        /// All objects.
        of: u64,
    },
    /// Objects of the ledger that no listing held, and that the run was cut off before.
    UnlistedNotReached {
        /// Objects that are left.
        left: u64,
        /// All objects.
        of: u64,
    },
    /// Duplicates were looked for in a share of the objects only. It does not hold once all shards are merged.
    DuplicatesInShare,
    /// The copies were not compared with the AMIs of the account.
    ImagesNotCompared,
    /// Something beside the objects could not be asked for.
    NotAsked {
        /// What was to be asked for.
        what: String,
        /// Why it could not be.
        why: String,
    },
    /// A share has more than one result, because its task was started again.
    TwoResults {
        /// The share.
        shard: String,
        /// The worse result.
        first: String,
        /// The other result.
        second: String,
    },
    /// Objects are copies of bytes that nothing need have proved.
    UnprovedCopies {
        /// Number of objects.
        objects: u64,
        /// One of them.
        example: String,
    },
    /// What the runs of huge objects show was appended to a ledger.
    Recorded {
        /// Number of objects.
        objects: u64,
        /// The ledger.
        ledger: String,
    },
    /// What the runs of a huge object show was not appended to a ledger.
    NotRecorded {
        /// The object.
        target: String,
        /// The ledger.
        ledger: String,
        /// Why it was not.
        why: String,
    },
    /// The text of a note that was read from a file.
    Other(String),
}

impl AuditNote {
    /// Notes that are known again when they are read from a file.
    const FIXED: [AuditNote; 4] =
        [AuditNote::NewLedger, AuditNote::NamedOnly, AuditNote::DuplicatesInShare, AuditNote::ImagesNotCompared];
}

impl fmt::Display for AuditNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditNote::NewLedger => f.write_str("new ledger: no earlier results"),
            AuditNote::NamedOnly => {
                f.write_str("only the named objects were examined, and missing objects are not detected")
            }
            AuditNote::OutsidePrefix { prefix, keys, example } => write!(
                f,
                "the listing of {prefix} has {keys} keys that are not under it, left out: such as `{example}`"
            ),
            AuditNote::Unordered { prefix } => {
                write!(f, "the listing of {prefix} is not in the order of its keys")
            }
            AuditNote::NothingUnder { prefix } => {
                write!(f, "no stored AMI object was found under {prefix}, so there is nothing to report")
            }
            AuditNote::NotReached { left, of } => write!(f, "{left} of {of} objects were not reached"),
            AuditNote::UnlistedNotReached { left, of } => {
                write!(f, "{left} of {of} objects that are not listed were not reached")
            }
            AuditNote::DuplicatesInShare => {
                f.write_str("duplicates were looked for among the objects of this share alone")
            }
            AuditNote::ImagesNotCompared => {
                f.write_str("the account's AMIs were not compared with the copies: not all of them are known")
            }
            AuditNote::NotAsked { what, why } => write!(f, "{what} could not be asked for: {why}"),
            AuditNote::TwoResults { shard, first, second } => {
                write!(f, "shard {shard} has two results, {first} and {second}: of each object the worse result stands")
            }
            AuditNote::UnprovedCopies { objects, example } => write!(
                f,
                "{} of bytes that nothing need have proved, whose own values show only that they are as they were \
                 written: such as {example}",
                if *objects == 1 { "1 object is a copy".to_owned() } else { format!("{objects} objects are copies") },
            ),
            AuditNote::Recorded { objects, ledger } => {
                let objects = counted(*objects, "object");
                write!(f, "the result for {objects} that the shards read together is recorded in {ledger}")
            }
            AuditNote::NotRecorded { target, ledger, why } => {
                write!(f, "the result for {target} is not recorded in {ledger}: {why}")
            }
            AuditNote::Other(text) => f.write_str(text),
        }
    }
}

impl Serialize for AuditNote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AuditNote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = AuditNote::FIXED.into_iter().find(|note| note.to_string() == text);
        Ok(known.unwrap_or(AuditNote::Other(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_known_again_by_its_whole_text_alone() {
        for note in AuditNote::FIXED {
            let json = serde_json::to_string(&note).unwrap();
            assert_eq!(serde_json::from_str::<AuditNote>(&json).unwrap(), note);
        }
        let prefix = "s3://b/this share alone/".to_owned();
        let json = serde_json::to_string(&AuditNote::NothingUnder { prefix }).unwrap();
        let read: AuditNote = serde_json::from_str(&json).unwrap();
        assert!(matches!(&read, AuditNote::Other(text) if text.contains("this share alone")));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
