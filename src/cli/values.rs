//! Options whose values are known: help and completions list them.

use std::fmt::Display;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{PossibleValue, TypedValueParser};

use crate::checksum::Algorithm;
#[cfg(feature = "ec2")]
use crate::verdict::Condition;
use crate::verdict::{CheckName, Origin};

/// Parses a value by [`FromStr`], and lists the usual values. Other spellings that the type understands are accepted
/// too.
#[derive(Debug, Clone)]
pub(super) struct Listed<T> {
    values: Vec<PossibleValue>,
    parse: fn(&str) -> Result<T, String>,
}

impl<T> Listed<T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: Display,
{
    fn new(values: impl IntoIterator<Item = PossibleValue>) -> Self {
        Listed {
            values: values.into_iter().collect(),
            parse: |text| text.parse().map_err(|error: T::Err| error.to_string()),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Listed<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        self.parse.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values.iter().cloned()))
    }
}

/// Values of `--digest`.
pub(super) fn algorithms() -> Listed<Algorithm> {
    Listed::new(Algorithm::ALL.map(|algorithm| PossibleValue::new(algorithm.name())))
}

/// Where other programs leave digests of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LeftIn {
    Tags,
    Metadata,
}

impl From<LeftIn> for CheckName {
    fn from(left: LeftIn) -> Self {
        CheckName::AllOf(match left {
            LeftIn::Tags => Origin::Tags,
            LeftIn::Metadata => Origin::Metadata,
        })
    }
}

/// Values of `--using`, `--require` and `--accept` of `verify`.
pub(super) fn verify_checks() -> Listed<CheckName> {
    let fixed = ["identity", "size", "proof", "contradiction", "stream", "etag"];
    let origins = ["expect", "manifest", "baseline", "sums", "like", "tags", "metadata"];
    let algorithms = Algorithm::ALL.map(Algorithm::name);
    let names = fixed.into_iter().chain(algorithms).chain(origins);
    Listed::new(names.map(PossibleValue::new))
}

/// Values of `--accept` of the preflights.
#[cfg(feature = "ec2")]
pub(super) fn condition_checks() -> Listed<CheckName> {
    Listed::new(Condition::ALL.map(|(_, name)| PossibleValue::new(name)))
}

/// Values of `--level`.
#[cfg(feature = "s3")]
pub(super) fn levels() -> Listed<crate::audit::Level> {
    use crate::audit::Level;
    Listed::new(Level::ALL.iter().map(|level| {
        PossibleValue::new(level.name()).help(match level {
            Level::Facts => "Metadata only; no byte is read",
            Level::Sample => "A part of each object (--sample)",
            Level::Bytes => "Every byte that the ledger does not prove yet",
        })
    }))
}
