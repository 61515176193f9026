use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Digest};
use crate::plan::{Claim, PartLayout, Reference};
use crate::sealed::{SealError, at_most, open, seal};
use crate::verdict::{CheckId, Origin, Subject};

/// S3 takes 10,000 parts of one object, and a manifest of a file divides it into no more.
const MOST_PARTS: usize = 10_000;
/// Stored checksums, passed checks, and lists of part digests: a few for each of ten algorithms.
const MOST_VALUES: usize = 64;

/// What a complete `verify` saw of an object, to hold it or a copy against later.
///
/// On disk it is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// RFC 3339.
    pub written_at: String,
    /// Where the object was.
    pub target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    pub object_bytes: u64,
    /// Verdict of the run: `pass`, or `unknown` where there was nothing to prove the bytes by.
    pub verdict: String,
    /// The checks that passed.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub proved_by: Vec<String>,
    /// What S3 stored with the object.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub stored_checksums: Vec<StoredValue>,
    /// Digests of all bytes, by algorithm, in base64.
    pub whole: BTreeMap<String, String>,
    /// Digests of each part.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub parts: Vec<PartDigests>,
}

/// A checksum as S3 reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredValue {
    pub algorithm: String,
    /// `full_object`, `composite` or `unstated`.
    pub kind: String,
    pub value: String,
}

/// The digest of every part of one layout, by one algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartDigests {
    pub algorithm: String,
    /// Part sizes in order, run by run.
    #[serde(deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub layout: Vec<PartRun>,
    /// Base64, one for each part.
    #[serde(deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub digests: Vec<String>,
}

/// Parts of the same size in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRun {
    pub part_bytes: u64,
    pub parts: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error(transparent)]
    Sealed(#[from] SealError),
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl Manifest {
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("manifest", self)
    }

    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        let manifest: Manifest = open("manifest", text)?;
        manifest.references()?;
        Ok(manifest)
    }

    /// What an object can be held against. All of them speak of an object of `object_bytes` bytes.
    pub fn references(&self) -> Result<Vec<Reference>, ManifestError> {
        let wrong = |what: String| ManifestError::Inconsistent(what);
        let algorithm = |name: &str| name.parse::<Algorithm>().map_err(|error| wrong(error.to_string()));
        let digest = |algorithm, text: &str| Digest::parse(algorithm, text).map_err(|error| wrong(error.to_string()));
        let source = format!("manifest of {} ({})", self.target, self.written_at);
        let mut references = Vec::new();
        for (name, value) in &self.whole {
            let algorithm = algorithm(name)?;
            references.push(Reference {
                check: CheckId::Reference(Origin::Manifest, Subject::Checksum(algorithm)),
                source: source.clone(),
                claim: Claim::Whole(digest(algorithm, value)?),
            });
        }
        for list in &self.parts {
            let algorithm = algorithm(&list.algorithm)?;
            let runs: u64 = list.layout.iter().fold(0, |sum, run| sum.saturating_add(run.parts));
            if runs != list.digests.len() as u64 {
                return Err(wrong(format!("{runs} parts, {} digests", list.digests.len())));
            }
            let sizes = list.layout.iter().flat_map(|run| (0..run.parts).map(|_| run.part_bytes));
            let layout = PartLayout::from_sizes(self.object_bytes, sizes).map_err(|error| wrong(error.to_string()))?;
            let digests = list.digests.iter().map(|text| digest(algorithm, text)).collect::<Result<Vec<_>, _>>()?;
            references.push(Reference {
                check: CheckId::Reference(Origin::Manifest, Subject::Parts(algorithm)),
                source: source.clone(),
                claim: Claim::Parts { layout, digests },
            });
        }
        Ok(references)
    }
}

impl PartDigests {
    pub fn new(algorithm: Algorithm, layout: &PartLayout, digests: &[Digest]) -> Self {
        let mut runs: Vec<PartRun> = Vec::new();
        for part in layout.parts() {
            match runs.last_mut() {
                Some(run) if run.part_bytes == part.len() => run.parts += 1,
                _ => runs.push(PartRun { part_bytes: part.len(), parts: 1 }),
            }
        }
        PartDigests {
            algorithm: algorithm.to_string(),
            layout: runs,
            digests: digests.iter().map(Digest::base64).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;

    fn manifest() -> Manifest {
        let layout = PartLayout::uniform(20, 8);
        let digests: Vec<_> = (0..3u8).map(|i| Hasher::digest(Algorithm::Sha256, &[i])).collect();
        Manifest {
            tool: "stored-ami 0.0.0".into(),
            written_at: "2026-01-02T03:04:05Z".into(),
            target: "s3://b/k".into(),
            version_id: None,
            etag: Some("e".into()),
            last_modified: None,
            object_bytes: 20,
            verdict: "pass".into(),
            proved_by: vec!["crc64nvme".into()],
            stored_checksums: vec![],
            whole: [("crc32".to_owned(), "y/Q5Jg==".to_owned())].into(),
            parts: vec![PartDigests::new(Algorithm::Sha256, &layout, &digests)],
        }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let manifest = manifest();
        let text = manifest.to_json().unwrap();
        assert_eq!(Manifest::from_json(&text).unwrap(), manifest);
        let references = manifest.references().unwrap();
        let names: Vec<_> = references.iter().map(|r| r.check.to_string()).collect();
        assert_eq!(names, ["manifest-crc32", "manifest-parts-sha256"]);
    }

    #[test]
    fn edits_and_contradictions_are_found() {
        let text = manifest().to_json().unwrap();
        let edited = text.replace("\"object_bytes\":20", "\"object_bytes\":21");
        assert!(matches!(Manifest::from_json(&edited), Err(ManifestError::Sealed(SealError::Damaged))));
        let mut wrong = manifest();
        wrong.object_bytes = 21;
        assert!(matches!(Manifest::from_json(&wrong.to_json().unwrap()), Err(ManifestError::Inconsistent(_))));
        let mut huge = manifest();
        huge.parts[0].layout[0].parts = u64::MAX;
        assert!(matches!(Manifest::from_json(&huge.to_json().unwrap()), Err(ManifestError::Inconsistent(_))));
    }
}
