use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Digest};
use crate::facts::ObjectFacts;
use crate::ident::{ETag, ETagForm, ObjectIdentity};
use crate::plan::{Claim, KnownLayout, PartLayout, Reference};
use crate::sealed::{SealError, at_most, open, seal};
use crate::verdict::{CheckId, Origin, Subject, Verdict};

/// S3 allows 10,000 parts per object, and a manifest of a local file uses no more.
const MOST_PARTS: usize = 10_000;
/// Most entries of stored checksums, passed checks and lists of part digests: a few for each of ten
/// algorithms.
const MOST_VALUES: usize = 64;

/// What a complete `verify` recorded about an object, as a reference for later runs and for copies.
///
/// On disk it is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// Time of writing, RFC 3339.
    pub written_at: String,
    /// The object, as a URI or a path.
    pub target: String,
    /// Version of the object, if the bucket has versioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// ETag of the object as S3 returned it, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Time of last modification as S3 stated it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Size of the object in bytes.
    pub object_bytes: u64,
    /// Verdict of the run: `pass`, or `unknown` if there was no reference to prove the bytes with.
    pub verdict: Verdict,
    /// Names of the checks that passed.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub proved_by: Vec<String>,
    /// Whether the object is a copy of unproved bytes, and only values of the copy itself proved it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproved_copy: bool,
    /// Checksums that S3 stored with the object.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub stored_checksums: Vec<StoredValue>,
    /// Digests of the whole object in base64, by algorithm.
    pub whole: BTreeMap<String, String>,
    /// Digests of the parts.
    #[serde(deserialize_with = "at_most::<MOST_VALUES, _, _>")]
    pub parts: Vec<PartDigests>,
}

/// A checksum as S3 reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredValue {
    /// Name of the algorithm.
    pub algorithm: String,
    /// `full_object`, `composite` or `unstated`.
    pub kind: String,
    /// The value in base64, for composites possibly with the part count.
    pub value: String,
}

/// The digest of every part of one layout, by one algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartDigests {
    /// Name of the algorithm.
    pub algorithm: String,
    /// Sizes of the parts in order, as runs of equal sizes.
    #[serde(deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub layout: Vec<PartRun>,
    /// Digests in base64, one per part.
    #[serde(deserialize_with = "at_most::<MOST_PARTS, _, _>")]
    pub digests: Vec<String>,
}

/// Consecutive parts of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRun {
    /// Bytes of each part.
    pub part_bytes: u64,
    /// Number of parts.
    pub parts: u64,
}

/// A manifest could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is not a valid sealed document.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The content contradicts itself; the text is for the report.
    #[error("contradicts itself: {0}")]
    Inconsistent(String),
}

