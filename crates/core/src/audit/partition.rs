use std::fmt;
use std::str::FromStr;

use crate::checksum::{Algorithm, Hasher};
use crate::text::serde_as_text;

/// One of `of` shares, numbered from 1. Every object belongs to exactly one share, always to the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partition {
    index: u32,
    of: u32,
}

/// The text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not a share: {problem}")]
pub struct ParseShareError {
    /// The text as typed.
    pub input: String,
    /// The expected syntax, for the user.
    pub problem: &'static str,
}

impl Partition {
    /// `None` unless `index` is between 1 and `of`.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (index >= 1 && index <= of).then_some(Partition { index, of })
    }

    /// Number of the share, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of shares.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether an object belongs to this share. Shares of different purposes divide the objects differently,
    /// so that a shard of a slice is not empty.
    pub fn holds(self, purpose: &str, bucket: &str, key: &str) -> bool {
        self.owner(purpose, bucket, key) == self.index
    }

    /// The number of the share that an object belongs to, of as many shares.
    pub fn owner(self, purpose: &str, bucket: &str, key: &str) -> u32 {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for part in [purpose, bucket, key] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let digest = hasher.finish();
        let number = digest.as_bytes().iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        u32::try_from(number % u64::from(self.of)).unwrap_or_default() + 1
    }
}

impl FromStr for Partition {
    type Err = ParseShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem| ParseShareError { input: text.to_owned(), problem };
        let (index, of) = text.split_once('/').ok_or_else(|| error("write I/N, for example 3/7"))?;
        match (index.parse(), of.parse()) {
            (Ok(index), Ok(of)) => Partition::new(index, of).ok_or_else(|| error("I goes from 1 to N")),
            _ => Err(error("write I/N, for example 3/7")),
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

serde_as_text!(Partition);

/// A fixed share, or the share of the current day: `3/7`, `today/7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionSpec {
    /// This share.
    Fixed(Partition),
    /// The shares in turn, one per day.
    Today {
        /// Number of shares.
        of: u32,
    },
}

impl PartitionSpec {
    /// The share of a day, given in days since 1970-01-01 UTC.
    pub fn on(self, day: i64) -> Partition {
        match self {
            PartitionSpec::Fixed(share) => share,
            PartitionSpec::Today { of } => {
                let index = u32::try_from(day.rem_euclid(i64::from(of))).unwrap_or_default() + 1;
                Partition { index, of }
            }
        }
    }
}

impl FromStr for PartitionSpec {
    type Err = ParseShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("today/") {
            None => text.parse().map(PartitionSpec::Fixed),
            Some(of) => match of.parse() {
                Ok(of) if of > 0 => Ok(PartitionSpec::Today { of }),
                _ => Err(ParseShareError { input: text.to_owned(), problem: "write today/N, for example today/7" }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_in_one_share() {
        for of in [1, 2, 7, 100] {
            let mut sizes = vec![0; of as usize];
            for object in 0..2_000 {
                let key = format!("p/ami-{object:08x}.bin");
                let holding: Vec<u32> =
                    (1..=of).filter(|index| Partition::new(*index, of).unwrap().holds("slice", "b", &key)).collect();
                assert_eq!(holding.len(), 1, "{key}");
                sizes[holding[0] as usize - 1] += 1;
            }
            let fair = 2_000 / of;
            assert!(sizes.iter().all(|size| (fair / 3..=fair * 2).contains(size)), "{sizes:?}");
        }
    }

    #[test]
    fn shares_of_different_purposes_cut_differently() {
        let share = Partition::new(1, 2).unwrap();
        let both = (0..1_000).map(|n| format!("ami-{n:08x}.bin"));
        let count = both.filter(|key| share.holds("slice", "b", key) && share.holds("shard", "b", key)).count();
        assert!((150..350).contains(&count), "{count}");
    }

    #[test]
    fn written_shares() {
        assert_eq!("3/7".parse(), Ok(Partition::new(3, 7).unwrap()));
        for wrong in ["", "3", "0/7", "8/7", "a/b", "1/0", "-1/3", "today/7"] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
        assert!("today/0".parse::<PartitionSpec>().is_err());
        let turn: PartitionSpec = "today/7".parse().unwrap();
        let week: std::collections::BTreeSet<u32> = (20_000..20_007).map(|day| turn.on(day).index()).collect();
        assert_eq!(week.len(), 7, "a week takes its turns");
        assert_eq!("2/3".parse::<PartitionSpec>().unwrap().on(5), Partition::new(2, 3).unwrap());
    }
}
