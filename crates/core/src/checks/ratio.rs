use super::preflight::LogicalSize;
use crate::text::{sentences, words};
use crate::units::ByteSize;

sentences! {
    /// Sizes of the same AMI that cannot both be right, in bytes.
    pub enum SizeContradiction {
        /// More was written than the volumes hold.
        WrittenBeyondVolumes { written: u64, volumes: u64 } =>
            "{} written is more than {} of volumes: one of them is wrong" (ByteSize(*written), ByteSize(*volumes)),
    }
}

words! {
    /// What the size before compression is known from.
    pub enum RatioBasis {
        /// Sizes of all volumes.
        Volumes = "volumes",
        /// Blocks written to all snapshots.
        Written = "written",
        /// What a person states.
        Stated = "stated",
        /// What really came out of the stream.
        Decoded = "decoded",
    }
}

/// Logical bytes per stored byte, by one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// The measure.
    pub basis: RatioBasis,
    /// Logical size in bytes.
    pub logical_bytes: u64,
    /// Source of the size, for the report.
    pub source: String,
}

/// A measure that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingBasis {
    /// The measure.
    pub basis: RatioBasis,
    /// Why it is not known, for the report.
    pub because: String,
    /// How to obtain it, for the report.
    pub advice: &'static str,
}

/// The known compression ratios of an object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ratios {
    /// Size of the object in bytes.
    pub stored_bytes: u64,
    /// The known ratios.
    pub known: Vec<Ratio>,
    /// The measures that are not known.
    pub missing: Vec<MissingBasis>,
}

const KEEP_IT: &str = "--record FILE gives it, with a file that `stored-ami store --record` wrote; `stored-ami store` also tags objects with it";

impl Ratio {
    /// Logical bytes per stored byte; `None` if the object is empty.
    pub fn value(&self, stored_bytes: u64) -> Option<f64> {
        (stored_bytes > 0).then(|| self.logical_bytes as f64 / stored_bytes as f64)
    }
}

impl Ratios {
    /// Ratios from the size that a record or tags state, and from the one that the user gives. All measures
    /// of a source are included.
    pub fn of(stored_bytes: u64, source: &LogicalSize, stated: Option<u64>) -> Self {
        let mut ratios = Ratios { stored_bytes, ..Ratios::default() };
        for (basis, bytes) in [(RatioBasis::Volumes, source.volumes), (RatioBasis::Written, source.written)] {
            match bytes {
                Some(bytes) => ratios.add(basis, bytes, source.source.clone()),
                None => {
                    let because = match (source.volumes, source.written) {
                        (None, None) => source.source.clone(),
                        _ => format!("{} does not state it", source.source),
                    };
                    ratios.missing.push(MissingBasis { basis, because, advice: KEEP_IT });
                }
            }
        }
        if let Some(bytes) = stated {
            ratios.add(RatioBasis::Stated, bytes, "--logical-size".to_owned());
        }
        ratios
    }

    /// Adds a ratio.
    pub fn add(&mut self, basis: RatioBasis, logical_bytes: u64, source: String) {
        self.known.push(Ratio { basis, logical_bytes, source });
    }

    /// The lowest and the highest ratio, if there are at least two.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.known.iter().filter_map(|ratio| ratio.value(self.stored_bytes)).collect();
        let (low, high) =
            values.iter().fold((f64::INFINITY, 0f64), |(low, high), value| (low.min(*value), high.max(*value)));
        (values.len() > 1).then_some((low, high))
    }

    /// A contradiction for the report: more bytes written than the volumes hold.
    pub fn contradiction(&self) -> Option<SizeContradiction> {
        let of = |basis| self.known.iter().find(|ratio| ratio.basis == basis).map(|ratio| ratio.logical_bytes);
        let (volumes, written) = (of(RatioBasis::Volumes)?, of(RatioBasis::Written)?);
        (written > volumes).then_some(SizeContradiction::WrittenBeyondVolumes { written, volumes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::GIB;

    #[test]
    fn every_basis_stands_by_itself() {
        let size =
            LogicalSize { volumes: Some(8 * GIB), written: None, source: "the record r.json".into(), tagged: false };
        let ratios = Ratios::of(2 * GIB, &size, Some(3 * GIB));
        let values: Vec<_> = ratios.known.iter().map(|ratio| (ratio.basis.name(), ratio.value(2 * GIB))).collect();
        assert_eq!(values, [("volumes", Some(4.0)), ("stated", Some(1.5))]);
        assert_eq!(ratios.spread(), Some((1.5, 4.0)));
        assert_eq!(ratios.missing[0].because, "the record r.json does not state it");
        assert_eq!(ratios.contradiction(), None);
    }

    #[test]
    fn nothing_known_says_why() {
        let ratios = Ratios::of(GIB, &LogicalSize::unknown("no record"), None);
        assert_eq!((ratios.known.len(), ratios.spread()), (0, None));
        let missing: Vec<_> = ratios.missing.iter().map(|missing| (missing.basis.name(), &*missing.because)).collect();
        assert_eq!(missing, [("volumes", "no record"), ("written", "no record")]);
    }

    #[test]
    fn an_empty_object_has_no_ratio_and_a_contradiction_is_told() {
        let size = LogicalSize { volumes: Some(GIB), written: Some(2 * GIB), source: "tags".into(), tagged: true };
        let ratios = Ratios::of(0, &size, None);
        assert!(ratios.known.iter().all(|ratio| ratio.value(0).is_none()));
        assert_eq!(
            ratios.contradiction().unwrap().to_string(),
            "2 GiB written is more than 1 GiB of volumes: one of them is wrong"
        );
    }
}
