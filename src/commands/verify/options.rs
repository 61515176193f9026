use std::str::FromStr;
use std::sync::Arc;

use super::ETagParts;
use crate::checkpoint::CheckpointFile;
use crate::checksum::{Algorithm, ChecksumKind, StoredChecksum};
use crate::commands::LogicalSizeSource;
use crate::content::Limits;
use crate::fetch::{Quota, RangeSink};
use crate::ident::{ETag, ETagForm};
use crate::manifest::{GivenSums, Manifest, Signed};
use crate::plan::{Budget, PartLayout, Sample};
use crate::source::ObjectSource;
use crate::units::PartNumber;
use crate::verdict::{CheckId, CheckName, Origin, Subject};

/// Options of a verification. The default uses every reference that is stored with the object.
#[derive(Clone)]
pub struct VerifyOptions {
    /// Values of `--expect`.
    pub expect: Vec<Expected>,
    /// Value of `--etag`.
    pub etag: Option<ETag>,
    /// The layout under which the ETag of the object matched in an earlier run.
    pub etag_parts: Option<ETagParts>,
    /// `--manifest`: the name of the file and its content.
    pub manifest: Option<(String, Manifest)>,
    /// `--manifest-key`: the verified signature of the manifest.
    pub manifest_signature: Option<Signed>,
    /// `--sums`: the name of the file and its values.
    pub sums: Option<GivenSums>,
    /// The object of `--like`, whose stored values are used as references.
    pub like: Option<Arc<dyn ObjectSource>>,
    /// Only these references are used; all if it names none. An origin of values that other programs left adds those and
    /// leaves out no others.
    pub using: Vec<CheckName>,
    /// Checks that must not be unknown, in addition to identity, size and proof.
    pub require: Vec<CheckName>,
    /// Required checks that may be unknown.
    pub accept: Vec<CheckName>,
    /// Additional digests to compute.
    pub digest: Vec<Algorithm>,
    /// Read only a sample of the ranges; `None` to read everything.
    pub sample: Option<Sample>,
    /// Compute the digests of a manifest.
    pub manifest_wanted: bool,
    /// Read mismatching bytes a second time.
    pub reread: bool,
    /// Limits of memory and concurrency.
    pub budget: Budget,
    /// Limits of time and bytes; requests may share one quota.
    pub quota: Quota,
    /// Compute statistics of sampled windows while reading.
    pub probe: bool,
    /// Decode the bytes as a compressed stream, within these limits.
    pub decode: Option<Limits>,
    /// The size before compression, for the compression ratio.
    pub logical: LogicalSizeSource,
    /// Checkpoint file to resume from and to write.
    pub resume: Option<CheckpointFile>,
    /// Where the bytes of the first read go, besides the hashers.
    pub forward: Option<Forward>,
}

/// A receiver of the bytes that a verification reads.
#[derive(Clone)]
pub struct Forward {
    /// The parts that the receiver makes of the bytes; no range crosses their boundaries.
    pub layout: PartLayout,
    /// Digests of these parts to compute, besides those that the references need.
    pub digests: Vec<Algorithm>,
    /// The receiver.
    pub sink: Arc<dyn RangeSink>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        VerifyOptions {
            expect: Vec::new(),
            etag: None,
            etag_parts: None,
            manifest: None,
            manifest_signature: None,
            sums: None,
            like: None,
            using: Vec::new(),
            require: Vec::new(),
            accept: Vec::new(),
            digest: Vec::new(),
            sample: None,
            manifest_wanted: false,
            reread: true,
            budget: Budget::default(),
            quota: Quota::default(),
            probe: false,
            decode: None,
            logical: LogicalSizeSource::default(),
            resume: None,
            forward: None,
        }
    }
}

impl VerifyOptions {
    /// Whether the bytes are read only to judge references.
    pub(super) fn reads_nothing_else(&self) -> bool {
        self.digest.is_empty() && !self.manifest_wanted && self.decode.is_none() && self.forward.is_none()
    }

    /// Whether the check prevents a pass while it is unknown.
    pub(super) fn requires(&self, check: CheckId) -> bool {
        matches!(check, CheckId::Identity | CheckId::Size | CheckId::Proof)
            || self.require.iter().any(|name| name.matches(check))
    }

    pub(super) fn uses(&self, check: CheckId) -> bool {
        !self.narrows() || self.using.iter().any(|name| name.matches(check))
    }

    /// Whether `using` leaves out references.
    fn narrows(&self) -> bool {
        self.using.iter().any(|name| !name.adds())
    }

    /// Whether references of this origin are asked for by name.
    pub(in crate::commands) fn asks_for(&self, origin: Origin) -> bool {
        self.using.iter().chain(&self.require).any(|name| name.is_of(origin))
    }