impl Manifest {
    /// The manifest as a sealed line of text.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("manifest", self)
    }

    /// Reads a sealed manifest and checks that its content is consistent.
    ///
    /// # Errors
    ///
    /// When the text is not a sealed manifest or its content is inconsistent.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        let manifest: Manifest = open("manifest", text)?;
        if let Some(problem) = manifest.contradiction() {
            return Err(ManifestError::Inconsistent(problem));
        }
        manifest.references()?;
        Ok(manifest)
    }

    /// Whether a value that S3 stored or that was given proved the bytes. Without one the manifest is a baseline: values that
    /// other programs left, and another baseline, prove nothing about the copies that are compared with it.
    pub fn is_proved(&self) -> bool {
        let proves = |name: &String| name.parse().is_ok_and(CheckId::proves_without_others);
        self.verdict == Verdict::Pass && !self.unproved_copy && self.proved_by.iter().any(proves)
    }

    /// Whether its values say more of the object `target` than what was computed when that was written.
    pub fn is_from_elsewhere(&self, target: &str) -> bool {
        let says_more = |name: &String| name.parse().is_ok_and(|check: CheckId| !check.is_since_written());
        self.is_proved() && (self.target != target || self.proved_by.iter().any(says_more))
    }

    /// The origin of its references.
    pub fn origin(&self) -> Origin {
        if self.is_proved() { Origin::Manifest } else { Origin::Baseline }
    }

    /// Why `new` must not take the place of this manifest; `None` if it may.
    pub fn why_not_replaced_by(&self, new: &Manifest) -> Option<&'static str> {
        // Also if the object was written again since: these may be the only values of what it was.
        if self.is_proved() && !new.is_proved() {
            return Some("the one that is there is of a run that proved the bytes, and this run did not");
        }
        let (old, now) = (self.content(), new.content());
        let parts = |list: &PartDigests| {
            new.parts.iter().any(|other| {
                (&other.algorithm, &other.layout) == (&list.algorithm, &list.layout) && other.digests != list.digests
            })
        };
        let whole = |(name, value): (&String, &String)| new.whole.get(name).is_some_and(|other| other != value);
        let differs = self.whole.iter().any(whole) || self.parts.iter().any(parts);
        (differs && old.has_strong_etag() && old.same_as(&now).is_yes())
            .then_some("the one that is there has other digests for the same ETag and size")
    }

    /// The ETag and the size of the object. Its version id and time are those of the place where it was.
    pub fn content(&self) -> ObjectIdentity {
        ObjectIdentity { etag: self.etag.as_deref().map(ETag::kept), ..ObjectIdentity::of_size(self.object_bytes) }
    }

    /// Whether the manifest is of another object, by its size or by the parts it was written in; the text
    /// says how. `None` if both agree, or if the parts are not known, as for a local copy.
    pub fn is_of_another(&self, facts: &ObjectFacts, layout: &KnownLayout) -> Option<String> {
        if !ObjectIdentity::of_size(self.object_bytes).same_as(&ObjectIdentity::of_size(facts.size)).agrees() {
            return Some(format!("it has {} bytes, this one has {}", self.object_bytes, facts.size));
        }
        let theirs = parts_of(self.etag.as_deref().map(ETag::new).as_ref())?;
        let ours = parts_of(facts.id.etag.as_ref())?;
        if theirs != ours {
            return Some(format!("it was written in {theirs} parts, this one in {ours}"));
        }
        let listed = self.parts.iter().find(|list| list.digests.len() as u64 == theirs && theirs > 1)?;
        let sizes = listed.layout.iter().flat_map(|run| (0..run.parts).map(|_| run.part_bytes));
        let listed = PartLayout::from_sizes(self.object_bytes, sizes).ok()?;
        // Several candidates are guesses.
        let [known] = layout.candidates.as_slice() else { return None };
        (known.layout.count() == listed.count() && known.layout != listed)
            .then(|| "the parts of the two end elsewhere".to_owned())
    }

    /// What is inconsistent about the verdict, for the report; `None` if nothing is. No manifest is written
    /// after a failed run, so one with the verdict `fail` is not accepted as a reference.
    pub fn contradiction(&self) -> Option<String> {
        match self.verdict {
            Verdict::Pass if self.proved_by.is_empty() => {
                Some("its run passed, and nothing proved the bytes".to_owned())
            }
            Verdict::Pass | Verdict::Unknown => None,
            Verdict::Fail => Some("its run failed, and no manifest is written of that".to_owned()),
        }
    }

    /// The references that the manifest provides, all for an object of `object_bytes` bytes.
    ///
    /// # Errors
    ///
    /// When an algorithm, a digest or a layout in it is invalid.
    pub fn references(&self) -> Result<Vec<Reference>, ManifestError> {
        let wrong = |what: String| ManifestError::Inconsistent(what);
        let algorithm = |name: &str| name.parse::<Algorithm>().map_err(|error| wrong(error.to_string()));
        let digest = |algorithm, text: &str| Digest::parse(algorithm, text).map_err(|error| wrong(error.to_string()));
        let source = format!("manifest of {} ({})", self.target, self.written_at);
        let origin = self.origin();
        let mut references = Vec::new();
        for (name, value) in &self.whole {
            let algorithm = algorithm(name)?;
            let check = CheckId::Reference(origin, Subject::Checksum(algorithm));
            references.push(Reference::new(check, source.clone(), Claim::Whole(digest(algorithm, value)?)));
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
            let check = CheckId::Reference(origin, Subject::Parts(algorithm));
            references.push(Reference::new(check, source.clone(), Claim::Parts { layout, digests }));
        }
        Ok(references)
    }
}

/// The number of parts that an ETag states; `None` if it is opaque or absent.
fn parts_of(etag: Option<&ETag>) -> Option<u64> {
    match etag?.form() {
        ETagForm::Md5 { .. } => Some(1),
        ETagForm::Multipart { parts, .. } => Some(u64::from(parts)),
        ETagForm::Opaque => None,
    }
}

impl PartDigests {
    /// The digests of all parts of `layout`, in order.
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
    use crate::ident::ObjectId;

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
            verdict: Verdict::Pass,
            proved_by: vec!["crc64nvme".into()],
            unproved_copy: false,
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
    fn without_a_value_that_proves_the_bytes_it_is_a_baseline() {
        for (verdict, by, is_proved) in [
            (Verdict::Pass, "crc64nvme", true),
            (Verdict::Pass, "etag", true),
            (Verdict::Pass, "manifest-parts-sha256", true),
            (Verdict::Pass, "baseline-sha256", false),
            (Verdict::Pass, "tags-md5", false),
            (Verdict::Pass, "metadata-sha256", false),
            (Verdict::Pass, "blake9", false),
            (Verdict::Pass, "size", false),
            (Verdict::Unknown, "crc64nvme", false),
        ] {
            let manifest = Manifest { verdict, proved_by: vec![by.to_owned()], ..manifest() };
            assert_eq!(manifest.is_proved(), is_proved, "{by}");
            let names: Vec<_> = manifest.references().unwrap().iter().map(|r| r.check.to_string()).collect();
            let of = if is_proved { "manifest" } else { "baseline" };
            assert_eq!(names, [format!("{of}-crc32"), format!("{of}-parts-sha256")], "{by}");
        }
        assert!(!Manifest { unproved_copy: true, ..manifest() }.is_proved());
        let both = vec!["baseline-sha256".to_owned(), "crc32".to_owned()];
        assert!(Manifest { proved_by: both, ..manifest() }.is_proved());
    }

    #[test]
    fn another_object_is_told_by_size_and_parts() {
        let layout = PartLayout::uniform(20, 8);
        let etag = |parts: u32| format!("65247a1c5755517a32636c78de3d624a-{parts}");
        let of_parts = Manifest { etag: Some(etag(3)), ..manifest() };
        let of = |manifest: &Manifest, size, etag: &str, layout: KnownLayout| {
            let id = ObjectId { target: "s3://b/other".parse().unwrap(), etag: Some(ETag::new(etag)) };
            manifest.is_of_another(&ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), size), &layout)
        };
        let assumed = |layout: &PartLayout| KnownLayout::assumed(3, [layout.clone()], "test");
        let other = PartLayout::uniform(20, 9);
        assert_eq!(of(&of_parts, 20, &etag(3), assumed(&layout)), None);
        assert!(of(&of_parts, 21, &etag(3), assumed(&layout)).unwrap().contains("20 bytes, this one has 21"));
        assert!(of(&of_parts, 20, &etag(2), assumed(&layout)).unwrap().contains("3 parts, this one in 2"));
        assert!(of(&of_parts, 20, "65247a1c5755517a32636c78de3d624a", KnownLayout::single(20)).is_some());
        assert!(of(&of_parts, 20, &etag(3), assumed(&other)).unwrap().contains("end elsewhere"));
        // Guessed layouts and missing ETags do not show a difference.
        let guessed = KnownLayout::assumed(3, [other, layout.clone()], "test");
        assert_eq!(of(&of_parts, 20, &etag(3), guessed), None);
        assert_eq!(of(&of_parts, 20, "a local file", KnownLayout::single(20)), None);
        assert_eq!(of(&manifest(), 20, &etag(2), assumed(&layout)), None, "nothing tells how it was written");
    }

    #[test]
    fn edits_and_contradictions_are_found() {
        let text = manifest().to_json().unwrap();
        let edited = text.replace("\"object_bytes\":20", "\"object_bytes\":21");
        assert!(matches!(Manifest::from_json(&edited), Err(ManifestError::Sealed(SealError::Damaged))));
        let mut wrong = manifest();
        wrong.object_bytes = 21;
        assert!(matches!(Manifest::from_json(&wrong.to_json().unwrap()), Err(ManifestError::Inconsistent(_))));
        for (verdict, proved_by, problem) in [
            (Verdict::Fail, vec!["crc32".to_owned()], Some("its run failed")),
            (Verdict::Fail, vec![], Some("its run failed")),
            (Verdict::Pass, vec![], Some("nothing proved the bytes")),
            (Verdict::Unknown, vec![], None),
            (Verdict::Pass, vec!["crc32".to_owned()], None),
        ] {
            let odd = Manifest { verdict, proved_by, ..manifest() };
            let read = Manifest::from_json(&odd.to_json().unwrap()).map_err(|error| error.to_string());
            match problem {
                Some(problem) => assert!(read.unwrap_err().contains(problem), "{verdict}"),
                None => assert_eq!(read.unwrap(), odd),
            }
        }
        // A sealed file whose verdict is another word is refused.
        for word in ["Pass", "passed", "", "proved"] {
            let mut other = serde_json::to_value(manifest()).unwrap();
            other["verdict"] = word.into();
            let read = Manifest::from_json(&seal("manifest", &other).unwrap());
            assert!(matches!(read, Err(ManifestError::Sealed(SealError::Malformed { .. }))), "{word}: {read:?}");
        }
        let mut huge = manifest();
        huge.parts[0].layout[0].parts = u64::MAX;
        assert!(matches!(Manifest::from_json(&huge.to_json().unwrap()), Err(ManifestError::Inconsistent(_))));
    }
}