    /// Checks that the options are consistent.
    ///
    /// # Errors
    ///
    /// A message if the given ETag is not an MD5 digest, or if `--using` excludes a value that was given.
    pub fn check(&self) -> Result<(), String> {
        if let Some(etag) = self.etag.as_ref().filter(|etag| etag.form() == ETagForm::Opaque) {
            return Err(format!(
                "--etag {etag}: is neither an MD5 (32 hexadecimal digits) nor one over parts (-N behind it), and cannot be compared with bytes"
            ));
        }
        match self.given().into_iter().find(|(_, checks)| !checks.iter().any(|check| self.uses(*check))) {
            Some((flag, checks)) if checks.is_empty() => Err(format!("{flag}: it contains no value to compare with")),
            Some((flag, _)) => Err(format!("--using leaves out what {flag} gives; name it too, or leave out {flag}")),
            None => Ok(()),
        }
    }

    /// The values given by the user, by flag. At least one check of each group must be used.
    fn given(&self) -> Vec<(&'static str, Vec<CheckId>)> {
        let one = |flag, origin, subject| (flag, vec![CheckId::Reference(origin, subject)]);
        let mut given = Vec::new();
        let expected = |expected: &Expected| Subject::Checksum(expected.0.algorithm());
        given.extend(self.expect.iter().map(|value| one("--expect", Origin::Expect, expected(value))));
        given.extend(self.etag.iter().map(|_| one("--etag", Origin::Expect, Subject::ETag)));
        for line in self.sums.iter().flat_map(|sums| &sums.values) {
            given.push(one("--sums", Origin::Sums, line.value.subject()));
        }
        if let Some((_, manifest)) = &self.manifest {
            let references = manifest.references().unwrap_or_default();
            given.push(("--manifest", references.iter().map(|reference| reference.check).collect()));
        }
        if self.like.is_some() {
            // The references of the other object are not known yet; any check of `--like` counts.
            let of_like = |name: &CheckName| match name {
                CheckName::AllOf(origin) => *origin == Origin::Like,
                CheckName::One(check) => matches!(check, CheckId::Reference(Origin::Like, _)),
            };
            let named = !self.narrows() || self.using.iter().any(of_like);
            given.extend((!named).then(|| one("--like", Origin::Like, Subject::Value)));
        }
        given
    }

    pub(super) fn accepts(&self, check: CheckId) -> bool {
        self.accept.iter().any(|name| name.matches(check))
    }
}

/// A value given on the command line: `ALGORITHM:VALUE` in base64 or hexadecimal, followed by `-N` if it covers N
/// parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub StoredChecksum);

/// A value of `--expect` that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}`: {problem}")]
pub struct ParseExpectedError {
    /// The value as given.
    pub input: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FromStr for Expected {
    type Err = ParseExpectedError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let error = |problem: String| ParseExpectedError { input: input.to_owned(), problem };
        let (algorithm, value) = input
            .split_once(':')
            .ok_or_else(|| error("write ALGORITHM:VALUE, for example sha256:9f86d0…".to_owned()))?;
        let algorithm: Algorithm = algorithm.parse().map_err(|e| error(format!("{e}")))?;
        let stored = StoredChecksum::parse(algorithm, value, None, false).map_err(|e| error(e.to_string()))?;
        match stored.kind {
            ChecksumKind::Composite { .. } if !algorithm.multipart_composite() => {
                Err(error(format!("{algorithm} goes over a whole object and never over parts")))
            }
            ChecksumKind::Composite { parts: Some(parts) } if parts > PartNumber::MAX => {
                Err(error(format!("an object has {} parts at the most", PartNumber::MAX)))
            }
            _ => Ok(Expected(stored)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumKind;

    #[test]
    fn expected_values() {
        let of = |text: &str| text.parse::<Expected>().map(|expected| expected.0);
        assert_eq!(of("crc64nvme:rosUhgp5mIg=").unwrap().kind, ChecksumKind::FullObject);
        assert_eq!(of("crc64nvme:ae8b14860a799888").unwrap().digest.base64(), "rosUhgp5mIg=");
        assert_eq!(of("CRC32:y/Q5Jg==-3").unwrap().kind, ChecksumKind::Composite { parts: Some(3) });
        for malformed in [
            "",
            "sha256",
            "sha256:",
            "sha256:xyz",
            "blake3:00",
            "crc32:y/Q5Jg==-0",
            "crc32:y/Q5Jg==-10001",
            "crc64nvme:rosUhgp5mIg=-5",
        ] {
            assert!(of(malformed).is_err(), "{malformed}");
        }
    }
}
